import { describe, expect, test } from '@jest/globals';
import type { Collate } from '../../plan/plan.ts';
import { feed } from '../../runtime/core/data/feed.ts';
import type { Fed } from '../../runtime/core/data/feed.ts';
import { batchesInOrder, batchesPerEpoch, permutationOf, rowsOfStep } from '../../runtime/core/data/order.ts';
import type { Row, RowSource } from '../../runtime/core/data/row.ts';

describe('the order of rows', () => {
  const order = { count: 23, batch: 5, seed: 4 };

  test('an epoch has every row at most once, in full batches', () => {
    expect(batchesPerEpoch(order)).toBe(4);
    for (let epoch = 0; epoch < 20; epoch++) {
      const rows = [0, 1, 2, 3].flatMap((i) => rowsOfStep(epoch * 4 + i, order));
      expect(new Set(rows).size).toBe(20);
      expect(rows.every((r) => r >= 0 && r < 23)).toBe(true);
    }
  });

  test('the rows follow from the step, whatever was asked before', () => {
    const forwards = Array.from({ length: 60 }, (_, step) => rowsOfStep(step, order));
    for (let step = 59; step >= 0; step--) expect(rowsOfStep(step, order)).toEqual(forwards[step]);
    expect(rowsOfStep(7, { ...order, seed: 5 })).not.toEqual(forwards[7]);
    expect(forwards[0]).not.toEqual(forwards[4]);
  });

  test('every row comes as often at every place', () => {
    const times = Array.from({ length: 6 }, () => new Array<number>(6).fill(0));
    for (let epoch = 0; epoch < 3000; epoch++) permutationOf(6, 1, epoch).forEach((row, at) => times[at][row]++);
    // 36 counts with mean 500; 25 degrees of freedom, 60.1 has probability 1e-4.
    const chi = times.flat().reduce((sum, n) => sum + (n - 500) ** 2 / 500, 0);
    expect(chi).toBeLessThan(60.1);
  });

  test('these rows, on every machine', () => {
    expect(rowsOfStep(3, { count: 1000, batch: 4, seed: 11 })).toEqual([870, 362, 438, 804]);
  });

  test('too few rows for a batch are refused', () => {
    expect(() => rowsOfStep(0, { count: 4, batch: 5, seed: 0 })).toThrow(expect.objectContaining({ code: 'R0517' }));
  });

  test('evaluation goes through all rows once', () => {
    expect(batchesInOrder(5, 2)).toEqual([[0, 1], [2, 3], [4]]);
    expect(batchesInOrder(4, 2)).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });
});

describe('the feed', () => {
  const layout: Collate = { layout: 'classes', image: 1 };
  const row = (index: number): Row => ({ image: { width: 1, height: 1, rgb: Uint8Array.of(index, 0, 0) }, label: index });
  const rows = (step: number) => [2 * step, 2 * step + 1];

  /** A source whose rows arrive in another order than asked for, as from threads. */
  function slow(log: number[]): RowSource {
    return {
      name: 'slow',
      count: 100,
      row: async (index) => {
        log.push(index);
        await new Promise((resolve) => setTimeout(resolve, (index * 7) % 5));
        if (index === 13) throw new Error('row 13');
        return row(index);
      },
    };
  }

  async function collect(feeding: AsyncIterable<Fed>): Promise<Fed[]> {
    const all: Fed[] = [];
    for await (const fed of feeding) all.push(fed);
    return all;
  }

  test('batches in order, the same however rows arrive and however far ahead', async () => {
    const direct: RowSource = { name: 'slow', count: 100, row };
    const expected = await collect(feed({ source: direct, collate: layout, rows, from: 1, to: 6, ahead: 0 }));
    expect(expected.map((f) => [f.step, ...f.indices])).toEqual([1, 2, 3, 4, 5].map((s) => [s, 2 * s, 2 * s + 1]));
    expect(expected[2].batch.get('label')).toEqual(Int32Array.of(6, 7));
    for (const ahead of [0, 1, 3, 50])
      expect(await collect(feed({ source: slow([]), collate: layout, rows, from: 1, to: 6, ahead }))).toEqual(expected);
  });

  test('no more than `ahead` batches are begun', async () => {
    const log: number[] = [];
    const feeding = feed({ source: slow(log), collate: layout, rows, from: 0, to: 40, ahead: 2 });
    await feeding.next();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(Math.max(...log)).toBe(5);
    await feeding.return();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(Math.max(...log)).toBe(5);
  });

  test('an error surfaces at its step, and stopping before it is no error', async () => {
    const options = { source: slow([]), collate: layout, rows, from: 0, to: 10, ahead: 4 };
    const seen: number[] = [];
    await expect(
      (async () => {
        for await (const { step } of feed(options)) seen.push(step);
      })(),
    ).rejects.toThrow('row 13');
    expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
    const feeding = feed(options);
    for (let i = 0; i < 4; i++) await feeding.next();
    await feeding.return();
    await new Promise((resolve) => setTimeout(resolve, 30));
  });

  test('rows are handed on where they are asked for', async () => {
    const source: RowSource = { name: 'direct', count: 100, row };
    const [fed] = await collect(feed({ source, collate: layout, rows, from: 0, to: 1, keepRows: true }));
    expect(fed.rows?.map((r) => r.label)).toEqual([0, 1]);
  });
});
