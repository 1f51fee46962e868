/**
 * `tensors`: the columns of a safetensors file as rows along axis 0, for recorded runs and tests. The file is read when
 * the source is opened; its tensors must all have as many rows.
 */
import type { DataSource } from '../../../plan/plan.ts';
import { dataError } from '../../core/data/codes.ts';
import { textParam } from '../../core/data/params.ts';
import type { RowSource, SourceContext } from '../../core/data/row.ts';
import type { Tensor } from '../../core/safetensors/format.ts';
import { readSafetensors } from '../safetensors/files.ts';
import { contentHash } from './content-hash.ts';

/** Parameter `file`: the path of the safetensors file. */
export async function openTensors(spec: DataSource, context: SourceContext): Promise<RowSource> {
  const given = textParam(spec, 'file');
  const path = context.resolve?.(given) ?? given;
  const { tensors } = await readSafetensors(path);
  if (spec.content !== undefined && contentHash(path) !== spec.content) {
    throw dataError('R0523', `${given} has changed since the plan was compiled`, { cure: 'compile again', place: { file: given } });
  }
  return rowsOf(given, [...tensors.values()]);
}

/** Tensors with as many rows each, as rows. Throws R0512 where they have not. */
export function rowsOf(name: string, all: readonly Tensor[]): RowSource {
  const counts = new Set(all.map((tensor) => tensor.shape[0]));
  const [count] = counts;
  if (counts.size !== 1 || count === undefined) {
    const shapes = all.map((tensor) => `${tensor.name} [${tensor.shape.join(', ')}]`).join(', ');
    throw dataError('R0512', `the tensors of ${name} do not have the same number of rows: ${shapes || 'there are none'}`, {
      cure: 'the first dimension of each counts rows',
      place: { file: name },
    });
  }
  return {
    name,
    count,
    row: (index) => ({ tensors: new Map(all.map((tensor) => [tensor.name, rowOf(tensor, index)])) }),
  };
}

function rowOf({ name, dtype, shape, data }: Tensor, index: number): Tensor {
  const length = data.length / shape[0];
  return { name, dtype, shape: [1, ...shape.slice(1)], data: data.subarray(index * length, (index + 1) * length) };
}
