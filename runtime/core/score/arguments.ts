/** Reading the arguments of a score, with a sentence for each that is missing or has another shape. */
import { elements } from '../../../plan/dtypes.ts';
import type { ScoreParams, Table, TableTensor } from './types.ts';
import { scoreError } from './errors.ts';

/** The table given as argument `name`; R0702 where the probe passes none. */
export function tableOf(tables: Record<string, Table>, name: string, score: string): Table {
  if (Object.hasOwn(tables, name)) return tables[name];
  throw scoreError(
    'R0702',
    `the score ${score} needs a table called ${name}`,
    `write \`score ${score}(${name}: ...)\` with the name of an embed; it was given ${list(Object.keys(tables))}`,
  );
}

/** The column `name` of a table; R0703 where the embed keeps none, or data and shape do not agree. */
export function columnOf(table: Table, name: string, argument: string, score: string): TableTensor {
  const tensor = table.tensors.get(name);
  if (tensor === undefined) {
    throw scoreError(
      'R0703',
      `the score ${score} reads ${name} of its table ${argument}, which holds ${list([...table.tensors.keys()])}`,
      `add \`keep ${name} = ...\` to the embed that ${argument} comes from`,
    );
  }
  if (elements(tensor.shape) !== tensor.data.length) {
    throw scoreError(
      'R0703',
      `${name} of ${argument} has ${tensor.data.length} values, and its shape [${tensor.shape.join(', ')}] says ${elements(tensor.shape)}`,
      'delete the folder of the embed task and run again',
    );
  }
  return tensor;
}

/** A number among the parameters, or `otherwise`; R0704 where it is not a finite number of at least `least`. */
export function numberOf(params: ScoreParams, name: string, otherwise: number, least: number, score: string): number {
  if (!Object.hasOwn(params, name)) return otherwise;
  const value = params[name];
  if (typeof value === 'number' && Number.isFinite(value) && value >= least) return value;
  throw scoreError('R0704', `${name} of the score ${score} is ${JSON.stringify(value)}`, `give a number that is at least ${least}`);
}

/** R0705 naming the first value that is not finite: features of a model that broke must not become a score. */
export function requireFinite(tensor: TableTensor, name: string, argument: string, score: string): void {
  const { data, shape } = tensor;
  const at = data.findIndex((value: number) => !Number.isFinite(value));
  if (at < 0) return;
  const row = Math.floor(at / Math.max(1, elements(shape.slice(1))));
  throw scoreError(
    'R0705',
    `${name} of ${argument} is ${data[at]} in row ${row + 1}, so ${score} has nothing to judge`,
    'look for the first bad number in the stage that trained this model',
  );
}

function list(names: string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}
