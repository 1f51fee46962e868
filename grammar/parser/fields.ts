/** Fields: a name and a value with nothing between, in stages, arms, and what a probe trains. */
import * as t from '../tokens.ts';
import { ExpressionParser } from './expressions.ts';
import type { Rule } from './expressions.ts';

export class FieldParser extends ExpressionParser {
  /**
   * `name value`, `name every 50 steps on data`, `name value, other value`. A value that begins with a name stands on the line of its
   * field, else it would be the next field; `on` belongs to the `every` (or to the bare name) of its line, else it is a field too.
   */
  field: Rule = this.RULE('field', () => {
    let takesOn = true;
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.OPTION({
      GATE: () => !this.ahead(1, t.Every) && !this.ahead(1, t.On) && (this.sameLine() || !this.ahead(1, t.Identifier)),
      DEF: () => {
        takesOn = false;
        this.SUBRULE(this.expression, { LABEL: 'value' });
      },
    });
    this.OPTION1(() => {
      takesOn = true;
      this.CONSUME(t.Every);
      this.SUBRULE1(this.expression, { LABEL: 'every' });
    });
    this.OPTION2({
      GATE: () => takesOn && this.sameLine(),
      DEF: () => {
        this.CONSUME(t.On);
        this.SUBRULE2(this.expression, { LABEL: 'on' });
      },
    });
    this.MANY(() => {
      this.CONSUME(t.Comma);
      this.SUBRULE(this.fieldMore, { LABEL: 'more' });
    });
  });

  fieldMore: Rule = this.RULE('fieldMore', () => {
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.SUBRULE(this.expression, { LABEL: 'value' });
  });
}
