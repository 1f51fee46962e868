/** An experiment from its text to its results: tuning, controls, readers, answers, pairs of the model's own, and what is shared. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { nodeHost } from '../../cli/host.ts';
import { compile } from '../../compiler/compile.ts';
import { targetFor } from '../../compiler/lower/choose.ts';
import type { Host } from '../../compiler/host.ts';
import type { Plan, ScoreTask, Task, TrainTask } from '../../plan/plan.ts';
import { valueAt } from '../../plan/schedule.ts';
import { validatePlan } from '../../plan/validate.ts';
import { silent } from '../../runtime/core/log.ts';
import { runPlan } from '../../runtime/node/run/run.ts';
import type { RunResult } from '../../runtime/node/run/options.ts';
import { readSafetensors } from '../../runtime/node/safetensors/files.ts';
import { testDevice } from '../support/device.ts';
import { folderOf } from '../support/run-folder.ts';

const folder = resolve('test/experiment');
const TEXT = readFileSync(join(folder, 'tiny.pivot'), 'utf8');
const device = testDevice();
const base = mkdtempSync(join(tmpdir(), 'pivot-experiment-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** The plan of the text, or of the text as `edit` makes it. */
function planOf(set: Record<string, string> = {}, edit: (text: string) => string = (text) => text): Plan {
  const host = nodeHost(folder);
  const edited: Host = { ...host, read: (path) => (path === 'tiny.pivot' ? edit(TEXT) : host.read(path)) };
  const { plan, diagnostics } = compile('tiny.pivot', edited, { targets: [targetFor(device().info)], set });
  if (!plan) throw new Error(diagnostics.map((d) => `${d.code} ${d.message}`).join('\n'));
  return validatePlan(JSON.parse(JSON.stringify(plan)));
}

const run = (plan: Plan, out: string): Promise<RunResult> =>
  runPlan(plan, { out: join(base, out), base, device: device(), log: silent, workers: 0 });

const read = (out: string, task: string, file: string): string => readFileSync(join(folderOf(join(base, out), task), file), 'utf8');
const json = (out: string, task: string, file: string): Record<string, unknown> =>
  JSON.parse(read(out, task, file)) as Record<string, unknown>;
const lines = (out: string, task: string, file: string): Record<string, unknown>[] =>
  read(out, task, file)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const values = (out: string, task: string): Record<string, number> => json(out, task, 'score.json').values as Record<string, number>;

describe('an experiment', () => {
  let plan: Plan;
  let first: RunResult;
  beforeAll(async () => {
    plan = planOf();
    first = await run(plan, 'first');
  });
  const task = <K extends Task['kind']>(id: string, kind: K): Extract<Task, { kind: K }> => {
    const found = plan.tasks.find((one): one is Extract<Task, { kind: K }> => one.id === id && one.kind === kind);
    if (!found) throw new Error(`there is no ${kind} task ${id}`);
    return found;
  };

  test('is done, every task of it', () => {
    expect(first.status).toBe('done');
    expect(first.ran.length).toBe(plan.tasks.filter(({ kind }) => kind !== 'report').length);
  });

  test('chooses the rate with the best mean over the cells, and trains with it', async () => {
    const select = task('post.dpo.rate', 'select');
    expect(select.cells.map(({ choice, seed }) => [choice, seed])).toEqual([[0, 7], [1, 7]]); // prettier-ignore
    const chosen = json('first', select.id, 'select.json');
    const scores = select.cells.map((cell) => values('first', cell.task).top1);
    expect(chosen.means).toEqual(scores);
    expect(chosen.choice).toBe(scores[1] > scores[0] ? 1 : 0);
    // Two values are two edges.
    expect(chosen.edge).toBe(true);
    const rates = lines('first', 'post.dpo@0', 'metrics.jsonl').flatMap((line) =>
      typeof line.learning_rate === 'number' ? [line.learning_rate] : [],
    );
    const { tuned } = task('post.dpo@0', 'train');
    expect(rates[0]).toBeCloseTo(valueAt(tuned?.options[chosen.choice as number].schedules.learning_rate ?? 0, 0), 9);
    expect(tuned?.options[0].schedules.learning_rate).not.toEqual(tuned?.options[1].schedules.learning_rate);
    // A cell is the stage with one value: trained on the seed of the grid, from that seed's own start, by the same programs.
    const cell = task('post.dpo:rate=1e-2@7', 'train');
    expect(cell.needs).toContain('align@7');
    expect(cell.programs).toEqual(task('post.dpo@0', 'train').programs);
  });

  test('arms that learn from exchanged pairs see the same rows the other way round', async () => {
    const reference = async (arm: string): Promise<unknown> =>
      (await readSafetensors(join(folderOf(join(base, 'first'), `post.${arm}@0`), 'weights.safetensors'))).tensors.get('eyes.position')
        ?.data;
    expect(task('post.exchanged@0', 'train').data).toEqual({ ...task('post.dpo@0', 'train').data, exchanged: 1 });
    expect(await reference('exchanged')).not.toEqual(await reference('dpo'));
  });

  test('a reader is trained on what was embedded, and the encoder stays as it was', () => {
    const reader = task('regions.reader.post.sft@0', 'train');
    expect(reader.data).toMatchObject({ source: 'table', task: 'regions.fitting.post.sft@0' });
    expect(reader.state.filter(({ trained }) => trained).map(({ name }) => name)).toEqual(
      ['up.w', 'up.b', 'down.w', 'down.b'].map((name) => `regions.reader.${name}`),
    );
    const judged = task('regions.judged.post.sft@0', 'embed');
    const sources = new Set(judged.state.map(({ source }) => (source.from === 'task' ? source.task : source.from)));
    expect(sources).toEqual(new Set(['post.sft@0', 'regions.reader.post.sft@0']));
    expect(Object.keys(values('first', 'regions.post.sft@0'))).toEqual(['recall', 'iou']);
  });

  test('a part of another stage is a start; all else begins anew, and only what is named is trained', async () => {
    const recipe = task('recipe.dpo@1', 'train');
    const eyes = recipe.state.filter(({ name, keep }) => name.startsWith('eyes.') && keep === 'weight');
    expect(eyes.every(({ source, trained }) => source.from === 'task' && source.task === 'post.dpo@1' && !trained)).toBe(true);
    const others = recipe.state.filter(({ name, keep }) => !name.startsWith('eyes.') && keep === 'weight');
    expect(others.length).toBeGreaterThan(0);
    expect(others.every(({ source, trained }) => source.from === 'init' && trained)).toBe(true);
    const [before, after] = await Promise.all(
      ['post.dpo@1', 'recipe.dpo@1'].map((id) => readSafetensors(join(folderOf(join(base, 'first'), id), 'weights.safetensors'))),
    );
    for (const { name } of eyes) expect(after.tensors.get(name)?.data).toEqual(before.tensors.get(name)?.data);
  });

  test("pairs of the model's own: the better answer is chosen, ties are dropped, and the stage trains on what is left", () => {
    const kept = json('first', 'own@0', 'kept.json') as Record<string, number>;
    const pairs = lines('first', 'own@0', 'pairs.jsonl');
    expect(kept.prompts).toBe(48);
    expect(pairs.length).toBe(kept.kept);
    expect(kept.kept).toBeGreaterThanOrEqual(2);
    expect(kept.kept).toBeLessThan(48);
    for (const { ranks, chosen, rejected } of pairs) {
      const [best, worst] = ranks as number[];
      expect(best).toBeGreaterThan(worst);
      expect(chosen).not.toBe(rejected);
    }
    // Each prompt was answered four times, differently enough to rank.
    expect(lines('first', 'own@0', 'rows.jsonl').length).toBe(4 * 48);
    // The seeds sample for themselves.
    expect(read('first', 'own@0', 'pairs.jsonl')).not.toBe(read('first', 'own@1', 'pairs.jsonl'));
    expect(task('selfish@0', 'train').data).toMatchObject({ source: 'sampled.pairs', task: 'own@0', count: 48 });
  });

  test('probes: margins against the start, alignment against a text model, drift from the start', () => {
    for (const arm of ['sft', 'dpo', 'exchanged']) {
      const taste = values('first', `taste.post.${arm}@0`);
      expect(Number.isFinite(taste.margin)).toBe(true);
      const moved = values('first', `moved.post.${arm}@0`);
      expect(moved.weights).toBeGreaterThan(0);
      expect(moved.cka).toBeGreaterThan(0.5);
    }
    // Where so few pairs lead on held-out rows is chance, but exchanging them leads elsewhere.
    for (const seed of [0, 1])
      expect(values('first', `taste.post.dpo@${seed}`).margin).not.toBe(values('first', `taste.post.exchanged@${seed}`).margin);
    const read = plan.tasks.filter(({ id }) => id.startsWith('kinship.read.'));
    // The text model is embedded once a seed, whatever arm is compared with it.
    expect(read.map(({ id }) => id)).toEqual(['kinship.read.post.sft@0', 'kinship.read.post.sft@1']);
    const answers = values('first', 'answers.recipe.dpo@0');
    expect(Object.keys(answers)).toEqual(expect.arrayContaining(['exact', 'attributes']));
  });

  test('the same text gives the same numbers, bit for bit, with fewer seeds beside them too', async () => {
    const one = planOf({ runs: '1' });
    const again = await run(one, 'again');
    expect(again.status).toBe('done');
    expect(again.reused).toEqual([]);
    for (const { id, kind } of one.tasks) {
      if (kind === 'score') expect([id, read('again', id, 'score.json')]).toEqual([id, read('first', id, 'score.json')]);
      if (kind === 'select') expect([id, read('again', id, 'select.json')]).toEqual([id, read('first', id, 'select.json')]);
      if (kind === 'sample') expect([id, read('again', id, 'rows.jsonl')]).toEqual([id, read('first', id, 'rows.jsonl')]);
    }
  });

  test('one seed more runs that seed alone', async () => {
    const more = planOf({ runs: '3' });
    const result = await run(more, 'first');
    const fresh = result.ran.filter((id) => !id.startsWith('report'));
    expect(fresh.length).toBeGreaterThan(0);
    expect(fresh.filter((id) => !id.endsWith('@2'))).toEqual([]);
    expect(result.reused).toEqual(expect.arrayContaining(['align@0', 'post.dpo@1', 'post.dpo.rate', 'own@1']));
  });

  test('one probe more trains nothing', async () => {
    const more = planOf(
      { runs: '3' },
      (text) => `${text}\nprobe shapes = linear_probe(post.eyes, on: scenes.objects(attribute: "shape"), fit: 64, held: 32)\n`,
    );
    const result = await run(more, 'first');
    const kinds = new Set(result.ran.map((id) => more.tasks.find((one) => one.id === id)?.kind));
    expect(kinds).toEqual(new Set(['embed', 'score']));
    expect(result.ran.every((id) => id.startsWith('shapes.'))).toBe(true);
  });

  test('an arm or a value more reruns nothing of the others', () => {
    const wider = planOf({}, (text) => text.replace('[1e-3, 1e-2]', '[1e-3, 1e-2, 3e-2]'));
    const hashes = new Map(plan.tasks.map(({ id, hash }) => [id, hash]));
    const cells = wider.tasks.filter(
      (one): one is TrainTask | ScoreTask => (one.kind === 'train' || one.kind === 'score') && one.cell !== undefined,
    );
    const changed = cells.filter(({ id, hash }) => hashes.get(id) !== hash);
    expect(changed.every(({ cell }) => cell?.text === '3e-2')).toBe(true);
    expect(changed.length).toBe(6);
    // The arms themselves wait for another choice.
    expect(wider.tasks.find(({ id }) => id === 'post.dpo@0')?.hash).not.toBe(hashes.get('post.dpo@0'));
    expect(wider.tasks.find(({ id }) => id === 'align@0')?.hash).toBe(hashes.get('align@0'));
  });
});
