/** Which models of a run a question goes to: by stage, arm and seed, and only such as were trained to their end. */
import type { Ask, Plan, TrainTask } from '../../../plan/plan.ts';
import { nearestOf } from '../../core/data/tokens.ts';
import { runError } from '../../core/train/errors.ts';
import type { DiskStore } from '../run/store.ts';

export interface Model {
  ask: Ask;
  task: TrainTask;
}

/** `post.dpo`, or `tune` where a stage has no arms. */
export function nameOf({ stage, arm }: Pick<Ask, 'stage' | 'arm'>): string {
  return arm === undefined ? stage : `${stage}.${arm}`;
}

/**
 * The models that are meant: those of the stage, or of the last stage that can be asked; all its arms where none is named. Throws
 * R0651 (there is none in the run), R0652 (no such stage, arm or seed), R0653 (not trained to the end).
 */
export async function chooseModels(
  plan: Plan,
  store: DiskStore,
  wanted: { run: string; stage?: string; arm?: string; seed: number; warnings?: readonly string[] },
): Promise<[Model, ...Model[]]> {
  const { asks } = plan;
  const last = asks.at(-1);
  if (last === undefined)
    throw runError(
      'R0651',
      `no model of ${plan.name} can be asked`,
      'train a model encoder -> connector -> language on texts, with a decoder that remembers',
    );
  const byArm = wanted.arm === undefined ? undefined : asks.findLast(({ arm }) => arm === wanted.arm)?.stage;
  const stage = wanted.stage ?? byArm ?? last.stage;
  const ofStage = asks.filter((one) => one.stage === stage);
  if (ofStage.length === 0)
    throw unknown(
      'stage',
      stage,
      asks.map((one) => one.stage),
    );
  const chosen = wanted.arm === undefined ? ofStage : ofStage.filter(({ arm }) => arm === wanted.arm);
  if (chosen.length === 0)
    throw unknown(
      'arm',
      wanted.arm ?? '',
      ofStage.flatMap(({ arm }) => arm ?? []),
    );
  const models = chosen.map((ask): Model => ({ ask, task: taskOf(plan, ask, wanted.seed) }));
  const done = await Promise.all(models.map(({ task }) => store.done(task)));
  const open = models.filter((_, i) => done[i] === undefined);
  const [first, ...others] = models;
  if (open.length > 0) {
    throw runError(
      'R0653',
      `${open.map(({ task }) => task.id).join(', ')} ${open.length === 1 ? 'is' : 'are'} not trained to the end in ${wanted.run}${(wanted.warnings ?? []).map((text) => ` (${text})`).join('')}`,
      open.length < models.length ? 'finish the run with `pivot run`, or name a trained arm with --arm' : 'finish the run with `pivot run`',
    );
  }
  return [first, ...others];
}

/** The task that trains a model for a seed; cells of a grid and readers of probes are others. */
function taskOf(plan: Plan, { stage, arm }: Ask, seed: number): TrainTask {
  const tasks = plan.tasks.flatMap((task) =>
    task.kind === 'train' && task.stage === stage && task.arm === arm && task.cell === undefined && task.probe === undefined ? [task] : [],
  );
  const found = tasks.find((task) => task.seed === seed);
  if (found) return found;
  throw runError(
    'R0652',
    `${nameOf({ stage, arm })} was not trained with seed ${seed}`,
    `its seeds are ${tasks.map((task) => task.seed).join(', ')}`,
  );
}

function unknown(what: string, name: string, known: readonly string[]): Error {
  const names = [...new Set(known)];
  const near = nearestOf(names, name);
  const list = names.length > 0 ? `there is ${names.join(', ')}` : `it has no ${what}s`;
  return runError('R0652', `the run has no ${what} ${name} that can be asked`, near === undefined ? list : `did you mean ${near}? ${list}`);
}
