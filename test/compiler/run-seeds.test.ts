/** Which seed draws the rows that a task reads: that of the run, one of the text, or that of a tuning cell. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { packageRoot } from '../../cli/host.ts';
import type { DataSource, Plan, ScoreTask, Task } from '../../plan/plan.ts';
import { shareRows } from '../../plan/shared-rows.ts';
import { compileText } from '../support/compile-text.ts';

const TINY = readFileSync(join(packageRoot(), 'test', 'cli', 'tiny.pivot'), 'utf8');
const USES = 'use std.data.files\nuse std.loss.dpo\nuse std.probe.{ answering, linear_probe, grad_cam }\n';
const FILES = 'folder: "examples/rows", tokenizer: scenes.words, count: 8, size: 24px, prompt: 7, answer: 20';
const FIELDS = 'train mllm\n  optimize adamw(lr: 1e-3)\n  batch 2\n  steps 2';

/** The tiny text with these declarations, run on two seeds unless they say otherwise. */
function compiled(more: string, { seeds = 'seeds [0, 1]', text = TINY } = {}) {
  return compileText(`${text}\n${USES}${seeds}\n${more}`, {}, packageRoot());
}

function planOf(more: string, options?: Parameters<typeof compiled>[1]): Plan {
  const { plan, diagnostics } = compiled(more, options);
  if (!plan) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return plan;
}

const drawnBy = ({ params }: DataSource): unknown => (params.fixed === true ? `text ${String(params.seed)}` : params.seed);
const find = <K extends Task['kind']>(plan: Plan, kind: K, begins: string): Extract<Task, { kind: K }>[] =>
  plan.tasks.filter((task): task is Extract<Task, { kind: K }> => task.kind === kind && task.id.startsWith(begins));
const scored = (plan: Plan, probe: string): ScoreTask[] => find(plan, 'score', probe);
const wordsOf = (plan: Plan, name: string): string | undefined => plan.resolved.find((one) => one.name === name)?.value;

describe('generated rows', () => {
  const evaluated = TINY.replace('  steps    4', '  steps    4\n  eval every 2 steps on scenes.preferences(split: "held-out", count: 8)');
  const plan = planOf(
    'probe objects = linear_probe(tune.eyes, on: scenes.objects, fit: 16, held: 8)\nprobe said = answering(tune.mllm, on: scenes.captions, rows: 4)',
    {
      text: evaluated,
    },
  );

  test('are of the seed of the run: of training, evaluation and probes', () => {
    const trains = find(plan, 'train', 'tune@');
    expect(trains.map(({ data, evaluate }) => [drawnBy(data), evaluate && drawnBy(evaluate.data)])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    for (const task of [...find(plan, 'embed', 'objects.'), ...find(plan, 'sample', 'said.')]) expect(drawnBy(task.data)).toBe(task.seed);
    expect(find(plan, 'embed', 'objects.').length).toBe(4);
    expect(trains[0].hash).not.toBe(trains[1].hash);
    expect(wordsOf(plan, 'tune.on.rows')).toBe("rows of the run's seed");
    expect(wordsOf(plan, 'probe objects')).toBe("rows of the run's seed");
    expect(shareRows(scored(plan, 'objects'), plan.tasks)).toBe(false);
  });

  test('of a text without seeds are those of seed 0', () => {
    const one = planOf('', { seeds: '' });
    expect(find(one, 'train', 'tune@').map(({ id, data }) => [id, drawnBy(data)])).toEqual([['tune@0', 0]]);
  });

  test('are the same for all seeds where the text names one', () => {
    const fixed = planOf('probe objects = linear_probe(tune.eyes, on: scenes.objects(seed: 7), fit: 16, held: 8)', {
      text: TINY.replace('(count: count)', '(count: count, seed: 3)'),
    });
    expect(find(fixed, 'train', 'tune@').map(({ data }) => drawnBy(data))).toEqual(['text 3', 'text 3']);
    expect(find(fixed, 'embed', 'objects.').map(({ data }) => drawnBy(data))).toEqual(Array(4).fill('text 7'));
    expect(wordsOf(fixed, 'tune.on.rows')).toBe('rows of seed 3, the same for all seeds');
    expect(wordsOf(fixed, 'probe objects')).toBe('rows of seed 7, the same for all seeds');
    expect(shareRows(scored(fixed, 'objects'), fixed.tasks)).toBe(true);
    // `none` is the default, and may be written.
    expect(
      drawnBy(find(planOf('', { text: TINY.replace('(count: count)', '(count: count, seed: none)') }), 'train', 'tune@1')[0].data),
    ).toBe(1);
  });

  test('of a source in the text that has no seed follow the run', () => {
    const own = 'source own(count: int) -> answers = native("scenes.captions", tokenizer: scenes.words, image: 24, prompt: 7, answer: 20)';
    const found = planOf(own, { text: TINY.replace('scenes.preferences(count: count)', 'own(count: count)') });
    expect(find(found, 'train', 'tune@').map(({ data }) => drawnBy(data))).toEqual([0, 1]);
  });
});

describe('what is made of rows follows them', () => {
  test('mixes part by part, exchanged labels, own pairs', () => {
    const stage = (name: string, on: string, loss = 'dpo'): string =>
      `stage ${name} from tune {\n  on ${on}\n  loss ${loss}\n  ${FIELDS}\n}`;
    const plan = planOf(
      [
        'data both = mix(scenes.preferences(count: 8), scenes.preferences(count: 8, seed: 5))',
        'data own = sample(tune.mllm, on: scenes.captions(count: 8), per_prompt: 2, rank: "correctness")',
        'data early = sample(tune[seed: 0], on: scenes.captions(count: 8), per_prompt: 3, rank: "correctness")',
        stage('mixed', 'both'),
        stage('swapped', 'pairs.exchanged(50%)'),
        stage('selfish', 'own'),
        stage('named', 'early'),
      ].join('\n'),
    );
    expect(find(plan, 'train', 'mixed@').map(({ data }) => data.mix?.map(drawnBy))).toEqual([
      [0, 'text 5'],
      [1, 'text 5'],
    ]);
    expect(find(plan, 'train', 'swapped@').map(({ data }) => [data.exchanged, drawnBy(data)])).toEqual([
      [0.5, 0],
      [0.5, 1],
    ]);
    expect(find(plan, 'train', 'selfish@').map(({ data }) => [data.task, data.base && drawnBy(data.base)])).toEqual([
      ['own@0', 0],
      ['own@1', 1],
    ]);
    expect(find(plan, 'sample', 'own@').map(({ data }) => drawnBy(data))).toEqual([0, 1]);
    // A model of one seed has its prompts of that seed, and its pairs with them.
    expect(find(plan, 'train', 'named@').map(({ data }) => [data.task, data.base && drawnBy(data.base)])).toEqual(
      Array(2).fill(['early@0', 0]),
    );
    expect(wordsOf(plan, 'mixed.on[0].rows')).toBe("rows of the run's seed");
    expect(wordsOf(plan, 'named.on.rows')).toBe('rows of seed 0 of tune, the same for all seeds');
  });
});

describe('what does not depend on the seed runs once', () => {
  const loaded = 'stage begun { start load("examples/quickstart.safetensors") }';
  const wide = TINY.replaceAll('width: 16', 'width: 64')
    .replaceAll('heads: 2', 'heads: 4')
    .replace('depth: 1, heads: 4)\nlanguage', 'depth: 3, heads: 4)\nlanguage')
    .replace('depth: 1, heads: 4, context: 48', 'depth: 2, heads: 4, context: 36')
    .replace('merge()', 'merge(hidden: 128)');

  test.each([
    ['scenes.objects', 'scenes.objects', ['0', '1']],
    ['scenes.objects of a seed', 'scenes.objects(seed: 7)', ['0']],
  ])('weights that were loaded, judged on %s', (_, on, seeds) => {
    const plan = planOf(`${loaded}\nprobe objects = linear_probe(begun.eyes, on: ${on}, fit: 16, held: 8)`, { text: wide });
    expect(scored(plan, 'objects').map(({ id }) => id.split('@')[1])).toEqual(seeds);
  });

  test('answers to files', () => {
    const plan = planOf(`${loaded}\nprobe said = answering(begun.mllm, on: files.captions(${FILES}), rows: 4)`, { text: wide });
    expect(scored(plan, 'said').map(({ id }) => id)).toEqual(['said.begun@0']);
  });
});

describe('a tuning grid', () => {
  const tuned = (by: string, seeds = '[100, 101]'): string =>
    TINY.replace('lr: rate', 'lr: speed').replace('  steps    4', `  steps    4\n  tune speed in [1e-3, 1e-2] by ${by} on seeds ${seeds}`);
  const objects = (on: string): string => `probe objects = linear_probe(tune.eyes, on: ${on}, fit: 16, held: 8)`;

  test.each(['scenes.objects', 'scenes.objects(seed: 7)', 'scenes.objects(seed: 100)'])('is judged on rows of its own seeds: %s', (on) => {
    const plan = planOf(objects(on), { text: tuned('objects.top1') });
    const embeds = find(plan, 'embed', 'objects.');
    const [cells, finals] = [embeds.filter(({ seed }) => seed >= 100), embeds.filter(({ seed }) => seed < 100)];
    expect(new Set(cells.map(({ data }) => drawnBy(data)))).toEqual(new Set([100, 101]));
    expect(cells.length).toBe(8);
    expect(
      finals.every(({ data }) => drawnBy(data) === (on === 'scenes.objects' ? data.params.seed : `text ${on.replace(/\D/g, '')}`)),
    ).toBe(true);
    expect(find(plan, 'train', 'tune:').every(({ seed, data }) => drawnBy(data) === seed)).toBe(true);
  });

  test('has no seed of the text', () => {
    const { diagnostics } = compiled(objects('scenes.objects'), { text: tuned('objects.top1', '[1, 100]') });
    expect(diagnostics).toMatchObject([
      { code: 'P0540', message: expect.stringContaining('seed 1,'), help: expect.stringContaining('[100, 101]') },
    ]);
  });

  test('that is judged on files uses them up', () => {
    const choice = `probe choice = answering(tune.mllm, on: files.captions(${FILES}), rows: 4)`;
    const { plan, diagnostics } = compiled(choice, { text: tuned('choice.exact') });
    expect(diagnostics.map(({ code }) => code)).toEqual(['P0542']);
    const cells = scored(plan as Plan, 'choice');
    expect(cells.length).toBe(4);
    expect(cells.every(({ cell }) => cell !== undefined)).toBe(true);
    const beside = (on: string): string[] =>
      compiled(`${choice}\nprobe last = answering(tune.mllm, on: ${on}, rows: 4)`, { text: tuned('choice.exact') }).diagnostics.map(
        ({ code }) => code,
      );
    expect(beside('scenes.captions')).toEqual([]);
    expect(beside(`files.captions(${FILES.replace('examples/rows', './examples/rows/')})`)).toEqual(['P0541']);
  });
});
