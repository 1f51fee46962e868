/** Runs cases in processes, one case at a time in each; ends a process that takes too long or too much memory, and starts another. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Answer, Question } from './child.ts';
import type { Case, Outcome } from './result.ts';

export interface Bounds {
  milliseconds: number;
  /** Bytes of memory above those of the resting process. */
  bytes: number;
}

export interface Measured {
  one: Case;
  outcome: Outcome;
  milliseconds: number;
  /** Above the resting process. */
  bytes: number;
}

/**
 * Reads every case of the folder `base`, `size` at once, and hands each result to `done` when it is there. A case that ran out of time is
 * read once more by itself, since others may have kept the machine busy.
 */
export async function runPool(
  base: string,
  cases: readonly Case[],
  bounds: Bounds,
  size: number,
  done: (measured: Measured) => void,
): Promise<void> {
  let queue = [...cases];
  let again: Case[] | undefined = [];
  const warm = [...new Set(cases.map(readerName))];
  const lane = async (): Promise<void> => {
    let child: Child | undefined;
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      child ??= await start(warm);
      const { measured, ended } = await ask(child, { reader: readerName(one), path: join(base, one.file), asked: one.result }, bounds);
      if (measured.outcome.kind === 'killed' && measured.milliseconds > bounds.milliseconds && again !== undefined) again.push(one);
      else done({ one, ...measured });
      if (ended) child = undefined;
    }
    child?.process.kill();
  };
  await Promise.all(Array.from({ length: size }, lane));
  queue = again;
  again = undefined;
  await lane();
}

function readerName(one: Case): string {
  return one.file.split('/')[0];
}

interface Child {
  process: ChildProcess;
  /** Resident bytes at rest, and the largest so far. */
  rest: number;
  most: number;
}

async function start(warm: string[]): Promise<Child> {
  const file = fileURLToPath(new URL(`./child${extname(fileURLToPath(import.meta.url))}`, import.meta.url));
  const process = fork(file, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const { most } = await new Promise<Answer>((resolve, reject) => {
    process.once('message', (answer: Answer) => resolve(answer));
    process.once('exit', (code) => reject(new Error(`a reading process ended with ${code} before it read anything`)));
    process.send({ warm });
  });
  process.removeAllListeners('exit');
  return { process, rest: residentOf(process.pid) ?? most, most };
}

/** Bytes that a process and those that it started hold now, where the system says so (Linux). */
function residentOf(pid: number | undefined): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    const own = kilobytes === undefined ? 0 : Number(kilobytes) * 1024;
    return children.reduce((sum, child) => sum + (residentOf(Number(child)) ?? 0), own);
  } catch {
    return undefined;
  }
}

function ask(child: Child, question: Question, bounds: Bounds): Promise<{ measured: Omit<Measured, 'one'>; ended: boolean }> {
  const { process } = child;
  const began = performance.now();
  let seen = child.rest;
  return new Promise((resolve) => {
    const finish = (outcome: Outcome, ended: boolean): void => {
      clearInterval(watch);
      process.removeAllListeners('message');
      process.removeAllListeners('exit');
      if (ended) process.kill('SIGKILL');
      const bytes = Math.max(0, seen - child.rest);
      // What was seen between two looks counts as well: the process itself knows its largest size.
      const over = outcome.kind !== 'killed' && bytes > bounds.bytes;
      resolve({
        measured: {
          outcome: over ? { kind: 'killed', said: `took ${megabytes(bytes)} MB, more than ${megabytes(bounds.bytes)}` } : outcome,
          milliseconds: performance.now() - began,
          bytes,
        },
        ended,
      });
    };
    const watch = setInterval(() => {
      seen = Math.max(seen, residentOf(process.pid) ?? 0);
      if (seen - child.rest > bounds.bytes) {
        finish({ kind: 'killed', said: `took more than ${megabytes(bounds.bytes)} MB of memory and was ended` }, true);
      } else if (performance.now() - began > bounds.milliseconds) {
        finish({ kind: 'killed', said: `took more than ${bounds.milliseconds / 1000} s and was ended` }, true);
      }
    }, 20);
    process.once('message', ({ outcome, most }: Answer) => {
      if (most > child.most) seen = Math.max(seen, most);
      child.most = Math.max(child.most, most);
      finish(outcome, false);
    });
    process.once('exit', (code, signal) => finish({ kind: 'killed', said: `the process ended by itself (${signal ?? code})` }, true));
    process.send(question);
  });
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
