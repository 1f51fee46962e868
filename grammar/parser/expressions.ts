/**
 * Expressions and types, loosest operator first. Every level is a rule whose operands and operators carry labels; `build/expressions.ts`
 * folds them. Newlines mean nothing here: an expression ends where no operator follows.
 */
import { CstParser, tokenMatcher } from 'chevrotain';
import type { CstNode, IToken, ParserMethod, TokenType } from 'chevrotain';
import * as t from '../tokens.ts';
import { LIMITS } from '../limits.ts';
import { messages } from './messages.ts';

export type Rule = ParserMethod<[], CstNode>;

/** Thrown where a text is nested beyond the limit: no recovery goes on from there. */
export class TooDeep extends Error {
  readonly token: IToken;
  constructor(token: IToken) {
    super('nested too deeply');
    this.token = token;
  }
}

/** A token of a list before which a comma is missing, or which should have been another mark. */
export interface ListSlip {
  token: IToken;
  close: TokenType;
  rule: string;
}

export class ExpressionParser extends CstParser {
  /** Slips in lists of the text that was parsed last, after which the parser went on; whoever sets the input empties it. */
  readonly slips: ListSlip[] = [];
  private depth = 0;

  /** `validate` makes Chevrotain look for ambiguities of the grammar, which takes longer than most texts do: the tests ask for it. */
  constructor(validate: boolean) {
    super(t.tokens, {
      recoveryEnabled: true,
      nodeLocationTracking: 'full',
      maxLookahead: 3,
      skipValidations: !validate,
      errorMessageProvider: messages,
    });
  }

  /** Whether the k-th token ahead is of this type or category. */
  protected ahead(k: number, type: TokenType): boolean {
    return tokenMatcher(this.LA(k), type);
  }

  /** Whether the next token stands on the line of the one before it. */
  protected sameLine(): boolean {
    return this.LA(1).startLine === this.LA(0).endLine;
  }

  /**
   * Whether a declaration or statement begins on a new line, `stage align` or `let y`: there an expression has ended, even if it has not
   * begun and the keyword could be a name.
   */
  protected startsAnew(): boolean {
    const [word, next] = [this.LA(1), this.LA(2)];
    if (this.sameLine() || next.startLine !== word.startLine) return false;
    if (t.declarationKeywords.includes(word.tokenType)) {
      return word.startColumn === 1 && [t.Identifier, t.StringToken, t.LeftCurly, t.Equal].some((type) => this.ahead(2, type));
    }
    return t.statementKeywords.includes(word.tokenType) && this.ahead(2, t.Identifier);
  }

  /** Runs a rule's body one level deeper. Each level takes some kilobytes of the stack, so the levels are counted. */
  protected deeper(body: () => void): void {
    if (this.depth >= LIMITS.nesting.most) throw new TooDeep(this.LA(1));
    this.depth++;
    try {
      body();
    } finally {
      this.depth--;
    }
  }

  /** A comma list up to (not including) its closing mark; a comma may stand after the last. Once in a rule.
   * Where an item follows without a comma, the comma is noted as missing in the rule `owner` and the list goes on.
   */
  protected list(owner: string, close: TokenType, rule: Rule, label: string): void {
    const begins = (): boolean => t.valueStarts.some((type) => this.ahead(1, type)) && !this.startsAnew();
    this.option(7, {
      GATE: () => !this.ahead(1, close),
      DEF: () => {
        this.subrule(8, rule, { LABEL: label });
        this.many(8, {
          GATE: () => (this.ahead(1, t.Comma) ? !this.ahead(2, close) : begins()),
          DEF: () => {
            this.option(6, {
              GATE: () => this.ahead(1, t.Comma),
              DEF: () => this.consume(8, t.Comma),
            });
            this.ACTION(() => {
              if (this.LA(0).tokenType !== t.Comma) this.slips.push({ token: this.LA(1), close, rule: owner });
            });
            this.subrule(9, rule, { LABEL: label });
          },
        });
        this.option(9, () => this.consume(9, t.Comma));
      },
    });
  }

  /** `a -> b -> c`, the loosest of all. */
  expression: Rule = this.RULE('expression', () => {
    this.SUBRULE(this.step, { LABEL: 'steps' });
    this.MANY(() => {
      this.CONSUME(t.Arrow);
      this.SUBRULE1(this.step, { LABEL: 'steps' });
    });
  });

  step: Rule = this.RULE('step', () => {
    this.deeper(() => {
      this.OR({
        ERR_MSG: 'a value',
        DEF: [
          { ALT: () => this.SUBRULE(this.conditional, { LABEL: 'value' }) },
          { ALT: () => this.SUBRULE(this.disjunction, { LABEL: 'value' }) },
        ],
      });
    });
  });

  conditional: Rule = this.RULE('conditional', () => {
    this.CONSUME(t.If);
    this.SUBRULE(this.step, { LABEL: 'condition' });
    this.CONSUME(t.Then);
    this.SUBRULE1(this.step, { LABEL: 'then' });
    this.CONSUME(t.Else);
    this.SUBRULE2(this.step, { LABEL: 'otherwise' });
  });

  disjunction: Rule = this.RULE('disjunction', () => {
    this.SUBRULE(this.conjunction, { LABEL: 'operands' });
    this.MANY(() => {
      this.CONSUME(t.Or, { LABEL: 'operators' });
      this.SUBRULE1(this.conjunction, { LABEL: 'operands' });
    });
  });

  conjunction: Rule = this.RULE('conjunction', () => {
    this.SUBRULE(this.negation, { LABEL: 'operands' });
    this.MANY(() => {
      this.CONSUME(t.And, { LABEL: 'operators' });
      this.SUBRULE1(this.negation, { LABEL: 'operands' });
    });
  });

  negation: Rule = this.RULE('negation', () => {
    this.OR({
      ERR_MSG: 'a value',
      DEF: [
        {
          ALT: () => {
            this.CONSUME(t.Not, { LABEL: 'operator' });
            this.deeper(() => this.SUBRULE(this.negation, { LABEL: 'operand' }));
          },
        },
        { ALT: () => this.SUBRULE(this.comparison, { LABEL: 'operand' }) },
      ],
    });
  });

  comparison: Rule = this.RULE('comparison', () => {
    this.SUBRULE(this.range, { LABEL: 'operands' });
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.Less, { LABEL: 'operators' }) },
        { ALT: () => this.CONSUME(t.LessEqual, { LABEL: 'operators' }) },
        { ALT: () => this.CONSUME(t.Greater, { LABEL: 'operators' }) },
        { ALT: () => this.CONSUME(t.GreaterEqual, { LABEL: 'operators' }) },
        { ALT: () => this.CONSUME(t.EqualEqual, { LABEL: 'operators' }) },
        { ALT: () => this.CONSUME(t.NotEqual, { LABEL: 'operators' }) },
        { ALT: () => this.CONSUME(t.In, { LABEL: 'operators' }) },
      ]);
      this.SUBRULE1(this.range, { LABEL: 'operands' });
    });
  });

  range: Rule = this.RULE('range', () => {
    this.SUBRULE(this.sum, { LABEL: 'from' });
    this.OPTION(() => {
      this.CONSUME(t.DotDot);
      this.SUBRULE1(this.sum, { LABEL: 'to' });
    });
  });

  sum: Rule = this.RULE('sum', () => {
    this.SUBRULE(this.product, { LABEL: 'operands' });
    this.MANY(() => {
      this.OR([{ ALT: () => this.CONSUME(t.Plus, { LABEL: 'operators' }) }, { ALT: () => this.CONSUME(t.Minus, { LABEL: 'operators' }) }]);
      this.SUBRULE1(this.product, { LABEL: 'operands' });
    });
  });

  product: Rule = this.RULE('product', () => {
    this.SUBRULE(this.unary, { LABEL: 'operands' });
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.Star, { LABEL: 'operators' }) },
        { ALT: () => this.CONSUME(t.Slash, { LABEL: 'operators' }) },
        { ALT: () => this.CONSUME(t.Percent, { LABEL: 'operators' }) },
      ]);
      this.SUBRULE1(this.unary, { LABEL: 'operands' });
    });
  });

  unary: Rule = this.RULE('unary', () => {
    this.OR({
      ERR_MSG: 'a value',
      DEF: [
        {
          ALT: () => {
            this.CONSUME(t.Minus, { LABEL: 'operator' });
            this.deeper(() => this.SUBRULE(this.unary, { LABEL: 'operand' }));
          },
        },
        { ALT: () => this.SUBRULE(this.power, { LABEL: 'operand' }) },
      ],
    });
  });

  /** `a ^ b`: tighter than a minus before it, looser than one after it, and grouped from the right. */
  power: Rule = this.RULE('power', () => {
    this.SUBRULE(this.postfix, { LABEL: 'base' });
    this.OPTION(() => {
      this.CONSUME(t.Caret);
      this.deeper(() => this.SUBRULE(this.unary, { LABEL: 'exponent' }));
    });
  });

  postfix: Rule = this.RULE('postfix', () => {
    this.SUBRULE(this.primary, { LABEL: 'base' });
    this.MANY(() => {
      this.OR([
        { ALT: () => this.SUBRULE(this.member, { LABEL: 'suffixes' }) },
        { ALT: () => this.SUBRULE(this.call, { LABEL: 'suffixes' }) },
        { ALT: () => this.SUBRULE(this.index, { LABEL: 'suffixes' }) },
      ]);
    });
  });

  member: Rule = this.RULE('member', () => {
    this.CONSUME(t.Dot);
    this.OR({ ERR_MSG: 'a name', DEF: [{ GATE: () => !this.startsAnew(), ALT: () => this.CONSUME(t.Identifier, { LABEL: 'name' }) }] });
  });

  call: Rule = this.RULE('call', () => {
    this.CONSUME(t.LeftParen);
    this.list('call', t.RightParen, this.argument, 'arguments');
    this.CONSUME(t.RightParen, { LABEL: 'close' });
  });

  argument: Rule = this.RULE('argument', () => {
    this.OPTION(() => {
      this.CONSUME(t.Identifier, { LABEL: 'name' });
      this.OR([
        { ALT: () => this.CONSUME(t.Colon) },
        {
          // what other languages write; noted, and read as it is meant
          ALT: () => {
            this.CONSUME(t.Equal);
            this.ACTION(() => this.slips.push({ token: this.LA(0), close: t.RightParen, rule: 'call' }));
          },
        },
      ]);
    });
    this.SUBRULE(this.expression, { LABEL: 'value' });
  });

  index: Rule = this.RULE('index', () => {
    this.CONSUME(t.LeftSquare);
    this.list('index', t.RightSquare, this.indexEntry, 'entries');
    this.CONSUME(t.RightSquare, { LABEL: 'close' });
  });

  /**
   * `..`, `name: value`, `from:to`, or a value. A name whose colon clings to it and is followed by a blank is a selector (`x[seed: 0]`);
   * any other colon cuts a slice (`x[a:b]`).
   */
  indexEntry: Rule = this.RULE('indexEntry', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.rest, { LABEL: 'value' }) },
      { GATE: () => this.selectorAhead(), ALT: () => this.SUBRULE(this.indexNamed, { LABEL: 'value' }) },
      { ALT: () => this.SUBRULE(this.indexAt, { LABEL: 'value' }) },
    ]);
  });

  private selectorAhead(): boolean {
    const colon = this.LA(2);
    return this.ahead(2, t.Colon) && this.LA(1).endOffset === colon.startOffset - 1 && this.LA(3).startOffset > colon.startOffset + 1;
  }

  indexNamed: Rule = this.RULE('indexNamed', () => {
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.CONSUME(t.Colon);
    this.SUBRULE(this.expression, { LABEL: 'value' });
  });

  indexAt: Rule = this.RULE('indexAt', () => {
    this.OR([
      {
        ALT: () => {
          this.SUBRULE(this.expression, { LABEL: 'from' });
          this.OPTION(() => {
            this.CONSUME(t.Colon, { LABEL: 'colon' });
            this.OPTION1({ GATE: () => !this.entryEnds(), DEF: () => this.SUBRULE1(this.expression, { LABEL: 'to' }) });
          });
        },
      },
      {
        ALT: () => {
          this.CONSUME1(t.Colon, { LABEL: 'colon' });
          this.OPTION2({ GATE: () => !this.entryEnds(), DEF: () => this.SUBRULE2(this.expression, { LABEL: 'to' }) });
        },
      },
    ]);
  });

  private entryEnds(): boolean {
    return this.ahead(1, t.Comma) || this.ahead(1, t.RightSquare);
  }

  rest: Rule = this.RULE('rest', () => {
    this.CONSUME(t.DotDot);
  });

  primary: Rule = this.RULE('primary', () => {
    this.OR({
      DEF: [
        { ALT: () => this.SUBRULE(this.number, { LABEL: 'value' }) },
        { ALT: () => this.SUBRULE(this.string, { LABEL: 'value' }) },
        { ALT: () => this.CONSUME(t.True, { LABEL: 'word' }) },
        { ALT: () => this.CONSUME(t.False, { LABEL: 'word' }) },
        { ALT: () => this.CONSUME(t.None, { LABEL: 'word' }) },
        { GATE: () => !this.startsAnew(), ALT: () => this.CONSUME(t.Identifier, { LABEL: 'name' }) },
        { ALT: () => this.SUBRULE(this.listLiteral, { LABEL: 'value' }) },
        { ALT: () => this.SUBRULE(this.group, { LABEL: 'value' }) },
      ],
      ERR_MSG: 'a value',
    });
  });

  group: Rule = this.RULE('group', () => {
    this.CONSUME(t.LeftParen);
    this.SUBRULE(this.expression, { LABEL: 'value' });
    this.CONSUME(t.RightParen);
  });

  listLiteral: Rule = this.RULE('listLiteral', () => {
    this.CONSUME(t.LeftSquare);
    this.list('listLiteral', t.RightSquare, this.expression, 'items');
    this.CONSUME(t.RightSquare);
  });

  number: Rule = this.RULE('number', () => {
    this.CONSUME(t.NumberToken, { LABEL: 'token' });
  });

  string: Rule = this.RULE('string', () => {
    this.CONSUME(t.StringToken, { LABEL: 'token' });
  });

  /** `int`, `Scored`, `[N, T]`, `ids [N, T]`; a `?` after it makes it optional. */
  typeRef: Rule = this.RULE('typeRef', () => {
    this.OR({
      DEF: [
        {
          ALT: () => {
            this.CONSUME(t.Identifier, { LABEL: 'name' });
            this.OPTION(() => this.SUBRULE(this.shape, { LABEL: 'shape' }));
          },
        },
        { ALT: () => this.SUBRULE1(this.shape, { LABEL: 'shape' }) },
      ],
      ERR_MSG: 'a type',
    });
    this.OPTION1(() => this.CONSUME(t.Question, { LABEL: 'optional' }));
  });

  shape: Rule = this.RULE('shape', () => {
    this.CONSUME(t.LeftSquare);
    this.list('shape', t.RightSquare, this.shapeEntry, 'entries');
    this.CONSUME(t.RightSquare);
  });

  shapeEntry: Rule = this.RULE('shapeEntry', () => {
    this.OR([{ ALT: () => this.SUBRULE(this.rest, { LABEL: 'rest' }) }, { ALT: () => this.SUBRULE(this.sum, { LABEL: 'value' }) }]);
  });
}
