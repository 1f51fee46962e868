/** What a run folder keeps: results by what decided them, beside those of other values, and nothing that is not as it was written. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { hashOf } from '../../plan/hash.ts';
import { identified } from '../../plan/identity.ts';
import type { Plan, ScoreTask, Task } from '../../plan/plan.ts';
import { prune } from '../../runtime/node/run/prune.ts';
import { runPlan } from '../../runtime/node/run/run.ts';
import type { RunOptions, RunResult } from '../../runtime/node/run/run.ts';
import { formatSummary } from '../../runtime/node/report/terminal.ts';
import { writeReport } from '../../runtime/node/report/report.ts';
import { testDevice } from '../support/device.ts';
import { folderOf, idsIn } from '../support/run-folder.ts';
import { tinyPlan, writeData } from '../support/tiny-plan.ts';

const device = testDevice();
const base = mkdtempSync(join(tmpdir(), 'pivot-store-'));
beforeAll(() => writeData(join(base, 'data.safetensors')));
afterAll(() => rmSync(base, { recursive: true }));

let out = '';
let number = 0;
const lines: string[] = [];
beforeEach(() => {
  out = join(base, `run-${number++}`);
  lines.length = 0;
});

function run(plan: Plan, more: Partial<RunOptions> = {}): Promise<RunResult> {
  const log = { line: (text: string) => void lines.push(text), progress: () => undefined };
  return runPlan(plan, { out, base, log, device: device(), workers: 0, report: (to, of) => writeReport(to, of), ...more });
}

/** A text with `param steps`, as it is compiled with or without --set. */
function planOf(steps: number): Plan {
  const plan = tinyPlan({ steps });
  const report: Task = {
    kind: 'report',
    id: 'report',
    hash: hashOf({ report: steps }),
    needs: plan.tasks.map(({ id }) => id),
    seed: 7,
    title: 'Tiny',
    about: '',
    text: '',
    seeds: [7],
  };
  plan.tasks.push(report);
  plan.tasks = identified({ tasks: plan.tasks.map((task) => ({ ...task, hash: task.decides ?? task.hash })), files: {} });
  plan.resolved = [{ name: 'param steps', value: String(steps), origin: steps === 12 ? 'line 1' : '--set; the text says 12' }];
  return plan;
}

const bytes = (id: string, name: string): string => readFileSync(join(folderOf(out, id), name)).toString('base64');
const report = (): string => readFileSync(join(out, 'report.html'), 'utf8');
const ALL = ['first', 'second', 'seen', 'out', 'report'];

test('results of other values stay, and are found again', async () => {
  const [plain, other] = [planOf(12), planOf(2)];
  expect((await run(plain)).ran).toEqual(ALL);
  const exported = readFileSync(join(base, 'out.safetensors'));
  expect(report()).toContain('steps = 12');
  expect((await run(other)).ran).toEqual(ALL);
  expect(idsIn(out)).toEqual([...ALL, ...ALL].sort());
  expect(readFileSync(join(base, 'out.safetensors')).equals(exported)).toBe(false);
  // What is outside of the run folder is of the last values, and is written again.
  const back = await run(plain);
  expect(back).toMatchObject({ reused: ['first', 'second', 'seen'], ran: ['out', 'report'] });
  expect(lines.join('\n')).toContain('out.safetensors');
  expect(readFileSync(join(base, 'out.safetensors')).equals(exported)).toBe(true);
  expect(await run(plain)).toMatchObject({ ran: [], reused: ALL });
});

test('the report, its summary and run.json say which values they are of', async () => {
  await run(planOf(12));
  // Stopped before anything of the other values is done.
  const stop = new AbortController();
  stop.abort();
  await run(planOf(2), { signal: stop.signal });
  expect(existsSync(join(out, 'report.html'))).toBe(false);
  const [aside] = readdirSync(out).filter((name) => /^report-[0-9a-f]{8}\.html$/.test(name));
  expect(readFileSync(join(out, aside), 'utf8')).toContain('steps = 12');
  await run(planOf(2));
  const text = 'steps = 2 (--set; the text says 12)';
  expect(report()).toContain(text);
  expect(formatSummary(out, planOf(2))).toContain(`Values: ${text}`);
  expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'))).toMatchObject({ values: { steps: '2 (--set; the text says 12)' } });
  expect(await run(planOf(12), { signal: stop.signal })).toMatchObject({ status: 'interrupted' });
  expect(report()).toContain('steps = 12');
});

test('what was begun with other values goes on where it stopped', async () => {
  const stop = new AbortController();
  const at = (done: number): Partial<RunOptions> => ({
    signal: stop.signal,
    log: { line: () => undefined, progress: (p) => (p?.done === done ? stop.abort() : undefined) },
  });
  expect(await run(planOf(12), at(9))).toMatchObject({ status: 'interrupted', ran: [] });
  await run(planOf(2));
  await run(planOf(12));
  expect(lines.join('\n')).toMatch(/first: goes on after step \d+ of 12/);
});

test('prune removes what the last values do not use, and says what that is', async () => {
  await run(planOf(12));
  await run(planOf(2));
  const whole = readdirSync(out, { recursive: true }).length;
  const dry = await prune(out, true);
  expect(dry.map(({ name }) => name.split(' ')[0]).filter((name) => !name.startsWith('report-'))).toEqual(ALL.toSorted());
  expect(dry.every((one) => one.bytes > 0)).toBe(true);
  expect(readdirSync(out, { recursive: true }).length).toBe(whole);
  expect(await prune(out, false)).toEqual(dry);
  expect(idsIn(out)).toEqual(ALL.toSorted());
  expect(await prune(out, false)).toEqual([]);
  expect(await run(planOf(2))).toMatchObject({ ran: [] });
});

test('prune follows no link', async () => {
  await run(planOf(2));
  const elsewhere = join(base, 'elsewhere');
  renameSync(join(out, 'tasks'), elsewhere);
  symlinkSync(elsewhere, join(out, 'tasks'));
  await expect(prune(out, false)).rejects.toMatchObject({ code: 'R0608' });
  expect(readdirSync(elsewhere).length).toBe(ALL.length);
});

test('--fresh says what is lost', async () => {
  await run(planOf(2));
  await run(planOf(2), { fresh: true });
  expect(lines.find((line) => line.startsWith('--fresh'))).toMatch(
    /^--fresh: 5 finished tasks and 0 begun \(\d.* kB\) in .* are thrown away$/,
  );
});

test('a folder of an earlier version is gone on with', async () => {
  await run(planOf(12));
  for (const name of readdirSync(join(out, 'tasks'))) {
    const folder = join(out, 'tasks', name.replace(/~.*/, ''));
    renameSync(join(out, 'tasks', name), folder);
    const { files: _, outside: __, ...done } = JSON.parse(readFileSync(join(folder, 'done.json'), 'utf8')) as Record<string, unknown>;
    writeFileSync(join(folder, 'done.json'), JSON.stringify(done));
  }
  expect(await run(planOf(12))).toMatchObject({ reused: ['first', 'second', 'seen'], ran: ['out', 'report'] });
  expect(readdirSync(join(out, 'tasks')).every((name) => /~[0-9a-f]{16}$/.test(name))).toBe(true);
  flip(join(folderOf(out, 'first'), 'weights.safetensors'));
  expect((await run(planOf(12))).ran).toEqual(['first', 'report']);
});

/** Changes one byte in the middle, or at `at` (from the end where negative). */
function flip(path: string, at?: number): void {
  const data = readFileSync(path);
  data[at === undefined ? data.length >> 1 : at < 0 ? data.length + at : at] ^= 1;
  writeFileSync(path, data);
}

test.each([
  ['first', 'weights.safetensors', flip],
  ['first', 'weights.safetensors', (path: string) => truncateSync(path, 100)],
  ['second', 'metrics.jsonl', flip],
  ['second', 'metrics.jsonl', (path: string) => writeFileSync(path, readFileSync(path, 'utf8').split('\n').slice(1).join('\n'))],
  ['seen', 'table.safetensors', flip],
  ['seen', 'rows.jsonl', flip],
  ['seen', 'rows.jsonl', (path: string) => rmSync(path)],
] as [string, string, (path: string) => void][])('%s/%s that is not what was written is told and done again', async (id, name, damage) => {
  const plan = planOf(12);
  await run(plan);
  const before = ['first', 'second', 'seen'].map((task) => bytes(task, task === 'seen' ? 'table.safetensors' : 'weights.safetensors'));
  const whole = bytes(id, name);
  damage(join(folderOf(out, id), name));
  const again = await run(plan);
  expect(again.ran).toEqual([id, 'report']);
  expect(lines.find((line) => line.startsWith(`${id} is done again: `))).toContain(name);
  expect(bytes(id, name)).toBe(whole);
  expect(['first', 'second', 'seen'].map((task) => bytes(task, task === 'seen' ? 'table.safetensors' : 'weights.safetensors'))).toEqual(
    before,
  );
});

test('a checkpoint with one wrong bit, and lines of metrics that were edited, are not gone on from', async () => {
  const plan = { ...planOf(30), tasks: planOf(30).tasks.slice(0, 1) };
  await run(plan);
  const [weights, metrics] = [bytes('first', 'weights.safetensors'), bytes('first', 'metrics.jsonl')];
  const folder = folderOf(out, 'first');
  const unfinish = (): void => rmSync(join(folder, 'done.json'));
  unfinish();
  flip(join(folder, 'checkpoint-30.safetensors'), -3);
  await run(plan);
  expect(lines.join('\n')).toMatch(/the checkpoint of step 30 is not sound and is passed over: .*checksum does not fit/);
  expect(lines).toContain('first: goes on after step 28 of 30');
  expect([bytes('first', 'weights.safetensors'), bytes('first', 'metrics.jsonl')]).toEqual([weights, metrics]);
  unfinish();
  writeFileSync(join(folder, 'metrics.jsonl'), readFileSync(join(folder, 'metrics.jsonl'), 'utf8').replace('"loss":', '"loss": '));
  await run(plan);
  expect(lines.join('\n')).toMatch(/step 28 is not sound and is passed over: the \d+ lines of metrics.jsonl/);
  expect([bytes('first', 'weights.safetensors'), bytes('first', 'metrics.jsonl')]).toEqual([weights, metrics]);
});

test('a task that fails is not done, nor what needs it; all else is, and is not done again', async () => {
  const plan = planOf(12);
  const score: ScoreTask = {
    kind: 'score',
    id: 'points',
    hash: hashOf('points'),
    needs: ['seen'],
    seed: 7,
    score: 'logistic',
    probe: 'points',
    subject: { stage: 'second' },
    tables: { fit: 'seen', test: 'seen' },
    params: {},
  };
  plan.tasks.splice(3, 0, score);
  const needs: Task = { ...score, id: 'more', hash: hashOf('more'), needs: ['seen'] };
  plan.tasks.splice(4, 0, { ...needs, needs: ['seen', 'points'] });
  const first = await run(plan);
  expect(first).toMatchObject({ status: 'incomplete', exitCode: 3, ran: ['first', 'second', 'seen', 'out'] });
  expect(first.failed.map(({ task }) => task)).toEqual(['points', 'more']);
  expect(first.failed[1]).toMatchObject({ code: 'R0671', message: 'it needs points' });
  expect(report()).toContain('<h2>Failed</h2>');
  expect(report()).toContain(first.failed[0].message.split("'")[0].slice(0, 30));
  expect(formatSummary(out, plan)).toContain('Failed: points: ');
  expect(await run(plan)).toMatchObject({ status: 'incomplete', reused: ['first', 'second', 'seen', 'out'], ran: [] });
  expect(lines.join('\n')).toContain('2 tasks failed; the same command tries them again');
});
