/** A run that is stopped anywhere and started again ends in the same bytes as one that was never stopped. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Log } from '../../runtime/core/log.ts';
import { writePlan } from '../../runtime/node/run/plan-folder.ts';
import { openDevice } from '../../runtime/node/device/open.ts';
import { runPlan } from '../../runtime/node/run/run.ts';
import { testDevice } from '../support/device.ts';
import { tinyPlan, writeData } from '../support/tiny-plan.ts';
import { folderOf, idsIn } from '../support/run-folder.ts';

const device = testDevice();
const base = mkdtempSync(join(tmpdir(), 'pivot-resume-'));
const whole = join(base, 'whole');
const plan = tinyPlan({ reference: true });

beforeAll(async () => {
  await writeData(join(base, 'data.safetensors'));
  await writePlan(join(base, 'plan'), plan);
  await runPlan(plan, { out: whole, base, log: caught(), device: device() });
});
afterAll(() => rmSync(base, { recursive: true }));

function caught(): Log & { lines: string[] } {
  const lines: string[] = [];
  return { lines, line: (text) => void lines.push(text), progress: (p) => p && void lines.push(`${p.task} ${p.doing} ${p.done}`) };
}

/** Results without what the clock says. */
function results(out: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const path of readdirSync(out, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(safetensors|jsonl)$|score\.json$/.test(path) || path.endsWith('timings.jsonl')) continue;
    found[path] = readFileSync(join(out, path)).toString('base64');
  }
  return found;
}

function expectSame(out: string): void {
  const [got, wanted] = [results(out), results(whole)];
  expect(Object.keys(got).sort()).toEqual(Object.keys(wanted).sort());
  for (const [path, bytes] of Object.entries(wanted)) expect([path, got[path] === bytes]).toEqual([path, true]);
  expect(readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => /tmp$|parts|lock/.test(name))).toEqual([]);
}

/** Runs in a child; `kill` as in run-child.ts. */
function child(out: string, kill?: string): { signal: string | null; status: number | null; output: string } {
  const args = [
    '--import',
    './test/support/typescript.mjs',
    'test/support/run-child.ts',
    join(base, 'plan'),
    out,
    base,
    ...(kill ? [kill] : []),
  ];
  const env = { ...process.env, NODE_OPTIONS: '', PIVOT_ADAPTER: process.env.PIVOT_ADAPTER || 'swiftshader' };
  const { signal, status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  return { signal, status, output: `${stdout}${stderr}` };
}

test('an abort writes a checkpoint, says so, and the run goes on', async () => {
  const out = join(base, 'abort');
  const log = caught();
  // Aborts in the reference, in the first steps, in the middle of the second task, and in the embedding.
  const stops = [
    'first training 4',
    'first training 19',
    'second scoring the training rows with the reference 16',
    'second training 3',
    'second evaluating after step 10 16',
    'second training 28',
    'seen embedding 16',
  ];
  for (const at of stops) {
    const stop = new AbortController();
    const result = await runPlan(plan, {
      out,
      base,
      device: device(),
      signal: stop.signal,
      log: { ...log, progress: (p) => p && `${p.task} ${p.doing} ${p.done}` === at && stop.abort() },
    });
    expect([at, result.status, result.exitCode]).toEqual([at, 'interrupted', 130]);
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'))).toMatchObject({ status: 'interrupted' });
  }
  expect(log.lines.join('\n')).toContain('the same command goes on where it stopped');
  expect(log.lines.join('\n')).toMatch(/first: stopped after step \d+ of 30/);
  await runPlan(plan, { out, base, log, device: device() });
  expectSame(out);
});

describe('SIGKILL', () => {
  test('within writes, appends and between tasks', () => {
    const out = join(base, 'killed');
    const kills = [
      'write run.json$',
      'append first.*/metrics 6',
      'write first.*/checkpoint-14',
      'written first.*/weights',
      'written first.*/done',
      'append reference.*rows$ 4',
      'append second.*/metrics 13',
      'written second.*/checkpoint-21',
      'append seen.*/.*0.rows$ 2',
      'append rows.jsonl 2',
    ];
    for (const kill of kills) expect([kill, child(out, kill).signal]).toEqual([kill, 'SIGKILL']);
    expect(child(out).status).toBe(0);
    expectSame(out);
  });
});

test('a damaged checkpoint is passed over for the one before it', async () => {
  const out = join(base, 'damaged');
  const stop = new AbortController();
  const first = { ...plan, tasks: [plan.tasks[0]] };
  const log = caught();
  await runPlan(first, {
    out,
    base,
    device: device(),
    signal: stop.signal,
    log: { ...log, progress: (p) => p?.done === 25 && stop.abort() },
  });
  const [newest, before] = readdirSync(folderOf(out, 'first'))
    .filter((name) => name.startsWith('checkpoint'))
    .sort((a, b) => Number(b.replace(/\D/g, '')) - Number(a.replace(/\D/g, '')));
  expect(before).toBe('checkpoint-21.safetensors');
  truncateSync(join(folderOf(out, 'first'), newest), 200);
  await runPlan(first, { out, base, device: device(), log });
  expect(log.lines.join('\n')).toContain('is not sound and is passed over');
  expect(log.lines).toContain('first: goes on after step 21 of 30');
  expect(readFileSync(join(folderOf(out, 'first'), 'weights.safetensors'))).toEqual(
    readFileSync(join(folderOf(whole, 'first'), 'weights.safetensors')),
  );
  expect(readFileSync(join(folderOf(out, 'first'), 'metrics.jsonl'))).toEqual(
    readFileSync(join(folderOf(whole, 'first'), 'metrics.jsonl')),
  );
});

test('a lost device is an error, and the run goes on with another', async () => {
  const out = join(base, 'lost');
  const own = await openDevice({ adapter: process.env.PIVOT_ADAPTER || 'swiftshader' });
  const lost = runPlan(plan, { out, base, device: own, log: { line: () => undefined, progress: (p) => p?.done === 17 && own.close() } });
  await expect(lost).rejects.toMatchObject({ code: 'R0632', cure: expect.stringContaining('goes on from the last checkpoint') });
  const log = caught();
  await runPlan(plan, { out, base, device: device(), log });
  expect(log.lines).toContain('first: goes on after step 14 of 30');
  expectSame(out);
});

describe('what is finished', () => {
  test('is not done again; what is missing is', async () => {
    const out = join(base, 'again');
    cpSync(whole, out, { recursive: true });
    const once = await runPlan(plan, { out, base, log: caught(), device: device() });
    expect(once).toMatchObject({ ran: [], reused: ['first', 'second', 'seen', 'out'] });
    rmSync(join(folderOf(out, 'second'), 'done.json'));
    const twice = await runPlan(plan, { out, base, log: caught(), device: device() });
    expect(twice.ran).toEqual(['second']);
    expectSame(out);
    rmSync(join(base, 'out.safetensors'));
    expect((await runPlan(plan, { out, base, log: caught() })).ran).toEqual(['out']);
    expect(existsSync(join(base, 'out.safetensors'))).toBe(true);
  });

  test('is found by its hash under another name, and stays when no task has it', async () => {
    const out = join(base, 'renamed');
    cpSync(whole, out, { recursive: true });
    const renamed = structuredClone(plan);
    const [first, second] = renamed.tasks;
    first.id = 'a/b';
    second.needs = ['a/b'];
    if (second.kind !== 'train' || second.reference === undefined) throw new Error('the second task trains with a reference');
    for (const tensor of [...second.state, ...second.reference.state]) if (tensor.source.from === 'task') tensor.source.task = 'a/b';
    renamed.tasks.splice(2);
    const log = caught();
    expect(await runPlan(renamed, { out, base, log })).toMatchObject({ ran: [], reused: ['a/b', 'second'] });
    expect(idsIn(out)).toEqual(['a_2fb', 'out', 'second', 'seen']);
    expect(await runPlan(plan, { out, base, log })).toMatchObject({ ran: [], reused: ['first', 'second', 'seen', 'out'] });
  });

  test('is kept where only a later task changed', async () => {
    const out = join(base, 'changed');
    cpSync(whole, out, { recursive: true });
    const changed = structuredClone(plan);
    changed.tasks[2].hash = 'f'.repeat(32);
    expect(await runPlan(changed, { out, base, log: caught(), device: device() })).toMatchObject({
      ran: ['seen'],
      reused: ['first', 'second', 'out'],
    });
    const fresh = await runPlan(plan, { out, base, log: caught(), device: device(), fresh: true });
    expect(fresh.ran).toEqual(['first', 'second', 'seen', 'out']);
    expectSame(out);
  });
});
