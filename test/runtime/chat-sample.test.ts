/** Answers where image tokens stand among the tokens of the prompt: with the cache as without it, whatever else is in the batch. */
import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { elements } from '../../plan/dtypes.ts';
import { collate, collatePrompts } from '../../runtime/core/data/collate.ts';
import type { Row } from '../../runtime/core/data/row.ts';
import { Executor } from '../../runtime/core/executor/executor.ts';
import { normal } from '../../runtime/core/random.ts';
import { answer } from '../../runtime/core/train/answer.ts';
import type { Answer } from '../../runtime/core/train/answer.ts';
import { inputsFor } from '../../runtime/core/train/batches.ts';
import { likeliest } from '../../runtime/core/train/choose.ts';
import { sleepingWait } from '../../runtime/node/device/wait.ts';
import { chatDecoder, chatModel, chatWhole } from '../support/chat-model.ts';
import { lowerAll } from '../support/decoder.ts';
import { readModel, storedWeights } from '../parity/models/recording.ts';
import { testDevice } from '../support/device.ts';
import { targetOf } from '../support/run-graph.ts';

const device = testDevice();
const model = chatModel();
const IMAGE = 603;
const VOCABULARY = 608;
const PICTURE = 3 * 48 * 48;
const where = (rows: readonly Row[]) => ({ source: { name: 'rows' }, indices: rows.map((_, i) => i) });

/** A row with so many pictures, whose image tokens (`IMAGE`) stand where the prompt has them. */
function row(name: string, prompt: number[]): Row {
  const pictures = prompt.filter((id) => id === IMAGE).length;
  return { pixels: normal(name, 5, pictures * PICTURE, 0.7), ids: { prompt, image: IMAGE } };
}

const ROWS = [
  row('one', [601, 84, IMAGE, 30, 602, 7]),
  row('two', [IMAGE, 84, 12, IMAGE, 258, 9]),
  row('none', [601, 84, 33, 45, 602, 7, 8, 9, 10]),
  row('last', [84, 11, IMAGE]),
];

/** Runs with weights drawn by their names where `stored` has none. */
async function withWeights<T>(
  roles: Parameters<typeof lowerAll>[0],
  run: (executor: Executor) => Promise<T>,
  stored: Record<string, Float32Array> = {},
): Promise<T> {
  const { programs, kernels } = lowerAll(roles, targetOf(device()));
  const executor = await Executor.create({ device: device().device, wait: sleepingWait, programs, kernels });
  try {
    const shapes = new Map(
      Object.values(programs).flatMap(({ tensors }) =>
        tensors.flatMap(({ memory, shape }) => (memory.kind === 'state' ? [[memory.name, shape] as const] : [])),
      ),
    );
    // Wide, so that answers differ from row to row.
    for (const [name, shape] of shapes) {
      if (name.startsWith('cache')) continue;
      executor.writeState(name, stored[name] ?? normal(name, 3, elements(shape), name.includes('norm') ? 1 : 0.25));
    }
    return await run(executor);
  } finally {
    executor.destroy();
  }
}

/** Greedy answers with the cache, none of which is ended before its room is full but by `end`; and all logits that were seen. */
async function decoded(rows: readonly Row[], end: number): Promise<{ answers: Answer[]; seen: Float32Array[][] }> {
  const graphs = chatDecoder(model, rows.length);
  const seen: Float32Array[][] = rows.map(() => []);
  const answers = await withWeights(graphs.roles, (executor) => {
    const { programs } = lowerAll(graphs.roles, targetOf(device()));
    const tokens = { ends: [end, VOCABULARY + 1], never: [IMAGE], size: 604, pad: 0, decode: () => Promise.resolve([]) };
    const answering = { name: 'test', executor, programs, scalars: graphs.scalars, collate: model.collate, tokens };
    return answer(answering, collatePrompts(rows, model.collate, undefined, where(rows)), rows.length, '', (logits, n) => {
      expect(logits).toHaveLength(604);
      seen[n].push(logits.slice());
      return likeliest(logits, tokens.never);
    });
  });
  return { answers, seen };
}

const idsOf = ({ tokens, end }: Answer): number[] => (end === undefined ? tokens : [...tokens, end]);

describe('greedy answers', () => {
  test('are those of full passes without a cache, token for token, and the same by any batch', async () => {
    const free = await decoded(ROWS, -1);
    expect(free.answers.every(({ ended, tokens }) => !ended && tokens.length === model.collate.answer)).toBe(true);
    expect(new Set(free.answers.map(({ tokens }) => tokens.join())).size).toBe(ROWS.length);
    // Now one of the tokens that were said ends answers: some rows go along as padding.
    const end = free.answers[1].tokens[3];
    const { answers, seen } = await decoded(ROWS, end);
    expect(answers[1]).toMatchObject({ ended: true, end, tokens: free.answers[1].tokens.slice(0, free.answers[1].tokens.indexOf(end)) });
    expect(new Set(answers.map(({ ended }) => ended)).size).toBe(2);

    const given = ROWS.map((one, i): Row => ({
      ...one,
      ids: { ...one.ids, prompt: one.ids?.prompt ?? [], image: IMAGE, answer: idsOf(answers[i]) },
    }));
    const inputs = collate(given, model.collate, undefined, where(given));
    const whole = { whole: chatWhole(model, ROWS.length) };
    const { programs } = lowerAll(whole, targetOf(device()));
    const logits = await withWeights(whole, async (executor) =>
      (await executor.run('whole', { inputs: inputsFor(programs.whole, inputs), scalars: {} }).outputs()).get('logits'),
    );
    let worst = 0;
    answers.forEach((one, n) => {
      expect(seen[n]).toHaveLength(idsOf(one).length);
      idsOf(one).forEach((id, index) => {
        const at = (n * model.collate.answer + index) * VOCABULARY;
        const wanted = Float32Array.from(logits?.slice(at, at + 604) ?? []);
        expect(likeliest(wanted, [IMAGE])).toBe(id);
        worst = Math.max(worst, ...seen[n][index].map((x, i) => Math.abs(x - wanted[i])));
      });
    });
    expect(worst).toBeLessThan(1e-3);

    for (const [i, one] of ROWS.entries()) expect((await decoded([one], end)).answers[0].tokens).toEqual(answers[i].tokens);
  });
});

test('a checkpoint answers as transformers does, token for token', async () => {
  const { generation } = await readModel(resolve('test/fixtures/models'), 'qwen2-bf16-sharded');
  const rows = generation.map(({ prompt_ids: prompt }): Row => ({ ids: { prompt, image: IMAGE }, pixels: new Float32Array(0) }));
  const prompt = Math.max(...generation.map(({ prompt_ids: ids }) => ids.length));
  const own = chatModel({ prompt, answer: generation[0].new_ids.length });
  const graphs = chatDecoder(own, rows.length);
  const weights = graphs.weights.filter(({ stored }) => stored !== undefined);
  const stored = (await storedWeights(resolve('test/fixtures/models'), weights)) as Record<string, Float32Array>;
  const { programs } = lowerAll(graphs.roles, targetOf(device()));
  const tokens = { ends: [602], never: [], pad: 0, decode: () => Promise.resolve([]) };
  const answers = await withWeights(
    graphs.roles,
    (executor) => {
      const answering = { name: 'test', executor, programs, scalars: graphs.scalars, collate: own.collate, tokens };
      const prompts = collatePrompts(rows, own.collate, undefined, where(rows));
      return answer(answering, prompts, rows.length, '', (logits) => likeliest(logits, []));
    },
    stored,
  );
  expect(answers.map(idsOf)).toEqual(generation.map(({ new_ids: ids }) => ids));
});
