/**
 * Whom the report compares: a subject is an arm of a stage, or a stage without arms, over all seeds. Order and colour
 * follow the plan. Cells of a tuning grid, what was trained on seeds of their own for them, and readers that a probe trains are means to
 * an end and no subjects.
 */
import type { Plan, Task, TrainTask } from '../../../plan/plan.ts';
import type { RunRecord, TaskRecord } from './read-run.ts';

export interface Subject {
  stage: string;
  arm?: string;
  /** The arm's name, or the stage's. */
  label: string;
  /** Colour: index into the palette, counted among the arms of one stage. */
  colour: number;
  /** Its training by seed; empty where the stage only loads weights. */
  runs: Map<number, TaskRecord>;
}

/** The subjects of the plan: those that are only judged (their weights were loaded), then those that are trained, in order. */
export function subjectsOf(plan: Plan, run: RunRecord): Subject[] {
  const subjects: Subject[] = [];
  const find = (stage: string, arm: string | undefined): Subject => {
    const known = subjects.find((s) => s.stage === stage && s.arm === arm);
    if (known !== undefined) return known;
    const colour = subjects.filter((s) => s.stage === stage).length;
    const made: Subject = { stage, label: arm ?? stage, colour, runs: new Map() };
    if (arm !== undefined) made.arm = arm;
    subjects.push(made);
    return made;
  };
  const seeds = new Set(seedsOf(plan));
  const trains = run.tasks.filter(isStage).filter(({ task }) => seeds.has(task.seed));
  for (const record of trains) find(record.task.stage, record.task.arm).runs.set(record.task.seed, record);
  const trained = subjects.length;
  for (const task of plan.tasks) if (task.kind === 'score' && task.cell === undefined) find(task.subject.stage, task.subject.arm);
  // A stage that is judged and not trained was loaded: it is where the others start.
  subjects.unshift(...subjects.splice(trained));
  const labels = subjects.map((s) => s.label);
  for (const subject of subjects) {
    const shared = labels.filter((label) => label === subject.label).length > 1;
    if (shared && subject.arm !== undefined) subject.label = `${subject.stage}.${subject.arm}`;
  }
  return subjects;
}

/** Whether this trains a stage of the text, as one reads it: no cell of a grid, no reader of a probe. */
export function isStage(record: TaskRecord): record is TaskRecord & { task: TrainTask } {
  return record.task.kind === 'train' && record.task.cell === undefined && record.task.probe === undefined;
}

/** Subjects by stage, in the order of the plan. */
export function byStage(subjects: readonly Subject[]): Map<string, Subject[]> {
  const stages = new Map<string, Subject[]>();
  for (const subject of subjects) stages.set(subject.stage, [...(stages.get(subject.stage) ?? []), subject]);
  return stages;
}

export function isSubjectOf(task: { subject: { stage: string; arm?: string } }, subject: Subject): boolean {
  return task.subject.stage === subject.stage && task.subject.arm === subject.arm;
}

/** Seeds over which anything of the plan varies. */
export function seedsOf(plan: { tasks: readonly Task[] }): number[] {
  const report = plan.tasks.find((task) => task.kind === 'report');
  return report?.kind === 'report' && report.seeds.length > 0 ? report.seeds : [...new Set(plan.tasks.map((task) => task.seed))];
}

/** What may be concluded from so many seeds, and how differences are to be read. */
export function verdictOn(seeds: readonly number[]): string {
  return seeds.length <= 1
    ? 'One seed was run: a difference between arms may be chance, and no verdict follows from it.'
    : `${seeds.length} seeds were run. ± is the standard deviation over seeds; differences are paired by seed, with the 95 % interval of their mean.`;
}
