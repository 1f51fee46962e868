/**
 * Tuning grids: every cell of every grid, what was chosen, and what makes a choice doubtful: a best value at the edge of its
 * grid, arms of one comparison with unequal grids, an arm that was not tuned at all.
 */
import type { SelectTask } from '../../../plan/plan.ts';
import { markup } from './html.ts';
import type { Content, Markup } from './html.ts';
import { valueNaming } from './names.ts';
import { NONE } from './numbers.ts';
import type { RunRecord, Selected } from './read-run.ts';
import { byStage, isSubjectOf } from './subjects.ts';
import type { Subject } from './subjects.ts';
import { number, statisticText, styleFor, table } from './tables.ts';
import type { Style } from './tables.ts';
import { statistic } from './summary.ts';
import { subjectName } from './training-table.ts';
import { tuningChart } from './tuning-chart.ts';

/** The grid of one arm, or of a stage without arms. */
export interface Grid {
  task: SelectTask;
  subject: Subject;
  /** Undefined while the choice is open. */
  selected?: Selected;
}

/** Grids of one stage over one name, judged by one measure: they share a table and a chart. */
export interface GridGroup {
  stage: string;
  name: string;
  grids: Grid[];
  /** The score that the measure is of. */
  score: string;
  /** Values that each arm of the stage was tried with, over all its grids; none for an arm without a grid. Empty but for the stage's first group. */
  chances: { subject: Subject; values: number }[];
}

/** The grids of a run, arms of one comparison together, in the order of the plan. */
export function gridsOf(run: RunRecord, subjects: readonly Subject[]): GridGroup[] {
  const groups: GridGroup[] = [];
  for (const { task, selected } of run.tasks) {
    if (task.kind !== 'select') continue;
    const subject = subjects.find((one) => isSubjectOf(task, one)) ?? {
      ...task.subject,
      label: task.subject.arm ?? task.subject.stage,
      colour: 0,
      runs: new Map(),
    };
    const { stage } = task.subject;
    const same = (group: GridGroup): boolean => {
      const { measure } = group.grids[0].task;
      return (
        group.stage === stage && group.name === task.name && measure.probe === task.measure.probe && measure.value === task.measure.value
      );
    };
    let group = groups.find(same);
    if (group === undefined) groups.push((group = { stage, name: task.name, grids: [], score: scoreOf(task, run), chances: [] }));
    group.grids.push({ task, subject, ...(selected === undefined ? {} : { selected }) });
  }
  for (const group of groups) {
    if (groups.find(({ stage }) => stage === group.stage) !== group) continue;
    const all = groups.filter(({ stage }) => stage === group.stage).flatMap(({ grids }) => grids);
    const arms = (byStage(subjects).get(group.stage) ?? []).filter((subject) => subject.arm !== undefined);
    group.chances = arms.map((subject) => ({
      subject,
      values: all.reduce((sum, grid) => sum + (grid.subject === subject ? grid.task.values.length : 0), 0),
    }));
  }
  return groups;
}

function scoreOf(task: SelectTask, run: RunRecord): string {
  const score = run.tasks.find((record) => record.task.id === task.cells[0]?.task)?.task;
  return score?.kind === 'score' ? score.score : '';
}

export function tuningMarkup(groups: readonly GridGroup[]): Markup {
  return markup`<p class="legend">Each cell was trained and judged to be compared, and no more. The best mean over the seeds of a cell is chosen; what the verdicts speak of was trained anew with it.</p>
${groups.map(groupMarkup)}`;
}

function groupMarkup(group: GridGroup): Markup {
  const { probe, value } = group.grids[0].task.measure;
  const { label, percent = false } = valueNaming(group.score, value);
  const measure = `${probe}: ${label}`;
  const warnings = warningsOf(group);
  return markup`<h3>${group.name} of ${group.stage}</h3>
<p class="legend">${group.grids.map(({ subject }) => subjectName(subject))}Judged by ${measure}${percent && ', %'}, ${group.grids[0].task.better} is better. A ring marks what was chosen.</p>
${warnings.map(
  (warning) => markup`<p class="warning">${warning}</p>
`,
)}<div class="beside">${tuningChart(group, measure, percent)}${cellTable(group, percent)}</div>
`;
}

/** What a reader should doubt, in sentences. */
export function warningsOf({ grids, chances, name, stage }: GridGroup): string[] {
  const warnings = grids.flatMap(({ task, selected, subject }) =>
    selected?.edge === true && task.values.length > 1
      ? [
          `The best ${name} of ${subject.label}, ${task.values[selected.choice] ?? NONE}, stands at the edge of its grid: a better one may lie beyond.`,
        ]
      : [],
  );
  const tuned = chances.filter(({ values }) => values > 0);
  if (new Set(tuned.map(({ values }) => values)).size > 1) {
    const each = tuned.map(({ subject, values }) => `${subject.label} ${values}`).join(', ');
    warnings.push(`The grids of ${stage} are unequal (${each} values): an arm with more values had more chances.`);
  }
  const untuned = chances.filter(({ values }) => values === 0).map(({ subject }) => subject.label);
  if (tuned.length > 0 && untuned.length > 0) {
    warnings.push(`Not tuned: ${untuned.join(', ')}. An arm that was tuned had chances that this one had not.`);
  }
  return warnings;
}

/** A row a value of an arm, a column a seed. */
function cellTable({ grids }: GridGroup, percent: boolean): Markup {
  const seeds = [...new Set(grids.flatMap(({ task }) => task.cells.map(({ seed }) => seed)))];
  const all = grids.flatMap(({ selected }) => selected?.cells.map((cell) => statistic([[cell.seed, cell.value]])) ?? []);
  const style = styleFor(all, percent);
  const body = grids.flatMap(({ task, subject, selected }) =>
    task.values.map((text, choice): Content[] => {
      const cells = selected?.cells.filter((cell) => cell.choice === choice) ?? [];
      const chosen = selected?.choice === choice;
      return [
        choice === 0 ? subjectName(subject) : '',
        markup`<code>${text}</code>${chosen && markup` <span class="chosen">◉ chosen</span>`}`,
        ...seeds.map((seed) => number(cells.find((cell) => cell.seed === seed)?.value, style)),
        meanText(cells, style),
      ];
    }),
  );
  return table(
    [{ head: 'arm' }, { head: 'value' }, ...seeds.map((seed) => ({ head: `seed ${seed}`, number: true })), { head: 'mean', number: true }],
    body,
  );
}

function meanText(cells: Selected['cells'], style: Style): string {
  return statisticText(statistic(cells.map(({ seed, value }) => [seed, value])), style);
}
