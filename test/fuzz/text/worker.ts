/** A process of a campaign: is told which texts of a seed to check, tells what it found wrong. */
import { pickBase, readBases } from './bases.ts';
import { Judge } from './judge.ts';
import { mutate, randomFor } from './mutate.ts';

/** From the campaign to a worker: texts `from` to `to` of a seed. */
export interface Order {
  seed: number;
  from: number;
  to: number;
}

/** From a worker: the text that it begins with, a miss, or that an order is done and how many bytes are held. */
export type News =
  { kind: 'begin'; index: number } | { kind: 'miss'; index: number; what: string; text: string } | { kind: 'done'; heap: number };

const bases = readBases();
const judge = new Judge();

export function textOf(seed: number, index: number): string {
  const random = randomFor(seed, index);
  return mutate(pickBase(bases, random), pickBase(bases, random), random);
}

function tell(news: News): void {
  // the campaign was ended
  if (!process.connected) process.exit(1);
  process.send?.(news);
}

process.on('message', ({ seed, from, to }: Order) => {
  for (let index = from; index < to; index++) {
    tell({ kind: 'begin', index });
    const text = textOf(seed, index);
    const what = judge.judge(text);
    if (what !== undefined) tell({ kind: 'miss', index, what, text });
  }
  globalThis.gc?.();
  tell({ kind: 'done', heap: process.memoryUsage().heapUsed });
});
