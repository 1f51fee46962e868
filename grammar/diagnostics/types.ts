/** P03: values of the wrong kind, numbers in the wrong unit, operators where they do not apply. */
import { entry, suggest } from './entry.ts';
import { example } from './example.ts';

const USES =
  'use std.vision.vit\nuse std.language.decoder\nuse std.connector.mlp.merge\nuse std.data.scenes\nuse std.loss.{ sft, dpo }\nuse std.optim.adamw\nuse std.schedule.cosine';

const ownLoss = (body: string): string =>
  example({ loss: 'loss own', more: `use std.model.scores.Scored\nloss own(policy: Scored) {\n  ${body}\n}` });

export const types = {
  P0301: entry<{ expected: string; found: string }>({
    message: ({ expected, found }) => `expected ${expected}, found ${found}`,
    explain: 'Every parameter, field and operand takes one kind of value.',
    example: example({ encoder: 'encoder eyes = vit(image: 24px, patch: 4px, width: "wide", depth: 1, heads: 2)' }),
  }),
  P0302: entry<{ expected: string; found: string }>({
    message: ({ expected, found }) => `wrong unit: expected ${expected}, found ${found}`,
    explain:
      'Lengths in pictures are in px, durations in steps, epochs or %, shares in % or as plain numbers. A unit never changes in silence.',
    example: example({ encoder: 'encoder eyes = vit(image: 24, patch: 4px, width: 16, depth: 1, heads: 2)' }),
  }),
  P0303: entry<{ found: string; what: string }>({
    message: ({ found, what }) => `${what} must be a whole number, and ${found} is not`,
    help: () => 'a division that does not come out even is often the cause',
    explain: 'Extents of tensors and counts are whole numbers of at least 0.',
    example: example({ encoder: 'encoder eyes = vit(image: 24px, patch: 4px, width: 16.5, depth: 1, heads: 2)' }),
  }),
  P0304: entry<{ found: string }>({
    message: ({ found }) => `${found} cannot be called`,
    explain: 'Layers, parts, losses, schedules, optimizers, sources, probes, record types and functions can be called.',
    example: example({ data: 'param n = 8\ndata pairs = scenes.preferences(count: n(2))' }),
  }),
  P0305: entry<{ operator: string; left: string; right: string }>({
    message: ({ operator, left, right }) =>
      left ? `\`${operator}\` does not apply to ${left} and ${right}` : `\`${operator}\` does not apply to ${right}`,
    explain: 'Arithmetic is for numbers and tensors, `and`, `or`, `not` for truth values.',
    example: example({ data: 'data pairs = scenes.preferences(count: true + 1)' }),
  }),
  P0306: entry<{ found: string }>({
    message: ({ found }) => `this must be known when compiling, and ${found} is not`,
    help: () => 'to choose between tensors element by element, use where(condition, a, b)',
    explain:
      '`if`, `repeat` and `require` decide what is built, so what they look at must be a truth value that does not depend on tensors or on the step.',
    example: ownLoss('if policy.logp { return sum(policy.logp) }\n  return sum(policy.mask)'),
  }),
  P0308: entry<{ name: string }>({
    message: ({ name }) => `\`${name}\` cannot be given a new value`,
    help: ({ name }) => `declare it with \`let ${name} = ...\``,
    explain: 'Only names declared by `let`, `expose` and `state` change; parameters, parts and weights do not.',
    example: ownLoss('policy = 1\n  return sum(policy.mask)'),
  }),
  P0309: entry<{ message: string }>({
    message: ({ message }) => message,
    explain: 'Tensors are indexed by whole numbers and slices within their extents, lists by whole numbers, stages by their seed.',
    example: ownLoss('return sum(policy.logp[:, 0 : 1000])'),
  }),
  P0310: entry<{ name: string; known: string }>({
    message: ({ name }) => `there is no type \`${name}\``,
    help: ({ known }) => `types are ${known}, record types, and shapes such as [N, T, D]`,
    explain: 'A parameter names the kind of value that it takes.',
    example: example({ data: 'param n: integer = 8\ndata pairs = scenes.preferences(count: n)' }),
  }),
  P0320: entry<{ name: string; of: string; wanted: string; found: string; nearest: string }>({
    message: ({ name, of, wanted, found }) => `\`${name}\` of ${of} must be ${wanted}, found ${found}`,
    help: ({ nearest }) => suggest(nearest || undefined),
    explain:
      'A parameter says after its type which values it takes: `beta: float > 0`, `depth: int >= 1`, `split: string in ["train", "held-out"]`. Numbers must also be representable on the device, as 32-bit floats or whole numbers.',
    example: example({ loss: 'loss dpo(beta: 0)' }),
  }),
  P0321: entry<{ name: string; of: string; found: string; share: string }>({
    message: ({ name, of, found, share }) =>
      `\`${name}\` of ${of} is a number of steps, and ${found} is not: a share of the run is written ${share}`,
    help: ({ name, share }) => `write ${name}: ${share}`,
    explain:
      'A duration is a whole number of steps, a number of epochs, or a share of the run with its `%`. Without a unit a number counts steps.',
    example: example({ uses: USES, optimize: 'optimize adamw(lr: cosine(peak: 1e-3, warmup: 0.1))' }),
  }),
  P0322: entry<{ how: string; found: string; step?: number }>({
    message: ({ how, found, step }) =>
      `${how} is ${found}${step === undefined ? '' : ` at step ${step}`}, and programs take finite 32-bit floats`,
    explain:
      'A number of a loss or an optimizer, and what is computed from it and the step, is given to the programs at each step. There it must be finite, at every step of the stage.',
    example: example({
      more: 'optimizer odd(p: [..], g: [..], lr: schedule > 0) {\n  p = p - g * (lr / (1 - 1 ^ (step + 1)))\n}',
      optimize: 'optimize odd(lr: 1e-3)',
    }),
  }),
  P0311: entry<{ name: string; layout: string; known: string }>({
    message: ({ name, layout }) => `the source ${name} gives \`${layout}\`, which is no kind of rows`,
    help: ({ known }) => `kinds of rows are ${known}`,
    explain: 'After `->` a source says what its rows are: pairs, answers, contrast, classes or patches.',
    example: example({ data: 'source mine(count: int) -> rows = native("scenes.preferences", image: 24px)\ndata pairs = mine(count: 8)' }),
  }),
};
