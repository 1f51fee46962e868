/** P03: types and units. */
import { entry, suggest } from './entry.ts';

export const types = {
  P0301: entry<{ expected: string; found: string }>({
    message: ({ expected, found }) => `expected ${expected}, found ${found}`,
    explain: 'The value is of another kind than the place takes. The sentence names both.',
    example: 'pivot 1\nparam steps: int = "many"\n',
  }),
  P0302: entry<{ expected: string; found: string }>({
    message: ({ expected, found }) => `expected ${expected}, found ${found}`,
    help: () => 'units are never converted silently: write the unit that the place takes',
    explain: 'The number bears another unit than the place takes, or none where one is due, or one where none is.',
    example: 'pivot 1\nuse std.vision.vit\nencoder eyes = vit(image: 32, patch: 4px, width: 8, depth: 1, heads: 1)\n',
  }),
  P0303: entry<{ found: string; what: string }>({
    message: ({ found, what }) => `${what} must be a whole number, not ${found}`,
    explain: 'Counts and extents are whole numbers.',
    example: 'pivot 1\nparam steps: int = 1.5\n',
  }),
  P0304: entry<{ found: string }>({
    message: ({ found }) => `${found} cannot be called`,
    explain: 'Only definitions, parts, builtin functions and local functions take arguments.',
    example: 'pivot 1\nparam a = 3\nparam b = a(1)\n',
  }),
  P0305: entry<{ operator: string; left: string; right: string }>({
    message: ({ operator, left, right }) =>
      left === '' ? `\`${operator}\` cannot be applied to ${right}` : `\`${operator}\` cannot join ${left} and ${right}`,
    explain: 'The operator has no meaning for values of these kinds.',
    example: 'pivot 1\nparam a = "x" * 2\n',
  }),
  P0306: entry<{ found: string }>({
    message: ({ found }) => `a condition must be true or false before the run begins, not ${found}`,
    help: () => 'to choose between values of tensors, write `where(condition, a, b)`',
    explain: 'A static `if` decides which operations exist at all, so its condition must be known to the compiler.',
    example: 'pivot 1\nlayer f(x: [N]) { if x > 0 { return x } return -x }\n',
  }),
  P0308: entry<{ name: string }>({
    message: ({ name }) => `\`${name}\` cannot be assigned to`,
    help: ({ name }) => `write \`let ${name} = ...\` for a new name`,
    explain: 'Only a `let`, a `state` and the weight of an optimizer change; declarations and parts do not.',
    example: 'pivot 1\nparam a = 1\nlayer f(x: [N]) { a = 2 return x }\n',
  }),
  P0309: entry<{ message: string }>({
    message: ({ message }) => message,
    explain: 'The index does not fit what it is applied to: axes and items count from 0, a slice `a:b` ends before `b`.',
    example: 'pivot 1\nparam a = [1, 2][5]\n',
  }),
  P0310: entry<{ name: string; known: string }>({
    message: ({ name }) => `there is no type \`${name}\``,
    help: ({ known }) => suggest(undefined, known),
    explain: 'A type is one of the named ones, a shape such as [N, T, D], or a record.',
    example: 'pivot 1\nparam a: integer = 1\n',
  }),
  P0311: entry<{ name: string; layout: string; known: string }>({
    message: ({ name, layout }) => `the source \`${name}\` has an unknown layout of rows, \`${layout}\``,
    help: ({ known }) => suggest(undefined, known),
    explain: 'What stands after `->` of a source tells what its rows hold, and so which losses and probes can read them.',
    example: 'pivot 1\nsource rows(count: int) -> things = native("scenes.captions")\n',
  }),
};
