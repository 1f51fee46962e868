/**
 * Answers of a model to one batch of prompts: `prefill` runs image and prompt and fills the cache, then `decode` runs the token
 * that was taken for each row, until every row has ended or the room for answers is full. Which token is taken is the caller's
 * choice; logits are read back for each.
 */
import type { PivotError } from '../../../plan/errors.ts';
import type { Collate } from '../../../plan/plan.ts';
import { placesOfPrompt, SEGMENT } from '../data/collate.ts';
import type { Executor } from '../executor/executor.ts';
import type { AnswerTokens } from './answer-tokens.ts';
import { firstNotFinite } from './bad-rows.ts';
import { inputsFor, scalarsFor } from './batches.ts';
import type { Inputs } from './batches.ts';
import { logProbability } from './choose.ts';
import { runError } from './errors.ts';
import { programOf } from './step.ts';
import type { Programs } from './step.ts';

/** A model that is ready to answer: its weights are on the device. */
export interface Answering {
  /** What answers, for messages. */
  name: string;
  executor: Executor;
  programs: Programs;
  scalars: Readonly<Record<string, number>>;
  collate: Extract<Collate, { layout: 'pairs' | 'answers' }>;
  tokens: AnswerTokens;
  /** Names a row of the batch, for messages. */
  rowName?(row: number): string;
}

export interface Answer {
  /** Without the end token. */
  tokens: number[];
  /** Whether it came to its end; otherwise the room was full. */
  ended: boolean;
  /** The token that it ended by. */
  end?: number;
  /** ln of its probability under the model at temperature 1, in nats, with the end token where there is one. */
  logp: number;
}

/** The token to take for row `row` as number `index` of its answer, given its logits [V] over what are tokens. */
export type Choose = (logits: Float32Array, row: number, index: number) => number;

/** Answers to `rows` prompts, collated by `collatePrompts`. `suffix` names the programs for a smaller last batch. */
export async function answer(answering: Answering, prompts: Inputs, rows: number, suffix: '' | '.rest', choose: Choose): Promise<Answer[]> {
  const { collate, tokens: made } = answering;
  const start = placesOfPrompt(collate);
  const answers = Array.from({ length: rows }, (): Answer => ({ tokens: [], ended: false, logp: 0 }));
  // The prompt ends where the answer begins, so its last place has the last of its positions.
  const position = Int32Array.from(answers, (_, row) => (prompts.get('position')?.[(row + 1) * start - 1] ?? 0) + 1);
  const tokens = new Int32Array(rows);
  const segment = new Int32Array(rows);
  let logits = await run(answering, `prefill${suffix}`, prompts, 0);
  for (let index = 0; ; index++) {
    const width = logits.length / rows;
    const all = logits;
    answers.forEach((one, row) => {
      if (one.ended) return;
      const own = all.subarray(row * width, (row + 1) * width);
      const bad = firstNotFinite(own);
      if (bad >= 0) throw notFinite(answering, row, index, bad, own[bad]);
      const id = choose(own.subarray(0, made.size), row, index);
      one.logp += logProbability(own, id);
      if (made.ends.includes(id)) Object.assign(one, { ended: true, end: id });
      else one.tokens.push(id);
      tokens[row] = id;
    });
    if (index + 1 === collate.answer || answers.every(({ ended }) => ended)) return answers;
    // Rows that have ended go along as padding, which nobody looks at.
    answers.forEach(({ ended }, row) => {
      if (ended) tokens[row] = made.pad;
      segment[row] = ended ? SEGMENT.padding : SEGMENT.chosen;
    });
    const inputs: Inputs = new Map([
      ['tokens', tokens],
      ['position', position],
      ['segment', segment],
    ]);
    logits = await run(answering, `decode${suffix}`, inputs, start + index);
    answers.forEach(({ ended }, row) => (position[row] += ended ? 0 : 1));
  }
}

function notFinite({ name, rowName }: Answering, row: number, index: number, id: number, value: number): PivotError {
  return runError(
    'R0633',
    `${name} cannot take token ${index + 1} of its answer to ${rowName?.(row) ?? `row ${row}`}: the logit of token ${id} is ${value}`,
    'train with a smaller rate or clipping, or look at the weights that the model starts from',
  );
}

/** `logits` [rows, V] of one program; `slot` is the number of places that the cache has filled. */
async function run({ name, executor, programs, scalars }: Answering, role: string, inputs: Inputs, slot: number): Promise<Float32Array> {
  const program = programOf(name, programs, role);
  const given = { inputs: inputsFor(program, inputs), scalars: scalarsFor(program, { ...scalars, slot }) };
  const logits = (await executor.run(role, given).outputs()).get('logits');
  if (!(logits instanceof Float32Array)) throw new Error(`the program ${role} of ${name} gives no logits`);
  return logits;
}
