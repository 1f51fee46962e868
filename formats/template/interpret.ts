/**
 * Runs the tree of a template. Scopes are Jinja2's: the body of a loop, a macro, a `with`, a block that is set or filtered, and what is between
 * `generation` tags have one each; macros see the scope in which they stand, not that from which they are called.
 */
import { attribute, item, slice } from './attributes.ts';
import { TemplateError, unsupported } from './errors.ts';
import { runFilter } from './filters.ts';
import { Loop } from './loop.ts';
import type { Arguments, Expression, MacroNode, Statement, Target } from './nodes.ts';
import { arithmetic, compare, signed } from './operators.ts';
import { print } from './print.ts';
import { runTest } from './tests.ts';
import { Callable, Dict, fail, Float, isTrue, iterate, List, Namespace, orUndefined, typeName, Undefined } from './values.ts';
import type { Given, Value } from './values.ts';

export class Scope {
  private readonly names = new Map<string, Value>();
  private readonly outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.outer = outer;
  }

  get(name: string): Value | undefined {
    const own = this.names.get(name);
    return own === undefined ? this.outer?.get(name) : own;
  }

  set(name: string, value: Value): void {
    this.names.set(name, value);
  }
}

/** How the rest of a loop's body is left. */
type Leave = 'break' | 'continue' | undefined;

/** Calls inside one another. */
const DEEPEST = 200;

export class Interpreter {
  private readonly out: string[] = [];
  private parts: string[] = this.out;
  private line = 1;
  private loops = 0;
  private calls = 0;

  /** @throws TemplateError with the line at which it came up. */
  run(statements: readonly Statement[], scope: Scope): string {
    try {
      if (this.all(statements, scope) !== undefined) throw new TemplateError('break or continue outside of a loop');
      return this.out.join('');
    } catch (error) {
      if (error instanceof TemplateError) error.line ??= this.line;
      throw error;
    }
  }

  private all(statements: readonly Statement[], scope: Scope): Leave {
    for (const one of statements) {
      const leave = this.statement(one, scope);
      if (leave !== undefined) return leave;
    }
    return undefined;
  }

  /** What statements print. */
  private captured(statements: readonly Statement[], scope: Scope): string {
    const outer = this.parts;
    this.parts = [];
    try {
      if (this.all(statements, scope) !== undefined) throw unsupported('break or continue out of a block');
      return this.parts.join('');
    } finally {
      this.parts = outer;
    }
  }

  private statement(s: Statement, scope: Scope): Leave {
    this.line = s.line;
    switch (s.kind) {
      case 'text':
        this.parts.push(s.text);
        return undefined;
      case 'output':
        this.parts.push(print(this.value(s.value, scope)));
        return undefined;
      case 'if': {
        const branch = s.branches.find(({ test }) => isTrue(this.value(test, scope)));
        return this.all(branch?.body ?? s.otherwise, scope);
      }
      case 'for':
        return this.for(s, scope);
      case 'set':
        this.assign(s.target, this.value(s.value, scope), scope);
        return undefined;
      case 'set_block': {
        const text = this.captured(s.body, new Scope(scope));
        this.assign(s.target, s.filter === undefined ? text : this.filtered(s.filter, text, scope), scope);
        return undefined;
      }
      case 'filter_block':
        this.parts.push(print(this.filtered(s.filter, this.captured(s.body, new Scope(scope)), scope)));
        return undefined;
      case 'with': {
        const inner = new Scope(scope);
        const values = s.values.map(([target, value]) => [target, this.value(value, scope)] as const);
        for (const [target, value] of values) this.assign(target, value, inner);
        return this.all(s.body, inner);
      }
      case 'scope':
        this.parts.push(this.captured(s.body, new Scope(scope)));
        return undefined;
      case 'macro':
        scope.set(s.name, this.macro(s.name, s.macro, scope));
        return undefined;
      case 'call_block': {
        const args = this.given(s.call.args, scope);
        args.named.set('caller', this.macro('caller', s.macro, scope));
        this.parts.push(print(this.call(this.value(s.call.callee, scope), args)));
        return undefined;
      }
      case 'break':
      case 'continue':
        return s.kind;
    }
  }

  private for(s: Extract<Statement, { kind: 'for' }>, scope: Scope): Leave {
    const over = this.value(s.over, scope);
    const { test } = s;
    const loop = new Loop(
      test === undefined ? iterate(over) : this.kept(s.target, test, over, scope),
      test === undefined ? over : undefined,
      ++this.loops,
    );
    let whole = false;
    for (let value = loop.next(); value !== undefined; value = loop.next()) {
      const inner = new Scope(scope);
      inner.set('loop', loop.variable());
      this.assign(s.target, value, inner);
      const leave = this.all(s.body, inner);
      if (leave === 'break') break;
      // As Jinja2 compiles it: a body that was left early does not count as an iteration.
      if (leave === undefined) whole = true;
    }
    this.loops--;
    return whole ? undefined : this.all(s.otherwise, new Scope(scope));
  }

  private *kept(target: Target, test: Expression, over: Value, scope: Scope): Generator<Value> {
    for (const value of iterate(over)) {
      const inner = new Scope(scope);
      this.assign(target, value, inner);
      if (isTrue(this.value(test, inner))) yield value;
    }
  }

  private assign(target: Target, value: Value, scope: Scope): void {
    if (target.kind === 'name') scope.set(target.name, value);
    else if (target.kind === 'field') {
      const object = scope.get(target.object);
      if (!(object instanceof Namespace)) throw new TemplateError(`${target.object} is no namespace, and fields of others cannot be set`);
      if (target.name.startsWith('_')) throw new TemplateError(`the field ${target.name} of a namespace begins with _`);
      object.fields.set(target.name, value);
    } else {
      const values = [...iterate(value)];
      if (value instanceof Undefined) throw fail(value);
      if (values.length !== target.items.length) throw new TemplateError(`${target.items.length} names for ${values.length} values`);
      target.items.forEach((one, i) => this.assign(one, values[i], scope));
    }
  }

  private macro(name: string, { parameters, body, reads }: MacroNode, outer: Scope): Callable {
    return new Callable(name, ({ positional, named }) => {
      const scope = new Scope(outer);
      const left = new Map(named);
      const caller = left.get('caller');
      if (reads.has('caller')) left.delete('caller');
      const missing: [string, Expression | undefined][] = [];
      parameters.forEach(({ name: own, fallback }, i) => {
        const value = positional[i] === undefined ? left.get(own) : positional[i];
        if (positional[i] !== undefined && left.has(own)) throw new TemplateError(`${name} has the argument ${own} twice`);
        left.delete(own);
        if (value === undefined) missing.push([own, fallback]);
        scope.set(own, value === undefined ? new Undefined(`the parameter ${own} of ${name}`) : value);
      });
      if (reads.has('caller')) scope.set('caller', caller ?? new Undefined('caller'));
      if (reads.has('kwargs')) scope.set('kwargs', Dict.of(left));
      else if (left.size > 0) throw new TemplateError(`${name} has no parameter ${[...left.keys()][0]}`);
      if (reads.has('varargs')) scope.set('varargs', new List(positional.slice(parameters.length), true));
      else if (positional.length > parameters.length) throw new TemplateError(`${name} takes ${parameters.length} arguments at most`);
      for (const [own, fallback] of missing) if (fallback !== undefined) scope.set(own, this.value(fallback, scope));
      return this.captured(body, scope);
    });
  }

  private value(e: Expression, scope: Scope): Value {
    this.line = e.line;
    switch (e.kind) {
      case 'constant':
        return e.value;
      case 'float':
        return new Float(e.value);
      case 'name':
        return orUndefined(scope.get(e.name), `'${e.name}'`);
      case 'list':
      case 'tuple':
        return new List(e.items.map((one) => this.value(one, scope)), e.kind === 'tuple'); // prettier-ignore
      case 'dict':
        return Dict.of(e.items.map(([key, value]) => [this.value(key, scope), this.value(value, scope)] as const));
      case 'condition':
        if (isTrue(this.value(e.test, scope))) return this.value(e.then, scope);
        return e.otherwise === undefined ? new Undefined('a condition without else') : this.value(e.otherwise, scope);
      case 'and': {
        const left = this.value(e.left, scope);
        return isTrue(left) ? this.value(e.right, scope) : left;
      }
      case 'or': {
        const left = this.value(e.left, scope);
        return isTrue(left) ? left : this.value(e.right, scope);
      }
      case 'not':
        return !isTrue(this.value(e.operand, scope));
      case 'minus':
      case 'plus':
        return signed(e.kind, this.value(e.operand, scope));
      case 'compare': {
        let left = this.value(e.first, scope);
        for (const { operator, operand } of e.rest) {
          const right = this.value(operand, scope);
          if (!compare(operator, left, right)) return false;
          left = right;
        }
        return true;
      }
      case 'binary':
        return arithmetic(e.operator, this.value(e.left, scope), this.value(e.right, scope));
      case 'concat':
        return e.parts.map((one) => print(this.value(one, scope))).join('');
      case 'attribute':
        return attribute(this.value(e.object, scope), e.name);
      case 'item':
        return item(this.value(e.object, scope), this.value(e.index, scope));
      case 'slice': {
        const object = this.value(e.object, scope);
        const [from, to, step] = [e.from, e.to, e.step].map((one) => (one === undefined ? null : this.value(one, scope)));
        return slice(object, from, to, step);
      }
      case 'call':
        return this.call(this.value(e.callee, scope), this.given(e.args, scope));
      case 'filter':
        return this.filtered(e, undefined, scope);
      case 'test':
        return runTest(e.name, this.value(e.operand, scope), this.given(e.args, scope));
    }
  }

  /** A chain of filters; `begin` takes the place of what stands first in it. */
  private filtered(e: Expression, begin: string | undefined, scope: Scope): Value {
    if (e.kind !== 'filter' || e.operand === undefined) return begin ?? this.value(e, scope);
    const operand =
      e.operand.kind === 'filter' || begin !== undefined ? this.filtered(e.operand, begin, scope) : this.value(e.operand, scope);
    const given = this.given(e.args, scope);
    this.line = e.line;
    return runFilter(e.name, operand, given);
  }

  private given(args: Arguments, scope: Scope): Given {
    const positional = args.positional.map((one) => this.value(one, scope));
    if (args.list !== undefined) positional.push(...iterate(this.value(args.list, scope)));
    const named = new Map<string, Value>();
    const add = (name: string, value: Value): void => {
      if (named.has(name)) throw new TemplateError(`the argument ${name} is given twice`);
      named.set(name, value);
    };
    for (const [name, value] of args.named) add(name, this.value(value, scope));
    if (args.dict !== undefined) {
      const dict = this.value(args.dict, scope);
      if (!(dict instanceof Dict)) throw new TemplateError(`** takes a dict, not a ${typeName(dict)}`);
      for (const [name, value] of dict.entries()) add(print(name), value);
    }
    return { positional, named };
  }

  private call(callee: Value, given: Given): Value {
    if (callee instanceof Undefined) throw fail(callee);
    if (!(callee instanceof Callable)) throw new TemplateError(`a ${typeName(callee)} cannot be called`);
    if (++this.calls > DEEPEST) throw unsupported('so many calls inside one another');
    const { line } = this;
    try {
      return callee.call(given);
    } finally {
      this.calls--;
      this.line = line;
    }
  }
}
