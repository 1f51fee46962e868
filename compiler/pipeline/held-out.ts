/**
 * Rows that a probe asks for by `on(split: "held-out", count: rows)`. A source that draws its rows has them in splits. Files have none: there the
 * text names rows of its own that nothing was trained on, and of these the probe takes no more than there are.
 */
import type { Span } from '../../grammar/index.ts';
import { apply } from '../elaborate/calls.ts';
import type { Given } from '../elaborate/calls.ts';
import type { Context } from '../elaborate/context.ts';
import type { Value } from '../elaborate/values.ts';

const HELD_OUT = 'held-out';

/** Data as a probe's body calls them; any other value is itself. */
export function heldOut(value: Value): Value {
  const bound = value.kind === 'data' ? value.bound : value;
  if (bound?.kind !== 'bound' || bound.definition.keyword !== 'source') return value;
  if (bound.definition.params.some((p) => p.name.text === 'split')) return value;
  const call = (ctx: Context, given: Given[], span: Span): Value => {
    const others = given.filter((one) => !isSplit(one)).map((one) => atMost(one, bound.given.get('count')));
    return apply(ctx, bound, others, span);
  };
  return { kind: 'closure', name: bound.definition.name.text, call };
}

/** Other splits are for fitting, and files have no second set of rows for that. */
function isSplit({ name, value }: Given): boolean {
  return name === 'split' && value.kind === 'string' && value.value === HELD_OUT;
}

function atMost(given: Given, own: Value | undefined): Given {
  if (given.name !== 'count' || own?.kind !== 'number' || given.value.kind !== 'number' || own.value >= given.value.value) return given;
  return { ...given, value: own };
}
