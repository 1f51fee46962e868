/**
 * Sampling: a model answers the prompts of all rows, so many times each. A line an answer is kept, batch by batch; a killed run
 * goes on at the first batch that is not whole. Tokens are drawn by a key of (seed, row, sample, token), so the lines are the same however the
 * run was cut up.
 */
import type { SampleTask } from '../../../plan/plan.ts';
import { batchesInOrder } from '../data/order.ts';
import type { Row } from '../data/row.ts';
import { keyOf, Random } from '../random.ts';
import { tokensOfWords } from './answer-tokens.ts';
import type { AnswerTokens } from './answer-tokens.ts';
import { answer } from './answer.ts';
import type { Answer, Choose } from './answer.ts';
import { batchesOf } from './batches.ts';
import type { RowData } from './batches.ts';
import { drawn, likeliest } from './choose.ts';
import type { ForwardRun } from './forward-run.ts';
import { Pace } from './pace.ts';
import { onDevice, writeInitialState } from './start.ts';

export interface Sampling extends ForwardRun<SampleTask> {
  /** By default those of the data's list of words. */
  tokens?: AnswerTokens;
}

/** Which answer to which row item number `item` is: all answers to a row come one after the other. */
export function itemOf(item: number, perPrompt: number): { row: number; sample: number } {
  return { row: Math.floor(item / perPrompt), sample: item % perPrompt };
}

/** Draws what is missing. Returns whether all lines are there; the signal stops it between batches. */
export async function sample(sampling: Sampling): Promise<boolean> {
  const { task, programs, executor, storage, log, signal } = sampling;
  const data: RowData = { ...sampling.data, collate: task.collate, prompts: true };
  const tokens = sampling.tokens ?? (data.tokenizer && tokensOfWords(data.tokenizer));
  if (tokens === undefined) throw new Error(`${task.id} names no tokenizer`);
  const count = data.source.count * task.perPrompt;
  const lines = await storage.lines('rows');
  const there = (await lines.read()).length;
  const lists = batchesInOrder(count, task.batch);
  const from = there >= count ? lists.length : Math.floor(there / task.batch);
  let done = Math.min(count, from * task.batch);
  await lines.truncate(done);
  if (done === count) return true;
  await writeInitialState(executor, onDevice(task.state, programs), task.seed, sampling.weights);
  const answering = { name: task.id, executor, programs, scalars: task.scalars, collate: task.collate, tokens };
  const pace = new Pace(sampling.now);
  const rowsOf = (at: number): number[] => lists[at].map((item) => itemOf(item, task.perPrompt).row);
  for await (const { step: at, batch, rows = [] } of batchesOf(data, rowsOf, from, lists.length, true)) {
    if (signal?.aborted === true) break;
    const items = lists[at];
    const suffix = items.length === task.batch ? '' : '.rest';
    const rowName = (i: number): string => `row ${itemOf(items[i], task.perPrompt).row}`;
    const answers = await answer({ ...answering, rowName }, batch, items.length, suffix, chooserOf(task, items, tokens.never));
    const said = await tokens.decode(answers.map((one) => one.tokens));
    await lines.append(answers.map((one, i) => lineOf(itemOf(items[i], task.perPrompt), rows[i], one, said[i])));
    done += items.length;
    log.progress({ task: task.id, doing: 'sampling', done, total: count, unit: 'rows', ...pace.at(done, count) });
  }
  await lines.flush();
  return done === count;
}

function chooserOf({ temperature, seed, perPrompt }: SampleTask, items: readonly number[], never: readonly number[]): Choose {
  if (temperature === 0) return (logits) => likeliest(logits, never);
  const keys = items.map((item) => {
    const { row, sample: number } = itemOf(item, perPrompt);
    return keyOf(`sample/${row}/${number}`, seed);
  });
  return (logits, i, index) => drawn(logits, never, temperature, new Random(keys[i], index).uniform());
}

/** What the row says beside its texts goes along, under names that are not taken. */
function lineOf(item: { row: number; sample: number }, row: Row | undefined, { tokens, ended, end }: Answer, said: string): string {
  // Where several tokens may end an answer, which one it was is part of what was said.
  const by = row?.ids === undefined ? {} : { end };
  const own = { ...item, prompt: row?.prompt, answer: row?.answer ?? row?.chosen, said, tokens, ended, ...by };
  return JSON.stringify({ ...own, ...row?.extra, ...own });
}
