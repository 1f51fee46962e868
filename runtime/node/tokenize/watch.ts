/**
 * A thread that watches the process it is in: it ends it where one item takes too much time of the processor, since a pattern at work hears
 * nothing, and where its parent is gone, which could not end it any more. Time of the processor, not of the clock: on a busy machine a
 * sound text may have to wait.
 */
import { Worker } from 'node:worker_threads';

/** What the process tells the thread, in shared memory. */
export class Progress {
  /** A number that changes with every item; whether something is at work; whether that is the building of tables; the item's letters. */
  readonly memory = new SharedArrayBuffer(16);
  private readonly cells = new Int32Array(this.memory);

  /** Another item begins, of so many letters. */
  next(letters: number): void {
    Atomics.store(this.cells, 3, letters);
    Atomics.add(this.cells, 0, 1);
  }

  set busy(is: boolean) {
    Atomics.store(this.cells, 1, is ? 1 : 0);
  }

  set building(is: boolean) {
    Atomics.store(this.cells, 2, is ? 1 : 0);
  }
}

/** Milliseconds of the processor: for one item, to which one is added for every hundred letters, and for building the tables. */
export interface Patience {
  item: number;
  building: number;
}

/** Starts the thread; resolves when it is at work, since it cannot begin while a pattern keeps this one busy. */
export function watch(progress: Progress, patience: Patience): Promise<void> {
  // The function's own text, so that no file has to be found or translated for the thread.
  const source = `const { parentPort, workerData } = require('node:worker_threads');
    (${loop.toString()})(workerData.memory, workerData.patience, workerData.parent);
    parentPort.postMessage('watching');`;
  const thread = new Worker(source, {
    eval: true,
    execArgv: [],
    workerData: { memory: progress.memory, patience, parent: process.ppid },
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 },
  });
  return new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.once('message', () => {
      thread.unref();
      resolve();
    });
  });
}

/** Runs in the thread: uses nothing from outside but globals. The signal tells the parent why. */
function loop(memory: SharedArrayBuffer, patience: Patience, parent: number): void {
  const cells = new Int32Array(memory);
  let seen = -1;
  let since = 0;
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
    const { user, system } = process.cpuUsage();
    const now = (user + system) / 1000;
    const mark = Atomics.load(cells, 0);
    if (mark !== seen || Atomics.load(cells, 1) === 0) {
      seen = mark;
      since = now;
    } else if (now - since > (Atomics.load(cells, 2) === 1 ? patience.building : patience.item + Atomics.load(cells, 3) / 100)) {
      process.kill(process.pid, 'SIGTERM');
    }
  }, 50);
}
