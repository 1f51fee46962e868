/** P02: names that mean nothing, mean two things, or do not belong where they stand. */
import { entry, enumerate } from './entry.ts';
import { example } from './example.ts';

const mean = (nearest: string): string | undefined => (nearest ? `did you mean \`${nearest}\`?` : undefined);

export const names = {
  P0201: entry<{ name: string; nearest: string; library?: string }>({
    message: ({ name }) => `\`${name}\` is not known here`,
    help: ({ nearest, library }) => (library ? `add the line: use ${library}` : (mean(nearest) ?? 'declare it, or bring it in with `use`')),
    explain:
      'A name must be declared in the text, brought in by `use`, or built in. Names of a body are those of its parameters, of the dimensions of its tensors, and of `let` and `part` before it.',
    example: example({ loss: 'loss stf' }),
  }),
  P0202: entry<{ name: string; where: string; nearest: string; candidates: string }>({
    message: ({ name, where }) => `\`${where}\` has no \`${name}\``,
    help: ({ nearest, candidates }) => mean(nearest) ?? (candidates ? `it has ${candidates}` : undefined),
    explain: '`use` names a declaration of a module, or a module of a folder of the standard library.',
    example: 'pivot 1\nuse std.loss.{ sft, dop }\n',
  }),
  P0203: entry<{ path: string; candidates: string; nearest?: string }>({
    message: ({ path }) => `there is no text \`${path}\``,
    help: ({ candidates, nearest }) =>
      nearest
        ? `did you mean \`${nearest}\`?`
        : candidates
          ? `modules begin with \`${candidates}\`; own files are named in quotes: use "own.pivot".{ name }`
          : 'paths are relative to the text that names them',
    explain: 'A module is a file: of the standard library (`use std.loss.dpo`), or one beside the text (`use "own.pivot".{ name }`).',
    example: 'pivot 1\nuse "nowhere.pivot".{ thing }\n',
  }),
  P0204: entry<{ name: string; line: number }>({
    message: ({ name, line }) => `\`${name}\` is declared twice, first in line ${line}`,
    help: () => 'give one of them another name',
    explain: 'Each name of a text means one thing; what `use` brings in counts.',
    example: 'pivot 1\nparam size = 1\nparam size = 2\n',
  }),
  P0205: entry<{ name: string }>({
    message: ({ name }) => `\`${name}\` is declared by means of itself`,
    help: () => 'one declaration of the circle must not use the others',
    explain: 'Declarations may stand in any order, but no value may depend on itself.',
    example: example({ data: 'param a = b\nparam b = a\ndata pairs = scenes.preferences(count: a)' }),
  }),
  P0206: entry<{ name: string; of: string; nearest: string; known: string }>({
    message: ({ name, of }) => `${of} has no \`${name}\``,
    help: ({ nearest, known }) => mean(nearest) ?? (known ? `it has ${known}` : undefined),
    explain:
      'After a dot stands a field of a record, an exposed activation or a weight of a part, an arm or a part of a stage, or a declaration of a module.',
    example: example({ data: 'data pairs = scenes.preference(count: 64)' }),
  }),
  P0209: entry<{ name: string; of: string; nearest: string; known: string }>({
    message: ({ name, of }) => (name ? `${of} has no parameter \`${name}\`` : `an argument of ${of} needs its name`),
    help: ({ nearest, known }) => mean(nearest) ?? (known ? `its parameters are ${known}` : undefined),
    explain: 'Named arguments must be parameters of what is called. Nothing is passed over in silence.',
    example: example({ optimize: 'optimize adamw(lr: 1e-3, weight_decy: 0.1)' }),
  }),
  P0210: entry<{ names: readonly string[]; of: string }>({
    message: ({ names, of }) => `${of} needs ${enumerate(names)}`,
    help: ({ names }) => `give ${names.length === 1 ? 'it' : 'them'}: \`${names.map((name) => `${name}: ...`).join(', ')}\``,
    explain: 'A parameter without a default must be given.',
    example: example({ optimize: 'optimize adamw()' }),
  }),
  P0211: entry<{ of: string; most: number }>({
    message: ({ of, most }) => `too many arguments: ${of} takes ${most} at most`,
    explain: 'Arguments without a name fill the parameters in order.',
    example: example({
      more: 'layer twice(x: [..]) -> [..] {\n  return x + exp(x, x)\n}\nparam y = exp(1, 2)\ndata more = scenes.preferences(count: y)',
    }),
  }),
  P0212: entry<{ name: string; of: string }>({
    message: ({ name, of }) => `\`${name}\` of ${of} is given twice`,
    explain: 'Each parameter is given once in a call.',
    example: example({ optimize: 'optimize adamw(lr: 1e-3, lr: 1e-4)' }),
  }),
  P0214: entry<{ of: string; found: string; names: readonly string[] }>({
    message: ({ of, found, names }) => `arguments of ${of} need their names: ${found} may be ${enumerate(names, 'or')}`,
    help: ({ names }) => `write \`${names[0] ?? 'name'}: ...\``,
    explain:
      'Arguments without a name fill the parameters in order, and the first parameters of layers, losses and optimizers are the tensors that they are run on. What a declaration gives is named.',
    example: example({ encoder: 'encoder eyes = vit(24px, 4px, 16, 1, 2)' }),
  }),
  P0213: entry<{ of: string; wanted: number; found: number }>({
    message: ({ of, wanted, found }) => `${of} takes ${wanted} argument${wanted === 1 ? '' : 's'}, ${found} given`,
    explain: 'A local function takes exactly the arguments it names.',
    example: example({
      loss: 'loss own',
      more: 'use std.model.scores.Scored\nloss own(policy: Scored) {\n  let f(a, b) = a + b\n  return -sum(f(policy.logp)) / sum(policy.mask)\n}',
    }),
  }),
};
