/**
 * Brackets, before the parser sees them. A text whose brackets do not match is mended here (a closing mark is put in, a stray one is
 * left out) and the fault is told at the bracket that caused it; the parser then goes through the rest as if nothing had been amiss.
 * A text whose brackets match is passed on untouched.
 *
 * Where a closing mark belongs is a guess, made from the layout: a declaration at the start of a line ends all that is open; a `}` in the
 * column of a block's first line closes that block, and a line that begins no further right than it ends it; parentheses end with their
 * line, unless an operator or comma carries it on.
 */
import { createTokenInstance } from 'chevrotain';
import type { IToken, TokenType } from 'chevrotain';
import * as t from '../tokens.ts';

export interface BracketFault {
  kind: 'unclosed' | 'stray';
  token: IToken;
  /** The line before which a closing mark was put. */
  line?: number;
  /** The mark of another kind that stood in its place. */
  instead?: IToken;
}

export interface Balanced {
  tokens: IToken[];
  /** The tokens that were put in. */
  added: ReadonlySet<IToken>;
  faults: BracketFault[];
}

const closers = new Map<TokenType, TokenType>([
  [t.LeftCurly, t.RightCurly],
  [t.LeftParen, t.RightParen],
  [t.LeftSquare, t.RightSquare],
]);
const closing = new Set(closers.values());

const declarations = new Set<TokenType>(t.declarationKeywords);

/** Tokens after or before which a line goes on. */
const joins = new Set<TokenType>([
  t.Arrow, t.DotDot, t.Dot, t.EqualEqual, t.NotEqual, t.LessEqual, t.GreaterEqual, t.Less, t.Greater, t.Equal, t.Plus, t.Minus, t.Star,
  t.Slash, t.Percent, t.Caret, t.Comma, t.Colon, t.Or, t.And, t.Not, t.In, t.Then, t.Else, t.LeftParen, t.LeftSquare,
]); // prettier-ignore

/** Matches the brackets of a text; see the head of this file. */
export function balance(tokens: IToken[]): Balanced {
  if (matches(tokens)) return { tokens, added: new Set(), faults: [] };
  const { unclosed, stray } = suspects(tokens);
  return mend(tokens, unclosed, stray);
}

function matches(tokens: readonly IToken[]): boolean {
  const open: TokenType[] = [];
  for (const { tokenType } of tokens) {
    const closer = closers.get(tokenType);
    if (closer) open.push(closer);
    else if (closing.has(tokenType) && open.pop() !== tokenType) return false;
  }
  return open.length === 0;
}

/** Which opening brackets have no partner, and which closing ones. */
function suspects(tokens: readonly IToken[]): { unclosed: Set<IToken>; stray: Set<IToken> } {
  const unclosed = new Set<IToken>();
  const stray = new Set<IToken>();
  const open: { token: IToken; column: number }[] = [];
  let lineColumn = 1;
  tokens.forEach((token, i) => {
    const first = startsLine(tokens, i);
    if (first) lineColumn = token.startColumn ?? 1;
    const type = token.tokenType;
    if (first && token.startColumn === 1 && declarations.has(type)) open.splice(0).forEach((entry) => unclosed.add(entry.token));
    if (type === t.LeftCurly) {
      // no expression holds a block, so parentheses end before one
      while (open.length > 0 && open[open.length - 1].token.tokenType !== t.LeftCurly) unclosed.add(pop(open));
    }
    if (closers.has(type)) open.push({ token, column: lineColumn });
    if (!closing.has(type)) return;
    const partner = findPartner(open, type, first ? token.startColumn : undefined);
    if (partner < 0) stray.add(token);
    else {
      while (open.length > partner + 1) unclosed.add(pop(open));
      open.pop();
    }
  });
  open.forEach((entry) => unclosed.add(entry.token));
  return { unclosed, stray };
}

function pop(open: { token: IToken }[]): IToken {
  const [entry] = open.splice(-1);
  return entry.token;
}

/** The place in `open` of the bracket that a mark closes. A parenthesis does not reach across a block. */
function findPartner(open: readonly { token: IToken; column: number }[], type: TokenType, column: number | undefined): number {
  const fits = (i: number): boolean => closers.get(open[i].token.tokenType) === type;
  let found = -1;
  for (let i = open.length - 1; i >= 0; i--) {
    if (fits(i)) {
      if (found < 0) found = i;
      if (type === t.RightCurly && column !== undefined && open[i].column === column) return i;
    }
    if (type !== t.RightCurly && open[i].token.tokenType === t.LeftCurly) break;
  }
  return found;
}

function startsLine(tokens: readonly IToken[], i: number): boolean {
  return i === 0 || (tokens[i].startLine ?? 0) > (tokens[i - 1].endLine ?? 0);
}

/** Puts closing marks where they seem to belong and leaves stray ones out. */
function mend(tokens: readonly IToken[], unclosed: ReadonlySet<IToken>, stray: ReadonlySet<IToken>): Balanced {
  const out: IToken[] = [];
  const added = new Set<IToken>();
  const faults: BracketFault[] = [];
  const open: { token: IToken; column: number }[] = [];
  let lineColumn = 1;
  const closeTop = (next: IToken | undefined, instead?: IToken): void => {
    const opener = pop(open);
    const closer = closers.get(opener.tokenType);
    const last = out[out.length - 1];
    if (!closer) return;
    const mark = insertedAfter(last, closer);
    out.push(mark);
    added.add(mark);
    faults.push({ kind: 'unclosed', token: opener, line: next?.startLine, instead });
  };
  tokens.forEach((token, i) => {
    const type = token.tokenType;
    const first = startsLine(tokens, i);
    const column = token.startColumn ?? 1;
    if (first) lineColumn = column;
    const lineEnds = first && i > 0 && !joins.has(tokens[i - 1].tokenType) && !joins.has(type) && !closing.has(type);
    const declares = first && column === 1 && declarations.has(type);
    const unclosedTop = (): { token: IToken; column: number } | undefined => {
      const top = open[open.length - 1];
      return top && unclosed.has(top.token) ? top : undefined;
    };
    for (let top = unclosedTop(); top; top = unclosedTop()) {
      const round = top.token.tokenType !== t.LeftCurly;
      const ends = round ? lineEnds || type === t.LeftCurly : first && column <= top.column && !closing.has(type);
      if (!declares && !ends) break;
      closeTop(token);
    }
    const top = unclosedTop();
    if (stray.has(token)) {
      if (top && top.token.tokenType !== t.LeftCurly && type !== t.RightCurly) closeTop(token, token);
      else faults.push({ kind: 'stray', token });
      return;
    }
    if (closing.has(type)) {
      while (unclosedTop()) closeTop(token);
      open.pop();
    }
    if (closers.has(type)) open.push({ token, column: lineColumn });
    out.push(token);
  });
  while (open.length > 0) closeTop(undefined);
  return { tokens: out, added, faults };
}

/** A mark of no width right after a token. */
function insertedAfter(last: IToken, type: TokenType): IToken {
  const offset = last.endOffset ?? last.startOffset;
  const line = last.endLine ?? 1;
  const column = last.endColumn ?? 1;
  return createTokenInstance(
    type,
    typeof type.PATTERN === 'string' ? type.PATTERN : '',
    offset + 1,
    offset,
    line,
    line,
    column + 1,
    column,
  );
}
