/** Numbers with magnitudes and units, and strings with escapes, from their tokens. */
import type { IToken } from 'chevrotain';
import { report } from '../diagnostics.ts';
import { nearest } from '../../plan/nearest.ts';
import type { NumberCstNode, StringCstNode } from '../generated/cst.ts';
import type { NumberLiteral, StringLiteral } from '../generated/tree.ts';
import { OpenString } from '../tokens.ts';
import { isInserted } from './build.ts';
import type { Build } from './build.ts';

type Magnitude = NonNullable<NumberLiteral['magnitude']>;
type Unit = NonNullable<NumberLiteral['unit']>;

const magnitudes: Readonly<Record<Magnitude, number>> = { k: 1e3, M: 1e6, B: 1e9 };
const clingingUnits: Readonly<Record<string, Unit>> = { px: 'px', '%': '%', h: 'h' };
const wordUnits: Readonly<Record<string, Unit>> = {
  step: 'steps', steps: 'steps', epoch: 'epochs', epochs: 'epochs', token: 'tokens', tokens: 'tokens', row: 'rows', rows: 'rows',
}; // prettier-ignore

const parts = /^(\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?)(%|[A-Za-z_]\w*)?(?:[ \t]+(\w+))?$/;

/** `8k` is 8000, `32px` is 32 with a unit, `5%` is 5 with a unit; `steps` and its like stand apart, on the same line. */
export function buildNumberLiteral(build: Build, cst: NumberCstNode): NumberLiteral {
  const token: IToken | undefined = cst.children.token?.[0];
  if (!token || isInserted(token)) return { kind: 'NumberLiteral', span: build.missing(), value: 0, text: '' };
  const span = build.tokenSpan(token);
  const [, digits, suffix = '', word] = parts.exec(token.image) ?? ['', '0'];
  const literal: NumberLiteral = { kind: 'NumberLiteral', span, value: Number(digits.replaceAll('_', '')), text: token.image };
  const magnitude =
    isMagnitude(suffix[0]) && (suffix.length === 1 || Object.hasOwn(clingingUnits, suffix.slice(1))) ? suffix[0] : undefined;
  const unit = magnitude ? suffix.slice(1) : suffix;
  if (magnitude) {
    literal.magnitude = magnitude;
    literal.value = scaled(digits, magnitudes[magnitude]);
  }
  if (Object.hasOwn(clingingUnits, unit)) literal.unit = clingingUnits[unit];
  else if (Object.hasOwn(wordUnits, unit)) build.diagnostics.push(report('P0111', { digits, unit }, span));
  else if (unit !== '') build.diagnostics.push(report('P0110', { text: token.image, unit, nearest: nearestUnit(unit) }, span));
  if (word !== undefined) literal.unit = wordUnits[word];
  return literal;
}

function isMagnitude(letter: string | undefined): letter is Magnitude {
  return letter === 'k' || letter === 'M' || letter === 'B';
}

/** Decimal digits times a power of ten, rounded once: `1.1k` is 1100 exactly. */
function scaled(digits: string, factor: number): number {
  const [mantissa, exponent = '0'] = digits.replaceAll('_', '').split(/[eE]/);
  return Number(`${mantissa}e${Number(exponent) + Math.round(Math.log10(factor))}`);
}

function nearestUnit(unit: string): string | undefined {
  if (/^pix(el)?s?$/i.test(unit)) return 'px';
  if (/^(hours?|hrs?)$/i.test(unit)) return 'h';
  if (unit === 'K') return 'k';
  if (unit === 'm') return 'M';
  if (unit === 'G' || unit === 'b') return 'B';
  return nearest(unit, ['px', 'h', 'k', 'M', 'B']);
}

const escapes: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', n: '\n', t: '\t' };

export function buildStringLiteral(build: Build, cst: StringCstNode): StringLiteral {
  const token: IToken | undefined = cst.children.token?.[0];
  if (!token || isInserted(token)) return { kind: 'StringLiteral', span: build.missing(), value: '' };
  const span = build.tokenSpan(token);
  const body = token.tokenType === OpenString ? token.image.slice(1) : token.image.slice(1, -1);
  const value = body.replace(/\\(.?)/g, (whole, letter: string) => {
    if (Object.hasOwn(escapes, letter)) return escapes[letter];
    if (token.tokenType !== OpenString) build.diagnostics.push(report('P0113', { escape: whole }, span));
    return letter;
  });
  return { kind: 'StringLiteral', span, value };
}
