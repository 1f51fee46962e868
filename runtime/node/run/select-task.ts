/** A choice among the values of a tuned name: the best mean over the seeds of its cells. */
import type { SelectTask } from '../../../plan/plan.ts';
import { runError } from '../../core/train/errors.ts';
import { taskOf } from './context.ts';
import type { RunContext } from './context.ts';

export interface Choice {
  choice: number;
  cells: { choice: number; seed: number; value: number }[];
  /** Mean of each value over its seeds. */
  means: number[];
  /** Whether the best value is the least or the largest of the grid, so that a better one may lie beyond it. */
  edge: boolean;
}

/** Writes `select.json` and returns what was chosen, in words. Ties go to the value that the text names first. */
export async function runSelect(context: RunContext, task: SelectTask): Promise<string> {
  const { store, plan } = context;
  const open = await store.begin(task);
  const { measure, better, values, name } = task;
  const cells: Choice['cells'] = [];
  for (const cell of task.cells) {
    const score = parsed(await store.text(taskOf(plan, cell.task), 'score.json'));
    const found = (score.values as Record<string, unknown> | undefined)?.[measure.value];
    if (typeof found !== 'number')
      throw runError(
        'R0661',
        `${cell.task} says nothing of ${measure.value}, by which ${task.id} chooses`,
        'tune by another measure of the probe',
      );
    cells.push({ choice: cell.choice, seed: cell.seed, value: found });
  }
  const means = values.map((_, choice) => mean(cells.filter((c) => c.choice === choice).map((c) => c.value)));
  const best = means.reduce((a, b) => (better === 'larger' ? Math.max(a, b) : Math.min(a, b)));
  const choice = means.indexOf(best);
  const sizes = values.map(Number.parseFloat);
  const edge = sizes[choice] === Math.min(...sizes) || sizes[choice] === Math.max(...sizes);
  const result: Choice = { choice, cells, means, edge };
  await open.writeText('select.json', `${JSON.stringify(result)}\n`);
  await open.close();
  const beyond = edge ? '; it stands at the edge of the grid, and a better one may lie beyond' : '';
  return `${name} = ${values[choice]} is best by ${measure.probe}.${measure.value} (${best.toPrecision(4)})${beyond}`;
}

/** What a finished select task chose. Throws R0662. */
export async function readChoice({ store, plan }: RunContext, task: string): Promise<Choice> {
  const found = parsed(await store.text(taskOf(plan, task), 'select.json'));
  if (typeof found.choice === 'number') return found as unknown as Choice;
  throw runError('R0662', `the choice of ${task} cannot be read`, 'remove its folder, and run again');
}

function parsed(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
