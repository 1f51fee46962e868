/**
 * Checks of unknown values against types. A `Check<T>` says whether a value is a `T` and collects every fault that it meets
 * with its path. `object` takes a check for each member of `T`, so a member added to a type does not compile until it is
 * checked, and a member that the type does not have is a fault.
 */

export interface Fault {
  /** `tasks[2].state[0].shape`. */
  path: string;
  /** What is wrong, to be read after the path. */
  text: string;
}

export type Faults = Fault[];
export type Check<T> = (value: unknown, path: string, faults: Faults) => value is T;

function fail(faults: Faults, path: string, text: string): false {
  faults.push({ path, text });
  return false;
}

/** What a value is, in a word or two, for messages. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}

export const text: Check<string> = (value, path, faults): value is string =>
  typeof value === 'string' || fail(faults, path, `should be a text and is ${describe(value)}`);

export const flag: Check<boolean> = (value, path, faults): value is boolean =>
  typeof value === 'boolean' || fail(faults, path, `should be true or false and is ${describe(value)}`);

export const number: Check<number> = (value, path, faults): value is number =>
  (typeof value === 'number' && Number.isFinite(value)) || fail(faults, path, `should be a finite number and is ${describe(value)}`);

/** An integer of at least `least`. */
export function integer(least: number): Check<number> {
  return (value, path, faults): value is number =>
    (Number.isSafeInteger(value) && (value as number) >= least) ||
    fail(faults, path, `should be an integer of at least ${least} and is ${describe(value)}`);
}

export function oneOf<const T extends string>(names: readonly T[]): Check<T> {
  return (value, path, faults): value is T =>
    names.some((name) => name === value) || fail(faults, path, `should be one of ${names.join(', ')} and is ${describe(value)}`);
}

export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value, path, faults): value is T | undefined => value === undefined || check(value, path, faults);
}

export function either<A, B>(a: Check<A>, b: Check<B>, what: string): Check<A | B> {
  return (value, path, faults): value is A | B =>
    a(value, path, []) || b(value, path, []) || fail(faults, path, `should be ${what} and is ${describe(value)}`);
}

export function list<T>(check: Check<T>): Check<T[]> {
  return (value, path, faults): value is T[] => {
    if (!Array.isArray(value)) return fail(faults, path, `should be a list and is ${describe(value)}`);
    return all(value.map((item, i) => check(item, `${path}[${i}]`, faults)));
  };
}

/** Three of them: the extents of a dispatch. */
export function triple<T>(check: Check<T>): Check<[T, T, T]> {
  const items = list(check);
  return (value, path, faults): value is [T, T, T] =>
    items(value, path, faults) && (value.length === 3 || fail(faults, path, `should have 3 entries and has ${value.length}`));
}

export function record<T>(check: Check<T>): Check<Record<string, T>> {
  return (value, path, faults): value is Record<string, T> =>
    isObject(value, path, faults) &&
    all(Object.entries(value).map(([key, item]) => check(item, `${path}[${JSON.stringify(key)}]`, faults)));
}

type Members<T> = { [K in keyof T]-?: Check<T[K]> };

export function object<T extends object>(members: Members<T>): Check<T> {
  return (value, path, faults): value is T => {
    if (!isObject(value, path, faults)) return false;
    const known = Object.entries<Check<unknown>>(members).map(([key, check]) =>
      check(value[key], path === '' ? key : `${path}.${key}`, faults),
    );
    const unknown = Object.keys(value).filter((key) => !Object.hasOwn(members, key));
    for (const key of unknown) fail(faults, path, `has the unknown member ${key}`);
    return all(known) && unknown.length === 0;
  };
}

/** The members of a union whose `tag` may be `K`. */
type Variant<T, Tag extends keyof T, K> = T extends unknown ? (K extends T[Tag] ? T : never) : never;

/** An object whose member `tag` says which of several types it is. */
export function variants<T extends object, Tag extends keyof T & string>(
  tag: Tag,
  checks: { [K in T[Tag] & string]: Check<Variant<T, Tag, K>> },
): Check<T> {
  return (value, path, faults): value is T => {
    if (!isObject(value, path, faults)) return false;
    const name = value[tag];
    const found = Object.entries<Check<object>>(checks).find(([key]) => key === name);
    if (found === undefined)
      return fail(faults, `${path}.${tag}`, `should be one of ${Object.keys(checks).join(', ')} and is ${describe(name)}`);
    return found[1](value, path, faults);
  };
}

function isObject(value: unknown, path: string, faults: Faults): value is Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return true;
  return fail(faults, path === '' ? 'plan' : path, `should be an object and is ${describe(value)}`);
}

/** Every item is looked at, so that all faults are collected. */
function all(items: readonly boolean[]): boolean {
  return items.every((item) => item);
}
