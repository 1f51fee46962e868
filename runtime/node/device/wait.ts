/**
 * The sleeping wait. While a promise of the device is pending, dawn.node asks the driver for progress from `setImmediate`,
 * again and again, and so takes a whole core from a software driver. Here the main thread sleeps for a slice of 0.3 ms between
 * two turns of the event loop: the binding still polls once a turn, other callbacks still run, and the core is free.
 */
import type { Wait } from '../../core/device/wait.ts';

const SLICE_MS = 0.3;

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** How many waits are under way; all of them share one loop, so that two waits do not sleep twice a turn. */
let waiting = 0;
let looping = false;

function turn(): void {
  if (waiting === 0) {
    looping = false;
    return;
  }
  Atomics.wait(nobody, 0, 0, SLICE_MS);
  setImmediate(turn);
}

/** Settles as `promise` does, and sleeps between polls until then. Only for promises of the device. */
export const sleepingWait: Wait = async (promise) => {
  waiting += 1;
  if (!looping) {
    looping = true;
    setImmediate(turn);
  }
  try {
    return await promise;
  } finally {
    waiting -= 1;
  }
};
