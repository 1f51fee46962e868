/**
 * Arguments of a definition: by name or in order, each converted and compared with its domain where it is given. What a body requires of arguments
 * that are known then (`require image % patch == 0`) is checked there too, whether the body will ever run or not.
 */
import { nearest, walk } from '../../grammar/index.ts';
import type { Definition, Expression, Parameter, Span, Statement } from '../../grammar/index.ts';
import { tensorParameters } from './calls.ts';
import type { Given } from './calls.ts';
import type { Context } from './context.ts';
import { condition, evaluate } from './expressions.ts';
import { Fault, fail } from './fault.ts';
import { moduleScope, namesOf } from './names.ts';
import { convert } from './parameters.ts';
import { Scope } from './scope.ts';
import { describe } from './values.ts';
import type { BoundValue, Value } from './values.ts';

/** Parameters that whoever runs a definition gives, not the text that names it. */
const GIVEN_LATER: Partial<Record<Definition['keyword'], readonly string[]>> = { schedule: ['step', 'steps'] };

/** How messages call a definition: `layer vit`. */
export function nameOf({ keyword, name }: Definition): string {
  return `${keyword} ${name.text}`;
}

/** Adds the arguments of a call to those given before: by name, the rest in the order of the parameters that are still open. */
export function mergeArguments(bound: BoundValue, given: readonly Given[]): Pick<BoundValue, 'given' | 'spans'> {
  const { definition } = bound;
  const of = nameOf(definition);
  const result = new Map(bound.given);
  const spans = new Map(bound.spans);
  const named = new Set<string>();
  const tensors = new Set(tensorParameters(definition));
  const open = definition.params.filter((p) => !result.has(p.name.text) && !given.some((g) => g.name === p.name.text));
  let next = 0;
  for (const g of given) {
    const parameter = g.name === undefined ? open[next++] : definition.params.find((p) => p.name.text === g.name);
    const names = definition.params.map((p) => p.name.text);
    if (!parameter) {
      if (g.name === undefined) fail('P0211', { of, most: definition.params.length }, g.span);
      fail('P0209', { name: g.name, of, nearest: nearest(g.name, names) ?? '', known: names.join(', ') }, g.span);
    }
    const name = parameter.name.text;
    if (g.name === undefined && !mayStandFor(parameter, tensors, g.value))
      fail('P0214', { of, found: describe(g.value), names: namedParameters(definition).map((p) => p.name.text) }, g.span);
    if (named.has(name)) fail('P0212', { name, of }, g.span);
    named.add(name);
    result.set(name, convert(parameter, entered(g), of, g.span));
    spans.set(name, g.span);
  }
  return { given: result, spans };
}

/** A number that comes in by a text other than the standard library's remembers where. */
function entered({ value, span }: Given): Value {
  return value.kind === 'number' && value.at === undefined && !isLibrary(span) ? { ...value, at: span } : value;
}

export function isLibrary(span: Span): boolean {
  return span.file.startsWith('std:');
}

/** Whether a value without a name can be meant for a parameter that is a tensor or a record; of others their type decides. */
function mayStandFor(parameter: Parameter, tensors: ReadonlySet<Parameter>, value: Value): boolean {
  if (!tensors.has(parameter)) return true;
  if (value.kind === 'number') return parameter.type?.shape?.length === 0;
  return !['string', 'bool', 'bound', 'data', 'tokenizer', 'subject', 'list'].includes(value.kind);
}

/** Parameters that a declaration gives: neither tensors nor what only the run knows. */
function namedParameters(definition: Definition): Parameter[] {
  const tensors = new Set(tensorParameters(definition));
  const later = GIVEN_LATER[definition.keyword] ?? [];
  return definition.params.filter((p) => !tensors.has(p) && !later.includes(p.name.text));
}

/** Tells everything that a declared layer, loss, schedule, optimizer, source or probe still lacks, in one error at `span`. */
export function requireComplete({ definition, given, span: at }: BoundValue, span: Span): void {
  const missing = namedParameters(definition).filter((p) => !p.default && !p.type?.optional && !given.has(p.name.text));
  if (missing.length > 0) fail('P0210', { names: missing.map((p) => p.name.text), of: nameOf(definition) }, at ?? span);
}

/** Checks the `require`s that a body begins with as far as the arguments of a declaration decide them. */
export function checkRequirements(ctx: Context, bound: BoundValue): void {
  const { definition, module, given } = bound;
  const requirements = leading(definition);
  if (requirements.length === 0) return;
  const scope = new Scope(moduleScope(module));
  const known = new Set(namesOf(module));
  const later = new Set<string>(GIVEN_LATER[definition.keyword]);
  for (const p of definition.params) known.delete(p.name.text);
  const isKnown = (e: Expression): boolean => identifiers(e).every((name) => known.has(name));
  for (const p of definition.params) {
    if (p.type?.shape || later.has(p.name.text)) continue;
    const value = given.get(p.name.text) ?? (p.default && isKnown(p.default) ? evaluate(ctx, p.default, scope) : undefined);
    if (!value) continue;
    scope.define(p.name.text, value);
    known.add(p.name.text);
  }
  for (const s of requirements) {
    if (s.kind === 'Let') {
      known.delete(s.name.text);
      if (s.params || s.shape || !isKnown(s.value)) continue;
      scope.define(s.name.text, evaluate(ctx, s.value, scope));
      known.add(s.name.text);
    } else if (isKnown(s.condition) && isKnown(s.message)) requirement(ctx, s, scope, bound);
  }
}

type Leading = Extract<Statement, { kind: 'Let' | 'Require' }>;
const LEADING = new WeakMap<Definition, Leading[]>();

/** The `let`s and `require`s at the head of a body; none where nothing is required. */
function leading(definition: Definition): Leading[] {
  const before = LEADING.get(definition);
  if (before) return before;
  const body = definition.body ?? [];
  const end = body.findIndex((s) => s.kind !== 'Let' && s.kind !== 'Require');
  const head = body.slice(0, end < 0 ? body.length : end).filter((s): s is Leading => s.kind === 'Let' || s.kind === 'Require');
  const result = head.some((s) => s.kind === 'Require') ? head : [];
  LEADING.set(definition, result);
  return result;
}

function identifiers(e: Expression): string[] {
  const found = new Set<string>();
  walk(e, (node) => {
    if (node.kind === 'Identifier') found.add(node.name);
  });
  return [...found];
}

/**
 * A `require` that does not hold is told with the numbers that collide, at the last argument of the user's text among them, else where
 * it stands.
 */
export function requirement(ctx: Context, s: Extract<Statement, { kind: 'Require' }>, scope: Scope, bound?: BoundValue): void {
  if (condition(ctx, s.condition, scope)) return;
  const said = evaluate(ctx, s.message, scope);
  const names = identifiers(s.condition);
  const values = names.flatMap((name) => {
    const value = scope.lookup(name);
    return value && ['number', 'string', 'bool', 'none'].includes(value.kind) ? [{ name, value }] : [];
  });
  const message = said.kind === 'string' ? said.value : describe(said);
  const places = values.flatMap(({ name, value }) => {
    const given = bound?.spans?.get(name);
    if (given && !isLibrary(given)) return [given];
    return value.kind === 'number' && value.at ? [value.at] : [];
  });
  const place = places.reduce<Span | undefined>((last, one) => (last && last.start > one.start ? last : one), undefined);
  const collide = values.map(({ name, value }) => `\`${name}\` is ${describe(value)}`).join(', ');
  try {
    fail('P0404', { message, collide }, place ?? s.condition.span);
  } catch (error) {
    if (place && error instanceof Fault) error.diagnostic.trace = [{ span: s.condition.span, text: 'required here' }];
    throw error;
  }
}
