/**
 * How long each dispatch of a program takes. Where the device keeps timestamps, every dispatch gets a pass of its own with a mark at
 * both ends; elsewhere one dispatch at a time is submitted and waited for, which adds the cost of a submit to each.
 */
import type { Wait } from '../device/wait.ts';
import type { Faults } from './faults.ts';
import { encodeSteps, type Prepared } from './prepared.ts';
import { BufferUsage, MapMode } from './usage.ts';

export interface Timing {
  label: string;
  /** Dispatches of that label, and the milliseconds of all of them. */
  dispatches: number;
  ms: number;
}

/** What a query set may hold by the specification. */
const QUERIES = 4096;

/** Milliseconds of each dispatch, in order, by timestamps. Needs the feature `timestamp-query`. */
export async function timeByStamps(device: GPUDevice, wait: Wait, faults: Faults, prepared: Prepared): Promise<number[]> {
  const count = prepared.steps.length;
  const times: number[] = [];
  for (let from = 0; from < count; from += QUERIES / 2) {
    const to = Math.min(count, from + QUERIES / 2);
    const bytes = 16 * (to - from);
    const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * (to - from) });
    const resolved = device.createBuffer({ size: bytes, usage: BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC });
    const staging = device.createBuffer({ size: bytes, usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST });
    try {
      const encoder = device.createCommandEncoder({ label: `timings of ${prepared.role}` });
      for (let i = from; i < to; i += 1) {
        const at = 2 * (i - from);
        const pass = encoder.beginComputePass({
          timestampWrites: { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 },
        });
        encodeSteps(pass, prepared.steps, i, i + 1);
        pass.end();
      }
      encoder.resolveQuerySet(querySet, 0, 2 * (to - from), resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
      device.queue.submit([encoder.finish()]);
      await wait(faults.guard(staging.mapAsync(MapMode.READ)));
      const stamps = new BigUint64Array(staging.getMappedRange());
      for (let i = 0; i < stamps.length; i += 2) times.push(Math.max(0, Number(stamps[i + 1] - stamps[i])) / 1e6);
    } finally {
      querySet.destroy();
      resolved.destroy();
      staging.destroy();
    }
  }
  return times;
}

/** Milliseconds of each dispatch, in order, by the host's clock. */
export async function timeByClock(device: GPUDevice, wait: Wait, faults: Faults, prepared: Prepared): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < prepared.steps.length; i += 1) {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encodeSteps(pass, prepared.steps, i, i + 1);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await wait(faults.guard(device.queue.onSubmittedWorkDone()));
    times.push(performance.now() - start);
  }
  return times;
}

/** Sums by label, the most expensive first. */
export function sumByLabel(prepared: Prepared, times: readonly number[]): Timing[] {
  const byLabel = new Map<string, Timing>();
  prepared.program.dispatches.forEach(({ label }, i) => {
    const sum = byLabel.get(label) ?? { label, dispatches: 0, ms: 0 };
    sum.dispatches += 1;
    sum.ms += times[i];
    byLabel.set(label, sum);
  });
  return [...byLabel.values()].sort((a, b) => b.ms - a.ms);
}
