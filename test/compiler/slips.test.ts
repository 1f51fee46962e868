/** Slips of a new user: each is one error, at its place, with the words that mend it. */
import { describe, expect, test } from '@jest/globals';
import { nodeHost, packageRoot } from '../../cli/host.ts';
import { compile } from '../../compiler/compile.ts';
import type { Host } from '../../compiler/host.ts';
import { example } from '../../grammar/diagnostics/example.ts';
import type { ExampleParts } from '../../grammar/diagnostics/example.ts';
import type { Diagnostic } from '../../grammar/index.ts';

const real = nodeHost(packageRoot());

function check(parts: ExampleParts, set: Record<string, string> = {}): { diagnostics: Diagnostic[]; lines: string[] } {
  const text = example(parts);
  const host: Host = { ...real, read: (path) => (path === 'slip.pivot' ? text : path.startsWith('std:') ? real.read(path) : undefined) };
  return { diagnostics: compile('slip.pivot', host, { targets: [], set }).diagnostics, lines: text.split('\n') };
}

const vit = (args: string): ExampleParts => ({ encoder: `encoder eyes = vit(${args})` });
const adamw = (args: string): ExampleParts => ({ optimize: `optimize adamw(${args})` });
const lasting = (rest: string): ExampleParts => ({ rest });
const SCHEDULES =
  'use std.vision.vit\nuse std.language.decoder\nuse std.connector.mlp.merge\nuse std.data.scenes\nuse std.loss.{ sft, dpo }\nuse std.optim.{ adamw, sgd }\nuse std.schedule.{ cosine, linear }';
const cosine = (args: string): ExampleParts => ({ uses: SCHEDULES, optimize: `optimize adamw(lr: cosine(${args}))` });
const stage = (name: string, from: string): string =>
  `stage ${name} from ${from} {\n  train mllm\n  on pairs\n  loss sft\n  optimize adamw(lr: 1e-3)\n  batch 8\n  steps 2\n}\n`;
const SOUND = 'image: 24px, patch: 4px, width: 16, depth: 1, heads: 2';

/** What is written, the code, a word of the line that it is told at, and words of its sentence or help. */
const slips: [string, ExampleParts, string, string, string[]][] = [
  ['no depth', vit('image: 24px, patch: 4px, width: 16, depth: 0, heads: 2'), 'P0320', 'encoder', ['depth', 'at least 1', '0']],
  ['a negative width', vit('image: 24px, patch: 4px, width: -16, depth: 1, heads: 2'), 'P0320', 'encoder', ['width', 'at least 1']],
  ['a width without end', vit('image: 24px, patch: 4px, width: 1B, depth: 1, heads: 2'), 'P0320', 'encoder', ['width']],
  ['no picture', vit('image: 0px, patch: 4px, width: 16, depth: 1, heads: 2'), 'P0320', 'encoder', ['image']],
  ['patches that do not divide', vit('image: 24px, patch: 5px, width: 16, depth: 1, heads: 2'), 'P0404', 'encoder', ['24', '5']],
  ['heads that do not divide', vit('image: 24px, patch: 4px, width: 16, depth: 1, heads: 3'), 'P0404', 'encoder', ['16', '3']],
  ['missing arguments', vit('image: 24px, patch: 4px, width: 16'), 'P0210', 'encoder', ['depth', 'heads']],
  ['arguments without names', vit('24px, 4px, 16, 1, 2'), 'P0214', 'encoder', ['image']],
  [
    'an encoder that nothing uses',
    { more: 'encoder spare = vit(image: 24px, patch: 5px, width: 16, depth: 1, heads: 2)' },
    'P0404',
    'spare',
    ['24', '5'],
  ],
  ['a rate without its name', adamw('1e-3'), 'P0214', 'optimize', ['lr']],
  ['a negative rate', adamw('lr: -1e-3'), 'P0320', 'optimize', ['lr', 'above 0']],
  ['a rate beyond floats', adamw('lr: 1e300'), 'P0320', 'optimize', ['lr', '1e300']],
  ['a rate that is 0 as a float', adamw('lr: 1e-60'), 'P0320', 'optimize', ['lr']],
  ['beta1 of 1', adamw('lr: 1e-3, beta1: 1'), 'P0320', 'optimize', ['beta1', 'below 1']],
  ['beta2 below 0', adamw('lr: 1e-3, beta2: -3'), 'P0320', 'optimize', ['beta2']],
  ['decay below 0', adamw('lr: 1e-3, weight_decay: -1'), 'P0320', 'optimize', ['weight_decay']],
  ['nesterov without momentum', { uses: SCHEDULES, optimize: 'optimize sgd(lr: 1e-3, nesterov: true)' }, 'P0404', 'optimize', ['nesterov']],
  ['a share without %', cosine('peak: 1e-3, warmup: 0.1'), 'P0321', 'optimize', ['10%']],
  ['twice the run', cosine('peak: 1e-3, warmup: 200%'), 'P0320', 'optimize', ['warmup']],
  ['a warm-up longer than the run', cosine('peak: 1e-3, warmup: 200'), 'P0404', 'optimize', ['warmup', '200', '4']],
  ['half a step', cosine('peak: 1e-3, warmup: 1.5 steps'), 'P0320', 'optimize', ['warmup']],
  ['no peak', cosine('peak: 0'), 'P0320', 'optimize', ['peak']],
  ['no schedule argument', cosine('warmup: 10%'), 'P0210', 'optimize', ['peak']],
  ['beta of 0', { loss: 'loss dpo(beta: 0)' }, 'P0320', 'loss', ['beta', 'above 0']],
  ['labels that are all flipped', { loss: 'loss dpo(smoothing: 0.5)' }, 'P0320', 'loss', ['smoothing']],
  [
    'pairs for a loss, answers for rows',
    { data: 'data pairs = scenes.captions(count: 64)', loss: 'loss dpo' },
    'P0504',
    'loss',
    ['dpo', 'answers'],
  ],
  [
    'a split of another name',
    { data: 'data pairs = scenes.preferences(count: 64, split: "trian")' },
    'P0320',
    'data',
    ['train', 'held-out'],
  ],
  ['a share above 1', { data: 'data pairs = scenes.preferences(count: 64, short: 2.0)' }, 'P0320', 'data', ['short']],
  ['no rows', { data: 'data pairs = scenes.preferences(count: 0)' }, 'P0320', 'data', ['count']],
  ['rows beyond counting', { data: 'data pairs = scenes.preferences(count: 1e300)' }, 'P0320', 'data', ['count']],
  ['a param beyond floats', { more: 'param n = 1e300' }, 'P0320', 'param', ['n', '1e300']],
  [
    'a domain of a param',
    { data: 'param n: int >= 1 = 0\ndata pairs = scenes.preferences(count: 64)' },
    'P0320',
    'param',
    ['n', 'at least 1'],
  ],
  ['no steps', lasting('batch 8\n  steps 0'), 'P0320', 'steps', ['at least 1']],
  ['no part of a batch', lasting('batch 8, micro 0\n  steps 4'), 'P0320', 'micro', ['at least 1']],
  ['steps and epochs', lasting('batch 8\n  steps 4\n  epochs 1'), 'P0533', 'epochs', ['steps', 'epochs']],
  ['a field within a field', lasting('batch 8\n  steps 4, micro 2'), 'P0538', 'micro', ['micro']],
  ['a norm of 0', lasting('clip 0\n  batch 8\n  steps 4'), 'P0301', 'clip', ['above 0']],
  ['a reference that nothing reads', lasting('reference tune\n  batch 8\n  steps 4'), 'P0538', 'reference', ['sft']],
  ['an interval of nothing', lasting('checkpoint every 0 steps\n  batch 8\n  steps 4'), 'P0320', 'checkpoint', ['at least 1']],
  ['evaluation after the end', lasting('eval every 50 steps on pairs\n  batch 8\n  steps 4'), 'P0534', 'eval', ['50', '4']],
  ['a module that is misspelt', { more: 'use std.visoin.vit' }, 'P0203', 'visoin', ['std.vision']],
  ['a `use` that is missing', { more: 'param k = linear_probe' }, 'P0201', 'param', ['use std.probe.linear_probe']],
  [
    'two arms of one name',
    {
      more: `compare post from tune {\n  arm one { clip 1.0 }\n  arm one { clip 2.0 }\n  train mllm\n  on pairs\n  loss sft\n  optimize adamw(lr: 1e-3)\n  batch 8\n  steps 2\n}`,
    },
    'P0536',
    'clip 2',
    ['one'],
  ],
  ['a comparison without arms', { more: stage('post', 'tune').replace('stage', 'compare') }, 'P0535', 'compare', ['arm']],
  ['stages in a circle', { more: stage('one', 'two') + stage('two', 'one') }, 'P0537', 'stage one', ['one', 'two']],
  ['fields that are missing', { optimize: '', loss: '' }, 'P0512', 'stage tune', ['loss', 'optimize']],
];

describe('a slip', () => {
  test.each(slips)('%s', (_, parts, code, line, words) => {
    const { diagnostics, lines } = check(parts);
    expect(diagnostics.map((d) => d.code)).toEqual([code]);
    const [{ message, help, span }] = diagnostics;
    expect(lines[(span?.line ?? 0) - 1]).toContain(line);
    for (const word of words) expect(`${message} ${help ?? ''}`).toContain(word);
  });
});

test('a value that is set on the command line is checked as one of the text', () => {
  const parts: ExampleParts = { data: 'param n: int >= 1 = 64\ndata pairs = scenes.preferences(count: n)' };
  expect(check(parts, { n: '0' }).diagnostics.map((d) => [d.code, d.span?.file])).toEqual([['P0320', '--set n']]);
  expect(check(parts, { n: '32' }).diagnostics).toEqual([]);
});

test('what is sound stays sound', () => {
  expect(check(vit(SOUND)).diagnostics).toEqual([]);
  expect(check({ ...cosine('peak: 1e-3, warmup: 2'), more: stage('late', 'later') + stage('later', 'tune') }).diagnostics).toEqual([]);
});

test('a fault deep in the library is told at the argument that it came in by, then where it was found', () => {
  const [fault] = check({
    more: 'layer own(x: [N, T, D], into: int) -> [N, T, into] {\n  part f = linear(width: into)\n  return f(x)\n}',
    uses: `${SCHEDULES.replace(', linear', '')}\nuse std.nn.linear`,
    model: 'model mllm = eyes -> own(into: -2) -> head',
  }).diagnostics;
  expect(fault.code).toBe('P0320');
  expect(fault.message).toContain('width');
  expect(fault.trace?.[0].text).toContain('linear');
});
