/** Runs the body of a definition: statements in order, `repeat` and `if` decided while compiling, until a `return`. */
import { LIMITS } from '../../grammar/index.ts';
import type { Definition, Span, Statement } from '../../grammar/index.ts';
import { requireComplete, requirement } from './arguments.ts';
import { instantiate } from './calls.ts';
import type { Context } from './context.ts';
import { condition, evaluate, unknownName } from './expressions.ts';
import { fail } from './fault.ts';
import { Scope } from './scope.ts';
import { evaluateShape, matchShape } from './shapes.ts';
import { describe, number, tensor } from './values.ts';
import type { BoundValue, InstanceValue, Value } from './values.ts';
import type { Init } from '../../plan/plan.ts';
import type { Node } from '../graph/graph.ts';
import { partsOf } from '../graph/parts.ts';
import { storedWeight } from './stored.ts';
import type { Stored } from './stored.ts';

/** What a statement may do beyond computing, by the kind of body that it stands in. */
export interface Body {
  /** The layer with a place in the model that is running; weights and parts need one. */
  instance?: InstanceValue;
  /** `state m like p` of an optimizer. */
  state?: (name: string, like: Value, span: Span) => Value;
  /** `embed`, `train`, `keep` and `score` of a probe. */
  probe?: (statement: Extract<Statement, { kind: 'Embed' | 'Train' | 'Keep' | 'Score' }>, scope: Scope) => void;
}

/** Runs a definition that must return a value. */
export function runBody(ctx: Context, definition: Definition, scope: Scope, instance: InstanceValue | undefined): Value {
  if (!definition.body)
    return definition.value ? evaluate(ctx, definition.value, scope) : fail('P0407', { of: definition.name.text }, definition.name.span);
  const result = runStatements(ctx, definition.body, scope, { instance });
  return result ?? fail('P0407', { of: `${definition.keyword} ${definition.name.text}` }, definition.name.span);
}

/** The value of the first `return` met, if any. */
export function runStatements(ctx: Context, statements: readonly Statement[], scope: Scope, body: Body): Value | undefined {
  for (const statement of statements) {
    const result = run(ctx, statement, scope, body);
    if (result) return result;
  }
  return undefined;
}

function run(ctx: Context, s: Statement, scope: Scope, body: Body): Value | undefined {
  switch (s.kind) {
    case 'Let':
      if (s.params) {
        scope.define(s.name.text, { kind: 'function', name: s.name.text, params: s.params.map((p) => p.text), body: s.value, scope });
      } else {
        const value = evaluate(ctx, s.value, scope);
        scope.define(s.name.text, s.shape ? matchShape(ctx, s.shape, value, scope, `\`${s.name.text}\``, s.value.span) : value, true);
      }
      return undefined;
    case 'Assign': {
      const value = evaluate(ctx, s.value, scope);
      if (scope.assign(s.name.text, value)) return undefined;
      if (!scope.lookup(s.name.text)) unknownName(s.name.text, scope, s.name.span);
      return fail('P0308', { name: s.name.text }, s.name.span);
    }
    case 'Weight':
      scope.define(s.name.text, weight(ctx, s, scope, body.instance));
      return undefined;
    case 'Part': {
      const value = evaluate(ctx, s.value, scope);
      if (value.kind !== 'bound' || value.definition.keyword !== 'layer')
        return fail('P0301', { expected: `a layer for the part ${s.name.text}`, found: describe(value) }, s.value.span);
      const outer = body.instance?.path;
      if (outer === undefined) return fail('P0406', { name: s.name.text }, s.name.span);
      requireComplete(value, s.value.span);
      if (!s.index) {
        scope.define(
          s.name.text,
          instantiate(value, `${outer}.${s.name.text}`, below(body.instance, value, `${s.name.text}.`), body.instance?.adapter),
        );
        return undefined;
      }
      const at = evaluate(ctx, s.index, scope);
      if (at.kind !== 'number' || !Number.isInteger(at.value))
        return fail('P0301', { expected: 'a whole number', found: describe(at) }, s.index.span);
      const before = scope.lookup(s.name.text);
      const items = before?.kind === 'list' ? [...before.items] : [];
      items[at.value] = instantiate(
        value,
        `${outer}.${s.name.text}.${at.value}`,
        below(body.instance, value, `${s.name.text}.${at.value}.`),
        body.instance?.adapter,
      );
      scope.define(s.name.text, { kind: 'list', items });
      return undefined;
    }
    case 'Repeat': {
      const over = evaluate(ctx, s.over, scope);
      const rounds = over.kind === 'range' ? over.to - over.from : over.kind === 'list' ? over.items.length : 0;
      if (rounds > LIMITS.repeat.most) fail('P0701', { limit: 'repeat', found: rounds, where: '`repeat`' }, s.over.span);
      const items =
        over.kind === 'range'
          ? Array.from({ length: Math.max(0, over.to - over.from) }, (_, i) => number(over.from + i))
          : over.kind === 'list'
            ? over.items
            : fail('P0301', { expected: 'a range such as 0..depth, or a list', found: describe(over) }, s.over.span);
      for (const item of items) {
        const inner = new Scope(scope);
        inner.define(s.variable.text, item);
        const result = runStatements(ctx, s.body, inner, body);
        if (result) return result;
      }
      return undefined;
    }
    case 'If': {
      const branch = condition(ctx, s.condition, scope) ? s.then : s.otherwise;
      // Parts, weights and states of a branch stay known after it: `if momentum != 0 { state m like p }`.
      return branch ? runStatements(ctx, branch, scope, body) : undefined;
    }
    case 'Return':
      return evaluate(ctx, s.value, scope);
    case 'Expose': {
      const value = evaluate(ctx, s.value, scope);
      const outer = body.instance?.path;
      if (outer === undefined) return fail('P0406', { name: s.name.text }, s.name.span);
      ctx.exposed.set(`${ctx.prefix}${outer}.${s.name.text}`, value);
      scope.define(s.name.text, value, true);
      return undefined;
    }
    case 'Require':
      requirement(ctx, s, scope);
      return undefined;
    case 'StateLike': {
      const like = scope.lookup(s.like.text) ?? unknownName(s.like.text, scope, s.like.span);
      if (!body.state) return fail('P0509', { name: 'state', place: 'an optimizer' }, s.span);
      scope.define(s.name.text, body.state(s.name.text, like, s.span), true);
      return undefined;
    }
    case 'Embed':
    case 'Train':
    case 'Keep':
    case 'Score':
      if (!body.probe) return fail('P0509', { name: s.kind.toLowerCase(), place: 'a probe' }, s.span);
      body.probe(s, scope);
      return undefined;
  }
}

/** Where the weights of a part lie: below those of the layer that it is part of, unless it brings a checkpoint of its own. */
function below(instance: InstanceValue | undefined, part: BoundValue, name: string): Stored | undefined {
  return part.stored ?? (instance?.stored && { ...instance.stored, prefix: `${instance.stored.prefix}${name}` });
}

/** A weight of the running layer: the same node whenever its path is met again in this graph. */
function weight(ctx: Context, s: Extract<Statement, { kind: 'Weight' }>, scope: Scope, instance: InstanceValue | undefined): Value {
  if (!instance) return fail('P0406', { name: s.name.text }, s.name.span);
  const path = `${ctx.prefix}${instance.path}.${s.name.text}`;
  const shape = evaluateShape(ctx, s.shape.shape ?? [], scope);
  const split = ctx.weights.has(`${path}#0`) ? ctx.exposed.get(path) : undefined;
  if (split) return split;
  const known = ctx.weights.get(path);
  if (known) {
    if (known.shape.join() !== shape.join())
      fail('P0405', { path, first: `[${known.shape.join(', ')}]`, second: `[${shape.join(', ')}]` }, s.name.span);
    // With its low-rank change, if it has one.
    return ctx.exposed.get(path) ?? tensor(known.node);
  }
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (size > LIMITS.elements.most) fail('P0701', { limit: 'elements', found: size, where: `the weight ${path}` }, s.name.span);
  const init = evaluate(ctx, s.init, scope);
  if (init.kind !== 'init')
    return fail('P0301', { expected: 'how the weight begins, such as normal(0.02) or zeros()', found: describe(init) }, s.init.span);
  let decay = true;
  for (const option of s.options) {
    if (option.name.text !== 'decay')
      fail('P0209', { name: option.name.text, of: 'weight', nearest: 'decay', known: 'decay' }, option.name.span);
    const value = evaluate(ctx, option.value, scope);
    if (value.kind !== 'bool') fail('P0301', { expected: 'true or false', found: describe(value) }, option.value.span);
    decay = value.value;
  }
  const declare = (own: string, size: number[], rows?: [number, number]): Node => {
    const node = ctx.builder.state(own, size);
    const found = instance.stored && storedWeight(instance.stored, s.name.text, shape);
    const stored = found && (rows ? { ...found, rows } : found);
    ctx.weights.set(own, { path: own, shape: size, init: init.init, decay, node, span: s.name.span, ...(stored ? { stored } : {}) });
    return node;
  };
  const parts = partsOf(shape);
  if (parts.length > 1) {
    // Beyond one binding: several states, `<path>#0` and so on, which no kernel ever sees as one.
    let from = 0;
    const nodes = parts.map((rows, i) => {
      const node = declare(`${path}#${i}`, [rows, ...shape.slice(1)], [from, rows]);
      from += rows;
      return node;
    });
    const whole = tensor(ctx.builder.concat(nodes, 0));
    ctx.exposed.set(path, whole);
    return whole;
  }
  const node = declare(path, shape);
  const value = adapted(ctx, instance, node, s.name.span);
  // A weight can be read from outside once its layer has run: `language.embedding`.
  ctx.exposed.set(path, value);
  return value;
}

/** The matrix with its low-rank change, where an adapter has the running part among its targets. */
function adapted(ctx: Context, instance: InstanceValue, matrix: Node, span: Span): Value {
  const { adapter, path } = instance;
  if (!adapter || matrix.shape.length !== 2 || !adapter.targets.includes(path.slice(path.lastIndexOf('.') + 1))) return tensor(matrix);
  const [a, b] = matrix.shape;
  const { rank, scale } = adapter;
  const weight = matrix.op.kind === 'state' ? matrix.op.name : '';
  const factor = (name: string, shape: number[], init: Init): Node => {
    const own = `${ctx.prefix}${path}.${name}.weight`;
    const node = ctx.weights.get(own)?.node ?? ctx.builder.state(own, shape);
    const side = name === 'lora_A' ? 'down' : 'up';
    ctx.weights.set(own, { path: own, shape, init, decay: true, node, span, adapter: { of: weight, side, rank, scale } });
    return node;
  };
  const down = factor('lora_A', [rank, b], { kind: 'uniform', bound: 1 / Math.sqrt(b) });
  const up = factor('lora_B', [a, rank], { kind: 'constant', value: 0 });
  const change = ctx.builder.einsum('a r, r b -> a b', up, down);
  return tensor(ctx.builder.add(matrix, ctx.builder.mul(change, ctx.builder.constant(scale))));
}
