/**
 * One question about one picture, put to the models that a run trained. In come a run folder, a picture and a question; out go the
 * answers, one a model, with their log-probability and, if wanted, where in the picture they come from. The plan in the folder
 * holds all that is needed (`Ask` in the plan's schema), so the compiler and the text may be absent.
 */
import { join, resolve } from 'node:path';
import type { Ask, Plan, Source, Tokenizer, TrainTask } from '../../plan/plan.ts';
import type { Program } from '../../plan/program.ts';
import { collate, collatePrompts, packIds } from '../core/data/collate.ts';
import type { Batch } from '../core/data/collate.ts';
import type { Picture, Row } from '../core/data/row.ts';
import { pickTarget } from '../core/device/target.ts';
import { Executor } from '../core/executor/executor.ts';
import { keyOf, Random } from '../core/random.ts';
import { answer } from '../core/train/answer.ts';
import type { Answer, Answering } from '../core/train/answer.ts';
import { inputsFor, scalarsFor } from '../core/train/batches.ts';
import { drawn, likeliest } from '../core/train/choose.ts';
import { runError } from '../core/train/errors.ts';
import { initialValue } from '../core/train/start.ts';
import type { WeightSource } from '../core/train/storage.ts';
import { programOf } from '../core/train/step.ts';
import { AskedRows } from './ask/asked-row.ts';
import type { AskedRow } from './ask/asked-row.ts';
import { chooseModels, nameOf } from './ask/choose-models.ts';
import { promptIds } from './ask/question.ts';
import type { OpenDevice } from './device/open.ts';
import { sleepingWait } from './device/wait.ts';
import { Access } from './run/access.ts';
import { weightsOf } from './run/context.ts';
import { diskFiles } from './run/files.ts';
import { readPlan } from './run/plan-folder.ts';
import { DiskStore } from './run/store.ts';

export interface AskOptions {
  /** The run folder. */
  run: string;
  /** Folder that the text's files are relative to: weights that were not trained may lie there. */
  base: string;
  /** Path of a PNG, JPEG or WebP; it is squeezed to the encoder's size. */
  picture: string;
  question: string;
  /** Default: the last stage of the text that can be asked. */
  stage?: string;
  /** Default: all arms of the stage. */
  arm?: string;
  seed: number;
  /** 0 takes the likeliest token each time; else tokens are drawn by a key of the seed. */
  temperature: number;
  /** Whether to tell where answers come from. */
  cam: boolean;
  device: OpenDevice;
}

export interface Asked {
  /** `post.dpo` */
  name: string;
  said: string;
  /** Whether the answer came to its end. */
  ended: boolean;
  /** ln of the answer's probability, in nats. */
  logp: number;
  /** Grad-CAM of the answer's log-probability, `grid` x `grid` places row by row. */
  cam?: { map: Float32Array; grid: number };
}

/** Asks. Throws R0651 to R0656 for what cannot be asked, R0213 where there is no run. */
export async function ask(options: AskOptions): Promise<{ picture: Picture; answers: Asked[] }> {
  const plan = await readPlan(join(options.run, 'plan'));
  const warnings: string[] = [];
  const store = new DiskStore({ out: options.run, base: resolve(options.base), files: diskFiles, warn: (text) => warnings.push(text) });
  const models = await chooseModels(plan, store, { ...options, warnings });
  const asked = new AskedRows(plan, options, (path) => resolve(options.base, path));
  const answers: Asked[] = [];
  const executors = new Map<string, Executor>();
  try {
    const first = await asked.rowFor(models[0].ask);
    for (const model of models) {
      const row = model === models[0] ? first : await asked.rowFor(model.ask);
      answers.push(await askOne(plan, store, model, row, options, executors));
    }
    // All arms of a stage have one encoder.
    return { picture: first.row.image as Picture, answers };
  } finally {
    for (const executor of executors.values()) executor.destroy();
    await asked.close();
  }
}

async function askOne(
  plan: Plan,
  store: DiskStore,
  { ask: one, task }: { ask: Ask; task: TrainTask },
  { row, tokens }: AskedRow,
  options: AskOptions,
  executors: Map<string, Executor>,
): Promise<Asked> {
  const name = nameOf(one);
  const target = pickTarget(plan.targets, options.device.info).name;
  const roles = Object.entries(one.programs[target]).filter(([role]) => role !== 'cam' || options.cam);
  if (options.cam && !roles.some(([role]) => role === 'cam')) throw noCam(name, 'its encoder gives no features by place');
  const programs = Object.fromEntries(roles.map(([role, hash]): [string, Program] => [role, plan.programs[hash]]));
  const key = JSON.stringify(roles);
  // Arms of one model run the same programs with other weights.
  const executor = executors.get(key) ?? (await Executor.create({ ...deviceOf(options.device), programs, kernels: plan.kernels }));
  executors.set(key, executor);
  await writeWeights(executor, one, task, weightsOf({ plan, store, access: new Access(options.base, 'anywhere') }));
  const rowName = (): string => QUESTION.source.name;
  const answering: Answering = { name, executor, programs, scalars: one.scalars, collate: one.collate, tokens, rowName };
  const words = one.tokenizer === undefined ? undefined : plan.tokenizers[one.tokenizer];
  const prompts = collatePrompts([row], one.collate, words, QUESTION);
  const random = (index: number): number => new Random(keyOf(`ask/${name}`, options.seed), index).uniform();
  const [given] = await answer(answering, prompts, 1, '', (logits, _, index) =>
    options.temperature === 0 ? likeliest(logits, tokens.never) : drawn(logits, tokens.never, options.temperature, random(index)),
  );
  const [said] = await tokens.decode([given.tokens]);
  const asked = { name, said, ended: given.ended, logp: given.logp };
  return options.cam ? { ...asked, cam: await originOf(answering, answeredBatch(row, one.collate, words, given)) } : asked;
}

/** How the question is named in messages. */
const QUESTION = { source: { name: 'the question' }, indices: [0] };

/** The row with the answer that was given, and the end token that it ended by. */
function answeredBatch(row: Row, collated: Ask['collate'], words: Tokenizer | undefined, { tokens, end }: Answer): Batch {
  const layout = { ...collated, layout: 'answers' as const };
  const answered = end === undefined ? tokens : [...tokens, end];
  if (words === undefined) return collate([{ ...row, ids: row.ids && { ...row.ids, answer: answered } }], layout, undefined, QUESTION);
  const prompt = promptIds(row.prompt ?? '', words, layout.prompt);
  return new Map([...collatePrompts([row], layout, words, QUESTION), ...packIds(layout, words.pad, [prompt], [[answered]])]);
}

async function originOf(
  { name, executor, programs, scalars, collate: { pictures = 1 } }: Answering,
  batch: Batch,
): Promise<NonNullable<Asked['cam']>> {
  const program = programOf(name, programs, 'cam');
  const outputs = await executor.run('cam', { inputs: inputsFor(program, batch), scalars: scalarsFor(program, scalars) }).outputs();
  const all = outputs.get('cam');
  // Of the pictures that there is room for, the first is the one that was given.
  const map = all?.subarray(0, all.length / pictures);
  const grid = Math.round(Math.sqrt(map?.length ?? 0));
  if (!(map instanceof Float32Array) || grid * grid !== map.length)
    throw noCam(name, `its encoder gives ${map?.length ?? 0} features, which are no square grid`);
  return { map, grid };
}

/** Weights that the task trained are in its result; the others lie where it found them. */
async function writeWeights(executor: Executor, { state }: Ask, task: TrainTask, weights: WeightSource): Promise<void> {
  const wanted = new Set(executor.stateNames);
  const known = new Map(task.state.map((tensor) => [tensor.name, tensor]));
  for (const { name, shape, keep } of state) {
    if (keep !== 'weight' || !wanted.has(name)) continue;
    const declared = known.get(name);
    if (declared?.shape.join() !== shape.join()) {
      throw runError('R0611', `${task.id} has no ${name} [${shape.join(', ')}], which its model is asked with`, 'compile the text again');
    }
    const source: Source = declared.keep === 'weight' ? { from: 'task', task: task.id, name } : declared.source;
    executor.writeState(name, await initialValue({ ...declared, source }, task.seed, weights));
  }
}

function deviceOf({ device }: OpenDevice): { device: GPUDevice; wait: typeof sleepingWait } {
  return { device, wait: sleepingWait };
}

function noCam(name: string, why: string): Error {
  return runError('R0656', `${name} cannot show where an answer comes from: ${why}`, 'leave out --cam');
}
