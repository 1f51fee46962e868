/** What `train` and `freeze` choose, and rates of parts: by the plan, and by what a device makes of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { packageRoot } from '../../cli/host.ts';
import type { Compiled } from '../../compiler/compile.ts';
import { formatDiagnostics } from '../../grammar/index.ts';
import type { TrainTask } from '../../plan/plan.ts';
import type { Target } from '../../plan/program.ts';
import { testDevice } from '../support/device.ts';
import { targetOf } from '../support/run-graph.ts';
import { trainTask } from '../support/train-plan.ts';
import { compileText } from '../support/compile-text.ts';

const device = testDevice();
const FOLDER = join(packageRoot(), 'test', 'equivalence');
const RATE = 'optimize adamw(lr: cosine(peak: 2e-3, warmup: 2 steps))';

function compiled(fields: string[], targets: Target[] = [], more: string[] = []): Compiled {
  const tiny = readFileSync(join(FOLDER, 'tiny.pivot'), 'utf8').replace('depth: 1, heads: 2)', 'depth: 3, heads: 2)');
  const head = tiny.replace('use std.optim.adamw', 'use std.optim.adamw\nuse std.schedule.{ cosine, constant }');
  const optimize = fields.some((field) => field.startsWith('optimize')) ? [] : [RATE];
  const text = [
    head,
    'stage tiny {',
    ...fields,
    ...optimize,
    'on pairs',
    'loss sft',
    'clip 1.0',
    'batch 8',
    'steps 8',
    '}',
    ...more,
    '',
  ].join('\n');
  return compileText(text, { targets }, FOLDER);
}

function taskOf(fields: string[]): TrainTask {
  const { plan, diagnostics, texts } = compiled(fields);
  const task = plan?.tasks.find((one): one is TrainTask => one.kind === 'train');
  if (!task) throw new Error(formatDiagnostics(diagnostics, texts));
  return task;
}

const trained = (fields: string[]): string[] => taskOf(fields).state.flatMap((s) => (s.trained ? [s.name] : []));
const faults = (fields: string[]): string[] => compiled(fields).diagnostics.map(({ code }) => code);

describe('what is trained', () => {
  const all = trained(['train mllm']);
  const inBlocks = (...numbers: number[]) => all.filter((name) => numbers.some((n) => name.startsWith(`eyes.blocks.${n}.`)));

  test('a range of layers, from the front and from the end', () => {
    expect(inBlocks(1, 2).length).toBeGreaterThan(20);
    expect(trained(['train layers(eyes, 1..3)'])).toEqual(inBlocks(1, 2));
    expect(trained(['train layers(eyes, -2..0)'])).toEqual(inBlocks(1, 2));
    expect(trained(['train layers(eyes, [0, -1])'])).toEqual(inBlocks(0, 2));
    expect(trained(['train layers(within(eyes, "blocks"), 1)'])).toEqual(inBlocks(1));
  });

  test('what lies at a path', () => {
    expect(trained(['train [within(eyes, "patch"), within(eyes, "position")]'])).toEqual(
      all.filter((name) => name.startsWith('eyes.patch.') || name === 'eyes.position'),
    );
  });

  test('freeze takes parts and layers out of what is trained', () => {
    const free = all.filter((name) => !name.startsWith('head.') && !inBlocks(0, 1).includes(name));
    expect(trained(['train mllm', 'freeze [head, layers(eyes, 0..2)]'])).toEqual(free);
    expect(taskOf(['train mllm', 'freeze [head, layers(eyes, 0..2)]']).state.some(({ name }) => name.startsWith('m:head.'))).toBe(false);
  });

  test('what cannot be meant is said', () => {
    expect(faults(['train layers(eyes, 0..4)'])).toEqual(['P0528']);
    expect(faults(['train layers(eyes, -4..0)'])).toEqual(['P0528']);
    expect(faults(['train layers(mllm.connector, 0..1)'])).toEqual(['P0527']);
    expect(faults(['train layers(mllm, 0..1)'])).toEqual(['P0527']);
    expect(faults(['train within(eyes, "blocs")'])).toEqual(['P0501']);
    expect(faults(['train eyes', 'freeze eyes'])).toEqual(['P0501']);
    expect(faults(['train [eyes, lora(head, rank: 2, targets: ["query"])]', 'freeze head'])).toEqual(['P0501']);
    expect(faults(['train eyes', 'freeze head'])).toEqual(['P0526']);
    expect(faults(['train at_rate(eyes, 3px)'])).toEqual(['P0301']);
    expect(faults(['train layers(eyes, 0..0)'])).toEqual(['P0301']);
    // From the last into the first, and more than could be written out.
    expect(faults(['train layers(eyes, -1..2)'])).toEqual(['P0301']);
    expect(faults(['train layers(eyes, 0..1B)'])).toEqual(['P0301']);
    expect(faults(['train []'])).toEqual(['P0301']);
    expect(faults(['train at_rate([], 10%)'])).toEqual(['P0301']);
    expect(faults(['train mllm', 'freeze at_rate(eyes, 10%)'])).toEqual(['P0301']);
    expect(faults(['train at_rate(eyes, -1e-3)'])).toEqual(['P0301']);
    expect(faults(['train at_rate(eyes, 1e400)'])).toEqual(['P0301']);
  });

  test('what is misspelt is told with what there is', () => {
    const said = (field: string) => compiled([field]).diagnostics.map(({ message }) => message);
    expect(said('train within(eyes, "blocs")')).toEqual([expect.stringContaining('eyes has position, patch, blocks, norm')]);
    expect(said('train within(eyes, "blocks.0.attentin")')).toEqual([expect.stringContaining('eyes.blocks.0 has norm1, attention,')]);
    expect(said('train lora(head, rank: 2, targets: ["query", "valeu"])')).toEqual([expect.stringContaining('no matrices named valeu')]);
  });

  test('adapters and rates that would be passed over are refused', () => {
    expect(faults(['train [lora(head, rank: 2, targets: ["query"]), lora(head, rank: 4, targets: ["value"])]'])).toEqual(['P0530']);
    expect(faults(['train lora(head, rank: 2, targets: ["query", 3])'])).toEqual(['P0301']);
    expect(faults(['train [at_rate(eyes, 10%), at_rate(mllm, 20%)]'])).toEqual(['P0531']);
    expect(faults(['train [at_rate(mllm, 20%), at_rate(eyes, 10%)]'])).toEqual([]);
    expect(faults(['train [at_rate(eyes, 10%), mllm.connector]', 'freeze eyes'])).toEqual([]);
  });

  test('a part at a rate of its own has a schedule of its own', () => {
    const plain = taskOf(['train [eyes, mllm.connector]']);
    const slow = taskOf(['train [at_rate(eyes, 10%), mllm.connector]']);
    expect(Object.keys(slow.schedules).length).toBeGreaterThan(Object.keys(plain.schedules).length);
    expect(slow.schedules.learning_rate).toEqual(plain.schedules.learning_rate);
    expect(slow.hash).not.toBe(plain.hash);
  });

  test('a rate of a part can be tuned, also where a value is that of the stage', () => {
    const tuned = compiled(
      ['train [at_rate(eyes, rate), mllm.connector]', 'optimize adamw(lr: 1e-3)', 'tune rate in [1e-3, 2e-3] by objects.top1 on seeds [7]'],
      [],
      ['use std.probe.linear_probe', 'probe objects = linear_probe(tiny.eyes, on: scenes.objects, fit: 64, held: 64)'],
    );
    expect(tuned.diagnostics).toEqual([]);
    expect(tuned.plan?.tasks.some(({ kind }) => kind === 'select')).toBe(true);
  });
});

describe('rates of parts on a device', () => {
  async function weights(fields: string[]): Promise<Map<string, Float32Array>> {
    const target = targetOf(device());
    const { plan, diagnostics, texts } = compiled(fields, [target]);
    const task = plan?.tasks.find((one): one is TrainTask => one.kind === 'train');
    if (!plan || !task) throw new Error(formatDiagnostics(diagnostics, texts));
    const { weights: left } = await trainTask({ open: device(), plan, target: target.name, folder: FOLDER }, task);
    return new Map([...left].map(([name, { data }]) => [name, Float32Array.from(data)]));
  }

  test('half the rate for all is half the rate of the optimizer, bit for bit', async () => {
    const half = await weights(['train mllm', 'optimize adamw(lr: cosine(peak: 1e-3, warmup: 2 steps))']);
    expect(await weights(['train at_rate(mllm, 50%)'])).toEqual(half);
    expect(await weights(['train at_rate(mllm, cosine(peak: 1e-3, warmup: 2 steps))'])).toEqual(half);
  });

  test('a part at no rate stays what a frozen part is; the others move on', async () => {
    const still = await weights(['train [mllm, at_rate(layers(eyes, 0..2), 0%)]']);
    const before = await weights(['train at_rate(mllm, 0%)']);
    const moved = [...still].flatMap(([name, values]) => (values.some((x, i) => x !== before.get(name)?.[i]) ? [name] : []));
    const blocks = [...still.keys()].filter((name) => /^eyes\.blocks\.[01]\./.test(name));
    expect(blocks.length).toBeGreaterThan(20);
    expect(moved.filter((name) => blocks.includes(name))).toEqual([]);
    expect(moved).toEqual(expect.arrayContaining(['eyes.position', 'eyes.blocks.2.attention.query.w']));
  });
});
