/** Arguments of functions, methods and filters that this reader has itself. */
import { TemplateError } from './errors.ts';
import { isTrue, typeName } from './values.ts';
import type { Given, Value } from './values.ts';

/**
 * The values of `names`, by place or by name; undefined where none is given.
 * @throws TemplateError for too many, an unknown name, one that is given twice, or fewer than `needed`.
 */
export function bind(what: string, { positional, named }: Given, names: readonly string[], needed = 0): (Value | undefined)[] {
  if (positional.length > names.length)
    throw new TemplateError(`${what} takes ${names.length} arguments at most, and has ${positional.length}`);
  const values: (Value | undefined)[] = names.map((_, i) => positional[i]);
  for (const [name, value] of named) {
    const at = names.indexOf(name);
    if (at < 0) throw new TemplateError(`${what} has no argument ${name}`);
    if (values[at] !== undefined) throw new TemplateError(`${what} has the argument ${name} twice`);
    values[at] = value;
  }
  if (values.slice(0, needed).includes(undefined)) throw new TemplateError(`${what} needs ${needed} arguments`);
  return values;
}

export function textArgument(what: string, value: Value | undefined): string {
  if (typeof value === 'string') return value;
  throw new TemplateError(`${what} takes a text, not a ${value === undefined ? 'missing argument' : typeName(value)}`);
}

export function wholeArgument(what: string, value: Value | undefined): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  throw new TemplateError(`${what} takes a whole number, not a ${value === undefined ? 'missing argument' : typeName(value)}`);
}

export function flagArgument(value: Value | undefined): boolean {
  return value !== undefined && isTrue(value);
}
