/**
 * The words of the language. Keywords belong to the category `Identifier`: whatever stands where only a name can stand (a member, an
 * argument's name, a field) is a name, even if it is spelled like a keyword. Only the words of `reserved` are never names.
 *
 * A number is one token with all that clings to it (`8k`, `32px`, `5%`, `1e-3`) and with the unit word that follows it on the same
 * line (`300 steps`); `build/literals.ts` takes it apart, so that a bad unit is one clear diagnostic and not a broken parse.
 */
import { createToken, Lexer } from 'chevrotain';
import type { TokenType } from 'chevrotain';

export const Identifier = createToken({ name: 'Identifier', pattern: /[A-Za-z_][A-Za-z0-9_]*/ });

/** A word that is a name wherever a name can stand. */
function keyword(word: string): TokenType {
  return createToken({ name: word[0].toUpperCase() + word.slice(1), pattern: word, longer_alt: Identifier, categories: [Identifier] });
}

/** A word that is never a name. */
function reserved(word: string): TokenType {
  return createToken({ name: word[0].toUpperCase() + word.slice(1), pattern: word, longer_alt: Identifier });
}

function mark(name: string, pattern: string): TokenType {
  return createToken({ name, pattern });
}

export const Pivot = keyword('pivot');
export const Use = keyword('use');
export const Param = keyword('param');
export const Seeds = keyword('seeds');
export const Encoder = keyword('encoder');
export const Language = keyword('language');
export const Model = keyword('model');
export const Data = keyword('data');
export const Tokenizer = keyword('tokenizer');
export const Probe = keyword('probe');
export const Architecture = keyword('architecture');
export const Stage = keyword('stage');
export const Compare = keyword('compare');
export const Export = keyword('export');
export const RecordWord = createToken({ name: 'RecordWord', pattern: 'record', longer_alt: Identifier, categories: [Identifier] });
export const Composite = keyword('composite');
export const Layer = keyword('layer');
export const Loss = keyword('loss');
export const Schedule = keyword('schedule');
export const Optimizer = keyword('optimizer');
export const Source = keyword('source');

export const From = keyword('from');
export const As = keyword('as');
export const Arm = keyword('arm');
export const Every = keyword('every');
export const On = keyword('on');
export const Let = keyword('let');
export const Weight = keyword('weight');
export const Part = keyword('part');
export const Repeat = keyword('repeat');
export const Return = keyword('return');
export const Expose = keyword('expose');
export const Require = keyword('require');
export const State = keyword('state');
export const Like = keyword('like');
export const Embed = keyword('embed');
export const Keep = keyword('keep');
export const Score = keyword('score');
export const Train = keyword('train');
export const Tune = keyword('tune');
export const By = keyword('by');

export const If = reserved('if');
export const Then = reserved('then');
export const Else = reserved('else');
export const Or = reserved('or');
export const And = reserved('and');
export const Not = reserved('not');
export const In = reserved('in');
export const True = reserved('true');
export const False = reserved('false');
export const None = reserved('none');

export const NumberToken = createToken({
  name: 'NumberToken',
  // digits, exponent, what clings, then a unit word after blanks unless that word opens something of its own (`micro 16 steps 300`)
  pattern:
    /\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?(?:%|[A-Za-z_][A-Za-z0-9_]*)?(?:[ \t]+(?:steps?|epochs?|tokens?|rows?)\b(?![ \t]*[\d=.([:]))?/,
  line_breaks: false,
});
export const StringToken = createToken({ name: 'StringToken', pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*"/ });
/** A string whose line ends before its quote does: taken as a string, and reported. */
export const OpenString = createToken({ name: 'OpenString', pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*\\?/, categories: [StringToken] });

export const Arrow = mark('Arrow', '->');
export const DotDot = mark('DotDot', '..');
export const Dot = mark('Dot', '.');
export const EqualEqual = mark('EqualEqual', '==');
export const NotEqual = mark('NotEqual', '!=');
export const LessEqual = mark('LessEqual', '<=');
export const GreaterEqual = mark('GreaterEqual', '>=');
export const Less = mark('Less', '<');
export const Greater = mark('Greater', '>');
export const Equal = mark('Equal', '=');
export const Plus = mark('Plus', '+');
export const Minus = mark('Minus', '-');
export const Star = mark('Star', '*');
export const Slash = mark('Slash', '/');
export const Percent = mark('Percent', '%');
export const Caret = mark('Caret', '^');
export const LeftParen = mark('LeftParen', '(');
export const RightParen = mark('RightParen', ')');
export const LeftSquare = mark('LeftSquare', '[');
export const RightSquare = mark('RightSquare', ']');
export const LeftCurly = mark('LeftCurly', '{');
export const RightCurly = mark('RightCurly', '}');
export const Comma = mark('Comma', ',');
export const Colon = mark('Colon', ':');
export const Question = mark('Question', '?');

/** `///` lines are kept beside the tokens; `build/docs.ts` gives them to the declarations that they precede. */
export const DocLine = createToken({ name: 'DocLine', pattern: /\/\/\/[^\r\n]*/, group: 'docs' });
export const Comment = createToken({ name: 'Comment', pattern: /\/\/[^\r\n]*/, group: Lexer.SKIPPED });
export const Blank = createToken({ name: 'Blank', pattern: /[ \t\r\n\uFEFF]+/, group: Lexer.SKIPPED, line_breaks: true });

/** The keywords that may begin a declaration. */
export const declarationKeywords: TokenType[] = [
  Use, Param, Seeds, Encoder, Language, Model, Data, Tokenizer, Probe, Architecture, Stage, Compare, Export, RecordWord, Composite, Layer, Loss,
  Schedule, Optimizer, Source,
]; // prettier-ignore

/** The keywords that may begin a statement of a body. */
export const statementKeywords: TokenType[] = [Let, Weight, Part, Repeat, If, Return, Expose, Require, State, Embed, Train, Keep, Score];

/** The tokens that begin a value, and could not carry on the one before. */
export const valueStarts: TokenType[] = [Identifier, NumberToken, StringToken, True, False, None, If, Not, DotDot];

/** The words that are never names. */
export const reservedWords: TokenType[] = [If, Then, Else, Or, And, Not, In, True, False, None];

/** All token types, in the order in which the lexer tries them. */
export const tokens: TokenType[] = [
  Blank, DocLine, Comment, NumberToken, StringToken, OpenString,
  Pivot, ...declarationKeywords, From, As, Arm, Every, On, Let, Weight, Part, Repeat, Return, Expose, Require, State, Like, Embed, Keep, Score,
  Train, Tune, By,
  ...reservedWords, Identifier,
  Arrow, DotDot, Dot, EqualEqual, NotEqual, LessEqual, GreaterEqual, Less, Greater, Equal, Plus, Minus, Star, Slash, Percent, Caret,
  LeftParen, RightParen, LeftSquare, RightSquare, LeftCurly, RightCurly, Comma, Colon, Question,
]; // prettier-ignore

export const lexer = new Lexer(tokens, { positionTracking: 'full', ensureOptimizations: true });
