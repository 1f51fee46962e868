/** `pivot show FILE`: the resolved program. Every value and where it came from, what is trained, what it costs. */
import type { CommandModule } from 'yargs';
import type { Compiled } from '../../compiler/compile.ts';
import { targetNamed } from '../../compiler/lower/targets.ts';
import { elements } from '../../plan/dtypes.ts';
import { PivotError } from '../../plan/errors.ts';
import type { Plan, TrainTask } from '../../plan/plan.ts';
import type { Program } from '../../plan/program.ts';
import { measure } from '../../runtime/node/device/measure.ts';
import { openDevice } from '../../runtime/node/device/open.ts';
import { sleepingWait } from '../../runtime/node/device/wait.ts';
import { flopsOf } from '../../runtime/node/run/estimate.ts';
import { largest, machineMemory, memoryOf, memoryText, savingsOf } from '../../runtime/node/run/memory.ts';
import { bytes, duration, flops } from '../../runtime/node/run/words.ts';
import { compileText, textArguments } from '../compile-text.ts';
import type { TextArguments } from '../compile-text.ts';
import { print } from '../output.ts';

export const show: CommandModule<object, TextArguments & { target: string; adapter?: string; time: boolean }> = {
  command: 'show <file>',
  describe: 'print the resolved program: values, shapes, parameters, gradients, FLOPs, memory',
  builder: (yargs) =>
    textArguments(yargs)
      .option('target', { type: 'string', default: 'software-8', describe: 'target whose kernels are counted' })
      .option('adapter', { type: 'string', describe: 'adapter that the time is told for' })
      .option('time', { type: 'boolean', default: true, describe: 'measure the adapter at hand and say how long the run takes' }),
  handler: async (args) => {
    const { plan, stages } = compileText(args, [targetNamed(args.target)], { described: true });
    print(`${describePlan(plan, stages, args.target)}\n`);
    const work = plan.tasks.reduce((n, task) => n + flopsOf(plan, task, args.target), 0);
    const most = largest(plan, args.target);
    const memory = most ? `, at most ${bytes(most.need.total)} at once` : '';
    const adapter = args.time ? await adapterFor(args.adapter) : undefined;
    const time =
      adapter && `, ${adapter.gflops === undefined ? adapter.text : `about ${duration(work / (adapter.gflops * 1e9))} at ${adapter.text}`}`;
    print(`all ${plan.tasks.length} tasks: ${flops(work)}${memory}${time ?? ''}`);
    // A software driver has the memory of the machine; what a GPU has is found out by a run.
    const { total } = machineMemory();
    if (adapter?.software && most && most.need.total > total)
      print(`${most.task.id} does not fit into ${bytes(total)}: ${savingsOf(plan, most.task, most.need).join('; ')}`);
  },
};

/** How fast the adapter at hand is, by a measured product: compiled programs with large products are faster, small ones slower. */
async function adapterFor(name: string | undefined): Promise<{ text: string; gflops?: number; software?: boolean }> {
  try {
    const { device, info, close } = await openDevice({ adapter: name });
    try {
      const { gflops } = await measure(device, sleepingWait);
      return { text: `the ${gflops.toPrecision(2)} GFLOP/s measured on ${info.name}`, gflops, software: info.type === 'software' };
    } finally {
      close();
    }
  } catch (error) {
    if (!(error instanceof PivotError)) throw error;
    return { text: `and no device here to tell the time by (${error.message})` };
  }
}

export function describePlan(plan: Plan, stages: Compiled['stages'], target: string): string {
  const lines = [
    plan.name,
    '',
    ...columns(plan.resolved.filter((o) => o.name.startsWith('param ')).map((o) => [o.name, o.value, `(${o.origin})`])),
    '',
  ];
  const probes = plan.resolved.filter((o) => o.name.startsWith('probe '));
  for (const { spec, graphs } of stages) {
    lines.push(`stage ${spec.id}${spec.from ? ` from ${spec.from.stage}${spec.from.arm ? `.${spec.from.arm}` : ''}` : ''}`);
    const values = plan.resolved.filter((o) => o.name.startsWith(`${spec.id}.`));
    lines.push(...columns(values.map((o) => [`  ${o.name.slice(spec.id.length + 1)}`, o.value, `(${o.origin})`])));
    const task = plan.tasks.find((t): t is TrainTask => t.kind === 'train' && t.id.startsWith(`${spec.id}@`));
    if (task && graphs && spec.train) {
      const { train } = spec;
      lines.push(
        ...columns([
          ['  micro', String(train.micro), train.micro === train.batch ? '(as batch)' : ''],
          ['  checkpoint', `every ${train.checkpointEvery} steps`, ''],
          ...evaluationText(task),
          ['  one epoch', `${train.stepsPerEpoch} steps`, `(${train.data.count} rows)`],
          [
            '  rows as',
            task.collate.layout,
            train.data.layout === 'pairs' && task.collate.layout === 'answers' ? '(the loss takes one answer: the chosen one)' : '',
          ],
        ]),
      );
      lines.push('', ...weights(task, new Set(graphs.weights.map(({ path }) => path))), '', ...costs(plan, task, target));
    }
    lines.push('');
  }
  if (probes.length > 0)
    lines.push('probes', ...columns(probes.map((o) => [`  ${o.name.slice('probe '.length)}`, o.value, `(${o.origin})`])), '');
  lines.push('tasks', ...columns(plan.tasks.map((t) => [`  ${t.id}`, t.kind, t.hash.slice(0, 12)])));
  return lines.join('\n');
}

/** What an evaluation's loss is a mean over. */
function evaluationText({ evaluate }: TrainTask): string[][] {
  if (!evaluate) return [];
  const { data, batch } = evaluate;
  if (batch === undefined) return [['  evaluated', `all ${data.count} rows together`, '']];
  return [['  evaluated', `${data.count / batch} batches of ${batch} rows, and their mean`, '(the loss mixes the rows of a batch)']];
}

/** Parameters by part, two levels deep, and whether gradient reaches them. */
function weights(task: TrainTask, known: ReadonlySet<string>): string[] {
  const parts = new Map<string, Counted>();
  for (const s of task.state) {
    // Moments, accumulators and the reference's copy are no parameters.
    if (!known.has(s.name) || s.name.startsWith('reference:')) continue;
    const adapter = /\.lora_[AB]\.weight$/.test(s.name) ? ', lora' : '';
    const part = s.name.split('.').slice(0, 2).join('.') + adapter;
    const entry = parts.get(part) ?? { count: 0, trained: 0, layers: new Set(), held: new Set() };
    entry.count += elements(s.shape);
    if (s.trained) entry.trained += elements(s.shape);
    const layer = /\.(\d+)\./.exec(s.name)?.[1];
    if (layer !== undefined) entry[s.trained ? 'layers' : 'held'].add(Number(layer));
    parts.set(part, entry);
  }
  const sum = (of: 'count' | 'trained'): number => [...parts.values()].reduce((n, part) => n + part[of], 0);
  const all = { count: sum('count'), trained: sum('trained'), layers: new Set<number>(), held: new Set<number>() };
  const row = (name: string, part: Counted): string[] => [`  ${name}`, grouped(part.count), trainedText(part)];
  return columns([['  parameters', '', ''], ...[...parts].map(([name, part]) => row(name, part)), row('all', all)]);
}

interface Counted {
  count: number;
  trained: number;
  /** Numbers of layers with weights that are trained, and with such that are not. */
  layers: Set<number>;
  held: Set<number>;
}

function trainedText({ count, trained, layers, held }: Counted): string {
  if (trained === 0) return 'frozen';
  if (trained === count) return 'gradient, trained';
  const whole = [...layers].some((layer) => held.has(layer));
  return `gradient in ${grouped(trained)}${layers.size > 0 && !whole ? `: layers ${ranges([...layers])}` : ''}`;
}

/** `0-3, 7` */
function ranges(numbers: number[]): string {
  const sorted = numbers.sort((a, b) => a - b);
  const starts = sorted.filter((n, i) => n !== sorted[i - 1] + 1);
  return starts
    .map((start, i) => {
      const end = sorted[(i + 1 < starts.length ? sorted.indexOf(starts[i + 1]) : sorted.length) - 1];
      return start === end ? String(start) : `${start}-${end}`;
    })
    .join(', ');
}

function costs(plan: Plan, task: TrainTask, target: string): string[] {
  const roles = Object.entries(task.programs[target] ?? {}).map(([role, hash]) => [role, plan.programs[hash]] as const);
  const work = stepFlops(task, new Map(roles));
  const need = memoryOf(plan, task, target);
  return columns([
    ['  programs', '', ''],
    ...roles.map(([role, p]) => [`  ${role}`, `${p.dispatches.length} kernels`, `${(p.flops / 1e9).toFixed(3)} GFLOP`]),
    ['  a step', `${(work / 1e9).toFixed(2)} GFLOP`, ''],
    ['  all steps', flops(work * task.steps), `(${task.steps} steps)`],
  ]).concat(need ? `  memory  ${memoryText(need)}` : []);
}

/** One optimizer step, whether in one program or in parts. */
export function stepFlops(task: TrainTask, programs: ReadonlyMap<string, Program>): number {
  const of = (role: string): number => programs.get(role)?.flops ?? 0;
  const parts = task.batch / task.micro;
  return of('step') + parts * (of('totals') + of('micro')) + of('update');
}

function grouped(n: number): string {
  return n.toLocaleString('en-US');
}

/** Rows of cells as lines, cells of a column under each other. */
function columns(rows: string[][]): string[] {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((r) => r[i].length))) ?? [];
  return rows.map((r) =>
    r
      .map((cell, i) => cell.padEnd(widths[i] + 2))
      .join('')
      .trimEnd(),
  );
}
