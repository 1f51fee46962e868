/** What the probes found: each measure of each probe, for each subject and seed. */
import type { Measure } from '../../../plan/scores.ts';
import { measureOf } from '../../../plan/scores.ts';
import { shareRows } from '../../../plan/shared-rows.ts';
import type { Fields, RunRecord, Scored } from './read-run.ts';
import { statistic } from './summary.ts';
import type { Statistic } from './summary.ts';
import type { ByRows } from './verdicts.ts';
import { isSubjectOf } from './subjects.ts';
import type { Subject } from './subjects.ts';

export interface MeasureRow {
  probe: string;
  score: string;
  /** Name of the value in the score's result. */
  value: string;
  /** What is known of it; undefined for a value that the table of scores does not name, which is told and not judged. */
  measure?: Measure;
  /** A part of a measure, such as one kind of question: told, since the whole is judged. */
  part: boolean;
  /** In the order of the subjects. */
  cells: Statistic[];
  /** Positions of the subjects that the plan lets the probe judge, whether it has done so yet or not. */
  judges: number[];
  /** By subject and seed, what each row that was judged has to do with it. */
  examples: Map<number, ByRows>[];
  /** By subject: whether seeds were judged on the same rows, so that intervals count rows too. */
  shared: boolean[];
  /** What the score says besides, of the first subject and seed that has it. */
  details: Fields;
}

/** A row a value of a probe, in the order of the plan. Cells of tuning grids stay out: they are shown where they belong. */
export function measureRows(run: RunRecord, subjects: readonly Subject[]): MeasureRow[] {
  const planned = run.tasks.flatMap(({ task }) => (task.kind === 'score' && task.cell === undefined ? [task] : []));
  const records = run.tasks.flatMap(({ task, score }) =>
    task.kind === 'score' && task.cell === undefined && score !== undefined ? [{ task, score }] : [],
  );
  const tasks = run.tasks.map(({ task }) => task);
  return [...new Set(records.map(({ task }) => task.probe))].flatMap((probe) => {
    const ofProbe = records.filter(({ task }) => task.probe === probe);
    const { score } = ofProbe[0].task;
    const judges = subjects.flatMap((subject, i) =>
      planned.some((task) => task.probe === probe && isSubjectOf(task, subject)) ? [i] : [],
    );
    const values = [...new Set(ofProbe.flatMap((record) => Object.keys(record.score.values)))];
    const bySubject = subjects.map((subject) => ofProbe.filter(({ task }) => isSubjectOf(task, subject)));
    const shared = bySubject.map((list) =>
      shareRows(
        list.map(({ task }) => task),
        tasks,
      ),
    );
    return values.map((value): MeasureRow => {
      const measure = measureOf(score, value);
      return {
        probe,
        score,
        value,
        ...(measure === undefined ? {} : { measure }),
        part: value.includes('.'),
        judges,
        cells: bySubject.map((list) => statistic(list.flatMap((one) => pairOf(one, one.score.values[value])))),
        examples: bySubject.map((list) => new Map(list.flatMap((one) => pairOf(one, one.score.examples[value])))),
        shared,
        details: ofProbe[0].score.details,
      };
    });
  });
}

/** A value under its seed, where there is one. */
function pairOf<T>(one: { task: { seed: number }; score: Scored }, value: T | undefined): [number, T][] {
  return value === undefined ? [] : [[one.task.seed, value]];
}

/** What the values of a probe should be read against, in sentences. */
export function baselinesOf(row: Pick<MeasureRow, 'details'>): string[] {
  const { largestClass, chance, k, n } = row.details;
  const notes: string[] = [];
  if (typeof largestClass === 'number')
    notes.push(`always naming the commonest class would be right in ${(100 * largestClass).toFixed(1)} %`);
  if (typeof chance === 'number') {
    const of = typeof k === 'number' && typeof n === 'number' ? ` (${k} neighbours among ${n} rows)` : '';
    notes.push(`chance is ${(100 * chance).toFixed(1)} %${of}`);
  }
  return notes;
}

/** Rows of the same subjects, which share a table. `columns` are their positions among all. */
export interface MeasureGroup {
  columns: number[];
  rows: MeasureRow[];
}

/** Probes by whom they judge: those that judge the same subjects together, in the order of the first. */
export function groupsOf(rows: readonly MeasureRow[]): MeasureGroup[] {
  const groups = new Map<string, MeasureGroup>();
  for (const probe of new Set(rows.map((row) => row.probe))) {
    const own = rows.filter((row) => row.probe === probe);
    const columns = own[0].judges;
    const group = groups.get(columns.join()) ?? { columns, rows: [] };
    group.rows.push(...own);
    groups.set(columns.join(), group);
  }
  return [...groups.values()];
}
