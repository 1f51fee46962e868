/** The statements of a body: layers, losses, schedules, optimizers and probes are written in them. */
import * as t from '../tokens.ts';
import type { Rule } from './expressions.ts';
import { FieldParser } from './fields.ts';

export class StatementParser extends FieldParser {
  /** `{ statement* }`, its statements under `label`. The index keeps two blocks of one rule apart. */
  protected block(index: number, label: string): void {
    this.consume(index, t.LeftCurly);
    this.many(index, {
      GATE: () => t.statementKeywords.includes(this.LA(1).tokenType) || this.ahead(2, t.Equal),
      DEF: () => this.subrule(index, this.statement, { LABEL: label }),
    });
    this.consume(index, t.RightCurly);
  }

  statement: Rule = this.RULE('statement', () => {
    // a statement is known by its first word, so that a fault within it is told there; `let = 3` assigns to a name
    this.deeper(() =>
      this.OR({
        MAX_LOOKAHEAD: 1,
        IGNORE_AMBIGUITIES: true,
        DEF: [
          { GATE: () => this.ahead(2, t.Equal), ALT: () => this.SUBRULE(this.assign, { LABEL: 'value' }) },
          { ALT: () => this.SUBRULE(this.letStatement, { LABEL: 'value' }) },
          { ALT: () => this.SUBRULE(this.weight, { LABEL: 'value' }) },
          { ALT: () => this.SUBRULE(this.part, { LABEL: 'value' }) },
          { ALT: () => this.SUBRULE(this.repeat, { LABEL: 'value' }) },
          { ALT: () => this.SUBRULE(this.ifStatement, { LABEL: 'value' }) },
          { ALT: () => this.SUBRULE(this.returnStatement, { LABEL: 'value' }) },
          { ALT: () => this.SUBRULE(this.expose, { LABEL: 'value' }) },
          { ALT: () => this.SUBRULE(this.require, { LABEL: 'value' }) },
          { ALT: () => this.SUBRULE(this.stateLike, { LABEL: 'value' }) },
          { ALT: () => this.SUBRULE(this.embed, { LABEL: 'value' }) },
          { ALT: () => this.SUBRULE(this.trainStatement, { LABEL: 'value' }) },
          { ALT: () => this.SUBRULE(this.keep, { LABEL: 'value' }) },
          { ALT: () => this.SUBRULE(this.score, { LABEL: 'value' }) },
        ],
        ERR_MSG: 'a statement',
      }),
    );
  });

  assign: Rule = this.RULE('assign', () => {
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.CONSUME(t.Equal);
    this.SUBRULE(this.expression, { LABEL: 'value' });
  });

  letStatement: Rule = this.RULE('letStatement', () => {
    this.CONSUME(t.Let);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.OPTION(() => {
      this.CONSUME(t.LeftParen);
      this.OPTION1(() => {
        this.CONSUME1(t.Identifier, { LABEL: 'params' });
        this.MANY(() => {
          this.CONSUME(t.Comma);
          this.CONSUME2(t.Identifier, { LABEL: 'params' });
        });
      });
      this.CONSUME(t.RightParen);
    });
    this.OPTION2(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.typeRef, { LABEL: 'shape' });
    });
    this.CONSUME(t.Equal);
    this.SUBRULE(this.expression, { LABEL: 'value' });
  });

  weight: Rule = this.RULE('weight', () => {
    this.CONSUME(t.Weight);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.CONSUME(t.Colon);
    this.SUBRULE(this.typeRef, { LABEL: 'shape' });
    this.CONSUME(t.Equal);
    this.SUBRULE(this.expression, { LABEL: 'init' });
    this.MANY(() => {
      this.CONSUME(t.Comma);
      this.SUBRULE(this.namedArgument, { LABEL: 'options' });
    });
  });

  namedArgument: Rule = this.RULE('namedArgument', () => {
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.CONSUME(t.Colon);
    this.SUBRULE(this.expression, { LABEL: 'value' });
  });

  part: Rule = this.RULE('part', () => {
    this.CONSUME(t.Part);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.OPTION(() => {
      this.CONSUME(t.LeftSquare);
      this.SUBRULE(this.expression, { LABEL: 'index' });
      this.CONSUME(t.RightSquare);
    });
    this.CONSUME(t.Equal);
    this.SUBRULE1(this.expression, { LABEL: 'value' });
  });

  repeat: Rule = this.RULE('repeat', () => {
    this.CONSUME(t.Repeat);
    this.CONSUME(t.Identifier, { LABEL: 'variable' });
    this.CONSUME(t.In);
    this.SUBRULE(this.expression, { LABEL: 'over' });
    this.block(1, 'body');
  });

  ifStatement: Rule = this.RULE('ifStatement', () => {
    this.CONSUME(t.If);
    this.SUBRULE(this.expression, { LABEL: 'condition' });
    this.block(1, 'then');
    this.OPTION(() => {
      this.CONSUME(t.Else);
      this.OR([
        { ALT: () => this.deeper(() => this.SUBRULE(this.ifStatement, { LABEL: 'otherwise' })) },
        { ALT: () => this.block(2, 'otherwise') },
      ]);
    });
  });

  returnStatement: Rule = this.RULE('returnStatement', () => {
    this.CONSUME(t.Return);
    this.SUBRULE(this.expression, { LABEL: 'value' });
  });

  expose: Rule = this.RULE('expose', () => {
    this.CONSUME(t.Expose);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.CONSUME(t.Equal);
    this.SUBRULE(this.expression, { LABEL: 'value' });
  });

  require: Rule = this.RULE('require', () => {
    this.CONSUME(t.Require);
    this.SUBRULE(this.expression, { LABEL: 'condition' });
    this.CONSUME(t.Comma);
    this.SUBRULE1(this.expression, { LABEL: 'message' });
  });

  stateLike: Rule = this.RULE('stateLike', () => {
    this.CONSUME(t.State);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.CONSUME(t.Like);
    this.CONSUME1(t.Identifier, { LABEL: 'like' });
  });

  embed: Rule = this.RULE('embed', () => {
    this.CONSUME(t.Embed);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.CONSUME(t.From);
    this.SUBRULE(this.expression, { LABEL: 'from' });
    this.block(1, 'body');
  });

  /** `train reader { .. }`: fields as a stage has them. */
  trainStatement: Rule = this.RULE('trainStatement', () => {
    this.CONSUME(t.Train);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.CONSUME(t.LeftCurly);
    this.MANY(() => this.SUBRULE(this.field, { LABEL: 'fields' }));
    this.CONSUME(t.RightCurly);
  });

  keep: Rule = this.RULE('keep', () => {
    this.CONSUME(t.Keep);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.CONSUME(t.Equal);
    this.SUBRULE(this.expression, { LABEL: 'value' });
  });

  score: Rule = this.RULE('score', () => {
    this.CONSUME(t.Score);
    this.SUBRULE(this.expression, { LABEL: 'value' });
  });
}
