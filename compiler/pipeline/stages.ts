/**
 * Stages as the text declares them: what comes in is a `stage` or an arm of a `compare`, what goes out is a `StageSpec` with
 * every value resolved and checked. What the fields of a training mean is left to training-fields.ts, building graphs from
 * them to train-graphs.ts.
 */
import { nearest, report } from '../../grammar/index.ts';
import type { Arm, Compare, Diagnostic, Field, Span, Stage, Tune } from '../../grammar/index.ts';
import { fail } from '../elaborate/fault.ts';
import type { Universe } from '../elaborate/names.ts';
import { describe } from '../elaborate/values.ts';
import type { LoadValue, SubjectValue, Value } from '../elaborate/values.ts';
import type { Place } from './place.ts';
import { pathsOf } from './trained-parts.ts';
import { requireFields, subject, trainFields } from './training-fields.ts';
import type { TrainFields } from './training-fields.ts';

export interface StageSpec {
  /** `align`, `post.dpo`; of a cell of a tuning grid `post.dpo:lr=1e-3`. */
  id: string;
  stage: string;
  arm?: string;
  from?: SubjectValue;
  start?: LoadValue;
  /** Parts that begin as other stages left them: `start post.dpo.eyes`. All others begin anew, or as `from` says. */
  parts: { subject: SubjectValue; paths: string[]; span: Span }[];
  /** Absent where the stage only loads weights. */
  train?: TrainFields;
  span: Span;
  /** Where each field's value came from: this stage, its comparison, or a default. For `pivot show`. */
  origins: { name: string; value: string; origin: string }[];
}

/** A stage of the text, or one arm of a comparison. */
export interface StageDeclaration {
  id: string;
  declaration: Stage | Compare;
  arm?: Arm;
}

const TRAINING = ['train', 'on', 'loss', 'optimize', 'batch'];
const FIELDS = ['start', 'model', ...TRAINING, 'freeze', 'clip', 'steps', 'epochs', 'eval', 'checkpoint', 'reference', 'pack', 'recompute'];

/** Fields that say when something happens, and how they are written. */
const PERIODIC: Readonly<Record<string, string>> = { eval: '`eval every 50 steps on ..`', checkpoint: '`checkpoint every 50 steps`' };

/** All stages of a text, arms of a comparison as one each. A fault in one is collected and the others are still resolved. */
export function stageDeclarations(universe: Universe): StageDeclaration[] {
  return universe.loaded.main.tree.declarations.flatMap((d): StageDeclaration[] => {
    if (d.kind === 'Stage') return [{ id: d.name.text, declaration: d }];
    if (d.kind === 'Compare') return d.arms.map((arm) => ({ id: `${d.name.text}.${arm.name.text}`, declaration: d, arm }));
    return [];
  });
}

/** What is tuned in a stage: by its arm, else by the comparison for all of its arms. */
export function tunesOf({ declaration, arm }: StageDeclaration): Tune[] {
  return arm && arm.tunes.length > 0 ? arm.tunes : declaration.tunes;
}

/** Adds `fields` to those in force. Unknown and doubled ones are reported together. */
export function takeFields(
  into: Map<string, { field: Field; own: boolean }>,
  fields: readonly Field[],
  own: boolean,
  where: string,
  diagnostics: Diagnostic[],
  known: readonly string[] = FIELDS,
): void {
  const here = new Set<string>();
  for (const field of fields) {
    const name = field.name.text;
    if (!known.includes(name)) {
      const meant = nearest(name, known);
      diagnostics.push(report('P0508', { name, nearest: meant ?? '', known: known.join(', ') }, field.name.span));
      // Taken for what was meant, so that it is not also told to be missing.
      if (meant && !into.has(meant)) into.set(meant, { field, own });
    } else if (here.has(name)) diagnostics.push(report('P0513', { name, where }, field.name.span));
    else {
      if (!hasValue(field)) {
        const expected = Object.hasOwn(PERIODIC, name) ? PERIODIC[name] : `a value for \`${name}\` on its line`;
        diagnostics.push(report('P0301', { expected, found: field.value ? 'a value alone' : 'nothing' }, field.name.span));
      }
      for (const extra of unread(field)) diagnostics.push(report('P0538', extra, extra.span));
      if (!into.has(name)) into.set(name, { field, own });
    }
    here.add(name);
  }
}

/** What stands in a field and belongs to another kind of field: `steps 4, micro 2`, `checkpoint every 5 steps on rows`. */
function unread({ name, every, on, more }: Field): { what: string; why: string; span: Span }[] {
  const found: { what: string; why: string; span: Span }[] = [];
  const periodic = Object.hasOwn(PERIODIC, name.text);
  if (on && name.text !== 'eval') found.push({ what: 'on', why: `\`${name.text}\` takes no rows`, span: on.span });
  if (every && !periodic) found.push({ what: 'every', why: `\`${name.text}\` is no event that recurs`, span: every.span });
  if (name.text !== 'batch')
    for (const extra of more) found.push({ what: extra.name.text, why: `\`${name.text}\` takes one value`, span: extra.name.span });
  return found;
}

function hasValue({ name, value, every }: Field): boolean {
  return Object.hasOwn(PERIODIC, name.text) ? every !== undefined && value === undefined : value !== undefined;
}

/** The stage with its values, as `place` understands them: with a tuned name, one cell of its grid. */
export function resolveStage(place: Place, stage: StageDeclaration, diagnostics: Diagnostic[]): StageSpec {
  const { id, declaration, arm } = stage;
  const before = diagnostics.length;
  const where = arm ? `arm ${arm.name.text} of ${declaration.name.text}` : `stage ${declaration.name.text}`;
  // The arm's own fields stand before those of its comparison.
  const fields = new Map<string, { field: Field; own: boolean }>();
  if (arm) takeFields(fields, arm.fields, true, `arm ${arm.name.text}`, diagnostics);
  const kind = declaration.kind === 'Stage' ? 'stage' : 'compare';
  takeFields(fields, declaration.fields, !arm, `${kind} ${declaration.name.text}`, diagnostics);
  settleLength(fields, diagnostics);
  const from = declaration.from && subject(place.evaluate(declaration.from), declaration.from.span);
  const startAt = fields.get('start')?.field.value;
  const spec: StageSpec = {
    id,
    stage: declaration.name.text,
    ...(arm ? { arm: arm.name.text } : {}),
    ...(from ? { from } : {}),
    ...(startAt ? beginning(place.evaluate(startAt), startAt.span) : { parts: [] }),
    span: (arm ?? declaration).name.span,
    origins: [
      ...[...fields].map(([name, { field, own }]) => ({
        name: `${id}.${name}`,
        value: sourceText(place.universe, field.span).replace(new RegExp(`^${field.name.text} `), ''),
        origin: own ? `line ${field.span.line}` : `line ${field.span.line}, shared by the arms`,
      })),
      ...tunesOf(stage).map((tune) => ({
        name: `${id}.${tune.name.text}`,
        value: `chosen by ${sourceText(place.universe, tune.by.span)} among ${sourceText(place.universe, tune.values.span)}`,
        origin: `line ${tune.span.line}`,
      })),
    ],
  };
  if (spec.start && !TRAINING.some((name) => fields.has(name))) return spec;
  const complete = requireFields(new Map([...fields].map(([name, f]) => [name, f.field])), TRAINING, where, spec.span, diagnostics);
  if (!complete || diagnostics.slice(before).some((d) => d.severity === 'error')) return spec;
  spec.train = trainFields(place, new Map([...fields].map(([name, { field }]) => [name, field])), { span: spec.span, where, diagnostics });
  return spec;
}

/** `steps` and `epochs` say the same: one that an arm gives replaces the other of its comparison, and two side by side are refused. */
function settleLength(fields: Map<string, { field: Field; own: boolean }>, diagnostics: Diagnostic[]): void {
  const [steps, epochs] = [fields.get('steps'), fields.get('epochs')];
  if (!steps || !epochs) return;
  if (steps.own !== epochs.own) {
    fields.delete(steps.own ? 'epochs' : 'steps');
    return;
  }
  const [first, second] = [steps.field, epochs.field].sort((a, b) => a.span.start - b.span.start);
  diagnostics.push(report('P0533', { first: first.name.text, second: second.name.text }, second.span));
}

/** `start load("file")`, `start post.dpo.eyes`, or a list of these. */
function beginning(value: Value, span: Span): Pick<StageSpec, 'start' | 'parts'> {
  const items = value.kind === 'list' ? value.items : [value];
  const result: Pick<StageSpec, 'start' | 'parts'> = { parts: [] };
  for (const item of items) {
    if (item.kind === 'load' && !result.start) result.start = item;
    else if (item.kind === 'subject' && item.part) result.parts.push({ subject: item, paths: pathsOf(item.part, span), span });
    else
      fail('P0301', { expected: 'load("weights.safetensors"), or a part of a stage such as post.dpo.eyes', found: describe(item) }, span);
  }
  return result;
}

function sourceText(universe: Universe, span: Span): string {
  return universe.loaded.main.text.slice(span.start, span.end).replace(/\s+/g, ' ');
}
