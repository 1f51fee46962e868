/**
 * The process that executes a tokenizer: it is told what to build it from, then does jobs and tells how far it is. Whatever a pattern or
 * a template makes of it, its parent can end it.
 */
import { Worker } from 'node:worker_threads';
import { Engine, EngineFault } from './engine.ts';
import type { EngineFiles, Job } from './engine.ts';

export type Request = { files: EngineFiles } | { job: Job };

export type Reply =
  | { done: number }
  | { results: ReturnType<Engine['item']>[] }
  | { fault: { about: 'tokenizer' | 'template'; message: string } }
  | { error: string };

/** How long to work before saying how far it is, in milliseconds. */
const BREATH = 50;

let files: EngineFiles | undefined;
let engine: Engine | undefined;

async function work(job: Job): Promise<Reply> {
  try {
    if (files === undefined) throw new Error('a job came before the files');
    engine ??= new Engine(files);
    // Told apart from the first text, so that building is not counted as its time.
    await tell({ done: 0 });
    const results: ReturnType<Engine['item']>[] = [];
    let told = performance.now();
    for (let i = 0; i < job.items.length; i++) {
      results.push(engine.item(job, i));
      if (performance.now() - told > BREATH) {
        await tell({ done: i + 1 });
        told = performance.now();
      }
    }
    return { results };
  } catch (error) {
    if (error instanceof EngineFault) return { fault: { about: error.about, message: error.message } };
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Sends, and waits until it is on its way: what follows may never give the event loop another turn. */
function tell(reply: Reply): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(reply, undefined, undefined, () => resolve());
  });
}

process.on('message', (request: Request) => {
  if ('files' in request) files = request.files;
  else void work(request.job).then(tell);
});

// A parent that was ended by force cannot end us, and a pattern at work hears nothing: a thread looks after that.
new Worker(
  `const parent = process.ppid;
   setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 1000);`,
  { eval: true, resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 } },
).unref();
