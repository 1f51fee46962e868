/** What exactly was run, and on what: the text, the resolved values, data, hashes, adapter and versions. */
import type { DataSource, Plan, ReportTask, Task } from '../../../plan/plan.ts';
import { settingsOf } from './arms.ts';
import { markup } from './html.ts';
import type { Content, Markup } from './html.ts';
import { grouped } from './numbers.ts';
import { isFields } from './read-run.ts';
import type { RunRecord } from './read-run.ts';
import { table } from './tables.ts';

/** The text as it was compiled; comments stand back. */
export function textBlock(report: ReportTask): Markup {
  const lines = report.text.replace(/\s+$/, '').split('\n');
  return markup`<pre>${lines.map((line, i) => {
    const end = i + 1 < lines.length && '\n';
    return /^\s*\/\//.test(line) ? markup`<span class="comment">${line}</span>${end}` : markup`${line}${end}`;
  })}</pre>
`;
}

export function resolvedTable(plan: Plan): Markup {
  return table(
    [{ head: 'name' }, { head: 'value' }, { head: 'from' }],
    plan.resolved.map(({ name, value, origin }) => [markup`<code>${name}</code>`, markup`<code>${value}</code>`, origin]),
    undefined,
    'compact',
  );
}

/** Every source that a task reads, once. */
export function dataTable(plan: Plan): Markup {
  const seen = new Map<string, Content[]>();
  const add = (use: string, source: DataSource): void => {
    for (const part of source.mix ?? [source]) {
      const params = settingsOf(part).join(', ');
      const generated = part.params.fixed === true ? 'generated, the same for all seeds' : 'generated, by the seed of the run';
      const key = `${use} ${part.source} ${params} ${part.count} ${part.content ?? ''}`;
      seen.set(key, [
        markup`<code>${part.source}</code>`,
        use,
        params,
        // How many pairs a sample task keeps is known only then.
        part.task !== undefined ? `at most ${grouped(part.count)}` : grouped(part.count),
        part.task !== undefined ? 'made by this run' : part.content === undefined ? generated : markup`<code>${part.content}</code>`,
      ]);
    }
  };
  for (const task of plan.tasks) {
    if (task.kind === 'train') {
      add(task.probe === undefined ? `training, ${task.stage}` : `reader of ${task.probe.name}`, task.data);
      if (task.evaluate !== undefined) add(`evaluation, ${task.stage}`, task.evaluate.data);
    }
    if (task.kind === 'embed') add('probe', task.data);
    if (task.kind === 'sample') add(task.rank === undefined ? 'probe' : 'pairs from the model', task.data);
  }
  return table(
    [{ head: 'source' }, { head: 'use' }, { head: 'settings' }, { head: 'rows', number: true }, { head: 'content' }],
    [...seen.values()],
  );
}

/** Hashes of tasks and files: equal hashes mean the same definition. Tasks that differ in the seed alone share a row. */
export function hashTable(plan: Plan): Markup {
  const groups = new Map<string, Task[]>();
  for (const task of plan.tasks) {
    if (task.kind === 'report') continue;
    const name = task.id.replace(`@${task.seed}`, '');
    groups.set(name, [...(groups.get(name) ?? []), task]);
  }
  const tasks = [...groups].map(([name, list]): Content[] => [
    markup`<code>${name}</code>`,
    list[0].kind,
    list.map((task) => markup`<code class="hash">${list.length > 1 && `@${task.seed} `}${task.hash}</code> `),
  ]);
  const files = Object.values(plan.files).map((file): Content[] => [
    markup`<code>${file.path}</code>`,
    'file',
    markup`<code class="hash">${file.hash}</code>`,
  ]);
  return table([{ head: 'task or file' }, { head: 'kind' }, { head: 'hash' }], [...tasks, ...files], undefined, 'compact');
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
