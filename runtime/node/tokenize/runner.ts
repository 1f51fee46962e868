/**
 * Runs jobs of one tokenizer in a thread with bounds: on the time of one item, and on memory. A thread that passes a bound is ended, and
 * the next job starts another.
 */
import { Worker } from 'node:worker_threads';
import { PivotError } from '../../../plan/errors.ts';
import { Engine, EngineFault } from './engine.ts';
import type { EngineFiles, Job } from './engine.ts';
import type { Reply, WorkerData } from './worker.ts';

export interface RunnerOptions {
  /** Whether jobs run in a thread. Threads need compiled code, so without a word they do where this file is compiled. */
  thread?: boolean;
  /** Milliseconds for one text or one conversation; the first has the time to build the tokenizer on top. */
  patience?: number;
  /** Megabytes of a thread's heap. */
  memory?: number;
}

/** Files by what they hold, for messages. */
export interface FileNames {
  tokenizer: string;
  template: string;
}

export type Results = ReturnType<Engine['item']>[];

export interface Runner {
  run(job: Job): Promise<Results>;
  close(): Promise<void>;
}

const PATIENCE = 2000;
/** Items in one message, so that a thread's heap holds a part of the data only. */
const PORTION = 256;

/** @param size bytes of the tokenizer's file: its tables take a multiple of that. */
export function openRunner(files: EngineFiles, names: FileNames, size: number, options: RunnerOptions = {}): Runner {
  const inThread = options.thread ?? !import.meta.url.endsWith('.ts');
  const one = inThread ? threadRunner(files, names, size, options) : localRunner(files, names);
  return {
    run: async (job) => {
      const results: Results = [];
      for (let at = 0; at < job.items.length; at += PORTION) {
        results.push(...(await one.run({ ...job, items: job.items.slice(at, at + PORTION) } as Job)));
      }
      return results;
    },
    close: one.close,
  };
}

/** Without a thread, and so without bounds. */
function localRunner(files: EngineFiles, names: FileNames): Runner {
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

interface Thread {
  worker: Worker;
  counter: Int32Array;
}

function threadRunner(files: EngineFiles, names: FileNames, size: number, options: RunnerOptions): Runner {
  const patience = options.patience ?? PATIENCE;
  const memory = options.memory ?? Math.round(128 + (16 * size) / 1e6);
  let thread: Thread | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const start = (): Thread => {
    const done = new SharedArrayBuffer(4);
    const data: WorkerData = { files, done };
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: memory, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
    });
    worker.unref();
    return { worker, counter: new Int32Array(done) };
  };

  const run = (job: Job): Promise<Results> => {
    const isNew = thread === undefined;
    const own = (thread ??= start());
    const { worker, counter } = own;
    const before = Atomics.load(counter, 0);
    // Building the tables of a large file takes a while, which is none of the text's.
    const building = isNew ? 1000 + size / 5000 : 0;
    return new Promise<Results>((resolve, reject) => {
      let seen = before;
      let since = performance.now() + building;
      const finish = (): void => {
        clearInterval(watch);
        worker.removeAllListeners();
        worker.unref();
      };
      const abandon = (error: unknown): void => {
        finish();
        // What a thread says while it is being ended is of no use to anybody.
        worker.on('error', () => undefined);
        if (thread === own) thread = undefined;
        void worker.terminate().then(() => reject(error));
      };
      const watch = setInterval(() => {
        const now = Atomics.load(counter, 0);
        if (now !== seen) {
          seen = now;
          since = performance.now();
        } else if (performance.now() - since > patience) {
          abandon(bound(job, now - before, `took longer than ${patience / 1000} s`, files, names));
        }
      }, 50);
      worker.on('message', (reply: Reply) => {
        finish();
        if ('results' in reply) resolve(reply.results);
        else if ('fault' in reply) reject(faultOf(reply.fault, names));
        else reject(new Error(reply.error));
      });
      worker.on('error', (error: NodeJS.ErrnoException) => {
        const full = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
        const item = Atomics.load(counter, 0) - before;
        abandon(full ? bound(job, item, `took more than ${memory} MB of memory`, files, names) : error);
      });
      worker.ref();
      worker.postMessage(job);
    });
  };
  return {
    // One job at a time, in the order of their calls.
    run: (job) => {
      const next = last.then(
        () => run(job),
        () => run(job),
      );
      last = next;
      return next;
    },
    close: async () => {
      const open = thread;
      thread = undefined;
      await open?.worker.terminate();
    },
  };
}

function faultOf({ about, message }: { about: 'tokenizer' | 'template'; message: string }, names: FileNames): PivotError {
  return about === 'tokenizer'
    ? new PivotError('R0531', `${names.tokenizer} cannot be used: ${message}`, {
        cure: 'save the tokenizer anew with the library that made it, or mend the text',
        place: { file: names.tokenizer },
      })
    : new PivotError('R0532', `the chat_template of ${names.template}: ${message}`, {
        cure: 'mend the template, or give conversations of the form that it takes',
        place: { file: names.template },
      });
}

function bound(job: Job, index: number, what: string, files: EngineFiles, names: FileNames): PivotError {
  if (job.kind === 'render') {
    return new PivotError('R0533', `the chat_template of ${names.template} ${what} for one conversation`, {
      cure: 'mend the template',
      place: { file: names.template },
    });
  }
  const item = job.items[Math.min(index, job.items.length - 1)];
  const which =
    typeof item === 'string'
      ? `a text of ${item.length} characters (${JSON.stringify(item.slice(0, 40))})`
      : `a list of ${item.length} ids`;
  const patterns = files.patterns.map(({ path, value }) => `${path} ${JSON.stringify(value)}`).join(', ');
  return new PivotError('R0533', `${names.tokenizer} ${what} for ${which}${patterns === '' ? '' : `; it splits by ${patterns}`}`, {
    cure: patterns === '' ? 'leave the text out, or split it' : 'mend the pattern, or leave the text out',
    place: { file: names.tokenizer },
  });
}
