/**
 * What the parser expected, in words. Chevrotain asks for the message of an error while it still knows what it expected; only that
 * phrase is kept here, and `diagnose.ts` makes the sentence around it.
 */
import { tokenLabel } from 'chevrotain';
import type { IParserErrorMessageProvider, TokenType } from 'chevrotain';

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

/** In these rules a repetition may also go on where its end was expected. */
const alsoPossible: Readonly<Record<string, string>> = {
  call: '`,`',
  index: '`,`',
  listLiteral: '`,`',
  shape: '`,`',
  recordType: '`,`',
  definition: '`,`',
};

export const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage({ expected, ruleName }) {
    const closes = expected.name.startsWith('Right');
    if (closes && expected.name === 'RightCurly') return blockWords[ruleName] ?? 'a statement or `}`';
    return either(closes && ruleName in alsoPossible ? [alsoPossible[ruleName], describeToken(expected)] : [describeToken(expected)]);
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

const blockWords: Readonly<Record<string, string>> = {
  stage: 'a field or `}`',
  arm: 'a field or `}`',
  compare: 'a field, an arm or `}`',
  recordType: '`,` or `}`',
  use: '`,` or `}`',
};
