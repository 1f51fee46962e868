/** P04: tensors that do not fit. */
import { entry } from './entry.ts';
import { example } from './example.ts';

const ownLoss = (body: string, more = ''): string =>
  example({ loss: 'loss own', more: `use std.nn.linear\nuse std.model.scores.Scored\n${more}\nloss own(policy: Scored) {\n  ${body}\n}` });

export const shapes = {
  P0401: entry<{ what: string; expected: string; found: string; why: string }>({
    message: ({ what, expected, found, why }) => `${what} should be ${expected}, found ${found}: ${why}`,
    explain: 'Named dimensions of a signature must agree wherever they occur, and computed ones must come out as written.',
    example: ownLoss('return policy.logp'),
  }),
  P0402: entry<{ message: string }>({
    message: ({ message }) => message,
    explain: 'The operation does not apply to tensors of these shapes or types. Extents must be equal, or 1 where broadcasting applies.',
    example: ownLoss('return sum(policy.logp + iota(7))'),
  }),
  P0404: entry<{ message: string; collide: string }>({
    message: ({ message, collide }) => (collide ? `${message}: ${collide}` : message),
    explain: 'A `require` of the layer does not hold for these arguments.',
    example: example({ encoder: 'encoder eyes = vit(image: 24px, patch: 5px, width: 16, depth: 1, heads: 2)' }),
  }),
  P0405: entry<{ path: string; first: string; second: string }>({
    message: ({ path, first, second }) => `the weight ${path} is ${first} at one call of its part and ${second} at another`,
    help: () => 'a part that is called twice shares its weights; declare two parts to have two sets',
    explain: 'Calling a part twice shares it, so both calls must mean the same shapes.',
    example: ownLoss('part f = linear(width: 2)\n  return sum(f(policy.logp)) + sum(f(policy.logp[:, 0 : 3]))'),
  }),
  P0406: entry<{ name: string }>({
    message: ({ name }) => `\`${name}\` would be part of a layer that has no name`,
    help: () => 'declare the layer as a part first: `part up = linear(width: 64)`, then call `up(x)`',
    explain:
      'Weights are named by the path of parts that lead to them. A layer with weights that is called without being a part has no path.',
    example: ownLoss('return sum(linear(policy.logp, width: 2))'),
  }),
  P0407: entry<{ of: string }>({
    message: ({ of }) => `${of} ends without a \`return\``,
    explain: 'Every way through the body of a layer, loss or schedule ends with `return`.',
    example: ownLoss('let x = sum(policy.logp)'),
  }),
  P0408: entry<{ of: string }>({
    message: ({ of }) => `${of} calls itself without end`,
    explain: 'Layers are unrolled when compiling, so a layer that calls itself never comes to an end.',
    example: ownLoss('return sum(again(policy.logp))', 'layer again(x: [..]) -> [..] {\n  return again(x)\n}'),
  }),
  P0412: entry<Record<string, never>>({
    message: () => 'the value does not depend on what the gradient is asked for',
    explain: '`grad(value, x)` needs a way from `x` to `value`.',
    example: ownLoss('let x = policy.mask + 1\n  return sum(policy.logp) + sum(grad(sum(policy.logp), x))'),
  }),
};
