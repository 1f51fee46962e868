/**
 * Stages as the text declares them, field by field: what comes in is a `stage` or an arm of a `compare`, what goes out is a
 * `StageSpec` with every value resolved and checked. Building graphs from it is left to train-graphs.ts.
 */
import { nearest, report } from '../../grammar/index.ts';
import type { Arm, Compare, Diagnostic, Expression, Field, Span, Stage } from '../../grammar/index.ts';
import { fail } from '../elaborate/fault.ts';
import { evaluateIn, moduleScope } from '../elaborate/names.ts';
import type { Universe } from '../elaborate/names.ts';
import { makeData } from '../elaborate/data.ts';
import { describe } from '../elaborate/values.ts';
import type { BoundValue, DataValue, LoadValue, ModelValue, SubjectValue, Value } from '../elaborate/values.ts';
import { inSteps } from './schedule.ts';

export interface TrainFields {
  model: ModelValue;
  trained: { path: string; span: Span }[];
  data: DataValue;
  loss: BoundValue;
  /** The stage whose weights are the loss's reference. */
  reference?: SubjectValue;
  /** Whether the reference scores each batch beside the policy (`reference live`), not all rows once before training. */
  liveReference: boolean;
  optimizer: BoundValue;
  clip?: number;
  batch: number;
  micro: number;
  steps: number;
  stepsPerEpoch: number;
  evaluate?: { every: number; data: DataValue };
  checkpointEvery: number;
}

export interface StageSpec {
  /** `align`, `post.dpo` */
  id: string;
  stage: string;
  arm?: string;
  from?: SubjectValue;
  start?: LoadValue;
  /** Absent where the stage only loads weights. */
  train?: TrainFields;
  span: Span;
  /** Where each field's value came from: this stage, its comparison, or a default. For `pivot show`. */
  origins: { name: string; value: string; origin: string }[];
}

const FIELDS = [
  'start',
  'model',
  'train',
  'on',
  'loss',
  'optimize',
  'clip',
  'batch',
  'steps',
  'epochs',
  'eval',
  'checkpoint',
  'reference',
  'pack',
];
/** Words that a field takes beside, or instead of, names of the text. */
export const FIELD_WORDS: Readonly<Record<string, readonly string[]>> = { pack: ['shared', 'separate'], reference: ['live', 'cached'] };
const TRAINING = ['train', 'on', 'loss', 'optimize', 'batch'];

/** All stages of a text, arms of a comparison as one each. A fault in one is collected and the others are still resolved. */
export function stageDeclarations(universe: Universe): { id: string; declaration: Stage | Compare; arm?: Arm }[] {
  return universe.loaded.main.tree.declarations.flatMap((d): { id: string; declaration: Stage | Compare; arm?: Arm }[] => {
    if (d.kind === 'Stage') return [{ id: d.name.text, declaration: d }];
    if (d.kind === 'Compare') return d.arms.map((arm) => ({ id: `${d.name.text}.${arm.name.text}`, declaration: d, arm }));
    return [];
  });
}

/** The fields in force, the arm's before the comparison's. Unknown and doubled ones are reported together. */
function collectFields(
  declaration: Stage | Compare,
  arm: Arm | undefined,
  diagnostics: Diagnostic[],
): Map<string, { field: Field; own: boolean }> {
  const result = new Map<string, { field: Field; own: boolean }>();
  const take = (fields: readonly Field[], own: boolean, where: string): void => {
    const here = new Set<string>();
    for (const field of fields) {
      const name = field.name.text;
      if (!FIELDS.includes(name)) {
        const meant = nearest(name, FIELDS);
        diagnostics.push(report('P0508', { name, nearest: meant ?? '', known: FIELDS.join(', ') }, field.name.span));
        // Taken for what was meant, so that it is not also told to be missing.
        if (meant && !result.has(meant)) result.set(meant, { field, own });
      } else if (here.has(name)) diagnostics.push(report('P0513', { name, where }, field.name.span));
      else if (!result.has(name)) result.set(name, { field, own });
      here.add(name);
    }
  };
  if (arm) take(arm.fields, true, `arm ${arm.name.text}`);
  take(declaration.fields, !arm, `${declaration.kind === 'Stage' ? 'stage' : 'compare'} ${declaration.name.text}`);
  return result;
}

export function resolveStage(
  universe: Universe,
  id: string,
  declaration: Stage | Compare,
  arm: Arm | undefined,
  diagnostics: Diagnostic[],
): StageSpec {
  const before = diagnostics.length;
  const fields = collectFields(declaration, arm, diagnostics);
  const where = arm ? `arm ${arm.name.text} of ${declaration.name.text}` : `stage ${declaration.name.text}`;
  const main = universe.loaded.main;
  const expression = (name: string): Expression | undefined => fields.get(name)?.field.value;
  const value = (name: string): Value | undefined => {
    const e = expression(name);
    return e && evaluateIn(universe, main, e);
  };
  const from = declaration.from && subject(evaluateIn(universe, main, declaration.from), declaration.from.span);
  const start = value('start');
  if (start && start.kind !== 'load')
    fail('P0301', { expected: 'load("weights.safetensors")', found: describe(start) }, expression('start')?.span);
  const spec: StageSpec = {
    id,
    stage: declaration.name.text,
    ...(arm ? { arm: arm.name.text } : {}),
    ...(from ? { from } : {}),
    ...(start?.kind === 'load' ? { start } : {}),
    span: (arm ?? declaration).name.span,
    origins: [...fields].map(([name, { field, own }]) => ({
      name: `${id}.${name}`,
      value: sourceText(universe, field),
      origin: own ? `line ${field.span.line}` : `line ${field.span.line}, shared by the arms`,
    })),
  };
  const present = TRAINING.filter((name) => fields.has(name));
  if (present.length === 0 && spec.start) return spec;
  for (const name of TRAINING) if (!fields.has(name)) diagnostics.push(report('P0512', { name, where }, spec.span));
  if (!fields.has('steps') && !fields.has('epochs')) diagnostics.push(report('P0512', { name: 'steps', where }, spec.span));
  if (diagnostics.slice(before).some((d) => d.severity === 'error')) return spec;
  const at = (name: string): Span => expression(name)?.span ?? spec.span;

  const separate = oneOf(universe, expression('pack'), FIELD_WORDS.pack) === 'separate';
  const model = { ...modelOf(universe, value('model'), value('train'), at('train')), ...(separate ? { separate } : {}) };
  const data = makeData(universe.context, value('on') as Value, at('on'));
  requireFolder(universe, data, at('on'));
  const loss = definition(value('loss'), 'loss', at('loss'));
  const optimizer = definition(value('optimize'), 'optimizer', at('optimize'));
  const batch = count(value('batch'), 'batch', at('batch'));
  const more = fields.get('batch')?.field.more ?? [];
  const microField = more.find((m) => m.name.text === 'micro');
  const odd = more.find((m) => m !== microField);
  if (odd) fail('P0508', { name: odd.name.text, nearest: 'micro', known: 'micro' }, odd.name.span);
  const micro = microField ? count(evaluateIn(universe, main, microField.value), 'micro', microField.value.span) : batch;
  if (batch % micro !== 0) fail('P0505', { batch, micro }, microField?.value.span);
  if (batch > data.count) fail('P0506', { batch, rows: data.count }, at('batch'));
  const stepsPerEpoch = Math.floor(data.count / batch);
  const steps = stepCount(value('steps'), value('epochs'), stepsPerEpoch, expression('steps')?.span ?? at('epochs'));
  const manner = isOneOf(expression('reference'), FIELD_WORDS.reference);
  const named = loss.given.get('reference') ?? (manner ? undefined : value('reference'));
  const reference = named && subject(named, at('reference'));
  const evaluation = evaluationOf(universe, fields.get('eval')?.field, data, steps, stepsPerEpoch);
  const checkpoint = fields.get('checkpoint')?.field;
  const clip = value('clip');
  spec.train = {
    model,
    trained: trainedPaths(value('train') as Value, at('train')),
    data,
    loss,
    ...(reference ? { reference } : {}),
    liveReference: manner === 'live',
    optimizer,
    ...(clip?.kind === 'number' ? { clip: clip.value } : {}),
    batch,
    micro,
    steps,
    stepsPerEpoch,
    ...(evaluation ? { evaluate: evaluation } : {}),
    checkpointEvery: checkpoint?.every
      ? every(universe, checkpoint.every, steps, stepsPerEpoch)
      : Math.max(1, Math.min(100, Math.ceil(steps / 4))),
  };
  return spec;
}

/** The word that a field is, if it is one of these: `reference live`. */
function isOneOf(e: Expression | undefined, words: readonly string[]): string | undefined {
  return e?.kind === 'Identifier' && words.includes(e.name) ? e.name : undefined;
}

/** As `isOneOf`, for fields that take nothing else. */
function oneOf(universe: Universe, e: Expression | undefined, words: readonly string[]): string | undefined {
  return (
    isOneOf(e, words) ??
    (e && fail('P0301', { expected: words.join(' or '), found: describe(evaluateIn(universe, universe.loaded.main, e)) }, e.span))
  );
}

function sourceText(universe: Universe, field: Field): string {
  return universe.loaded.main.text
    .slice(field.span.start, field.span.end)
    .replace(/\s+/g, ' ')
    .replace(new RegExp(`^${field.name.text} `), '');
}

export function subject(value: Value, span: Span): SubjectValue {
  return value.kind === 'subject' ? value : fail('P0301', { expected: 'a stage, such as align or post.dpo', found: describe(value) }, span);
}

function definition(value: Value | undefined, keyword: 'loss' | 'optimizer', span: Span): BoundValue {
  if (value?.kind === 'bound' && value.definition.keyword === keyword) return value;
  return fail(
    'P0301',
    {
      expected: `${keyword === 'loss' ? 'a loss, such as dpo(beta: 0.1)' : 'an optimizer, such as adamw(lr: 1e-3)'}`,
      found: value ? describe(value) : 'nothing',
    },
    span,
  );
}

function count(value: Value | undefined, name: string, span: Span): number {
  if (value?.kind !== 'number')
    return fail('P0301', { expected: `a whole number for ${name}`, found: value ? describe(value) : 'nothing' }, span);
  if (value.unit && !['rows', 'steps'].includes(value.unit))
    return fail('P0302', { expected: `a plain number for ${name}`, found: describe(value) }, span);
  if (!Number.isInteger(value.value) || value.value < 1) return fail('P0303', { found: describe(value), what: name }, span);
  return value.value;
}

function stepCount(steps: Value | undefined, epochs: Value | undefined, stepsPerEpoch: number, span: Span): number {
  const value = epochs ?? steps;
  if (value?.kind !== 'number') return fail('P0301', { expected: 'a number of steps', found: value ? describe(value) : 'nothing' }, span);
  if (value.unit && value.unit !== 'steps' && value.unit !== 'epochs')
    return fail('P0302', { expected: 'steps or epochs', found: describe(value) }, span);
  return count(
    { kind: 'number', value: epochs || value.unit === 'epochs' ? Math.round(value.value * stepsPerEpoch) : value.value },
    'steps',
    span,
  );
}

function every(universe: Universe, e: Expression, steps: number, stepsPerEpoch: number): number {
  const value = evaluateIn(universe, universe.loaded.main, e);
  if (value.kind !== 'number') return fail('P0301', { expected: 'a number of steps', found: describe(value) }, e.span);
  if (value.unit && !['steps', 'epochs', '%'].includes(value.unit))
    return fail('P0302', { expected: 'steps, epochs or %', found: describe(value) }, e.span);
  return count({ kind: 'number', value: inSteps(value, { steps, stepsPerEpoch }) }, 'the interval', e.span);
}

function evaluationOf(
  universe: Universe,
  field: Field | undefined,
  data: DataValue,
  steps: number,
  stepsPerEpoch: number,
): { every: number; data: DataValue } | undefined {
  if (!field) return undefined;
  if (!field.every || !field.on) return fail('P0512', { name: field.every ? 'on' : 'every', where: 'eval' }, field.span);
  const on = makeData(universe.context, evaluateIn(universe, universe.loaded.main, field.on), field.on.span);
  requireFolder(universe, on, field.on.span);
  for (const key of ['layout', 'image', 'prompt', 'answer'] as const) {
    if (on[key] !== data[key]) fail('P0601', { what: key, first: String(data[key]), second: String(on[key]) }, field.on.span);
  }
  return { every: every(universe, field.every, steps, stepsPerEpoch), data: on };
}

/** Files that data are read from must be there before anything runs. */
function requireFolder(universe: Universe, data: DataValue, span: Span): void {
  for (const part of data.mix ?? [data])
    if (part.folder !== undefined && universe.host.hash(part.folder) === undefined) fail('P0510', { file: part.folder }, span);
}

/** The model of a stage: named, or the one whose part is trained, or the only one of the text. */
function modelOf(universe: Universe, named: Value | undefined, trained: Value | undefined, span: Span): ModelValue {
  if (named?.kind === 'model') return named;
  if (named) return fail('P0301', { expected: 'a model', found: describe(named) }, span);
  if (trained?.kind === 'model') return trained;
  const { main } = universe.loaded;
  const models = [...main.declarations.values()].filter((d) => d.kind === 'Binding' && d.keyword === 'model');
  if (models.length === 1) {
    const value = moduleScope(main).lookup(models[0].name.text);
    if (value?.kind === 'model') return value;
  }
  return fail('P0512', { name: 'model', where: models.length === 0 ? 'the text' : 'a stage of a text with several models' }, span);
}

/** `train mllm`, `train mllm.connector`, `train [eyes, mllm.connector]` as paths of weights. */
function trainedPaths(value: Value, span: Span): { path: string; span: Span }[] {
  const paths = (v: Value): string[] => {
    if (v.kind === 'instance') return [v.path];
    if (v.kind === 'list') return v.items.flatMap(paths);
    if (v.kind !== 'model') return fail('P0301', { expected: 'a model or its parts', found: describe(v) }, span);
    if (v.form.kind === 'arrow') return [v.form.encoder.path, v.form.connector.path, v.form.language.path];
    const inner = [...v.form.layer.bound.given.values()].flatMap((g) => (g.kind === 'instance' ? [g.path] : []));
    return [v.form.layer.path, ...inner];
  };
  return paths(value).map((path) => ({ path, span }));
}
