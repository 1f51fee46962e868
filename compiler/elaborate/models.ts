/** `model mllm = eyes -> merge(hidden: 128) -> head`, or a layer applied to batches: `model clip = towers(encoder: eyes, ...)`. */
import type { Binding, Span } from '../../grammar/index.ts';
import { requireComplete } from './arguments.ts';
import { convert } from './parameters.ts';
import { instantiate } from './calls.ts';
import type { Context } from './context.ts';
import { evaluate } from './expressions.ts';
import { fail } from './fault.ts';
import type { Scope } from './scope.ts';
import { describe } from './values.ts';
import type { BoundValue, InstanceValue, ModelValue, Value } from './values.ts';

export function makeModel(ctx: Context, declaration: Binding, scope: Scope): ModelValue {
  const path = declaration.name.text;
  const e = declaration.value;
  if (e.kind !== 'Arrow') {
    const value = evaluate(ctx, e, scope);
    if (value.kind !== 'bound' || value.definition.keyword !== 'layer')
      return fail('P0301', { expected: 'encoder -> connector -> language, or a layer', found: describe(value) }, e.span);
    const layer = instantiate(complete(value, e.span), path);
    const encoder = value.given.get('encoder');
    return { kind: 'model', path, form: { kind: 'layer', layer, ...(encoder?.kind === 'instance' ? { encoder } : {}) } };
  }
  if (e.steps.length !== 3)
    return fail('P0301', { expected: 'encoder -> connector -> language', found: `${e.steps.length} steps` }, e.span);
  const [encoder, middle, language] = e.steps.map((step) => evaluate(ctx, step, scope));
  const part = (value: typeof encoder, what: string, i: number): InstanceValue =>
    value.kind === 'instance' ? value : fail('P0301', { expected: `a declared ${what}`, found: describe(value) }, e.steps[i].span);
  const head = part(language, 'language model', 2);
  const connector =
    middle.kind === 'instance'
      ? middle
      : middle.kind === 'bound'
        ? instantiate(complete(fillInto(middle, head), e.steps[1].span), `${path}.connector`)
        : fail('P0301', { expected: 'a connector', found: describe(middle) }, e.steps[1].span);
  return { kind: 'model', path, form: { kind: 'arrow', encoder: part(encoder, 'encoder', 0), connector, language: head } };
}

function complete(layer: BoundValue, span: Span): BoundValue {
  requireComplete(layer, span);
  return layer;
}

/** A connector's `into` is the language model's `width` (a checkpoint's `hidden_size`), unless it was given. */
function fillInto(connector: BoundValue, language: InstanceValue): BoundValue {
  const into = connector.definition.params.find((p) => p.name.text === 'into');
  const width = widthOf(language.bound);
  if (!into || !width || connector.given.has('into')) return connector;
  const value = convert(into, width, 'the connector', into.span);
  return { ...connector, given: new Map([...connector.given, ['into', value]]) };
}

function widthOf({ given, definition }: BoundValue): Value | undefined {
  for (const name of ['width', 'hidden_size']) {
    const found = given.get(name);
    if (found) return found;
  }
  const byDefault = definition.params.find((p) => p.name.text === 'hidden_size')?.default;
  return byDefault?.kind === 'NumberLiteral' ? { kind: 'number', value: byDefault.value } : undefined;
}
