/** P02: names, and the arguments of calls. */
import { entry, suggest } from './entry.ts';

export const names = {
  P0201: entry<{ name: string; nearest: string }>({
    message: ({ name }) => `nothing here is called \`${name}\``,
    help: ({ nearest }) => suggest(nearest),
    explain: 'A name must be declared in the text, brought in by `use`, or be a parameter or `let` of the body it stands in.',
    example: 'pivot 1\nparam pairs = 8k\nparam half = pair / 2\n',
  }),
  P0202: entry<{ name: string; where: string; nearest: string; candidates: string }>({
    message: ({ name, where }) => `\`${where}\` has no \`${name}\``,
    help: ({ nearest, candidates }) => suggest(nearest, candidates),
    explain: 'The file or folder that `use` names exists, but declares nothing of that name.',
    example: 'pivot 1\nuse std.loss.{ dpoo }\n',
  }),
  P0203: entry<{ path: string; candidates: string }>({
    message: ({ path }) => `there is no file or library \`${path}\``,
    help: ({ candidates }) => suggest(undefined, candidates),
    explain: 'The standard library begins with `std`; a file of your own is named in quotes, relative to the text that uses it.',
    example: 'pivot 1\nuse "absent.pivot".{ my_loss }\n',
  }),
  P0204: entry<{ name: string; line: number }>({
    message: ({ name, line }) => `\`${name}\` is already declared in line ${line}`,
    help: () => 'give one of the two another name',
    explain: 'In one text a name stands for one thing, so that a reader need not ask which.',
    example: 'pivot 1\nparam pairs = 8k\nparam pairs = 4k\n',
  }),
  P0205: entry<{ name: string }>({
    message: ({ name }) => `\`${name}\` is declared by means of itself`,
    explain: 'To know its value one would have to know its value. The declarations may stand in any order, but not in a circle.',
    example: 'pivot 1\nparam a = b\nparam b = a\n',
  }),
  P0206: entry<{ name: string; of: string; nearest: string; known: string }>({
    message: ({ name, of }) => `${of} has no \`${name}\``,
    help: ({ nearest, known }) => suggest(nearest, known),
    explain: 'What stands after the dot is no part, field or exposed activation of what stands before it.',
    example: 'pivot 1\nuse std.data.scenes\ndata rows = scenes.preference(count: 8)\n',
  }),
  P0209: entry<{ name: string; of: string; nearest: string; known: string }>({
    message: ({ name, of }) => (name === '' ? `an argument of ${of} must be named` : `${of} has no parameter \`${name}\``),
    help: ({ nearest, known }) => suggest(nearest, known),
    explain: 'A named argument must bear the name of a parameter. Nothing is silently dropped.',
    example: 'pivot 1\nuse std.data.scenes\ndata rows = scenes.captions(cuont: 8)\n',
  }),
  P0210: entry<{ name: string; of: string }>({
    message: ({ name, of }) => `${of} needs \`${name}\``,
    help: ({ name }) => `write \`${name}: ...\` among its arguments`,
    explain: 'A parameter without a default must be given.',
    example: 'pivot 1\nuse std.data.scenes\ndata rows = scenes.captions(split: "train")\n',
  }),
  P0211: entry<{ of: string; most: number }>({
    message: ({ of, most }) => `${of} takes at most ${most} argument${most === 1 ? '' : 's'}`,
    explain: 'There are more arguments than parameters.',
    example: 'pivot 1\nparam a = exp(1, 2)\n',
  }),
  P0212: entry<{ name: string; of: string }>({
    message: ({ name, of }) => `\`${name}\` of ${of} is given twice`,
    explain: 'An argument by place and an argument by name, or two by name, mean the same parameter.',
    example: 'pivot 1\nuse std.data.scenes\ndata rows = scenes.captions(count: 8, count: 9)\n',
  }),
  P0213: entry<{ of: string; wanted: number; found: number }>({
    message: ({ of, wanted, found }) => `${of} takes ${wanted} argument${wanted === 1 ? '' : 's'}, ${found} given`,
    explain: 'A local function takes as many arguments as its `let` names.',
    example: 'pivot 1\nlayer f(x: [N]) { let g(a, b) = a + b return g(x) }\n',
  }),
};
