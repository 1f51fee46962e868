/**
 * Parity with PyTorch: in comes a folder with a recording (its layout and make.py stand in test/fixtures/core), out go checks, one a
 * quantity. Everything runs from text through the compiler's graphs, kernels and the train loop on a device; tolerances are those
 * under which PyTorch in f32 agrees with itself in f64.
 */
import { rmSync } from 'node:fs';
import type { Bench } from './bench.ts';
import type { Check } from './check.ts';
import { checkForward } from './forward.ts';
import { checkLosses } from './losses.ts';
import { checkOptimizers } from './optimizers.ts';
import { readRecording } from './recording.ts';
import { checkSchedules } from './schedules.ts';
import { partsUniverse, writeText } from './text.ts';
import { checkTrajectories } from './trajectories.ts';

/** All checks of a recording. `onGroup` gets them as they are made. */
export async function parity(bench: Bench, folder: string, onGroup: (checks: Check[]) => void = () => undefined): Promise<Check[]> {
  const recording = await readRecording(folder);
  const text = await writeText(recording, 'core.pivot');
  const all: Check[] = [];
  const add = (checks: Check[]): void => {
    all.push(...checks);
    onGroup(checks);
  };
  try {
    add(await checkForward(bench, recording, text));
    add(await checkTrajectories(bench, recording, text));
    const parts = partsUniverse();
    add(await checkLosses(bench, recording, parts));
    add(await checkOptimizers(bench, recording, parts));
    add(checkSchedules(recording, parts));
    return all;
  } finally {
    rmSync(text.folder, { recursive: true, force: true });
  }
}
