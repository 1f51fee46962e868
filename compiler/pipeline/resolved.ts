/**
 * Every value that a stage uses, and where it came from: what is written in the text, what a parameter's default gave, down
 * through losses, optimizers, schedules, data and the parts of the model. `pivot show` prints it and the report keeps it.
 */
import { describe } from '../elaborate/values.ts';
import type { BoundValue, DataValue, InstanceValue, ModelValue, Value } from '../elaborate/values.ts';
import { tensorParameters } from '../elaborate/calls.ts';
import { followsSeed, rowsInWords } from './seeds.ts';
import type { TrainedPart } from './trained-parts.ts';
import type { TrainFields } from './training-fields.ts';

export interface Resolved {
  name: string;
  value: string;
  origin: string;
}

/** The values of one stage beyond its own fields, each under the field that it belongs to. */
export function resolvedValues(id: string, train: TrainFields): Resolved[] {
  return [
    ...ofModel(id, train.model),
    ...train.trained.flatMap((part) => ofRate(`${id}.train.${part.name}`, part)),
    ...ofData(`${id}.on`, train.data),
    ...ofBound(`${id}.loss`, train.loss),
    ...ofBound(`${id}.optimize`, train.optimizer),
    ...(train.evaluate ? ofData(`${id}.eval.on`, train.evaluate.data) : []),
  ];
}

function ofModel(id: string, model: ModelValue): Resolved[] {
  const { form } = model;
  const parts: InstanceValue[] = form.kind === 'arrow' ? [form.encoder, form.connector, form.language] : [form.layer];
  return parts.flatMap((part) => ofBound(`${id}.${part.path}`, part.bound));
}

/** A rate of a part's own. */
function ofRate(name: string, { rate }: TrainedPart): Resolved[] {
  if (!rate) return [];
  if ('share' in rate) return [{ name: `${name}.rate`, value: `${100 * rate.share}% of the stage's`, origin: 'the text' }];
  return rate.kind === 'bound'
    ? [{ name: `${name}.rate`, value: rate.definition.name.text, origin: 'the text' }, ...ofBound(`${name}.rate`, rate)]
    : [{ name: `${name}.rate`, value: describe(rate), origin: 'the text' }];
}

function ofData(name: string, data: DataValue): Resolved[] {
  const { mix, sampled, bound, exchanged } = data;
  const swapped = exchanged === undefined ? [] : [{ name: `${name}.exchanged`, value: `${100 * exchanged} %`, origin: 'the text' }];
  if (mix) return [...mix.flatMap((part, i) => ofData(`${name}[${i}]`, part)), ...swapped];
  const rows = { name: `${name}.rows`, value: rowsInWords(data), origin: followsSeed(data) ? 'default' : 'the text' };
  // What `seed` means is told by `rows`.
  if (!sampled) return [...(bound ? ofBound(name, bound).filter((one) => one.name !== `${name}.seed`) : []), rows, ...swapped];
  const { subject, on, perPrompt, temperature, rank } = sampled;
  const given = (key: string, value: string): Resolved => ({ name: `${name}.${key}`, value, origin: 'sample' });
  return [
    given('model', describe(subject)),
    given('per_prompt', String(perPrompt)),
    given('temperature', String(temperature)),
    ...(rank === undefined ? [] : [given('rank', rank)]),
    ...ofData(`${name}.on`, on).filter((one) => one.name !== `${name}.on.rows`),
    rows,
    ...swapped,
  ];
}

/** Arguments of a definition, given or by default; schedules and parts below them likewise. */
function ofBound(name: string, bound: BoundValue): Resolved[] {
  const { definition, module } = bound;
  const perCall = new Set(tensorParameters(definition).map((p) => p.name.text));
  return definition.params.flatMap((p): Resolved[] => {
    const at = `${name}.${p.name.text}`;
    const given = bound.given.get(p.name.text);
    if (given?.kind === 'bound') return [{ name: at, value: given.definition.name.text, origin: 'the text' }, ...ofBound(at, given)];
    if (given) return [{ name: at, value: worded(given), origin: 'the text' }];
    if (perCall.has(p.name.text) || !p.default) return [];
    return [{ name: at, value: module.text.slice(p.default.span.start, p.default.span.end), origin: `default of ${definition.name.text}` }];
  });
}

function worded(value: Value): string {
  return value.kind === 'instance' || value.kind === 'tokenizer' ? describe(value).replace(/^the /, '') : describe(value);
}
