/**
 * The contest on one training step of a transformer block: ours against `@jax-js/jax`, each in its own process on the same adapter,
 * in turns, so that what else the machine does falls on both. Only one of them computes at a time.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from '../results.ts';
import type { Ask, Message, Ready, Round } from './contestant.ts';

export interface ContestOptions {
  adapter: string;
  /** How often each contestant has its turn. */
  rounds: number;
  /** Steps in flight in a turn. */
  steps: number;
  log: (line: string) => void;
}

export interface Entry {
  name: string;
  /** First step, with nothing in the driver's cache: tracing, compiling, pipelines and the step. */
  firstMs: number;
  /** Milliseconds a step: the least and the median of all turns. */
  leastMs: number;
  medianMs: number;
  firstLoss: number;
  /** After the same number of steps of each. */
  lastLoss: number;
}

export interface Contest {
  adapter: string;
  driver: string;
  ours: Entry;
  theirs: Entry;
  /** jax-js with our way of waiting; the same process, so the same first step. */
  theirsSleeping: Entry;
  /** The least of ours by the least of theirs as it is, and by the better of their two. */
  ratio: number;
  ratioToBetter: number;
}

/** Losses must agree this well at the first step, or the two do not compute the same. */
const FIRST_TOLERANCE = 1e-4;
/** After all steps: updates of Adam magnify what is rounded differently. */
const LAST_TOLERANCE = 1e-2;

export async function contest(options: ContestOptions): Promise<Contest> {
  // A folder of its own keeps the driver's cache of compiled kernels empty: the first step is a first step.
  const cache = mkdtempSync(join(tmpdir(), 'pivot-bench-'));
  const contestants: Process[] = [];
  try {
    const begin = async (file: string): Promise<Process> => {
      const started = new Process(new URL(file, import.meta.url), options.adapter, join(cache, file));
      contestants.push(started);
      const ready = await started.ready();
      options.log(`${file.replace('./', '')}: first step ${(ready.firstMs / 1e3).toFixed(1)} s, loss ${ready.loss.toFixed(6)}`);
      return started;
    };
    const ours = await begin('./ours.js');
    const theirs = await begin('./jax.js');
    const turns: { of: Process; sleeping: boolean; rounds: Round[] }[] = [
      { of: ours, sleeping: true, rounds: [] },
      { of: theirs, sleeping: false, rounds: [] },
      { of: theirs, sleeping: true, rounds: [] },
    ];
    for (let round = 0; round < options.rounds; round += 1) {
      for (const turn of turns) turn.rounds.push(await turn.of.ask({ steps: options.steps, sleeping: turn.sleeping }));
      options.log(`round ${round + 1}: ${turns.map((turn) => `${turn.rounds[round].ms.toFixed(1)} ms`).join(' / ')}`);
    }
    // They had twice our turns: as many steps again, untimed, and the losses can be compared.
    const last = await ours.ask({ steps: options.steps * options.rounds, sleeping: true });
    const [a, b, c] = await Promise.all(turns.map(async (turn) => entry(turn.of, turn.rounds)));
    const result: Contest = {
      adapter: (await ours.ready()).adapter,
      driver: (await ours.ready()).driver,
      ours: { ...a, name: 'pivot', lastLoss: last.loss },
      theirs: { ...b, name: 'jax-js, jit', lastLoss: c.lastLoss },
      theirsSleeping: { ...c, name: 'jax-js, jit, our wait' },
      ratio: a.leastMs / b.leastMs,
      ratioToBetter: a.leastMs / Math.min(b.leastMs, c.leastMs),
    };
    agree('first', result.ours.firstLoss, result.theirs.firstLoss, FIRST_TOLERANCE);
    agree('last', result.ours.lastLoss, result.theirs.lastLoss, LAST_TOLERANCE);
    return result;
  } finally {
    contestants.forEach((contestant) => contestant.stop());
    rmSync(cache, { recursive: true, force: true });
  }
}

async function entry(of: Process, rounds: readonly Round[]): Promise<Entry> {
  const times = rounds.map((round) => round.ms);
  const { firstMs, loss } = await of.ready();
  return {
    name: '',
    firstMs,
    firstLoss: loss,
    leastMs: Math.min(...times),
    medianMs: median(times),
    lastLoss: rounds[rounds.length - 1].loss,
  };
}

function agree(which: string, ours: number, theirs: number, tolerance: number): void {
  if (Math.abs(ours - theirs) <= tolerance * Math.abs(theirs)) return;
  throw new Error(`the ${which} losses differ, ours ${ours} and theirs ${theirs}: the two do not compute the same step`);
}

/** A contestant's process as seen from the parent: one question at a time. */
class Process {
  readonly #child: ChildProcess;
  readonly #first: Promise<Ready>;

  constructor(file: URL, adapter: string, cache: string) {
    this.#child = fork(fileURLToPath(file), [JSON.stringify({ adapter })], {
      env: { ...process.env, MESA_SHADER_CACHE_DIR: cache },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#first = this.#next('ready');
  }

  ready(): Promise<Ready> {
    return this.#first;
  }

  ask(ask: Ask): Promise<Round> {
    const answer = this.#next('round');
    this.#child.send(ask);
    return answer;
  }

  stop(): void {
    this.#child.kill();
  }

  #next<K extends Message['kind']>(kind: K): Promise<Extract<Message, { kind: K }>> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const done = (): void => void child.off('message', heard).off('exit', gone);
      const heard = (message: Message): void => {
        done();
        if (message.kind === kind) resolve(message as Extract<Message, { kind: K }>);
        else reject(new Error(message.kind === 'failed' ? message.message : `unexpected answer ${message.kind}`));
      };
      const gone = (code: number | null, signal: string | null): void => {
        done();
        reject(new Error(`the contestant ended with ${signal ?? code}`));
      };
      child.on('message', heard).on('exit', gone);
    });
  }
}
