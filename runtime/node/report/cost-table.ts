/** The cost of a run as a table, and each stage beside what it went on from, in sentences. */
import { costRows } from './cost.ts';
import type { CostRow } from './cost.ts';
import { markup } from './html.ts';
import type { Content, Markup } from './html.ts';
import { duration, grouped, NONE, withPrefix } from './numbers.ts';
import type { RunRecord, TaskRecord } from './read-run.ts';
import type { Subject } from './subjects.ts';
import { table } from './tables.ts';
import { subjectName } from './training-table.ts';

export function costMarkup(run: RunRecord, subjects: readonly Subject[]): Markup {
  const rows = costRows(run, subjects);
  const shares = rows.some(({ share }) => share !== undefined);
  const all = rows.at(-1)?.records ?? [];
  const sentences = rows.flatMap(sentenceOf).join(' ');
  const body = rows.map((row): Content[] => [
    row.kind === 'all' ? markup`<strong>all</strong>` : row.subject === undefined ? row.name : stageName(row.subject),
    extentOf(row),
    ...effort(row.records),
    partOf(row.records, all),
    ...(shares ? [row.share === undefined ? '' : `${percentText(row.share)} %`] : []),
  ]);
  return markup`${table(
    [
      { head: '' },
      { head: 'extent' },
      { head: 'time', number: true },
      { head: 'work', number: true },
      { head: 'rate', number: true },
      { head: 'of all work', number: true },
      ...(shares ? [{ head: 'of what it went on from', number: true }] : []),
    ],
    body,
    'All seeds together. Work is counted from the programs: a product counts two operations. The rate is work over time, loading of data and waiting included. What a stage went on from is counted for the same seed.',
  )}${
    sentences !== '' &&
    markup`<p class="wide">${sentences}</p>
`
  }`;
}

function stageName(subject: Subject): Markup {
  return subject.arm === undefined ? subjectName(subject) : markup`${subject.stage} ${subjectName({ ...subject, label: subject.arm })}`;
}

/** `post.dpo took 4.2 % of the work of see and align.` */
function sentenceOf({ kind, name, share, upstream }: CostRow): string[] {
  if (kind !== 'stage') return [];
  if (share !== undefined) return [`${name} took ${percentText(share)} % of the work that ${listed(upstream.stages)} took.`];
  if (upstream.files.length > 0) return [`${name} went on from ${listed(upstream.files)}: what that took is not known here.`];
  return [];
}

/** Two significant digits below ten, none behind the point from there on. */
function percentText(share: number): string {
  const percent = 100 * share;
  return percent >= 10 ? percent.toFixed(0) : percent >= 1 ? percent.toFixed(1) : percent.toPrecision(2);
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function extentOf({ kind, records }: CostRow): string {
  const { task } = records[0] ?? {};
  if (task === undefined || kind === 'all') return '';
  if (kind === 'stage' && task.kind === 'train') {
    const seeds = records.length > 1 ? ` × ${records.length} seeds` : '';
    return `${grouped(task.steps)} steps × ${task.batch} rows${seeds}`;
  }
  const count = (kinds: readonly string[], one: string): string[] => {
    const n = records.filter((record) => kinds.includes(record.task.kind)).length;
    return n === 0 ? [] : [`${n} ${one}${n === 1 ? '' : 's'}`];
  };
  return [
    ...count(['train'], 'training'),
    ...count(['sample'], 'sampling'),
    ...count(['embed'], 'embedding'),
    ...count(['score'], 'score'),
  ].join(', ');
}

/** Time, work and rate of the finished ones. */
function effort(records: readonly TaskRecord[]): Content[] {
  const finished = records.filter((record) => record.finished);
  if (finished.length === 0) return ['not finished', NONE, NONE];
  const seconds = finished.reduce((sum, record) => sum + (record.seconds ?? 0), 0);
  const flops = workOf(finished);
  return [
    duration(seconds),
    flops > 0 ? withPrefix(flops, 'FLOP') : NONE,
    flops > 0 && seconds > 0 ? withPrefix(flops / seconds, 'FLOP/s') : NONE,
  ];
}

function workOf(records: readonly TaskRecord[]): number {
  return records.reduce((sum, record) => sum + (record.finished ? (record.flops ?? 0) : 0), 0);
}

function partOf(records: readonly TaskRecord[], all: readonly TaskRecord[]): string {
  const [part, whole] = [workOf(records), workOf(all)];
  return part > 0 && whole > 0 ? `${percentText(part / whole)} %` : NONE;
}
