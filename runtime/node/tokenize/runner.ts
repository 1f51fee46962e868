/**
 * Runs jobs of one tokenizer in a process of its own with bounds: on the time of one item, and on memory. A process that passes a bound is
 * ended, and the next job starts another. A thread would not do: one that runs out of memory at once takes the whole process along.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PivotError } from '../../../plan/errors.ts';
import { Engine, EngineFault } from './engine.ts';
import type { EngineFiles, Job } from './engine.ts';
import type { Reply, Request } from './process.ts';

export interface RunnerOptions {
  /** Whether jobs run in a process of their own. That needs compiled code, so without a word they do where this file is compiled. */
  apart?: boolean;
  /** Milliseconds of the processor for one text or one conversation; long ones get more. */
  patience?: number;
  /** Megabytes of the heap of the process. */
  memory?: number;
}

/** Files by what they hold, for messages. */
export interface FileNames {
  tokenizer: string;
  template: string;
}

export type Results = ReturnType<Engine['item']>[];

export interface Runner {
  /** As many results as the job has items. Jobs run one at a time, in the order of their calls. */
  run(job: Job): Promise<Results>;
  close(): Promise<void>;
}

const PATIENCE = 500;
/** How much longer the clock may run than the processor, before a process is given up. */
const WAITING = 10;
/** Items in one message, so that the other heap holds a part of the data only. */
const PORTION = 256;

/** @param size bytes of the tokenizer's file: its tables take a multiple of that. */
export function openRunner(files: EngineFiles, names: FileNames, size: number, options: RunnerOptions = {}): Runner {
  const apart = options.apart ?? !import.meta.url.endsWith('.ts');
  return apart ? runnerApart(files, names, size, options) : runnerHere(files, names);
}

/** In this process, and so without bounds. */
function runnerHere(files: EngineFiles, names: FileNames): Runner {
  let engine: Engine | undefined;
  return {
    run: async (job) => {
      try {
        const own = (engine ??= new Engine(files));
        return Array.from({ length: job.items.length }, (_, i) => own.item(job, i));
      } catch (error) {
        throw error instanceof EngineFault ? faultOf(error, names) : error;
      }
    },
    close: async () => undefined,
  };
}

/** The process said nothing for too long, or it ended: out of memory, or for another reason. */
interface Lost {
  lost: 'late' | 'full' | 'gone';
}

interface Other {
  child: ChildProcess;
  /** Whoever waits for its answer. */
  heard: (answer: Reply | Lost) => void;
}

function runnerApart(files: EngineFiles, names: FileNames, size: number, options: RunnerOptions): Runner {
  const patience = options.patience ?? PATIENCE;
  const memory = options.memory ?? Math.round(64 + (24 * size) / 1e6);
  // Building the tables of a large file takes a while, which is none of the text's.
  const building = 3000 + size / 2000;
  let other: Other | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const ask = async (job: Job): Promise<Results | Lost> => {
    const own = (other ??= start({ files, patience: { item: patience, building } }, names, memory));
    const answer = await hear(own, job, WAITING * (building + (patience + 1000) * job.items.length));
    if ('lost' in answer) {
      own.child.kill('SIGKILL');
      other = undefined;
      return answer;
    }
    if ('results' in answer) return answer.results;
    if ('fault' in answer) throw faultOf(answer.fault, names);
    throw new Error(answer.error);
  };

  const run = async (job: Job): Promise<Results> => {
    const results: Results = [];
    let portion = PORTION;
    while (results.length < job.items.length) {
      const part = { ...job, items: job.items.slice(results.length, results.length + portion) } as Job;
      const answer = await ask(part);
      if (!('lost' in answer)) results.push(...answer);
      // Which of several items it was is not known: go on one by one.
      else if (answer.lost === 'gone') throw new Error(`the process that executes ${names.tokenizer} ended by itself`);
      else if (part.items.length > 1) portion = 1;
      else throw bound(part, answer.lost === 'late' ? 'took too long' : `took more than ${memory} MB of memory`, files, names);
    }
    return results;
  };
  return {
    run: (job) => {
      const next = last.then(
        () => run(job),
        () => run(job),
      );
      last = next;
      return next;
    },
    close: async () => {
      other?.child.kill('SIGKILL');
      other = undefined;
    },
  };
}

function start(request: Request, names: FileNames, memory: number): Other {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const child = fork(fileURLToPath(new URL(`./process.${extension}`, import.meta.url)), {
    execArgv: [...process.execArgv, `--max-old-space-size=${memory}`, '--max-semi-space-size=8', '--stack-size=2000'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const other: Other = { child, heard: () => undefined };
  child.on('message', (reply: Reply) => other.heard(reply));
  child.on('error', () => other.heard({ lost: 'gone' }));
  child.on('exit', (code, signal) => other.heard({ lost: reasonOf(code, signal) }));
  try {
    child.send(request);
  } catch (error) {
    child.kill('SIGKILL');
    // What is sent is copied by recursion.
    if (!(error instanceof RangeError)) throw error;
    throw faultOf({ about: 'tokenizer', message: 'its values are nested too deeply' }, names);
  }
  child.unref();
  child.channel?.unref();
  return other;
}

/** V8 aborts where the heap is full (134 to some shells), systems kill what fills the memory; the watch ends what takes too long. */
function reasonOf(code: number | null, signal: NodeJS.Signals | null): Lost['lost'] {
  if (signal === 'SIGTERM') return 'late';
  return signal === 'SIGABRT' || signal === 'SIGKILL' || code === 134 ? 'full' : 'gone';
}

/** The answer of the process; lost where none came for `waiting` milliseconds of the clock. */
function hear(other: Other, job: Job, waiting: number): Promise<Reply | Lost> {
  const { child } = other;
  return new Promise((resolve) => {
    const finish = (answer: Reply | Lost): void => {
      clearTimeout(watch);
      other.heard = () => undefined;
      child.channel?.unref();
      resolve(answer);
    };
    const watch = setTimeout(() => finish({ lost: 'late' }), waiting);
    other.heard = finish;
    // The other process keeps this one alive only while somebody waits for it.
    child.channel?.ref();
    const request: Request = { job };
    child.send(request, (error) => {
      if (error !== null && child.connected) other.heard({ lost: 'gone' });
    });
  });
}

function faultOf({ about, message }: { about: 'tokenizer' | 'template'; message: string }, names: FileNames): PivotError {
  return about === 'tokenizer'
    ? new PivotError('R0541', `${names.tokenizer} cannot be used: ${message}`, {
        cure: 'save the tokenizer anew with the library that made it, or mend the text',
        place: { file: names.tokenizer },
      })
    : new PivotError('R0542', `the chat_template of ${names.template}: ${message}`, {
        cure: 'mend the template, or give conversations of the form that it takes',
        place: { file: names.template },
      });
}

function bound(job: Job, what: string, files: EngineFiles, names: FileNames): PivotError {
  if (job.kind === 'render') {
    return new PivotError('R0543', `the chat_template of ${names.template} ${what} for one conversation`, {
      cure: 'mend the template',
      place: { file: names.template },
    });
  }
  const [item] = job.items;
  const which =
    typeof item === 'string'
      ? `a text of ${item.length} characters (${JSON.stringify(item.slice(0, 40))})`
      : `a list of ${item.length} ids`;
  const patterns = files.patterns.map(({ path, value }) => `${path} ${JSON.stringify(value)}`).join(', ');
  return new PivotError('R0543', `${names.tokenizer} ${what} for ${which}${patterns === '' ? '' : `; it splits by ${patterns}`}`, {
    cure: patterns === '' ? 'leave the text out, or split it' : 'mend the pattern, or leave the text out',
    place: { file: names.tokenizer },
  });
}
