/** P04: shapes, and what bodies may do with tensors. */
import { entry } from './entry.ts';

export const shapes = {
  P0401: entry<{ what: string; expected: string; found: string; why: string }>({
    message: ({ what, expected, found, why }) => `${what} should be ${expected} and is ${found}: ${why}`,
    explain: 'A named dimension has one extent within a definition; the first tensor that has it fixes it.',
    example: 'pivot 1\nlayer f(a: [N], b: [N]) -> [N] { return a + b }\nlayer g(x: [M]) { return f(x, concat(x, x, axis: 0)) }\n',
  }),
  P0402: entry<{ message: string }>({
    message: ({ message }) => message,
    explain: 'The shapes of the operands do not fit the operation.',
    example: 'pivot 1\nlayer f(x: [N, D]) { return reshape(x, [N, D, 2]) }\n',
  }),
  P0404: entry<{ message: string }>({
    message: ({ message }) => message,
    explain: 'A `require` of the definition does not hold for these arguments. The sentence is the one written there.',
    example: 'pivot 1\nlayer f(x: [N, D], heads: int) { require D % heads == 0, "the width must be a multiple of heads" return x }\n',
  }),
  P0405: entry<{ path: string; first: string; second: string }>({
    message: ({ path, first, second }) => `the weight ${path} is ${first} in one call and ${second} in another`,
    help: () => 'a part called twice shares its weights: declare two parts if they should differ',
    explain: 'Calling a part again uses the same weights, so the shapes that it derives from its input must agree.',
    example: 'pivot 1\nuse std.nn.linear\nlayer f(x: [N, D]) { part a = linear(width: 2 * D) return a(a(x)) }\n',
  }),
  P0406: entry<{ name: string }>({
    message: ({ name }) => `\`${name}\` needs a place to live: this layer is called without being a part`,
    help: ({ name }) => `write \`part name = ...\` and call that, so that \`${name}\` has a path`,
    explain: 'Weights, parts and exposed activations are known by a path of part names, which an anonymous call does not have.',
    example: 'pivot 1\nuse std.nn.linear\nlayer f(x: [N, D]) { return linear(x, width: D) }\n',
  }),
  P0407: entry<{ of: string }>({
    message: ({ of }) => `${of} returns nothing`,
    help: () => 'end its body with `return ...`',
    explain: 'Every way through the body of a definition must end in a `return`.',
    example: 'pivot 1\nlayer f(x: [N]) { let y = x + 1 }\n',
  }),
  P0408: entry<{ of: string }>({
    message: ({ of }) => `layer ${of} calls itself without end`,
    explain: 'Layers are unfolded when the text is compiled, so a layer that calls itself has no end. Use `repeat`.',
    example: 'pivot 1\nlayer f(x: [N]) { return f(x) }\n',
  }),
  P0412: entry<Record<string, never>>({
    message: () => 'the first argument of grad does not depend on the second',
    explain: 'The gradient would be zero everywhere, which is never what was meant.',
    example: 'pivot 1\nlayer f(x: [N], y: [N]) { return grad(sum(x), y) }\n',
  }),
};
