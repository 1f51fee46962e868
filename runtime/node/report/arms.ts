/** What differs between the arms of a comparison, and what they share: the fields of the text as they were resolved. */
import type { DataSource, Plan, TrainTask } from '../../../plan/plan.ts';
import { markup } from './html.ts';
import type { Content, Markup } from './html.ts';
import { grouped, NONE } from './numbers.ts';
import type { RunRecord } from './read-run.ts';
import { byStage } from './subjects.ts';
import type { Subject } from './subjects.ts';
import { table } from './tables.ts';
import { subjectName } from './training-table.ts';

export interface ArmField {
  name: string;
  /** In the order of the arms; undefined where an arm has no such field. */
  values: (string | undefined)[];
}

/** A table for each stage that compares arms: a row a field that differs, a column an arm; then what all share. */
export function armsMarkup(plan: Plan, run: RunRecord, subjects: readonly Subject[]): Markup[] {
  return [...byStage(subjects)].flatMap(([stage, members]) => {
    const arms = members.filter((member) => member.arm !== undefined);
    if (arms.length < 2) return [];
    const { differ, shared } = armFields(plan, run, stage, arms);
    const rows: Content[][] = differ.map(({ name, values }) => [
      name,
      ...values.map((value) => (value === undefined ? markup`<span class="none">${NONE}</span>` : markup`<code>${value}</code>`)),
    ]);
    const all = shared.map(({ name, values }, i) => markup`${i > 0 && ', '}${name} <code>${values[0]}</code>`);
    const caption = shared.length > 0 && markup`The same in all arms of ${stage}: ${all}.`;
    return [
      table(
        [{ head: `${stage} differs in` }, ...arms.map((arm) => ({ head: subjectName(arm) }))],
        rows,
        caption === false ? undefined : caption,
      ),
    ];
  });
}

/** Fields of the arms, those that differ apart from those that are the same. */
export function armFields(plan: Plan, run: RunRecord, stage: string, arms: readonly Subject[]): { differ: ArmField[]; shared: ArmField[] } {
  const maps = arms.map((arm) => fieldsOfArm(plan, run, stage, arm));
  const names = [...new Set(maps.flatMap((map) => [...map.keys()]))];
  const fields = names.map((name): ArmField => ({ name, values: maps.map((map) => map.get(name)) }));
  const same = ({ values }: ArmField): boolean => values.every((value) => value === values[0]);
  const differ = fields.filter((field) => {
    if (same(field)) return false;
    // `loss.beta` says no more than `loss` where only one arm has it; where all have it, it may differ by a default.
    return !field.name.includes('.') || (field.values.every((value) => value !== undefined) && !saidAbove(field, fields));
  });
  return { differ, shared: fields.filter((field) => same(field) && !field.name.includes('.')) };
}

/** Whether the field above it is written out with each of these values. */
function saidAbove(field: ArmField, fields: readonly ArmField[]): boolean {
  const top = fields.find(({ name }) => name === field.name.split('.')[0]);
  return top !== undefined && field.values.every((value, i) => value !== undefined && (top.values[i] ?? '').includes(value));
}

function fieldsOfArm(plan: Plan, run: RunRecord, stage: string, arm: Subject): Map<string, string> {
  const fields = new Map<string, string>();
  const task = [...arm.runs.values()][0]?.task;
  if (task?.kind === 'train') {
    fields.set('loss', task.loss).set('on', dataText(task.data));
    const parts = trainedParts(task);
    if (parts !== '') fields.set('train', parts);
    fields.set('batch', grouped(task.batch)).set('steps', grouped(task.steps));
  }
  const prefix = `${stage}.${arm.arm ?? ''}.`;
  for (const { name, value } of plan.resolved) if (name.startsWith(prefix)) fields.set(name.slice(prefix.length), value);
  if (task?.kind === 'train' && task.tuned !== undefined) {
    const record = run.tasks.find((one) => one.task.id === task.tuned?.task);
    if (record?.task.kind === 'select') {
      const chosen = record.selected && record.task.values[record.selected.choice];
      fields.set(`tuned ${record.task.name}`, `${chosen ?? 'not chosen yet'} of ${record.task.values.join(', ')}`);
    }
  }
  return fields;
}

/** `eyes, head`: the parts of the model that have trained weights. */
function trainedParts(task: TrainTask): string {
  return [...new Set(task.state.filter((s) => s.keep === 'weight' && s.trained).map((s) => s.name.split('.')[0]))].join(', ');
}

/** `scenes.preferences(split: train, exchanged: 0.5)`. */
export function dataText(data: DataSource): string {
  if (data.mix !== undefined && data.mix.length > 0) return data.mix.map(dataText).join(' + ');
  return `${data.source}(${[...settingsOf(data), `count: ${data.count}`].join(', ')})`;
}

/** Settings of a source as the text writes them: the seed of the run, by which rows are drawn, is none of them. */
export function settingsOf({ params }: DataSource): string[] {
  const { fixed, seed, ...others } = params;
  const shown = fixed === true ? { ...others, seed } : others;
  return Object.entries(shown).map(([name, value]) => `${name}: ${String(value)}`);
}
