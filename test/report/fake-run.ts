/**
 * A run folder as the runner lays it out, with invented numbers: two arms after a loaded stage, a linear probe and a Grad-CAM
 * probe. Nothing here was measured.
 */
import { hashOf } from '../../plan/hash.ts';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource, EmbedTask, Plan, ScoreTask, Task, TrainTask } from '../../plan/plan.ts';
import { SCENES_END, SCENES_PAD, SCENES_WORDS } from '../../runtime/core/data/scenes/words.ts';
import { Random } from '../../runtime/core/random.ts';
import { focus } from '../../runtime/core/score/focus.ts';
import { coverage } from '../../runtime/core/score/overlap.ts';
import { openSource } from '../../runtime/core/data/row.ts';
import { CORE_SOURCES } from '../../runtime/core/data/sources.ts';
import { readLines } from '../../runtime/node/report/read-run.ts';
import { taskFolder } from '../../runtime/node/run/task-folders.ts';
import { readSafetensors, writeSafetensors } from '../../runtime/node/safetensors/files.ts';
import { folderOf } from '../support/run-folder.ts';

export interface FakeOptions {
  seeds: number[];
  steps: number;
  /** Ids of tasks without results. */
  missing?: (task: Task) => boolean;
  title?: string;
  about?: string;
  text?: string;
  arms?: [string, string];
  maps?: number;
}

const ROWS = 12;
const GRID = 6;
export const source = (name: string, split: string, count: number): DataSource => ({
  source: name,
  params: { split, seed: 0 },
  tokenizer: 'words',
  count,
});

export function fakePlan(options: FakeOptions): Plan {
  const arms = options.arms ?? ['sft', 'dpo'];
  const tasks: Task[] = [];
  const base = (id: string, seed: number, needs: string[]) => ({ id, hash: hashOf(id), needs, seed });
  for (const seed of options.seeds) {
    arms.forEach((arm, i) => {
      const train: TrainTask = {
        ...base(`post.${arm}@${seed}`, seed, []),
        kind: 'train',
        stage: 'post',
        arm,
        loss: i === 0 ? 'sft' : 'dpo(beta: 0.1)',
        state: [],
        data: source('scenes.preferences', 'train', 2000),
        collate: { layout: 'pairs', image: 24, imageTokens: 9, prompt: 6, answer: 20 },
        batch: 32,
        micro: 32,
        steps: options.steps,
        order: { kind: 'permuted', seed },
        programs: {},
        scalars: {},
        schedules: {},
        metrics: ['loss'],
        evaluate: { every: 20, data: source('scenes.preferences', 'held-out', 256) },
        checkpointEvery: 100,
      };
      tasks.push(train);
    });
    for (const subject of [undefined, ...arms]) {
      const id = subject === undefined ? `align@${seed}` : `post.${subject}@${seed}`;
      const who = subject === undefined ? { stage: 'align' } : { stage: 'post', arm: subject };
      const embed: EmbedTask = {
        ...base(`focus.maps.${id}`, seed, []),
        kind: 'embed',
        state: [],
        data: source('scenes.preferences', 'held-out', options.maps ?? ROWS),
        collate: { layout: 'pairs', image: 24, imageTokens: 9, prompt: 6, answer: 20 },
        batch: 32,
        programs: {},
        scalars: {},
        keepInputs: [],
        keepColumns: ['boxes', 'size'],
      };
      const score = (probe: string, name: string, tables: Record<string, string>): ScoreTask => ({
        ...base(`${probe}.${id}`, seed, Object.values(tables)),
        kind: 'score',
        score: name,
        probe,
        subject: who,
        tables,
        params: {},
      });
      if (subject !== undefined) tasks.push(embed, score('focus', 'focus', { maps: embed.id }));
      tasks.push(score('objects', 'logistic', {}));
    }
  }
  tasks.push({
    ...base('report', 0, []),
    kind: 'report',
    title: options.title ?? 'quickstart',
    about: options.about ?? 'Same start, same pairs, two losses: which one leaves the sharper eye?',
    text:
      options.text ??
      'pivot 1\n\n/// Same start, same pairs, two losses.\nuse std.vision.vit\n\nseeds [0]\n\nstage align {\n  start load("quickstart.safetensors")\n}\n',
    seeds: options.seeds,
  });
  return {
    version: 1,
    name: 'quickstart',
    tasks,
    targets: [
      {
        name: 'portable',
        features: [],
        limits: {
          maxStorageBuffersPerShaderStage: 8,
          maxComputeWorkgroupStorageSize: 16384,
          maxComputeInvocationsPerWorkgroup: 256,
          maxStorageBufferBindingSize: 134217728,
        },
      },
    ],
    programs: {},
    kernels: {},
    tokenizers: { words: { kind: 'words', words: [...SCENES_WORDS], pad: SCENES_PAD, end: SCENES_END } },
    files: { 'quickstart.safetensors': { path: 'quickstart.safetensors', hash: '0123456789abcdef0123456789abcdef' } },
    asks: [],
    resolved: [
      { name: 'post.dpo.loss.beta', value: '0.1', origin: 'quickstart.pivot:29' },
      { name: 'post.optimize.weight_decay', value: '0', origin: 'default of std.optim.adamw' },
      { name: 'steps', value: String(options.steps), origin: '--set steps' },
    ],
  };
}

export const MACHINE = {
  plan: 'a'.repeat(32),
  adapter: 'llvmpipe (LLVM 19, 256 bits)',
  driver: { name: 'Mesa 25.0', backend: 'vulkan' },
  versions: { pivot: '0.1.0', node: 'v20.19.0', webgpu: '0.6.2' },
  started: '2026-11-23T10:00:00.000Z',
  status: 'running',
};

/** Makes the folder; the caller removes it by `remove`. */
export async function fakeRun(options: FakeOptions): Promise<{ dir: string; plan: Plan; remove: () => void }> {
  const dir = mkdtempSync(join(tmpdir(), 'pivot-report-'));
  const plan = fakePlan(options);
  writeJson(join(dir, 'run.json'), MACHINE);
  for (const task of plan.tasks) {
    const folder = taskFolder(dir, task);
    mkdirSync(folder, { recursive: true });
    writeJson(join(folder, 'task.json'), { id: task.id, hash: task.hash, kind: task.kind });
    if (options.missing?.(task)) continue;
    const arm = task.kind === 'train' ? task.arm : task.kind === 'score' ? task.subject.arm : undefined;
    const dpo = arm === (options.arms?.[1] ?? 'dpo') || task.id.includes('dpo');
    const random = new Random(keyOf(task.id), 0);
    if (task.kind === 'train') writeFileSync(join(folder, 'metrics.jsonl'), metrics(task, dpo, random));
    if (task.kind === 'embed') await maps(task, folder, dpo, random);
    if (task.kind === 'score' && task.score === 'logistic') {
      const top1 = 0.42 + (arm === undefined ? 0 : dpo ? 0.035 : 0.02) + 0.01 * random.uniform();
      writeJson(join(folder, 'score.json'), {
        values: { top1, class_recall: top1 - 0.031 },
        details: { largestClass: 0.041, correct: [] },
      });
    }
    if (task.kind === 'score' && task.score === 'focus') writeJson(join(folder, 'score.json'), await focusOf(dir, task));
    const seconds = task.kind === 'train' ? 61.3 + 20 * random.uniform() : 2.4;
    writeJson(join(folder, 'done.json'), {
      hash: task.hash,
      seconds,
      flops: task.kind === 'score' ? 0 : seconds * 41e9,
      adapter: 'llvmpipe (LLVM 19, 256 bits)',
    });
  }
  return { dir, plan, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

export function metrics(task: TrainTask, dpo: boolean, random: Random): string {
  const lines: string[] = [];
  const noise = (): number => random.uniform() + random.uniform() - 1;
  for (let step = 0; step <= task.steps; step++) {
    const t = step / task.steps;
    const learned = 1 - Math.exp(-3 * t);
    const chosen = -13.2 + (dpo ? -2.2 : 4.1) * learned;
    const rejected = -14.1 + (dpo ? -7.9 : 2.3) * learned;
    const at = (s: number): Record<string, number> => ({
      loss: dpo ? 0.693147 - 0.31 * learned + s * 0.06 * noise() * (t > 0 ? 1 : 0) : 1.31 - 0.42 * learned + s * 0.12 * noise(),
      'logps/chosen': chosen + s * 1.5 * noise(),
      'logps/rejected': rejected + s * 1.5 * noise(),
      ...(dpo
        ? {
            'rewards/accuracies': 0.5 + 0.34 * learned + s * 0.1 * noise(),
            'rewards/margins': 0.57 * learned + s * 0.1 * noise(),
            'rewards/chosen': -0.22 * learned + s * 0.05 * noise(),
            'rewards/rejected': -0.79 * learned + s * 0.05 * noise(),
          }
        : {}),
    });
    if (step % 20 === 0)
      lines.push(JSON.stringify({ step, epoch: t, ...Object.fromEntries(Object.entries(at(0.15)).map(([k, v]) => [`eval_${k}`, v])) }));
    if (step < task.steps) {
      lines.push(
        JSON.stringify({
          step: step + 1,
          epoch: t,
          ...at(1),
          grad_norm: 2.4 + noise() + (dpo ? 1.5 * t : 0),
          learning_rate: 1e-3 * Math.min(1, t / 0.1) * 0.5 * (1 + Math.cos(Math.PI * t)),
          num_tokens: 640 * step,
        }),
      );
    }
  }
  return `${lines.join('\n')}\n{"step": 99, "lo`;
}

export async function maps(task: EmbedTask, folder: string, dpo: boolean, random: Random): Promise<void> {
  const rows = await openSource(task.data, { openers: CORE_SOURCES });
  const gradient = new Float32Array(task.data.count * GRID * GRID);
  const cam = new Float32Array(gradient.length);
  const columns: string[] = [];
  for (let i = 0; i < task.data.count; i++) {
    const row = await rows.row(i);
    const cover = coverage(row.boxes ?? [], 24, 24, GRID);
    for (let p = 0; p < cover.length; p++) {
      gradient[i * cover.length + p] = 1e-3 * (random.uniform() ** 2 + (dpo ? 2.2 : 0.7) * cover[p] * random.uniform());
      cam[i * cover.length + p] = Math.max(0, random.uniform() - 0.6 + (dpo ? 1.2 : 0.5) * cover[p] * random.uniform());
    }
    columns.push(JSON.stringify({ boxes: row.boxes, size: 24 }));
  }
  const shape = [task.data.count, GRID * GRID];
  await writeSafetensors(join(folder, 'table.safetensors'), [
    { name: 'gradient', dtype: 'f32', shape, data: gradient },
    { name: 'cam', dtype: 'f32', shape, data: cam },
  ]);
  writeFileSync(join(folder, 'rows.jsonl'), `${columns.join('\n')}\n`);
}

export async function focusOf(dir: string, task: ScoreTask): Promise<unknown> {
  const folder = folderOf(dir, task.tables.maps);
  const { tensors } = await readSafetensors(join(folder, 'table.safetensors'));
  return focus({ maps: { tensors, rows: readLines(join(folder, 'rows.jsonl')) } }, {});
}

export function keyOf(id: string): [number, number] {
  let hash = 7;
  for (const letter of id) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0;
  return [hash, 1];
}

export function writeJson(path: string, value: unknown): void {
  writeFileSync(path, JSON.stringify(value));
}
