/** The variable `loop`: it looks ahead as far as it is asked, since conditions of a loop may depend on what its body has done. */
import { bind } from './arguments.ts';
import { TemplateError, unsupported } from './errors.ts';
import { equals } from './operators.ts';
import { Callable, Computed, lengthOf, orUndefined, Undefined } from './values.ts';
import type { Value } from './values.ts';

export class Loop {
  private readonly iterator: Iterator<Value, void>;
  private readonly over: Value | undefined;
  private ahead: Value[] = [];
  private ended = false;
  private index0 = -1;
  private before: Value | undefined;
  private current: Value | undefined;
  private changedTo: Value[] | undefined;
  private readonly depth: number;

  /** `over` is what is gone through, where nothing of it is left out. */
  constructor(values: Iterable<Value>, over: Value | undefined, depth: number) {
    this.iterator = values[Symbol.iterator]();
    this.over = over;
    this.depth = depth;
  }

  /** The next value; undefined at the end. */
  next(): Value | undefined {
    const value = this.peek(0);
    if (value === undefined) return undefined;
    this.ahead.shift();
    this.index0++;
    this.before = this.current;
    this.current = value;
    return value;
  }

  private peek(count: number): Value | undefined {
    while (this.ahead.length <= count && !this.ended) {
      const { done, value } = this.iterator.next();
      if (done === true) this.ended = true;
      else this.ahead.push(value);
    }
    return this.ahead[count];
  }

  private get length(): number {
    if (this.over !== undefined) {
      try {
        return lengthOf(this.over);
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
      }
    }
    this.peek(Number.MAX_SAFE_INTEGER);
    return this.index0 + 1 + this.ahead.length;
  }

  variable(): Computed {
    return new Computed('loop', (field) => this.read(field));
  }

  private read(field: string): Value | undefined {
    switch (field) {
      case 'index':
        return this.index0 + 1;
      case 'index0':
        return this.index0;
      case 'revindex':
        return this.length - this.index0;
      case 'revindex0':
        return this.length - this.index0 - 1;
      case 'first':
        return this.index0 === 0;
      case 'last':
        return this.peek(0) === undefined;
      case 'length':
        return this.length;
      case 'previtem':
        return this.index0 === 0 ? new Undefined('the item before the first') : this.before;
      case 'nextitem':
        return orUndefined(this.peek(0), 'the item behind the last');
      case 'depth':
        return this.depth;
      case 'depth0':
        return this.depth - 1;
      case 'cycle':
        return new Callable('cycle', (given) => {
          if (given.named.size > 0 || given.positional.length === 0) throw new TemplateError('cycle needs values');
          return given.positional[this.index0 % given.positional.length];
        });
      case 'changed':
        return new Callable('changed', (given) => {
          bind('changed', { positional: [], named: given.named }, []);
          const known = this.changedTo;
          const same =
            known !== undefined && known.length === given.positional.length && known.every((one, i) => equals(one, given.positional[i]));
          this.changedTo = given.positional;
          return !same;
        });
    }
    if (field === '__call__') throw unsupported('a recursive loop');
    return undefined;
  }
}
