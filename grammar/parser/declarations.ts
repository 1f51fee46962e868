/** Declarations: what stands at the top of a file, and the fields of stages. The last of the three families, so the parser itself. */
import * as t from '../tokens.ts';
import type { Rule } from './expressions.ts';
import { StatementParser } from './statements.ts';

export class PivotParser extends StatementParser {
  constructor(validate = false) {
    super(validate);
    this.performSelfAnalysis();
  }

  file: Rule = this.RULE('file', () => {
    this.OPTION(() => {
      this.CONSUME(t.Pivot, { LABEL: 'pivot' });
      this.SUBRULE(this.number, { LABEL: 'version' });
    });
    this.MANY(() => this.SUBRULE(this.declaration, { LABEL: 'declarations' }));
  });

  declaration: Rule = this.RULE('declaration', () => {
    this.OR({
      DEF: [
        { ALT: () => this.SUBRULE(this.use, { LABEL: 'value' }) },
        { ALT: () => this.SUBRULE(this.param, { LABEL: 'value' }) },
        { ALT: () => this.SUBRULE(this.seeds, { LABEL: 'value' }) },
        { ALT: () => this.SUBRULE(this.binding, { LABEL: 'value' }) },
        { ALT: () => this.SUBRULE(this.stage, { LABEL: 'value' }) },
        { ALT: () => this.SUBRULE(this.compare, { LABEL: 'value' }) },
        { ALT: () => this.SUBRULE(this.exportDeclaration, { LABEL: 'value' }) },
        { ALT: () => this.SUBRULE(this.recordType, { LABEL: 'value' }) },
        { ALT: () => this.SUBRULE(this.definition, { LABEL: 'value' }) },
      ],
      ERR_MSG: 'a declaration',
    });
  });

  use: Rule = this.RULE('use', () => {
    this.CONSUME(t.Use);
    this.OR([
      { ALT: () => this.SUBRULE(this.string, { LABEL: 'file' }) },
      {
        ALT: () => {
          this.CONSUME(t.Identifier, { LABEL: 'path' });
          this.MANY(() => {
            this.CONSUME(t.Dot);
            this.OR1({
              ERR_MSG: 'a name',
              DEF: [{ GATE: () => !this.startsAnew(), ALT: () => this.CONSUME1(t.Identifier, { LABEL: 'path' }) }],
            });
          });
        },
      },
    ]);
    this.OPTION(() => {
      this.CONSUME1(t.Dot);
      this.CONSUME(t.LeftCurly);
      this.CONSUME2(t.Identifier, { LABEL: 'names' });
      this.MANY1({
        GATE: () => this.ahead(2, t.Identifier),
        DEF: () => {
          this.CONSUME(t.Comma);
          this.CONSUME3(t.Identifier, { LABEL: 'names' });
        },
      });
      this.OPTION1(() => this.CONSUME1(t.Comma));
      this.CONSUME(t.RightCurly);
    });
  });

  param: Rule = this.RULE('param', () => {
    this.CONSUME(t.Param);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.typeRef, { LABEL: 'type' });
      this.OPTION1(() => this.SUBRULE(this.domain, { LABEL: 'domain' }));
    });
    this.CONSUME(t.Equal);
    this.SUBRULE(this.expression, { LABEL: 'value' });
  });

  seeds: Rule = this.RULE('seeds', () => {
    this.CONSUME(t.Seeds);
    this.SUBRULE(this.expression, { LABEL: 'values' });
  });

  binding: Rule = this.RULE('binding', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Encoder, { LABEL: 'keyword' }) },
      { ALT: () => this.CONSUME(t.Language, { LABEL: 'keyword' }) },
      { ALT: () => this.CONSUME(t.Model, { LABEL: 'keyword' }) },
      { ALT: () => this.CONSUME(t.Data, { LABEL: 'keyword' }) },
      { ALT: () => this.CONSUME(t.Tokenizer, { LABEL: 'keyword' }) },
      { ALT: () => this.CONSUME(t.Probe, { LABEL: 'keyword' }) },
      { ALT: () => this.CONSUME(t.Architecture, { LABEL: 'keyword' }) },
    ]);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.CONSUME(t.Equal);
    this.SUBRULE(this.expression, { LABEL: 'value' });
  });

  stage: Rule = this.RULE('stage', () => {
    this.CONSUME(t.Stage);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.OPTION(() => {
      this.CONSUME(t.From);
      this.SUBRULE(this.expression, { LABEL: 'from' });
    });
    this.fieldsOrTunes();
  });

  compare: Rule = this.RULE('compare', () => {
    this.CONSUME(t.Compare);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.OPTION(() => {
      this.CONSUME(t.From);
      this.SUBRULE(this.expression, { LABEL: 'from' });
    });
    this.CONSUME(t.LeftCurly);
    this.MANY(() => {
      this.OR({
        MAX_LOOKAHEAD: 1,
        IGNORE_AMBIGUITIES: true,
        DEF: [
          { ALT: () => this.SUBRULE(this.arm, { LABEL: 'arms' }) },
          { ALT: () => this.SUBRULE(this.tune, { LABEL: 'tunes' }) },
          { ALT: () => this.SUBRULE(this.field, { LABEL: 'fields' }) },
        ],
      });
    });
    this.CONSUME(t.RightCurly);
  });

  arm: Rule = this.RULE('arm', () => {
    this.CONSUME(t.Arm);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.fieldsOrTunes();
  });

  /** What stands in the braces of a stage or an arm. */
  private fieldsOrTunes(): void {
    this.CONSUME(t.LeftCurly);
    this.MANY(() => {
      this.OR({
        MAX_LOOKAHEAD: 1,
        IGNORE_AMBIGUITIES: true,
        DEF: [{ ALT: () => this.SUBRULE(this.tune, { LABEL: 'tunes' }) }, { ALT: () => this.SUBRULE(this.field, { LABEL: 'fields' }) }],
      });
    });
    this.CONSUME(t.RightCurly);
  }

  /** `tune lr in [1e-3, 3e-3] by objects.top1 on seeds [100, 101]` */
  tune: Rule = this.RULE('tune', () => {
    this.CONSUME(t.Tune);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.CONSUME(t.In);
    this.SUBRULE(this.expression, { LABEL: 'values' });
    this.CONSUME(t.By);
    this.SUBRULE1(this.expression, { LABEL: 'by' });
    this.CONSUME(t.On);
    this.CONSUME(t.Seeds);
    this.SUBRULE2(this.expression, { LABEL: 'seeds' });
  });

  exportDeclaration: Rule = this.RULE('exportDeclaration', () => {
    this.CONSUME(t.Export);
    this.SUBRULE(this.expression, { LABEL: 'value' });
    this.CONSUME(t.As);
    this.SUBRULE(this.string, { LABEL: 'as' });
  });

  recordType: Rule = this.RULE('recordType', () => {
    this.CONSUME(t.RecordWord);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.CONSUME(t.LeftCurly);
    this.list('recordType', t.RightCurly, this.recordField, 'fields');
    this.CONSUME(t.RightCurly);
  });

  recordField: Rule = this.RULE('recordField', () => {
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.CONSUME(t.Colon);
    this.SUBRULE(this.typeRef, { LABEL: 'type' });
  });

  definition: Rule = this.RULE('definition', () => {
    this.OPTION(() => this.CONSUME(t.Composite, { LABEL: 'composite' }));
    this.OR([
      { ALT: () => this.CONSUME(t.Layer, { LABEL: 'keyword' }) },
      { ALT: () => this.CONSUME(t.Loss, { LABEL: 'keyword' }) },
      { ALT: () => this.CONSUME(t.Schedule, { LABEL: 'keyword' }) },
      { ALT: () => this.CONSUME(t.Optimizer, { LABEL: 'keyword' }) },
      { ALT: () => this.CONSUME(t.Source, { LABEL: 'keyword' }) },
      { ALT: () => this.CONSUME(t.Probe, { LABEL: 'keyword' }) },
    ]);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.CONSUME(t.LeftParen);
    this.list('definition', t.RightParen, this.parameter, 'params');
    this.CONSUME(t.RightParen);
    this.OPTION1(() => {
      this.CONSUME(t.Arrow);
      this.SUBRULE(this.typeRef, { LABEL: 'result' });
    });
    this.OR1([
      { ALT: () => this.block(1, 'body') },
      {
        ALT: () => {
          this.CONSUME(t.Equal);
          this.SUBRULE(this.expression, { LABEL: 'value' });
        },
      },
    ]);
  });

  parameter: Rule = this.RULE('parameter', () => {
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.typeRef, { LABEL: 'type' });
      this.OPTION1(() => this.SUBRULE(this.domain, { LABEL: 'domain' }));
    });
    this.OPTION2(() => {
      this.CONSUME(t.Equal);
      this.SUBRULE(this.expression, { LABEL: 'default' });
    });
  });

  /** Which values of its type a parameter takes: `> 0 < 1`, or `in ["train", "held-out"]`. */
  domain: Rule = this.RULE('domain', () => {
    this.OR([
      { ALT: () => this.AT_LEAST_ONE(() => this.SUBRULE(this.bound, { LABEL: 'bounds' })) },
      {
        ALT: () => {
          this.CONSUME(t.In);
          this.SUBRULE(this.expression, { LABEL: 'words' });
        },
      },
    ]);
  });

  bound: Rule = this.RULE('bound', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Less, { LABEL: 'operator' }) },
      { ALT: () => this.CONSUME(t.LessEqual, { LABEL: 'operator' }) },
      { ALT: () => this.CONSUME(t.Greater, { LABEL: 'operator' }) },
      { ALT: () => this.CONSUME(t.GreaterEqual, { LABEL: 'operator' }) },
    ]);
    this.OPTION(() => this.CONSUME(t.Minus, { LABEL: 'negative' }));
    this.SUBRULE(this.number, { LABEL: 'value' });
  });
}
