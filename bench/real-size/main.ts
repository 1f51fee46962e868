/**
 * `npm run bench:real [-- DIR] [--adapter NAME]`: a model of real size, from its folders to preference steps. Makes checkpoints with random weights in DIR
 * (1.2 GB; a temporary folder by default), then prints how long loading takes, seconds a step, and memory as planned and as measured.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeHost, packageRoot } from '../../cli/host.ts';
import { compile } from '../../compiler/compile.ts';
import { targetFor } from '../../compiler/lower/choose.ts';
import { formatDiagnostics } from '../../grammar/index.ts';
import { storageBytes } from '../../plan/dtypes.ts';
import type { Plan, TrainTask } from '../../plan/plan.ts';
import { installedDrivers, isLavapipe } from '../../runtime/node/device/drivers.ts';
import { openDevice } from '../../runtime/node/device/open.ts';
import { runPlan } from '../../runtime/node/run/run.ts';
import { keep, machine } from '../results.ts';
import { writeCheckpoints, writeConfigs, writeRows } from './make.ts';
import { taskFolder } from '../../runtime/node/run/task-folders.ts';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { adapter: { type: 'string' } } });
const folder = positionals[0] ?? mkdtempSync(join(tmpdir(), 'pivot-real-'));
const adapter = values.adapter ?? (installedDrivers().some(isLavapipe) ? 'lavapipe' : undefined);
const open = await openDevice({ adapter });
const target = targetFor(open.info);
mkdirSync(folder, { recursive: true });
cpSync(join(packageRoot(), 'bench', 'real-size', 'real.pivot'), join(folder, 'real.pivot'));
const clock = (): number => performance.now() / 1000;

function planOf(): { plan: Plan; task: TrainTask; seconds: number } {
  const began = clock();
  const { plan, diagnostics, texts } = compile('real.pivot', nodeHost(folder), { targets: [target] });
  const task = plan?.tasks.find((one): one is TrainTask => one.kind === 'train');
  if (!plan || !task) throw new Error(formatDiagnostics(diagnostics, texts));
  return { plan, task, seconds: clock() - began };
}

writeConfigs(folder);
const first = planOf();
let began = clock();
await writeCheckpoints(folder, first.task);
console.log(`checkpoints in ${folder} (${(clock() - began).toFixed(1)} s to make)`);
const { plan, task, seconds: compiling } = planOf();
if (task.collate.layout !== 'pairs') throw new Error('the text trains on pairs');
const rows = join(folder, 'rows.safetensors');
await writeRows(rows, task.collate, task.data.count, 151_936);
const columns = ['image', 'tokens', 'seen', 'position', 'segment', 'chosen.mask', 'rejected.mask'];
task.data = { source: 'tensors', params: { file: rows }, count: task.data.count };
task.collate = { layout: 'tensors', columns: Object.fromEntries(columns.map((name) => [name, name])) };

const programs = Object.values(task.programs[target.name]).map((hash) => plan.programs[hash]);
const state = task.state.reduce((n, tensor) => n + storageBytes(tensor), 0);
const scratch = Math.max(...programs.map((program) => program.slabs.reduce((a, b) => a + b, 0)));
const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
let peak = 0;
const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 200);
const out = join(folder, 'run');
if (existsSync(out)) rmSync(out, { recursive: true });
began = clock();
const times: { doing: string; at: number }[] = [];
const result = await runPlan(plan, {
  out,
  base: folder,
  device: open,
  workers: 0,
  log: {
    line: (text) => console.log(text),
    progress: (p) => p && times.push({ doing: p.doing, at: clock() - began }),
  },
});
clearInterval(watch);
const lines = readFileSync(join(taskFolder(out, task), 'timings.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Record<string, number>);
const metrics = readFileSync(join(taskFolder(out, task), 'metrics.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Record<string, number>);
const at = lines.flatMap((line) => (typeof line.time === 'number' ? [line.time] : []));
// The first step compiles kernels on its way.
const seconds = at.map((time, i) => time - (at[i - 1] ?? 0));
const summary = {
  status: result.status,
  compile_s: compiling,
  whole_run_s: clock() - began,
  first_progress_s: times[0]?.at,
  step_s: seconds,
  losses: metrics.map((line) => line.loss),
  planned_state: state,
  planned_scratch: scratch,
  measured_peak: peak,
  gflop_a_step: programs.reduce((most, program) => Math.max(most, program.flops), 0) / 1e9,
};
console.log(
  `compiled in ${compiling.toFixed(1)} s; ${summary.gflop_a_step.toFixed(0)} GFLOP a step; planned ${gib(state)} of state and ${gib(scratch)} of scratch; measured peak ${gib(peak)}`,
);
console.log(`losses ${summary.losses.join(', ')}; seconds ${seconds.map((s) => s.toFixed(1)).join(', ')}`);
console.log(
  `written to ${keep('real-size', { adapter: open.info.name, driver: open.info.driver, target: target.name, machine: machine(), ...summary })}`,
);
process.exit(result.status === 'done' ? 0 : 1);
