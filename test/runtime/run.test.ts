import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { Log } from '../../runtime/core/log.ts';
import { runPlan } from '../../runtime/node/run/run.ts';
import { readSafetensors } from '../../runtime/node/safetensors/files.ts';
import { testDevice } from '../support/device.ts';
import { tinyPlan, writeData } from '../support/tiny-plan.ts';

const device = testDevice();
const base = mkdtempSync(join(tmpdir(), 'pivot-run-'));
afterAll(() => rmSync(base, { recursive: true }));

function caught(): Log & { lines: string[] } {
  const lines: string[] = [];
  return { lines, line: (text) => void lines.push(text), progress: () => undefined };
}

test('trains, evaluates, embeds and exports', async () => {
  await writeData(join(base, 'data.safetensors'));
  const log = caught();
  const result = await runPlan(tinyPlan(), { out: join(base, 'a'), base, log, device: device() });
  console.log(log.lines.join('\n'), result);
  console.log(readFileSync(join(base, 'a/tasks/second/metrics.jsonl'), 'utf8'));
  const out = await readSafetensors(join(base, 'out.safetensors'));
  console.log(out.tensors.get('weight'));
  expect(result.status).toBe('done');
});
