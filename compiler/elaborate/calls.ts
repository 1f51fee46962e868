/**
 * Calls: arguments meet parameters, layers run on tensors.
 *
 * A layer's parameters are of two kinds. Those with a shape or a record type are given at each call; the others make the
 * layer what it is and are given when it is declared (`part up = linear(width: 64)`). A call that gives only the second
 * kind is a declaration (a bound value); a call that gives the first kind runs the body.
 */
import { nearest } from '../../grammar/index.ts';
import type { Argument, Definition, Expression, Parameter, Span } from '../../grammar/index.ts';
import type { Module } from '../modules/modules.ts';
import { checkRequirements, mergeArguments, nameOf } from './arguments.ts';
import { callBuiltin } from './builtins.ts';
import { Context } from './context.ts';
import { evaluate } from './expressions.ts';
import { Fault, fail, within } from './fault.ts';
import { moduleScope } from './names.ts';
import { convert } from './parameters.ts';
import { Scope } from './scope.ts';
import { matchShape } from './shapes.ts';
import { runBody } from './statements.ts';
import { describe, tensor } from './values.ts';
import type { Adapter, BoundValue, InstanceValue, RecordTypeValue, RecordValue, Value } from './values.ts';

type CallExpression = Extract<Expression, { kind: 'Call' }>;

/** An evaluated argument. */
export interface Given {
  name?: string;
  value: Value;
  span: Span;
}

/** Deep enough for any model, shallow enough for the stack. */
const DEEPEST = 200;

export function call(ctx: Context, e: CallExpression, scope: Scope): Value {
  const callee = evaluate(ctx, e.callee, scope);
  const given = e.arguments.map((a: Argument) => ({
    ...(a.name ? { name: a.name.text } : {}),
    value: evaluate(ctx, a.value, scope),
    span: a.span,
  }));
  return apply(ctx, callee, given, e.span);
}

export function apply(ctx: Context, callee: Value, given: Given[], span: Span): Value {
  switch (callee.kind) {
    case 'builtin':
      return callBuiltin(ctx, callee.name, given, span);
    case 'function': {
      const scope = new Scope(callee.scope);
      if (given.length !== callee.params.length)
        fail('P0213', { of: callee.name, wanted: callee.params.length, found: given.length }, span);
      for (const [name, value] of byParameter(callee, given)) scope.define(name, value);
      return within(span, `in ${callee.name}`, () => evaluate(ctx, callee.body, scope));
    }
    case 'closure':
      return callee.call(ctx, given, span);
    case 'recordType':
      return makeRecord(ctx, callee, given, span);
    case 'data':
      return callee.bound ? apply(ctx, callee.bound, given, span) : fail('P0304', { found: describe(callee) }, span);
    case 'bound': {
      const { definition } = callee;
      const declared = { ...callee, ...mergeArguments(callee, given) };
      if (definition.keyword === 'layer' && tensorParameters(definition).some((p) => declared.given.has(p.name.text)))
        return runLayer(ctx, declared, undefined, span);
      checkRequirements(ctx, declared);
      return { ...declared, span };
    }
    case 'instance':
      return runLayer(ctx, { ...callee.bound, ...mergeArguments(callee.bound, given) }, callee, span);
    default:
      return fail('P0304', { found: describe(callee) }, span);
  }
}

/** The arguments of a function of the text: by name, the rest in the order of the parameters that are still open. */
function byParameter({ name: of, params }: Extract<Value, { kind: 'function' }>, given: readonly Given[]): Map<string, Value> {
  const result = new Map<string, Value>();
  const open = params.filter((p) => !given.some((g) => g.name === p));
  for (const { name = open.shift(), value, span } of given) {
    if (name === undefined) return fail('P0213', { of, wanted: params.length, found: given.length }, span);
    if (!params.includes(name)) fail('P0209', { name, of, nearest: nearest(name, params) ?? '', known: params.join(', ') }, span);
    if (result.has(name)) fail('P0212', { name, of }, span);
    result.set(name, value);
  }
  return result;
}

/** Parameters that are given at each call of a layer. */
export function tensorParameters(definition: Definition): Parameter[] {
  return definition.params.filter(
    (p) => p.type !== undefined && (p.type.shape !== undefined || (p.type.name !== undefined && /^[A-Z]/.test(p.type.name.text))),
  );
}

function makeRecord(ctx: Context, type: RecordTypeValue, given: Given[], span: Span): RecordValue {
  const fields = new Map<string, Value>();
  const scope = new Scope();
  given.forEach((g, i) => {
    const field = g.name === undefined ? type.fields[i] : type.fields.find((f) => f.name === g.name);
    if (!field)
      fail(
        'P0209',
        {
          name: g.name ?? '',
          of: `record ${type.name}`,
          nearest:
            nearest(
              g.name ?? '',
              type.fields.map((f) => f.name),
            ) ?? '',
          known: type.fields.map((f) => f.name).join(', '),
        },
        g.span,
      );
    fields.set(
      field.name,
      field.type.shape ? matchShape(ctx, field.type, g.value, scope, `${field.name} of ${type.name}`, g.span) : g.value,
    );
  });
  const missing = type.fields.filter((field) => !fields.has(field.name)).map((field) => field.name);
  if (missing.length > 0) fail('P0210', { names: missing, of: `record ${type.name}` }, span);
  return { kind: 'record', type: type.name, fields };
}

/**
 * The scope of a definition's body: every parameter bound, in the order in which they are declared, so that a default may
 * use the parameters before it. Named dimensions of tensor arguments are bound as they are met. `wrap` may replace what is
 * not a tensor (losses and optimizers make scalars of their numbers).
 */
export function bindParameters(
  ctx: Context,
  bound: BoundValue,
  module: Module,
  span: Span,
  wrap: (name: string, value: Value) => Value = (_, value) => value,
): Scope {
  const { definition, given } = bound;
  const of = nameOf(definition);
  const scope = new Scope(moduleScope(module));
  const tensors = new Set(tensorParameters(definition).map((p) => p.name.text));
  // What makes the layer comes first: shapes of tensor parameters may use it (`[N, T, width]`), defaults may use dimensions.
  const late: Parameter[] = [];
  for (const p of definition.params) {
    if (tensors.has(p.name.text)) continue;
    const value = given.get(p.name.text);
    if (value) scope.define(p.name.text, wrap(p.name.text, value));
    else late.push(p);
  }
  const literal = late.filter(
    (p) => p.default && ['NumberLiteral', 'BoolLiteral', 'StringLiteral', 'NoneLiteral'].includes(p.default.kind),
  );
  for (const p of literal) scope.define(p.name.text, wrap(p.name.text, byDefault(ctx, p, scope, of)));
  for (const p of definition.params) {
    if (!tensors.has(p.name.text)) continue;
    const value = given.get(p.name.text) ?? (p.default ? evaluate(ctx, p.default, scope) : undefined);
    if (!value) fail('P0210', { names: [p.name.text], of }, span);
    const shaped = p.type?.shape ? matchShape(ctx, p.type, value, scope, `${p.name.text} of ${of}`, span) : checkRecord(p, value, of, span);
    scope.define(p.name.text, shaped);
  }
  for (const p of late) {
    if (literal.includes(p)) continue;
    if (!p.default) fail('P0210', { names: [p.name.text], of }, span);
    scope.define(p.name.text, wrap(p.name.text, byDefault(ctx, p, scope, of)));
  }
  return scope;
}

function byDefault(ctx: Context, p: Parameter, scope: Scope, of: string): Value {
  const expression = p.default as Expression;
  return convert(p, evaluate(ctx, expression, scope), of, expression.span);
}

function checkRecord(p: Parameter, value: Value, of: string, span: Span): Value {
  const wanted = p.type?.name?.text;
  if (value.kind === 'record' && value.type === wanted) return value;
  return fail('P0301', { expected: `a record ${wanted} (${p.name.text} of ${of})`, found: describe(value) }, span);
}

/** Runs a layer's body. Without a place (`instance`) it may hold no weights. */
function runLayer(ctx: Context, bound: BoundValue, instance: InstanceValue | undefined, span: Span): Value {
  const { definition, module } = bound;
  if (ctx.depth >= DEEPEST) fail('P0408', { of: definition.name.text }, span);
  ctx.depth++;
  try {
    return madeWith(bound, () =>
      within(span, `in layer ${definition.name.text}${instance ? ` (${instance.path})` : ''}`, () => {
        const scope = bindParameters(ctx, bound, module, span);
        const label = instance?.path;
        const run = (): Value => {
          const result = definition.composite ? composite(ctx, bound, scope) : runBody(ctx, definition, scope, instance);
          if (definition.result?.shape)
            return matchShape(ctx, definition.result, result, scope, `the result of ${definition.name.text}`, definition.result.span);
          return result;
        };
        if (label === undefined) return run();
        const value = ctx.builder.withLabel(`${ctx.prefix}${label}`, run);
        ctx.returned.set(`${ctx.prefix}${label}`, value);
        return value;
      }),
    );
  } finally {
    ctx.depth--;
  }
}

/** Runs `fn`; where a limit is exceeded within it, the fault also says the largest number that the layer is made with, and where. */
function madeWith<T>({ definition, given, span }: BoundValue, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    if (error instanceof Fault && error.diagnostic.code === 'P0701' && span) {
      let [name, most] = ['', 0];
      for (const [key, value] of given) if (value.kind === 'number' && value.value > most) [name, most] = [key, value.value];
      if (most > 0)
        error.diagnostic.trace = [...(error.diagnostic.trace ?? []), { span, text: `${definition.name.text} has ${name}: ${most}` }];
    }
    throw error;
  }
}

/** A named composite: the body becomes a graph of its own, which a target may replace by a better lowering. */
function composite(ctx: Context, bound: BoundValue, scope: Scope): Value {
  const { definition } = bound;
  const inner = new Context();
  inner.inComposite = true;
  const local = new Scope(scope);
  const args = tensorParameters(definition).flatMap((p) => {
    const value = scope.lookup(p.name.text);
    return value?.kind === 'tensor' ? [{ name: p.name.text, node: value.node }] : [];
  });
  args.forEach((a, i) => local.define(a.name, tensor(inner.builder.input(`arg${i}`, a.node.shape, a.node.dtype))));
  const result = runBody(inner, definition, local, undefined);
  if (result.kind !== 'tensor')
    return fail(
      'P0301',
      { expected: `a tensor from composite layer ${definition.name.text}`, found: describe(result) },
      definition.name.span,
    );
  const body = { outputs: [{ kind: 'output' as const, name: 'out', node: result.node }] };
  return tensor(
    ctx.builder.composite(
      definition.name.text,
      args.map((a) => a.node),
      body,
    ),
  );
}

/** Gives a bound layer its place in the model. */
export function instantiate(bound: BoundValue, path: string, stored = bound.stored, adapter?: Adapter): InstanceValue {
  return { kind: 'instance', bound, path, ...(stored ? { stored } : {}), ...(adapter ? { adapter } : {}) };
}
