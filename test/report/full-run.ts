/** The folder of a run of `fullPlan`, with invented numbers that a test can compute by hand. Nothing here was measured. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Plan, SampleTask, ScoreTask, SelectTask, Task } from '../../plan/plan.ts';
import { openSource } from '../../runtime/core/data/row.ts';
import { CORE_SOURCES } from '../../runtime/core/data/sources.ts';
import { Random } from '../../runtime/core/random.ts';
import { readLines } from '../../runtime/node/report/read-run.ts';
import { taskFolder } from '../../runtime/node/run/task-folders.ts';
import { MACHINE, focusOf, keyOf, maps, metrics, writeJson } from './fake-run.ts';
import { CELL_SEEDS, fullPlan } from './full-plan.ts';
import type { Arm, FullOptions } from './full-plan.ts';
import { folderOf } from '../support/run-folder.ts';

/** Work of each kind of stage: post.dpo took 10 % of what see and align took, the others 8 %. */
const FLOPS: Record<string, number> = { see: 600e9, align: 400e9, sft: 80e9, dpo: 100e9, control: 80e9 };
const JUDGED = 100;

/** A seed's own luck, the same for all arms; and an arm's gain in each seed. */
const LUCK = [0.01, -0.012, 0.004, 0.017, -0.006];
const GAIN: Record<Arm, number[]> = {
  sft: [0, 0, 0, 0, 0],
  dpo: [0.03, 0.04, 0.05, 0.04, 0.04],
  control: [0.01, -0.02, 0.015, -0.005, 0],
};

/** How much of the gain a measure sees, and where it begins. */
const MEASURES: Record<string, Record<string, { start: number; gain: number }>> = {
  objects: { top1: { start: 0.42, gain: 1 }, class_recall: { start: 0.4, gain: 0.9 } },
  regions: { recall: { start: 0.38, gain: -1 }, iou: { start: 0.25, gain: 0.1 } },
  kernels: { mutual_knn: { start: 0.1, gain: -0.5 } },
};

export async function fullRun(
  options: FullOptions & { missing?: (task: Task) => boolean },
): Promise<{ dir: string; plan: Plan; remove: () => void }> {
  const dir = mkdtempSync(join(tmpdir(), 'pivot-full-report-'));
  const plan = fullPlan(options);
  writeJson(join(dir, 'run.json'), MACHINE);
  for (const task of plan.tasks) {
    const folder = taskFolder(dir, task);
    mkdirSync(folder, { recursive: true });
    writeJson(join(folder, 'task.json'), { id: task.id, hash: task.hash, kind: task.kind });
    if (options.missing?.(task)) continue;
    await writeResult(dir, folder, task);
    const flops =
      task.kind === 'train'
        ? FLOPS[task.cell === undefined && task.probe === undefined ? (task.arm ?? task.stage) : 'sft']
        : task.kind === 'score'
          ? 0
          : 1e9;
    writeJson(join(folder, 'done.json'), { hash: task.hash, seconds: Math.max(0.1, flops / 41e9), flops, adapter: MACHINE.adapter });
  }
  return { dir, plan, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

async function writeResult(dir: string, folder: string, task: Task): Promise<void> {
  const random = new Random(keyOf(task.id), 0);
  const learns = armOf(task) === 'dpo' || armOf(task) === 'control';
  if (task.kind === 'train') writeFileSync(join(folder, 'metrics.jsonl'), metrics(task, learns, random));
  if (task.kind === 'embed' && task.id.startsWith('focus.')) await maps(task, folder, armOf(task) === 'dpo', random);
  if (task.kind === 'sample') await answers(task, folder, random);
  if (task.kind === 'select') writeJson(join(folder, 'select.json'), selected(task));
  if (task.kind === 'score') {
    if (task.score === 'focus') writeJson(join(folder, 'score.json'), await focusOf(dir, task));
    else writeJson(join(folder, 'score.json'), task.score === 'answering' ? answering(dir, task) : invented(task, random));
  }
}

function armOf(task: Task): string | undefined {
  if (task.kind === 'train') return task.arm;
  if (task.kind === 'score' || task.kind === 'sample') return task.subject.arm;
  return (['sft', 'dpo', 'control'] as const).find((arm) => task.id.includes(`.${arm}`));
}

function gainOf(task: ScoreTask): number {
  const { arm } = task.subject;
  return arm === 'sft' || arm === 'dpo' || arm === 'control' ? 0.02 + (GAIN[arm][task.seed] ?? 0) : 0;
}

function invented(task: ScoreTask, random: Random): unknown {
  if (task.score === 'drift') return { values: { weights: 0.08 + gainOf(task), cka: 0.97 - gainOf(task) }, details: {} };
  const luck = LUCK[task.seed] ?? 0;
  const values = Object.fromEntries(
    Object.entries(MEASURES[task.probe]).map(([name, { start, gain }]) => [name, start + luck + gain * gainOf(task)]),
  );
  if (task.score !== 'logistic') return { values, details: task.score === 'alignment' ? { k: 10, n: 201, chance: 0.05 } : {} };
  const right = Math.round(values.top1 * JUDGED);
  const order = random.distinct(JUDGED, JUDGED);
  return { values, details: { largestClass: 0.041 }, examples: { top1: order.map((at) => (at < right ? 1 : 0)) } };
}

/** Answers as the arms might give them: the data's own, with a word exchanged in some. */
async function answers(task: SampleTask, folder: string, random: Random): Promise<void> {
  const rows = await openSource(task.data, { openers: CORE_SOURCES });
  const lines: string[] = [];
  const pairs: string[] = [];
  const right = armOf(task) === 'dpo' ? 0.7 : 0.5;
  for (let row = 0; row < task.data.count; row++) {
    const { prompt, answer = '', extra } = await rows.row(row);
    for (let sample = 0; sample < task.perPrompt; sample++) {
      const said = random.uniform() < right ? answer : wrongly(answer, random);
      lines.push(JSON.stringify({ row, sample, prompt, answer, said, tokens: said.split(' ').length + 1, ended: true, ...extra }));
    }
    if (task.rank !== undefined && row % 5 !== 4)
      pairs.push(JSON.stringify({ row, chosen: answer, rejected: wrongly(answer, random), ranks: [1, 0.75] }));
  }
  writeFileSync(join(folder, 'rows.jsonl'), `${lines.join('\n')}\n`);
  if (task.rank === undefined) return;
  writeFileSync(join(folder, 'pairs.jsonl'), `${pairs.join('\n')}\n`);
  const count = task.data.count;
  writeJson(join(folder, 'kept.json'), {
    prompts: count,
    kept: pairs.length,
    ties: 8,
    same: count - pairs.length - 8,
    unended: 0,
    meanChosen: 1,
    meanRejected: 0.75,
  });
}

function wrongly(answer: string, random: Random): string {
  const words = answer.split(' ');
  const at = random.below(words.length);
  const other = ['red', 'small', 'ring', 'north', 'large', 'cyan'].filter((word) => word !== words[at]);
  return words.map((word, i) => (i === at ? random.pick(other) : word)).join(' ');
}

function answering(dir: string, task: ScoreTask): unknown {
  const lines = readLines(join(folderOf(dir, task.tables.said), 'rows.jsonl'));
  const exact = lines.map(({ said, answer }) => (said === answer ? 1 : 0));
  const mean = (list: number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
  const kinds = [...new Set(lines.map(({ domain }) => String(domain)))].sort();
  return {
    values: {
      exact: mean(exact),
      attributes: 0.2 + 0.8 * mean(exact),
      ...Object.fromEntries(kinds.map((kind) => [`exact.${kind}`, mean(exact.filter((_, i) => String(lines[i].domain) === kind))])),
    },
    details: {},
    examples: { exact },
  };
}

/** The largest rate of dpo is its best, at the edge of the grid; sft's best stands inside. */
function selected(task: SelectTask): unknown {
  const best = task.subject.arm === 'sft' ? 1 : task.values.length - 1;
  const value = (choice: number, seed: number): number => 0.45 - 0.02 * Math.abs(choice - best) + (seed === CELL_SEEDS[0] ? 0.005 : -0.005);
  return {
    choice: best,
    cells: task.cells.map(({ choice, seed }) => ({ choice, seed, value: value(choice, seed) })),
    means: task.values.map((_, choice) => 0.45 - 0.02 * Math.abs(choice - best)),
    edge: best === task.values.length - 1,
  };
}
