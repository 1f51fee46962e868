/**
 * Fields of a config, read with the default of their class and checked. Faults are gathered, so that all of them come in one
 * answer; what a faulty field yields stands in until then.
 */
import { PivotError } from '../plan/errors.ts';
import type { Place } from '../plan/errors.ts';
import { isObject, kindOf, own, readJson, showPath } from '../plan/json.ts';
import type { Json, JsonFile, JsonPath } from '../plan/json.ts';

interface Fault {
  /** `num_attention_heads: expected a divisor of hidden_size 24, found 5` */
  sentence: string;
  place: Place;
}

/** Sizes above these are slips: no model has them, and no machine would hold it. */
export const LARGEST = { width: 1 << 18, layers: 4096, vocabulary: 1 << 24, side: 4096, other: 1 << 24 } as const;

export class Fields {
  readonly faults: Fault[];
  readonly warnings: string[];
  private readonly json: JsonFile;
  private readonly path: JsonPath;
  private readonly value: { [key: string]: Json };

  constructor(json: JsonFile, value: { [key: string]: Json }, path: JsonPath = [], more?: Pick<Fields, 'faults' | 'warnings'>) {
    this.json = json;
    this.value = value;
    this.path = path;
    this.faults = more?.faults ?? [];
    this.warnings = more?.warnings ?? [];
  }

  get file(): string {
    return this.json.file;
  }

  /** The raw value; undefined where the key is missing. */
  raw(key: string): Json | undefined {
    return own(this.value, key);
  }

  keys(): string[] {
    return Object.keys(this.value);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.value, key);
  }

  /** Fields of the object `key`. With `over`, an object of that key whose values win. No fields where the key is missing. */
  sub(key: string, over?: string): Fields {
    const inner = this.raw(key);
    if (inner !== undefined && inner !== null && !isObject(inner)) this.fault(key, 'an object');
    const base = isObject(inner) ? inner : {};
    const winner = over === undefined ? undefined : this.raw(over);
    return new Fields(this.json, isObject(winner) ? { ...base, ...winner } : base, [...this.path, key], this);
  }

  /** A positive whole number. */
  count(key: string, fallback: number, largest: number = LARGEST.other): number {
    const value = this.raw(key);
    if (value === undefined) return fallback;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value <= 0) {
      this.fault(key, typeof value === 'number' ? 'a positive whole number' : 'a number, positive and whole');
      return fallback;
    }
    if (value > largest) {
      this.fault(
        key,
        `at most ${largest}`,
        `${value}; one row of such a size would take ${gigabytes(value * 4)} GB, a square matrix ${gigabytes(value * value * 4)} GB`,
      );
      return fallback;
    }
    return value;
  }

  /** A positive number. */
  positive(key: string, fallback: number): number {
    const value = this.raw(key);
    if (value === undefined) return fallback;
    if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
    this.fault(key, 'a positive number');
    return fallback;
  }

  whole(key: string, fallback: number): number {
    const value = this.raw(key);
    if (value === undefined || value === null) return fallback;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
    this.fault(key, 'a whole number');
    return fallback;
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.raw(key);
    if (value === undefined || value === null) return fallback;
    if (typeof value === 'boolean') return value;
    this.fault(key, 'true or false');
    return fallback;
  }

  text(key: string): string | undefined {
    const value = this.raw(key);
    if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
    this.fault(key, 'a text');
    return undefined;
  }

  /** One of the names of a table; its value. */
  choice<T>(key: string, fallback: string, table: Readonly<Record<string, T>>): T {
    const value = this.raw(key) ?? fallback;
    if (typeof value === 'string' && Object.hasOwn(table, value)) return table[value];
    this.fault(key, Object.keys(table).join(', '));
    return table[fallback];
  }

  /** Reports a fault of a field; `found` is the file's own writing where it is not given. */
  fault(key: string, expected: string, found?: string): void {
    const path = [...this.path, ...key.split('.')];
    const written = found ?? this.json.source(path) ?? 'none';
    this.faults.push({ sentence: `${showPath(path)}: expected ${expected}, found ${written}`, place: this.json.place(path) });
  }

  warn(key: string, sentence: string): void {
    this.warnings.push(`${this.file}: ${showPath([...this.path, ...key.split('.')])} ${sentence}`);
  }

  /** Throws all faults as one error. */
  settle(code: string, cure: string): void {
    if (this.faults.length === 0) return;
    throw new PivotError(code, `${this.file}: ${this.faults.map((f) => f.sentence).join('; ')}`, { cure, place: this.faults[0].place });
  }
}

/** The fields of a file that should hold one JSON object. */
export function fieldsOf(content: Uint8Array | string, file: string, code: string): Fields {
  const json = readJson(content, file, { code, cure: 'fetch the file again, or mend it' });
  if (!isObject(json.value)) {
    throw new PivotError(code, `${file}: expected an object, found ${kindOf(json.value)}`, {
      cure: 'fetch the file again',
      place: { file },
    });
  }
  return new Fields(json, json.value);
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toPrecision(2);
}
