/** Training runs of a LLaVA folder against recorded ones: SFT, DPO, and SFT with LoRA on the language model. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeHost, packageRoot } from '../../../cli/host.ts';
import { compile } from '../../../compiler/compile.ts';
import { formatDiagnostics } from '../../../grammar/index.ts';
import type { Plan, TrainTask } from '../../../plan/plan.ts';
import type { Tensor } from '../../../runtime/core/safetensors/format.ts';
import { readSafetensors, writeSafetensors } from '../../../runtime/node/safetensors/files.ts';
import { trainTask } from '../../support/train-plan.ts';
import type { Trained } from '../../support/train-plan.ts';
import type { Bench } from '../bench.ts';
import { check } from '../check.ts';
import type { Check } from '../check.ts';

interface RecordedRow {
  prompt_ids: number[];
  chosen_ids: number[];
  rejected_ids: number[];
}

type LogEntry = Record<string, number>;

const RUNS = ['sft', 'dpo', 'lora'] as const;
type Run = (typeof RUNS)[number];

export function hasTraining(folder: string): boolean {
  return existsSync(join(folder, 'expect', 'train-data.json'));
}

export async function checkTraining(bench: Bench, folder: string): Promise<Check[]> {
  const place = mkdtempSync(join(tmpdir(), 'pivot-parity-'));
  try {
    return await inFolder(bench, folder, place);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function inFolder(bench: Bench, folder: string, place: string): Promise<Check[]> {
  const expected = (name: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(folder, 'expect', `${name}.json`), 'utf8')) as Record<string, unknown>;
  const logs = Object.fromEntries(RUNS.map((run) => [run, expected(`train-${run}`).log as LogEntry[]])) as Record<Run, LogEntry[]>;
  const checkpoint = String(expected('train-sft').checkpoint).replace(/\/$/, '');
  const rows = expected('train-data').rows as RecordedRow[];
  const data = (await readSafetensors(join(folder, 'expect', 'train-data.safetensors'))).tensors;
  const pixels = data.get('pixel_values');
  if (!pixels) throw new Error('train-data has no pixel_values');
  cpSync(join(folder, checkpoint), join(place, checkpoint), { recursive: true });
  cpSync(join(packageRoot(), 'test', 'parity', 'models', 'training.pivot'), join(place, 'training.pivot'));
  const token = Number(
    (JSON.parse(readFileSync(join(place, checkpoint, 'config.json'), 'utf8')) as Record<string, unknown>).image_token_index,
  );
  const lora = (await readSafetensors(join(folder, 'expect', 'train-lora.safetensors'))).tensors;
  await writeSafetensors(
    join(place, 'lora.safetensors'),
    [...lora].flatMap(([name, t]) => (name.startsWith('lora.initial.') ? [{ ...t, name: ours(name.slice('lora.initial.'.length)) }] : [])),
  );
  const batch = 4;
  const length = (of: (row: RecordedRow) => number): number => Math.max(...rows.map(of));
  const pictureTokens = rows[0].prompt_ids.filter((id) => id === token).length;
  const prompt = length((r) => r.prompt_ids.length) - pictureTokens;
  const answer = length((r) => Math.max(r.chosen_ids.length, r.rejected_ids.length));
  const set = {
    folder: JSON.stringify(checkpoint),
    image: `${pixels.shape[2]}px`,
    prompt: String(prompt),
    answer: String(answer),
    rows: String(rows.length),
    batch: String(batch),
    ...Object.fromEntries(RUNS.map((run) => [`${run}_steps`, String(logs[run].length)])),
  };
  writeFileSync(join(place, 'set.json'), JSON.stringify(set));
  const compiled = compile('training.pivot', nodeHost(place), { targets: [bench.target], set });
  if (!compiled.plan) throw new Error(formatDiagnostics(compiled.diagnostics, compiled.texts));
  const checks: Check[] = [];
  for (const run of RUNS) {
    const task = compiled.plan.tasks.find((t): t is TrainTask => t.kind === 'train' && t.stage === `${run}_run`);
    if (!task) throw new Error(`the text has no ${run}_run`);
    await writeSafetensors(
      join(place, `rows-${run}.safetensors`),
      columns(rows, pixels, { token, prompt: prompt + pictureTokens, answer, batch, sides: run === 'dpo' ? 2 : 1 }),
    );
    const trained = await trainTask(
      { open: bench.open, plan: compiled.plan, target: bench.target.name, folder: place },
      recordedTask(task, run, logs[run], place, batch),
    );
    checks.push(
      ...compare(
        run,
        logs[run],
        trained,
        task,
        (await readSafetensors(join(folder, 'expect', `train-${run}.safetensors`))).tensors,
        compiled.plan,
      ),
    );
  }
  return checks;
}

/** Names on disk as our paths, and back, where they are not a checkpoint's own. */
function ours(name: string): string {
  return name.replace(/^language_model\./, 'head.');
}

/** Rows as the schema lays them out at `Collate` with `pictures`: prompts padded on the left, answers on the right. */
function columns(
  rows: readonly RecordedRow[],
  pixels: Tensor,
  { token, prompt, answer, batch, sides }: { token: number; prompt: number; answer: number; batch: number; sides: 1 | 2 },
): Tensor[] {
  const length = prompt + sides * answer;
  const i32 = (name: string): Tensor & { data: Int32Array } => ({
    name,
    dtype: 'i32',
    shape: [rows.length, length],
    data: new Int32Array(rows.length * length),
  });
  const [tokens, seen, position, segment] = ['tokens', 'seen', 'position', 'segment'].map(i32);
  const masks = (sides === 1 ? ['mask'] : ['chosen.mask', 'rejected.mask']).map((name): Tensor & { data: Float32Array } => ({
    name,
    dtype: 'f32',
    shape: [rows.length, answer],
    data: new Float32Array(rows.length * answer),
  }));
  rows.forEach((row, n) => {
    const start = n * length;
    const lead = prompt - row.prompt_ids.length;
    const each = row.prompt_ids.filter((id) => id === token).length;
    segment.data.fill(3, start, start + length);
    let picture = (n % batch) * each;
    row.prompt_ids.forEach((id, i) => {
      const at = start + lead + i;
      tokens.data[at] = id;
      position.data[at] = i;
      segment.data[at] = 0;
      if (id === token) seen.data[at] = ++picture;
    });
    (sides === 1 ? [row.chosen_ids] : [row.chosen_ids, row.rejected_ids]).forEach((ids, side) => {
      ids.forEach((id, i) => {
        const at = start + prompt + side * answer + i;
        tokens.data[at] = id;
        position.data[at] = row.prompt_ids.length + i;
        segment.data[at] = side + 1;
        masks[side].data[n * answer + i] = 1;
      });
    });
  });
  return [{ ...pixels, name: 'image' }, tokens, seen, position, segment, ...masks];
}

function recordedTask(task: TrainTask, run: Run, log: readonly LogEntry[], place: string, batch: number): TrainTask {
  const names = ['image', 'tokens', 'seen', 'position', 'segment', ...(run === 'dpo' ? ['chosen.mask', 'rejected.mask'] : ['mask'])];
  return {
    ...task,
    data: { source: 'tensors', params: { file: join(place, `rows-${run}.safetensors`) }, count: task.data.count },
    collate: { layout: 'tensors', columns: Object.fromEntries(names.map((name) => [name, name])) },
    order: { kind: 'given', rows: log.map((entry) => Array.from({ length: batch }, (_, i) => entry.batch * batch + i)) },
    checkpointEvery: 1,
  };
}

function compare(
  run: Run,
  log: readonly LogEntry[],
  trained: Trained,
  task: TrainTask,
  recorded: ReadonlyMap<string, Tensor>,
  _plan: Plan,
): Check[] {
  const steps = (name: string, as = name): { name: string; found: number[]; wanted: number[] }[] =>
    log.map((entry, i) => ({ name: `step ${i}`, found: [trained.steps[i]?.[as]], wanted: [entry[name]] }));
  const metric = (name: string, tolerance: number): Check => check(`train-${run}: ${name}`, tolerance, 'absolute', steps(name));
  const last = log.length;
  const after = (step: number): ReadonlyMap<string, Tensor> | undefined => (step === last ? trained.weights : trained.after.get(step));
  const disk = new Map(
    task.state.flatMap(({ name, source }) =>
      source.from === 'file' && source.file !== 'lora.safetensors' ? [[source.name, name] as const] : [],
    ),
  );
  const weights = (step: number, prefix: string, skip: RegExp, what = 'weights'): Check => {
    const arrays = [...recorded].flatMap(([name, t]) => {
      if (!name.startsWith(prefix) || skip.test(name)) return [];
      const own = name.slice(prefix.length);
      const path = disk.get(own) ?? ours(own);
      // What no block reads is not part of the model: it stays as it was.
      return task.state.some((s) => s.name === path) ? [{ name: own, found: after(step)?.get(path)?.data, wanted: t.data }] : [];
    });
    return check(`train-${run}: ${what} after ${step}`, 1e-4, 'of the largest', arrays);
  };
  const keyBias = /vision_tower.*k_proj\.bias$/;
  return [
    check(`train-${run}: loss`, 1e-4, 'of the largest', steps('loss')),
    check(`train-${run}: grad_norm`, 1e-3, 'of the largest', steps('grad_norm')),
    check(`train-${run}: learning_rate`, 1e-6, 'of the largest', steps('lr', 'learning_rate')),
    ...(run === 'dpo'
      ? [
          metric('rewards/chosen', 1e-3),
          metric('rewards/rejected', 1e-3),
          metric('rewards/margins', 1e-3),
          // At the start both sides are equal, and a rounding decides which is larger.
          check(`train-${run}: rewards/accuracies`, 1e-6, 'absolute', steps('rewards/accuracies').slice(1)),
          metric('logps/chosen', 5e-3),
          metric('logps/rejected', 5e-3),
        ]
      : []),
    ...(run === 'lora'
      ? [
          weights(last, 'lora.after.', keyBias),
          // Beside adapters, which are factors here and products there, this run trains the tower as a whole.
          weights(last, 'merged.', /^merged\.language_model|vision_tower.*k_proj\.bias$/, 'weights of the tower'),
        ]
      : [weights(1, 'after.1.', keyBias), weights(last, `after.${last}.`, keyBias)]),
  ];
}
