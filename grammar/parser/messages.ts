/**
 * What the parser expected, in words. Chevrotain asks for the message of an error while it still knows what it expected; only that
 * phrase is kept here, and `diagnose.ts` makes the sentence around it.
 */
import { tokenLabel } from 'chevrotain';
import type { IParserErrorMessageProvider, TokenType } from 'chevrotain';
import { Comma, RightCurly, RightParen, RightSquare } from '../tokens.ts';

const words: Readonly<Record<string, string>> = {
  Identifier: 'a name',
  NumberToken: 'a number',
  StringToken: 'a string',
  EOF: 'a declaration',
};

/** A token type as the reader knows it: `` `=` ``, `a name`. */
export function describeToken(type: TokenType): string {
  return words[type.name] ?? `\`${typeof type.PATTERN === 'string' ? type.PATTERN : tokenLabel(type)}\``;
}

/** `a`, `a or b`, `a, b or c`; nothing twice. */
export function either(phrases: readonly string[]): string {
  const once = [...new Set(phrases)];
  const last = once.pop() ?? '';
  return once.length === 0 ? last : `${once.join(', ')} or ${last}`;
}

/** Rules of comma lists, with what their items are. */
const items: Readonly<Record<string, string>> = {
  call: 'a value',
  index: 'a value',
  listLiteral: 'a value',
  shape: 'an extent',
  recordType: 'a name',
  definition: 'a parameter',
  use: 'a name',
};

/** Rules of blocks, with what stands in them; all others hold statements. */
const contents: Readonly<Record<string, string>> = {
  stage: 'a field or `}`',
  arm: 'a field or `}`',
  compare: 'a field, an arm or `}`',
  trainStatement: 'a field or `}`',
};

const closes = new Set<TokenType>([RightParen, RightSquare, RightCurly]);

export const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage({ expected, previous, ruleName }) {
    const item = items[ruleName];
    const inList = item !== undefined && closes.has(expected) && !(ruleName === 'definition' && expected === RightCurly);
    if (inList && previous.tokenType === Comma) return item;
    if (inList) return either(['`,`', describeToken(expected)]);
    if (expected === RightCurly) return contents[ruleName] ?? 'a statement or `}`';
    return describeToken(expected);
  },
  buildNotAllInputParsedMessage() {
    return 'a declaration';
  },
  buildNoViableAltMessage({ expectedPathsPerAlt, customUserDescription }) {
    return customUserDescription ?? either(expectedPathsPerAlt.flat().flatMap((path) => (path.length > 0 ? [describeToken(path[0])] : [])));
  },
  buildEarlyExitMessage({ expectedIterationPaths }) {
    return either(expectedIterationPaths.flatMap((path) => (path.length > 0 ? [describeToken(path[0])] : [])));
  },
};
