/** The thread that executes a tokenizer: builds it from what it begins with, then does jobs, counting items in shared memory as they are done. */
import { parentPort, workerData } from 'node:worker_threads';
import { Engine, EngineFault } from './engine.ts';
import type { EngineFiles, Job } from './engine.ts';

export interface WorkerData {
  files: EngineFiles;
  /** One i32: items done since the thread began. */
  done: SharedArrayBuffer;
}

export type Reply =
  { results: ReturnType<Engine['item']>[] } | { fault: { about: 'tokenizer' | 'template'; message: string } } | { error: string };

const { files, done } = workerData as WorkerData;
const counter = new Int32Array(done);
let engine: Engine | undefined;

parentPort?.on('message', (job: Job) => {
  let reply: Reply;
  try {
    engine ??= new Engine(files);
    const results: ReturnType<Engine['item']>[] = [];
    for (let i = 0; i < job.items.length; i++) {
      results.push(engine.item(job, i));
      Atomics.add(counter, 0, 1);
    }
    reply = { results };
  } catch (error) {
    if (error instanceof EngineFault) reply = { fault: { about: error.about, message: error.message } };
    else reply = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  parentPort?.postMessage(reply);
});
