/**
 * The process that executes a tokenizer: it is told what to build it from, then does jobs. Whatever a pattern or a template makes of it, a
 * thread (`watch.ts`) or its parent can end it.
 */
import { Engine, EngineFault } from './engine.ts';
import type { EngineFiles, Job } from './engine.ts';
import { Progress, watch } from './watch.ts';
import type { Patience } from './watch.ts';

export type Request = { files: EngineFiles; patience: Patience } | { job: Job };

export type Reply =
  { results: ReturnType<Engine['item']>[] } | { fault: { about: 'tokenizer' | 'template'; message: string } } | { error: string };

const progress = new Progress();
let files: EngineFiles | undefined;
let engine: Engine | undefined;
let watching: Promise<void> = Promise.resolve();

function work(job: Job): Reply {
  try {
    progress.busy = true;
    const own = (engine ??= build());
    return {
      results: Array.from({ length: job.items.length }, (_, i) => {
        progress.next(lettersOf(job, i));
        return own.item(job, i);
      }),
    };
  } catch (error) {
    if (error instanceof EngineFault) return { fault: { about: error.about, message: error.message } };
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  } finally {
    progress.busy = false;
  }
}

function lettersOf(job: Job, index: number): number {
  if (job.kind !== 'render') return job.items[index].length;
  const parts = job.items[index].messages.flatMap(({ content }) => content);
  return parts.reduce((sum, part) => sum + (part.type === 'text' ? part.text.length : 1), 0);
}

function build(): Engine {
  if (files === undefined) throw new Error('a job came before the files');
  progress.building = true;
  try {
    return new Engine(files);
  } finally {
    progress.building = false;
  }
}

process.on('message', (request: Request) => {
  if ('files' in request) {
    files = request.files;
    watching = watch(progress, request.patience);
  } else {
    void watching.then(() => process.send?.(work(request.job)));
  }
});
