/** What was run, on what, and what it took: cost, the text, the resolved values, data, hashes, adapter and versions. */
import type { DataSource, Plan, ReportTask } from '../../../plan/plan.ts';
import { html } from './html.ts';
import type { Content, Markup } from './html.ts';
import { duration, grouped, NONE, withPrefix } from './numbers.ts';
import { isFields } from './read-run.ts';
import type { RunRecord, TaskRecord } from './read-run.ts';
import { table } from './tables.ts';

/** A row a task that takes time on the device, and their sum. */
export function costTable(run: RunRecord): Markup {
  const counted = run.tasks.filter(({ task }) => task.kind === 'train' || task.kind === 'embed' || task.kind === 'score');
  const rows = counted.map((record) => [html`<code>${record.task.id}</code>`, record.task.kind, extentOf(record), ...effort(record.seconds, record.flops, record.finished)]);
  const sum = (key: 'seconds' | 'flops'): number => counted.reduce((total, record) => total + (record[key] ?? 0), 0);
  rows.push([html`<strong>all</strong>`, '', '', ...effort(sum('seconds'), sum('flops'), true)]);
  return table(
    [{ head: 'task' }, { head: 'kind' }, { head: 'extent' }, { head: 'time', number: true }, { head: 'work', number: true }, { head: 'rate', number: true }],
    rows,
    'Work is counted from the programs: a product counts two operations. The rate is work over time, loading of data and waiting included.',
  );
}

function extentOf({ task }: TaskRecord): string {
  if (task.kind === 'train') return `${grouped(task.steps)} steps × ${task.batch} rows`;
  if (task.kind === 'embed') return `${grouped(task.data.count)} rows`;
  return task.kind === 'score' ? `score ${task.score}` : '';
}

function effort(seconds: number | undefined, flops: number | undefined, finished: boolean): Content[] {
  const rate = seconds !== undefined && flops !== undefined && seconds > 0 && flops > 0 ? withPrefix(flops / seconds, 'FLOP/s') : NONE;
  return [finished ? duration(seconds) : 'not finished', flops !== undefined && flops > 0 ? withPrefix(flops, 'FLOP') : NONE, rate];
}

/** The text as it was compiled; comments stand back. */
export function textBlock(report: ReportTask): Markup {
  const lines = report.text.replace(/\s+$/, '').split('\n');
  return html`<pre>${lines.map((line, i) => {
    const end = i + 1 < lines.length && '\n';
    return /^\s*\/\//.test(line) ? html`<span class="comment">${line}</span>${end}` : html`${line}${end}`;
  })}</pre>
`;
}

export function resolvedTable(plan: Plan): Markup {
  return table([{ head: 'name' }, { head: 'value' }, { head: 'from' }], plan.resolved.map(({ name, value, origin }) => [html`<code>${name}</code>`, html`<code>${value}</code>`, origin]));
}

/** Every source that a task reads, once. */
export function dataTable(plan: Plan): Markup {
  const seen = new Map<string, Content[]>();
  const add = (use: string, source: DataSource): void => {
    for (const part of source.mix ?? [source]) {
      const params = Object.entries(part.params)
        .map(([name, value]) => `${name}: ${String(value)}`)
        .join(', ');
      const key = `${use} ${part.source} ${params} ${part.count} ${part.content ?? ''}`;
      seen.set(key, [html`<code>${part.source}</code>`, use, params, grouped(part.count), part.content === undefined ? 'generated' : html`<code>${part.content}</code>`]);
    }
  };
  for (const task of plan.tasks) {
    if (task.kind === 'train') {
      add(`training, ${task.stage}`, task.data);
      if (task.evaluate !== undefined) add(`evaluation, ${task.stage}`, task.evaluate.data);
    }
    if (task.kind === 'embed') add('probe', task.data);
  }
  return table([{ head: 'source' }, { head: 'use' }, { head: 'settings' }, { head: 'rows', number: true }, { head: 'content' }], [...seen.values()]);
}

/** Hashes of tasks and files: equal hashes mean the same definition. */
export function hashTable(plan: Plan): Markup {
  const tasks = plan.tasks.filter((task) => task.kind !== 'report').map((task) => [html`<code>${task.id}</code>`, task.kind, html`<code>${task.hash}</code>`]);
  const files = Object.values(plan.files).map((file) => [html`<code>${file.path}</code>`, 'file', html`<code>${file.hash}</code>`]);
  return table([{ head: 'task or file' }, { head: 'kind' }, { head: 'hash' }], [...tasks, ...files]);
}

/** What run.json says of the machine, and the adapters of the tasks where they differ. */
export function machineTable(plan: Plan, run: RunRecord): Markup {
  const rows: Content[][] = flatten(run.info).map(([name, value]) => [name, value]);
  rows.push(['plan', `${plan.name}, version ${plan.version}`], ['targets', plan.targets.map((target) => target.name).join(', ')]);
  const adapters = new Set(run.tasks.flatMap((record) => record.adapter ?? []));
  if (adapters.size > 1) rows.push(['adapters of the tasks', [...adapters].join('; ')]);
  return table([{ head: '' }, { head: '' }], rows);
}

/** `adapter.vendor` and so on: leaves of nested records, lists joined. */
function flatten(value: Record<string, unknown>, prefix = ''): [string, string][] {
  return Object.entries(value).flatMap(([name, entry]): [string, string][] => {
    if (isFields(entry)) return flatten(entry, `${prefix}${name}.`);
    if (entry === null || entry === undefined || entry === '') return [];
    return [[prefix + name, Array.isArray(entry) ? entry.map(String).join(', ') : String(entry)]];
  });
}
