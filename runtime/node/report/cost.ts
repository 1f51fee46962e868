/**
 * What a run took (E7): work and time of every stage with its share of what went before it, and what tuning, sampling and
 * probing took beside it.
 */
import type { Task } from '../../../plan/plan.ts';
import type { RunRecord, TaskRecord } from './read-run.ts';
import { isStage, seedsOf } from './subjects.ts';
import type { Subject } from './subjects.ts';

export interface CostRow {
  kind: 'stage' | 'other' | 'all';
  name: string;
  /** The stage or arm of a `stage` row. */
  subject?: Subject;
  records: TaskRecord[];
  /** Work of one seed over the work of the training it went on from, mean over seeds. */
  share?: number;
  /** The stages it went on from, and files of which the cost is not known here. */
  upstream: { stages: string[]; files: string[] };
}

/** Stages first, then everything else by purpose, then the sum. */
export function costRows(run: RunRecord, subjects: readonly Subject[]): CostRow[] {
  const byId = new Map(run.tasks.map((record) => [record.task.id, record]));
  const rows = subjects.flatMap((subject): CostRow[] => {
    const records = [...subject.runs.values()];
    if (records.length === 0 || records.every(({ task }) => task.kind === 'train' && task.steps === 0)) return [];
    return [{ kind: 'stage', name: nameOf(subject), subject, records, ...upstreamOf(records, byId) }];
  });
  const others = new Map<string, TaskRecord[]>();
  for (const record of run.tasks) {
    const name = purposeOf(record, run);
    if (name !== undefined) others.set(name, [...(others.get(name) ?? []), record]);
  }
  for (const [name, records] of others) rows.push({ kind: 'other', name, records, upstream: { stages: [], files: [] } });
  rows.push({ kind: 'all', name: 'all', records: rows.flatMap((row) => row.records), upstream: { stages: [], files: [] } });
  return rows;
}

/** What a task that trains no stage is for; undefined for stages and for what takes no time worth telling. */
function purposeOf(record: TaskRecord, run: RunRecord): string | undefined {
  const { task } = record;
  switch (task.kind) {
    case 'train':
      if (task.cell !== undefined) return `tuning ${task.cell.name}`;
      if (task.probe !== undefined) return `readers of ${task.probe.name}`;
      // A stage that was trained on seeds of a tuning grid.
      return seedsOf({ tasks: run.tasks.map((one) => one.task) }).includes(task.seed) ? undefined : purposeOfUsers(task, run);
    case 'score':
      return task.cell === undefined ? `probe ${task.probe}` : `tuning ${task.cell.name}`;
    case 'embed':
    case 'sample': {
      if (task.kind === 'sample' && task.rank !== undefined) return 'pairs from the model';
      return purposeOfUsers(task, run);
    }
    case 'select':
    case 'export':
    case 'report':
      return undefined;
  }
}

/** What a task is for by what needs it. */
function purposeOfUsers(task: Task, run: RunRecord): string {
  const purposes = run.tasks.flatMap((other) => (other.task.needs.includes(task.id) ? (purposeOf(other, run) ?? []) : []));
  // What a cell and a probe share was needed for the probe anyway.
  return purposes.find((purpose) => !purpose.startsWith('tuning ')) ?? purposes.at(0) ?? 'other outputs';
}

function upstreamOf(records: readonly TaskRecord[], byId: ReadonlyMap<string, TaskRecord>): Pick<CostRow, 'share' | 'upstream'> {
  const stages = new Set<string>();
  const files = new Set<string>();
  const shares: number[] = [];
  for (const record of records) {
    const before = new Set<TaskRecord>();
    collect(record, byId, before, files);
    for (const { task } of before) if (task.kind === 'train') stages.add(nameOf(task));
    const known = [...before].filter((one) => one.flops !== undefined && one.finished);
    const work = known.reduce((sum, one) => sum + (one.flops ?? 0), 0);
    if (record.finished && record.flops !== undefined && work > 0 && known.length === before.size) shares.push(record.flops / work);
  }
  return {
    ...(shares.length > 0 ? { share: shares.reduce((a, b) => a + b, 0) / shares.length } : {}),
    upstream: { stages: inOrder(stages, byId), files: [...files] },
  };
}

/** In the order of the plan, which is that of the work. */
function inOrder(stages: ReadonlySet<string>, byId: ReadonlyMap<string, TaskRecord>): string[] {
  const all = [...byId.values()].flatMap(({ task }) => (task.kind === 'train' ? [nameOf(task)] : []));
  return [...new Set(all)].filter((name) => stages.has(name));
}

function nameOf({ stage, arm }: { stage: string; arm?: string }): string {
  return arm === undefined ? stage : `${stage}.${arm}`;
}

/** The training that a task's weights come from, and theirs in turn. */
function collect({ task }: TaskRecord, byId: ReadonlyMap<string, TaskRecord>, before: Set<TaskRecord>, files: Set<string>): void {
  if (task.kind !== 'train') return;
  for (const { source } of task.state) {
    if (source.from === 'file') files.add(source.file);
    const earlier = source.from === 'task' ? byId.get(source.task) : undefined;
    if (earlier === undefined || before.has(earlier) || !isStage(earlier)) continue;
    before.add(earlier);
    collect(earlier, byId, before, files);
  }
}
