import { expect } from '@jest/globals';
import type { RunResult } from '../../runtime/node/run/options.ts';

/** Why a task failed, where the others went on. */
export async function failedTask(work: Promise<RunResult>): Promise<{ task: string; code: string; message: string }> {
  const { status, exitCode, failed } = await work;
  expect([status, exitCode, failed.length]).toEqual(['incomplete', 3, 1]);
  return failed[0];
}
