/** Values as Python prints them (`str`, `repr`) and as its `json.dumps` writes them. */
import { TemplateError, unsupported } from './errors.ts';
import { compareTexts } from './operators.ts';
import { Dict, Float, List, Safe, typeName, Undefined, View } from './values.ts';
import type { Value } from './values.ts';

/** Python's `str(value)`. */
export function print(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Safe) return value.text;
  return value instanceof Undefined ? '' : represent(value);
}

/** Python's `repr(value)`. */
export function represent(value: Value): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (value instanceof Float) return printFloat(value.value);
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof List) {
    const items = value.items.map(represent);
    if (!value.isTuple) return `[${items.join(', ')}]`;
    return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
  }
  if (value instanceof Dict)
    return `{${value
      .entries()
      .map(([key, one]) => `${represent(key)}: ${represent(one)}`)
      .join(', ')}}`;
  if (value instanceof View && value.kind !== 'range') return `dict_${value.kind}([${value.items.map(represent).join(', ')}])`;
  throw unsupported(`printing a ${typeName(value)}`);
}

/** The shortest digits that give the same double, in Python's notation. */
export function printFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const [mantissa, exponent] = Math.abs(value).toExponential().split('e');
  const power = Number(exponent);
  const digits = mantissa.replace('.', '');
  if (power < -4 || power >= 16) {
    const shown = String(Math.abs(power)).padStart(2, '0');
    return `${sign}${mantissa}e${power < 0 ? '-' : '+'}${shown}`;
  }
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${digits}`;
  const whole = digits.slice(0, power + 1).padEnd(power + 1, '0');
  return `${sign}${whole}.${digits.slice(power + 1) || '0'}`;
}

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

/** A text in quotes, as `repr` writes it: what cannot be printed is escaped. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = text.replace(/[\\\p{C}\p{Z}'"]/gu, (one) => {
    if (one === ' ') return one;
    if (one === "'" || one === '"') return one === quote ? `\\${one}` : one;
    if (Object.hasOwn(NAMED, one)) return NAMED[one];
    const code = one.codePointAt(0) ?? 0;
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
    return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
  });
  return `${quote}${inner}${quote}`;
}

export interface JsonOptions {
  ascii: boolean;
  /** Spaces, or a text, before what lies deeper; none for one line. */
  indent?: string;
  separators: [item: string, key: string];
  sort: boolean;
}

/** `json.dumps`. */
export function dumps(value: Value, options: JsonOptions, depth = 0): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (typeof value === 'string') return jsonText(value, options.ascii);
  if (value instanceof Safe) return jsonText(value.text, options.ascii);
  if (value instanceof Float) return jsonFloat(value.value);
  if (value instanceof List) return bracketed('[', ']', value.items.map((one) => dumps(one, options, depth + 1)), options, depth); // prettier-ignore
  if (value instanceof Dict) {
    const entries = value.entries().map(([key, one]) => [keyText(key), one] as const);
    if (options.sort) {
      if (value.keys().some((key) => typeof key !== 'string')) throw unsupported('sorting keys that are no texts');
      entries.sort(([a], [b]) => compareTexts(a, b));
    }
    const parts = entries.map(([key, one]) => `${jsonText(key, options.ascii)}${options.separators[1]}${dumps(one, options, depth + 1)}`);
    return bracketed('{', '}', parts, options, depth);
  }
  throw new TemplateError(`a ${typeName(value)} cannot be written as JSON`);
}

function bracketed(open: string, close: string, parts: readonly string[], { indent, separators }: JsonOptions, depth: number): string {
  if (parts.length === 0) return open + close;
  if (indent === undefined) return open + parts.join(separators[0]) + close;
  const line = `\n${indent.repeat(depth + 1)}`;
  return `${open}${line}${parts.join(separators[0] + line)}\n${indent.repeat(depth)}${close}`;
}

function keyText(key: Value): string {
  if (typeof key === 'string') return key;
  if (key instanceof Safe) return key.text;
  if (key instanceof Float) return jsonFloat(key.value);
  if (key === null || typeof key === 'boolean' || typeof key === 'number') return String(key);
  throw new TemplateError(`a ${typeName(key)} cannot be a key of JSON`);
}

function jsonFloat(value: number): string {
  if (Number.isFinite(value)) return printFloat(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
  '\b': '\\b',
};

function jsonText(text: string, ascii: boolean): string {
  const escaped = text.replace(ascii ? /["\\]|[^ -~]/g : /["\\\x00-\x1f]/g, (one) =>
    Object.hasOwn(SHORT, one) ? SHORT[one] : `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}"`;
}
