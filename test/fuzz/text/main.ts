/**
 * `fuzz:text --seed S --count N [--only I]`: damages the examples, the standard library and the texts of the tests, N times, and checks each
 * damaged text as `pivot check` does. None may end in an exception, take more than two seconds, or be told of at a place outside of it, and
 * what is held after them all is what was held after the first. Prints what does not hold, with its text; exit code 1 if anything does not.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { News, Order } from './worker.ts';

const WORKERS = 2;
/** Texts that a worker is given at once. */
const PORTION = 100;
/** Milliseconds after which a text is given up. Workers judge by processor time; this is for what never ends, on a busy machine too. */
const PATIENCE = 600_000;
/** Bytes by which a worker's heap may grow after its first portions. */
const GROWTH = 64e6;
/** Portions before the heap is measured: until then caches fill and code is compiled. */
const WARM = 3;

interface Miss {
  index: number;
  what: string;
  text?: string;
}

class Campaign {
  misses = 0;
  private next: number;
  /** What was left of the orders of workers that died. */
  private readonly left: Order[] = [];
  private done = 0;
  private readonly seed: number;
  private readonly end: number;
  private readonly began = Date.now();
  private told = Date.now();

  constructor(seed: number, from: number, count: number) {
    this.seed = seed;
    this.next = from;
    this.end = from + count;
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: WORKERS }, () => this.work()));
  }

  /** One worker after another, until no text is left: a worker that dies or hangs is replaced. */
  private async work(): Promise<void> {
    while (this.next < this.end || this.left.length > 0) await this.life();
  }

  private life(): Promise<void> {
    return new Promise((resolve) => {
      const child = fork(fileURLToPath(new URL('./worker.js', import.meta.url)), {
        execArgv: ['--expose-gc', '--max-old-space-size=1500'],
      });
      let at = -1;
      let portions = 0;
      let held = Infinity;
      let order: Order | undefined;
      const watch = (): NodeJS.Timeout => setTimeout(() => child.kill('SIGKILL'), PATIENCE);
      let timer = watch();
      const give = (): void => {
        order = this.order();
        if (order) child.send(order);
        else child.disconnect();
      };
      child.on('message', (news: News) => {
        if (news.kind === 'begin') {
          at = news.index;
          clearTimeout(timer);
          timer = watch();
        } else if (news.kind === 'miss') this.miss(news);
        else {
          if (order) this.count(order.to - order.from);
          portions++;
          if (portions === WARM) held = news.heap;
          if (news.heap > held + GROWTH) {
            this.miss({ index: at, what: `holds ${Math.round((news.heap - held) / 1e6)} MB more than after the first texts` });
            held = news.heap;
          }
          give();
        }
      });
      child.on('exit', (code, signal) => {
        clearTimeout(timer);
        if (code !== 0)
          this.lost(order, at, signal === 'SIGKILL' ? 'no answer in ten minutes' : `the process ended with ${signal ?? code}`);
        resolve();
      });
      give();
    });
  }

  /** Told at once, so that a long campaign need not end before it is looked at. */
  private miss({ index, what, text }: Miss): void {
    this.misses++;
    process.stdout.write(`seed ${this.seed}, text ${index}: ${what}\n`);
    if (text !== undefined) process.stdout.write(`${text.replace(/^/gm, '  | ')}\n`);
  }

  private order(): Order | undefined {
    const left = this.left.pop();
    if (left) return left;
    if (this.next >= this.end) return undefined;
    const from = this.next;
    this.next = Math.min(this.end, from + PORTION);
    return { seed: this.seed, from, to: this.next };
  }

  /** A text at which a worker ended; the rest of its order is given to another. */
  private lost(order: Order | undefined, at: number, what: string): void {
    this.miss({ index: at, what: at < 0 ? `before its first text, ${what}` : what });
    if (order && at >= order.from && at + 1 < order.to) this.left.push({ ...order, from: at + 1 });
  }

  private count(texts: number): void {
    this.done += texts;
    if (Date.now() - this.told < 30_000) return;
    this.told = Date.now();
    const rate = this.done / ((Date.now() - this.began) / 1000);
    process.stderr.write(`${this.done} texts, ${rate.toFixed(1)} a second, ${this.misses} misses\n`);
  }
}

function readArguments(): { seed: number; count: number; only?: number } {
  const { values } = parseArgs({ options: { seed: { type: 'string' }, count: { type: 'string' }, only: { type: 'string' } } });
  const whole = (text: string | undefined, otherwise: number): number => {
    const value = text === undefined ? otherwise : Number(text);
    if (!Number.isSafeInteger(value) || value < 0) throw new Error('npm run fuzz:text -- --seed S --count N [--only I]: whole numbers');
    return value;
  };
  return {
    seed: whole(values.seed, 1),
    count: whole(values.count, 2_000),
    ...(values.only === undefined ? {} : { only: whole(values.only, 0) }),
  };
}

async function main(): Promise<number> {
  const { seed, count, only } = readArguments();
  const campaign = new Campaign(seed, only ?? 0, only === undefined ? count : 1);
  await campaign.run();
  process.stdout.write(`${only === undefined ? count : 1} texts of seed ${seed}, ${campaign.misses} misses\n`);
  return campaign.misses === 0 ? 0 : 1;
}

process.exitCode = await main();
