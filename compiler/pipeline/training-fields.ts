/**
 * The fields of a training as values: what is trained, on what, by which loss, for how long. In come fields by name and the
 * place where their expressions mean something, out go `TrainFields`, checked against each other. Which fields are in force, and
 * what a stage starts from, is left to stages.ts.
 */
import { LIMITS, report } from '../../grammar/index.ts';
import type { Diagnostic, Expression, Field, Span } from '../../grammar/index.ts';
import { checkProcessor } from './folder-files.ts';
import { requireComplete } from '../elaborate/arguments.ts';
import { makeData } from '../elaborate/data.ts';
import { fail } from '../elaborate/fault.ts';
import { moduleScope } from '../elaborate/names.ts';
import type { Universe } from '../elaborate/names.ts';
import { describe } from '../elaborate/values.ts';
import type { BoundValue, DataValue, ModelValue, SubjectValue, Value } from '../elaborate/values.ts';
import type { Place } from './place.ts';
import { lossNeeds } from './objective.ts';
import { inSteps } from './schedule.ts';
import { partsOf, wholeOf, withAdapters } from './trained-parts.ts';
import type { TrainedPart } from './trained-parts.ts';

export interface TrainFields {
  model: ModelValue;
  trained: TrainedPart[];
  frozen: TrainedPart[];
  data: DataValue;
  loss: BoundValue;
  /** The stage whose weights are the loss's reference. */
  reference?: SubjectValue;
  /** Whether the reference scores each batch beside the policy (`reference live`), not all rows once before training. */
  liveReference: boolean;
  /** Whether what happens within layers is computed again for their gradients, and not kept (`recompute layers`). */
  recompute?: boolean;
  optimizer: BoundValue;
  clip?: number;
  batch: number;
  micro: number;
  steps: number;
  stepsPerEpoch: number;
  evaluate?: { every: number; data: DataValue };
  checkpointEvery: number;
}

/** Words that a field takes beside, or instead of, names of the text. */
export const FIELD_WORDS: Readonly<Record<string, readonly string[]>> = {
  pack: ['shared', 'separate'],
  reference: ['live', 'cached'],
  recompute: ['layers', 'nothing'],
};

/** Fields by name, whoever gave them. */
export type Fields = ReadonlyMap<string, Field>;

/** Reports every one of `wanted` that is missing; false if any is. `steps` and `epochs` stand for each other. */
export function requireFields(fields: Fields, wanted: readonly string[], where: string, span: Span, diagnostics: Diagnostic[]): boolean {
  const missing = wanted.filter((name) => !fields.has(name));
  if (!fields.has('steps') && !fields.has('epochs')) missing.push('steps');
  if (missing.length > 0) diagnostics.push(report('P0512', { names: missing, where }, span));
  return missing.length === 0;
}

/** Whose fields they are, and where warnings about them go. */
export interface Whose {
  span: Span;
  /** `stage align`, `arm dpo of post`. */
  where: string;
  diagnostics: Diagnostic[];
}

/** `model` gives the model and what of it is trained; by default they are the fields `model` and `train`. */
export function trainFields(
  place: Place,
  fields: Fields,
  { span, where, diagnostics }: Whose,
  given?: Pick<TrainFields, 'model' | 'trained'>,
): TrainFields {
  const expression = (name: string): Expression | undefined => fields.get(name)?.value;
  const value = (name: string): Value | undefined => {
    const e = expression(name);
    return e && place.evaluate(e);
  };
  const at = (name: string): Span => expression(name)?.span ?? span;
  const separate = oneOf(place, expression('pack'), FIELD_WORDS.pack) === 'separate';
  const recompute = oneOf(place, expression('recompute'), FIELD_WORDS.recompute) === 'layers';
  const part = given ?? {
    model: modelOf(place.universe, value('model'), value('train'), at('train')),
    trained: partsOf(value('train') as Value, at('train')),
  };
  if (part.trained.length === 0) fail('P0301', { expected: 'parts to train', found: 'an empty list' }, at('train'));
  const frozen = value('freeze');
  const data = makeData(place.universe.context, value('on') as Value, at('on'));
  requireFiles(place.universe, data, at('on'));
  const loss = definition(value('loss'), 'loss', at('loss'));
  const optimizer = definition(value('optimize'), 'optimizer', at('optimize'));
  const batch = count(value('batch'), 'batch', where, at('batch'));
  const more = fields.get('batch')?.more ?? [];
  const microField = more.find((m) => m.name.text === 'micro');
  const odd = more.find((m) => m !== microField);
  if (odd?.name.text === 'micro') fail('P0513', { name: 'micro', where }, odd.name.span);
  if (odd) fail('P0508', { name: odd.name.text, nearest: 'micro', known: 'micro' }, odd.name.span);
  const micro = microField ? count(place.evaluate(microField.value), 'micro', where, microField.value.span) : batch;
  if (batch % micro !== 0) fail('P0505', { batch, micro }, microField?.value.span);
  if (batch > data.count) fail('P0506', { batch, rows: data.count }, at('batch'));
  const stepsPerEpoch = Math.floor(data.count / batch);
  if (data.sampled?.rank !== undefined && expression('epochs'))
    fail('P0521', { what: 'how many pairs a model gives is known when they have been sampled: say `steps`' }, at('epochs'));
  const steps = stepCount(value('steps'), value('epochs'), stepsPerEpoch, where, expression('steps')?.span ?? at('epochs'));
  const manner = isOneOf(expression('reference'), FIELD_WORDS.reference);
  const named = loss.given.get('reference') ?? (manner ? undefined : value('reference'));
  const reference = named && subject(named, at('reference'));
  const needs = lossNeeds(loss.definition);
  const lossName = `the loss ${loss.definition.name.text}`;
  if (fields.has('reference') && !needs.reference)
    fail('P0538', { what: 'reference', why: `${lossName} is compared with no other model` }, at('reference'));
  if (fields.has('reference') && loss.given.has('reference') && !manner)
    fail('P0538', { what: 'reference', why: `${lossName} is given a reference of its own` }, at('reference'));
  if (fields.has('pack') && data.layout !== 'pairs')
    fail('P0538', { what: 'pack', why: `the rows are ${data.layout}, not pairs` }, at('pack'));
  if (needs.pairs && data.layout !== 'pairs') fail('P0504', { what: lossName, layout: data.layout }, at('loss'));
  const evaluation = evaluationOf(place, fields.get('eval'), data, { steps, stepsPerEpoch, where });
  const checkpoint = fields.get('checkpoint');
  const checkpointEvery = checkpoint?.every && every(place, checkpoint.every, 'checkpoint', { steps, stepsPerEpoch, where });
  for (const [field, interval] of [
    ['eval', evaluation?.every],
    ['checkpoint', checkpointEvery],
  ] as const)
    if (interval !== undefined && interval > steps)
      diagnostics.push(report('P0534', { field, every: interval, steps }, fields.get(field)?.span ?? span));
  const clip = norm(value('clip'), at('clip'));
  return {
    model: { ...withAdapters(part.model, part.trained), ...(separate ? { separate } : {}) },
    trained: part.trained,
    frozen: frozen ? frozenParts(frozen, at('freeze')) : [],
    data,
    loss: { ...loss, span: loss.span ?? at('loss') },
    ...(reference ? { reference } : {}),
    liveReference: manner === 'live',
    ...(recompute ? { recompute } : {}),
    optimizer,
    ...(clip === undefined ? {} : { clip }),
    batch,
    micro,
    steps,
    stepsPerEpoch,
    ...(evaluation ? { evaluate: evaluation } : {}),
    checkpointEvery: checkpointEvery ?? Math.max(1, Math.min(100, Math.ceil(steps / 4))),
  };
}

/** A part that is frozen has no rate. */
function frozenParts(value: Value, span: Span): TrainedPart[] {
  const parts = partsOf(value, span);
  const rated = parts.find(({ rate }) => rate !== undefined);
  return rated ? fail('P0301', { expected: 'parts to freeze', found: `${rated.name} at a rate of its own` }, span) : parts;
}

/** The largest norm of the gradients. */
function norm(value: Value | undefined, span: Span): number | undefined {
  if (value === undefined) return undefined;
  if (value.kind === 'number' && value.unit === undefined && value.value > 0 && Number.isFinite(Math.fround(value.value)))
    return value.value;
  return fail('P0301', { expected: 'a norm above 0 for clip, such as 1.0', found: describe(value) }, span);
}

/** The word that a field is, if it is one of these: `reference live`. */
function isOneOf(e: Expression | undefined, words: readonly string[]): string | undefined {
  return e?.kind === 'Identifier' && words.includes(e.name) ? e.name : undefined;
}

/** As `isOneOf`, for fields that take nothing else. */
function oneOf(place: Place, e: Expression | undefined, words: readonly string[]): string | undefined {
  return isOneOf(e, words) ?? (e && fail('P0301', { expected: words.join(' or '), found: describe(place.evaluate(e)) }, e.span));
}

export function subject(value: Value, span: Span): SubjectValue {
  return value.kind === 'subject' ? value : fail('P0301', { expected: 'a stage, such as align or post.dpo', found: describe(value) }, span);
}

function definition(value: Value | undefined, keyword: 'loss' | 'optimizer', span: Span): BoundValue {
  if (value?.kind === 'bound' && value.definition.keyword === keyword) {
    requireComplete(value, span);
    return value;
  }
  return fail(
    'P0301',
    {
      expected: `${keyword === 'loss' ? 'a loss, such as dpo(beta: 0.1)' : 'an optimizer, such as adamw(lr: 1e-3)'}`,
      found: value ? describe(value) : 'nothing',
    },
    span,
  );
}

/** A plain whole number of at least 1, for the field `name`. */
function count(value: Value | undefined, name: string, where: string, span: Span): number {
  if (value?.kind !== 'number')
    return fail('P0301', { expected: `a whole number for ${name}`, found: value ? describe(value) : 'nothing' }, span);
  if (value.unit && !['rows', 'steps'].includes(value.unit))
    return fail('P0302', { expected: `a plain number for ${name}`, found: describe(value) }, span);
  if (!(value.value >= 1) || !Number.isFinite(value.value))
    return fail('P0320', { name, of: where, wanted: 'at least 1', found: describe(value), nearest: '' }, span);
  if (!Number.isInteger(value.value)) return fail('P0303', { found: describe(value), what: name }, span);
  return value.value;
}

function stepCount(steps: Value | undefined, epochs: Value | undefined, stepsPerEpoch: number, where: string, span: Span): number {
  const value = epochs ?? steps;
  if (value?.kind !== 'number') return fail('P0301', { expected: 'a number of steps', found: value ? describe(value) : 'nothing' }, span);
  if (value.unit && value.unit !== 'steps' && value.unit !== 'epochs')
    return fail('P0302', { expected: 'steps or epochs', found: describe(value) }, span);
  if (epochs && value.unit === 'steps') return fail('P0302', { expected: 'a number of epochs', found: describe(value) }, span);
  const inEpochs = epochs !== undefined || value.unit === 'epochs';
  const length = inEpochs ? Math.round(value.value * stepsPerEpoch) : count(value, 'steps', where, span);
  const name = epochs ? 'epochs' : 'steps';
  if (!(length >= 1))
    return fail('P0320', { name, of: where, wanted: 'one step long at least', found: describe(value), nearest: '' }, span);
  if (length > LIMITS.steps.most)
    fail('P0701', { limit: 'steps', found: length, where: inEpochs ? `these epochs of ${stepsPerEpoch} steps` : 'here' }, span);
  return length;
}

interface Interval {
  steps: number;
  stepsPerEpoch: number;
  where: string;
}

function every(place: Place, e: Expression, name: string, { steps, stepsPerEpoch, where }: Interval): number {
  const value = place.evaluate(e);
  if (value.kind !== 'number') return fail('P0301', { expected: 'a number of steps', found: describe(value) }, e.span);
  if (value.unit && !['steps', 'epochs', '%'].includes(value.unit))
    return fail('P0302', { expected: 'steps, epochs or %', found: describe(value) }, e.span);
  const found = value.unit ? Math.max(1, inSteps(value, { steps, stepsPerEpoch })) : value.value;
  if (!(value.value > 0))
    return fail('P0320', { name: `${name} every`, of: where, wanted: 'at least 1 step', found: describe(value), nearest: '' }, e.span);
  return count({ kind: 'number', value: found }, `${name} every`, where, e.span);
}

function evaluationOf(
  place: Place,
  field: Field | undefined,
  data: DataValue,
  length: Interval,
): { every: number; data: DataValue } | undefined {
  if (!field) return undefined;
  if (!field.every || !field.on) return fail('P0512', { names: [field.every ? 'on' : 'every'], where: 'eval' }, field.span);
  const on = makeData(place.universe.context, place.evaluate(field.on), field.on.span);
  requireFiles(place.universe, on, field.on.span);
  for (const key of ['layout', 'image', 'prompt', 'answer'] as const) {
    if (on[key] !== data[key]) fail('P0601', { what: key, first: String(data[key]), second: String(on[key]) }, field.on.span);
  }
  return { every: every(place, field.every, 'eval', length), data: on };
}

/** Files that data are read from must be there, and say what can be done, before anything runs. */
function requireFiles({ host }: Universe, data: DataValue, span: Span): void {
  for (const { folder, processor, bound } of data.mix ?? [data]) {
    const at = (value: string): Span =>
      [...(bound?.given ?? [])].flatMap(([name, given]) =>
        given.kind === 'string' && given.value === value ? (bound?.spans?.get(name) ?? []) : [],
      )[0] ?? span;
    if (folder !== undefined && host.hash(folder) === undefined) fail('P0510', { file: folder }, at(folder));
    if (processor !== undefined) checkProcessor(host, processor.replace(/\/+$/, ''), at(processor));
  }
}

/** The model of a stage: named, or the one whose part is trained, or the only one of the text. */
export function modelOf(universe: Universe, named: Value | undefined, trained: Value | undefined, span: Span): ModelValue {
  if (named?.kind === 'model') return named;
  if (named) return fail('P0301', { expected: 'a model', found: describe(named) }, span);
  const whole = wholeOf(trained);
  if (whole?.kind === 'model') return whole;
  const { main } = universe.loaded;
  const models = [...main.declarations.values()].filter((d) => d.kind === 'Binding' && d.keyword === 'model');
  if (models.length === 1) {
    const value = moduleScope(main).lookup(models[0].name.text);
    if (value?.kind === 'model') return value;
  }
  return fail('P0512', { names: ['model'], where: models.length === 0 ? 'the text' : 'a stage of a text with several models' }, span);
}

/** A model as a stage trained it: with the adapters that it has there. */
export function asTrained(model: ModelValue, stage: { train?: Pick<TrainFields, 'model'> }): ModelValue {
  return stage.train?.model.path === model.path ? stage.train.model : model;
}
