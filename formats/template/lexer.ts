/**
 * The text of a Jinja template as tokens, as Jinja2's lexer makes them with `trim_blocks` and `lstrip_blocks`, which is how transformers reads
 * chat templates: a newline behind a block goes, and white space before a block that stands first in its line.
 */
import { TemplateError } from './errors.ts';

export type TokenKind =
  'data' | 'block_begin' | 'block_end' | 'variable_begin' | 'variable_end' | 'name' | 'string' | 'integer' | 'float' | 'operator' | 'end';

export interface Token {
  kind: TokenKind;
  /** The operator, the name, the text; of numbers their digits. */
  value: string;
  line: number;
}

/** White space of Python's `str`, which differs from that of JavaScript in U+001C to U+001F, U+0085 and U+FEFF. */
const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const TRAILING = new RegExp(`[${SPACE}]+$`);
const ALL_SPACE = new RegExp(`^[${SPACE}]+$`);
const SPACES = new RegExp(`[${SPACE}]+`, 'y');

const OPERATORS = [
  '//',
  '**',
  '==',
  '!=',
  '>=',
  '<=',
  '+',
  '-',
  '/',
  '*',
  '%',
  '~',
  '[',
  ']',
  '(',
  ')',
  '{',
  '}',
  '>',
  '<',
  '=',
  '.',
  ':',
  '|',
  ',',
  ';',
];
const OPENS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

const FLOAT = /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const INTEGER = /0b(?:_?[0-1])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const NAME = /[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*/uy;
const STRING = /'([^'\\]*(?:\\[^][^'\\]*)*)'|"([^"\\]*(?:\\[^][^"\\]*)*)"/y;

const BEGIN = /\{%|\{\{|\{#/g;
const RAW = new RegExp(`\\{%[-+]?[${SPACE}]*raw[${SPACE}]*(?:-%\\}[${SPACE}]*|%\\})`, 'y');
const RAW_END = new RegExp(`\\{%([-+]?)[${SPACE}]*endraw[${SPACE}]*(?:\\+%\\}|-%\\}[${SPACE}]*|%\\}\\n?)`, 'g');
const COMMENT_END = new RegExp(`\\+#\\}|-#\\}[${SPACE}]*|#\\}\\n?`, 'g');
const BLOCK_END = new RegExp(`\\+%\\}|-%\\}[${SPACE}]*|%\\}\\n?`, 'y');
const VARIABLE_END = new RegExp(`-\\}\\}[${SPACE}]*|\\}\\}`, 'y');

/** @throws TemplateError */
export function tokenize(template: string): Token[] {
  return new Lexer(template).run();
}

class Lexer {
  private readonly source: string;
  private readonly tokens: Token[] = [];
  private at = 0;
  /** Whether what was read last ended a line. */
  private startsLine = true;
  private counted = 0;
  private line = 1;

  constructor(template: string) {
    const source = template.replace(/\r\n|\r/g, '\n');
    this.source = source.endsWith('\n') ? source.slice(0, -1) : source;
  }

  run(): Token[] {
    while (this.at < this.source.length) this.root();
    this.push('end', '');
    return this.tokens;
  }

  private lineAt(position: number): number {
    for (; this.counted < position; this.counted++) if (this.source[this.counted] === '\n') this.line++;
    return this.line;
  }

  private push(kind: TokenKind, value: string, at = this.at): void {
    this.tokens.push({ kind, value, line: this.lineAt(at) });
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    return pattern.exec(this.source);
  }

  /** Text up to the next tag, then the tag. */
  private root(): void {
    const found = this.match(BEGIN);
    if (found === null) {
      this.push('data', this.source.slice(this.at));
      this.at = this.source.length;
      return;
    }
    const [opening] = found;
    const begin = found.index;
    const sign = this.source[begin + 2];
    const text = this.before(this.source.slice(this.at, begin), sign, opening === '{{');
    if (text !== '') this.push('data', text);
    this.at = begin;
    const raw = opening === '{%' ? this.match(RAW) : null;
    if (raw !== null) return this.raw(raw[0].length);
    const length = sign === '-' || sign === '+' ? 3 : 2;
    if (opening === '{#') return this.comment(length);
    this.push(opening === '{%' ? 'block_begin' : 'variable_begin', '');
    this.at += length;
    this.inside(opening === '{%' ? BLOCK_END : VARIABLE_END, opening === '{%' ? 'block_end' : 'variable_end');
  }

  /** The text before a tag, without the white space that the tag takes. */
  private before(text: string, sign: string | undefined, isVariable: boolean): string {
    if (sign === '-') return text.replace(TRAILING, '');
    if (sign === '+' || isVariable) return text;
    const begin = text.lastIndexOf('\n') + 1;
    return (begin > 0 || this.startsLine) && ALL_SPACE.test(text.slice(begin)) ? text.slice(0, begin) : text;
  }

  private comment(opening: number): void {
    const begin = this.at;
    this.at += opening;
    const end = this.match(COMMENT_END);
    if (end === null) throw new TemplateError('a comment does not end', this.lineAt(begin));
    this.pass(end.index + end[0].length);
  }

  private raw(opening: number): void {
    const begin = this.at;
    this.at += opening;
    const end = this.match(RAW_END);
    if (end === null) throw new TemplateError('`raw` does not end', this.lineAt(begin));
    this.startsLine = this.source[this.at - 1] === '\n';
    const text = this.before(this.source.slice(this.at, end.index), end[1], false);
    if (text !== '') this.push('data', text);
    this.pass(end.index + end[0].length);
  }

  private pass(to: number): void {
    this.at = to;
    this.startsLine = this.source[to - 1] === '\n';
  }

  private inside(ending: RegExp, kind: TokenKind): void {
    const open: string[] = [];
    const begin = this.at;
    for (;;) {
      const space = this.match(SPACES);
      if (space !== null) this.at += space[0].length;
      if (this.at >= this.source.length) throw new TemplateError('a tag does not end', this.lineAt(begin));
      const end = open.length === 0 ? this.match(ending) : null;
      if (end !== null) {
        this.push(kind, '');
        return this.pass(this.at + end[0].length);
      }
      this.token(open);
    }
  }

  private token(open: string[]): void {
    for (const [kind, pattern] of [
      ['float', FLOAT],
      ['integer', INTEGER],
      ['name', NAME],
    ] as const) {
      const found = this.match(pattern);
      if (found === null) continue;
      this.push(kind, found[0]);
      this.at += found[0].length;
      return;
    }
    const text = this.match(STRING);
    if (text !== null) {
      this.push('string', unescape(text[1] ?? text[2], this.lineAt(this.at)));
      this.at += text[0].length;
      return;
    }
    const operator = OPERATORS.find((one) => this.source.startsWith(one, this.at));
    if (operator === undefined)
      throw new TemplateError(
        `unexpected ${JSON.stringify(String.fromCodePoint(this.source.codePointAt(this.at) ?? 0))}`,
        this.lineAt(this.at),
      );
    if (Object.hasOwn(OPENS, operator)) open.push(OPENS[operator]);
    else if (')]}'.includes(operator) && open.pop() !== operator) throw new TemplateError(`unexpected ${operator}`, this.lineAt(this.at));
    this.push('operator', operator);
    this.at += operator.length;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  "'": "'",
  '"': '"',
  '\\': '\\',
  '\n': '',
};

/** Escapes as those of Python's strings; what is none stays as it stands. */
function unescape(text: string, line: number): string {
  return text.replace(/\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([^]))/g, (whole, x, u, long, octal, one) => {
    if (one === undefined) {
      const code = parseInt(x ?? u ?? long ?? octal, octal === undefined ? 16 : 8);
      if (code > 0x10ffff) throw new TemplateError(`${whole} is no character`, line);
      return String.fromCodePoint(code);
    }
    if ('xuUN'.includes(one)) throw new TemplateError(`the escape ${whole} in a text is not complete, or not supported`, line);
    return Object.hasOwn(ESCAPES, one) ? ESCAPES[one] : whole;
  });
}
