/**
 * Rows that an earlier task of the run made. `table`: what an embed task kept, a row of each of its tensors. `sampled.pairs`: answers of a
 * model to the prompts of a base source, the better one chosen; the picture and the prompt are those of the base's row. Where that is a
 * conversation, the answers are the tokens that the model took, not what a template would make of their texts.
 */
import { join } from 'node:path';
import type { DataSource } from '../../../plan/plan.ts';
import { dataError } from '../../core/data/codes.ts';
import { askedIds } from '../../core/data/conversation-ids.ts';
import { openSource } from '../../core/data/row.ts';
import type { Row, RowSource, SourceContext } from '../../core/data/row.ts';
import { readSafetensors } from '../safetensors/files.ts';
import { linesOf } from './lines.ts';
import { RowStore } from './row-store.ts';
import { rowsOf } from './tensors-source.ts';

export async function openTable(spec: DataSource, context: SourceContext): Promise<RowSource> {
  const { tensors } = await readSafetensors(join(folderOf(spec, context), 'table.safetensors'));
  return rowsOf(`table of ${spec.task}`, [...tensors.values()]);
}

interface SampledPair {
  row: number;
  chosen: string;
  rejected: string;
  ids?: { chosen: number[]; rejected: number[] };
}

export async function openSampledPairs(spec: DataSource, context: SourceContext): Promise<RowSource> {
  const { base } = spec;
  if (base === undefined) throw new Error('sampled pairs need the data whose prompts were answered');
  const pairs = new RowStore<SampledPair>();
  try {
    for await (const line of linesOf(join(folderOf(spec, context), 'pairs.jsonl'))) pairs.append(pairOf(line));
    if (pairs.count === 0) {
      throw dataError('R0525', `${spec.task} kept no pair: all answers to each prompt rank alike`, {
        cure: 'sample more answers to each prompt, at a higher temperature, or from a model that is less sure',
      });
    }
    return pairsFrom(await openSource(base, context), pairs, `pairs of ${spec.task}`);
  } catch (error) {
    pairs.close();
    throw error;
  }
}

function pairsFrom(source: RowSource, pairs: RowStore<SampledPair>, name: string): RowSource {
  const pair = (row: Row, sampled: SampledPair): Row => {
    const { answer, chosen: _, rejected: __, ids, ...rest } = row;
    const { chosen, rejected, ids: said } = sampled;
    if (ids !== undefined && said === undefined) throw noPair(sampled);
    const tokens = ids === undefined ? {} : { ids: { prompt: askedIds(ids), ...said, image: ids.image } };
    return { ...rest, ...tokens, chosen, rejected, extra: { ...row.extra, ...(answer === undefined ? {} : { answer }) } };
  };
  const { text, place, spell } = source;
  return {
    name,
    count: pairs.count,
    row: async (index) => {
      const sampled = pairs.read(index);
      return pair(await source.row(sampled.row), sampled);
    },
    ...(text === undefined
      ? {}
      : {
          text: (index) => {
            const sampled = pairs.read(index);
            return pair(text(sampled.row), sampled);
          },
        }),
    ...(place === undefined ? {} : { place: (index) => place(pairs.read(index).row) }),
    ...(spell === undefined ? {} : { spell }),
    close: async () => {
      await source.close?.();
      pairs.close();
    },
  };
}

function folderOf(spec: DataSource, context: SourceContext): string {
  if (spec.task === undefined || context.results === undefined)
    throw dataError('R0511', `rows of ${spec.task ?? 'a task'} are known within its run only`, { cure: 'name data that need no task' });
  return context.results(spec.task);
}

function pairOf(line: Record<string, unknown>): SampledPair {
  const { row, chosen, rejected, ids } = line;
  if (typeof row === 'number' && typeof chosen === 'string' && typeof rejected === 'string' && (ids === undefined || areIds(ids)))
    return { row, chosen, rejected, ...(ids === undefined ? {} : { ids }) };
  throw noPair(line);
}

function areIds(value: unknown): value is NonNullable<SampledPair['ids']> {
  const list = (one: unknown): boolean => Array.isArray(one) && one.every((id) => Number.isSafeInteger(id));
  return (
    typeof value === 'object' && value !== null && 'chosen' in value && 'rejected' in value && list(value.chosen) && list(value.rejected)
  );
}

function noPair(line: unknown): Error {
  return dataError('R0520', `a line of pairs.jsonl is no pair: ${JSON.stringify(line)}`, {
    cure: 'remove the folder of the task, and run again',
  });
}
