/** Expressions of Jinja, in the precedence that Jinja2's parser gives them. */
import { TemplateError, unsupported } from './errors.ts';
import { FILTERS, TESTS } from './known.ts';
import type { Token } from './lexer.ts';
import type { Arguments, Expression } from './nodes.ts';

const COMPARISONS = ['==', '!=', '<', '>', '<=', '>='];
const CONSTANTS: Readonly<Record<string, boolean | null>> = { true: true, True: true, false: false, False: false, none: null, None: null };
const NONE: Arguments = { positional: [], named: [] };

/** Reads tokens one after the other. Statements are read by a subclass (`parse.ts`). */
export class ExpressionParser {
  protected readonly tokens: readonly Token[];
  private at = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  protected get current(): Token {
    return this.tokens[this.at];
  }

  protected get line(): number {
    return this.current.line;
  }

  protected next(): Token {
    return this.tokens[Math.min(this.at++, this.tokens.length - 1)];
  }

  protected is(kind: Token['kind'], value?: string): boolean {
    return this.current.kind === kind && (value === undefined || this.current.value === value);
  }

  protected skip(kind: Token['kind'], value?: string): boolean {
    const found = this.is(kind, value);
    if (found) this.at++;
    return found;
  }

  protected expect(kind: Token['kind'], value?: string): Token {
    if (this.is(kind, value)) return this.next();
    const { value: found, kind: other } = this.current;
    throw new TemplateError(
      `expected ${value ?? kind.replace('_', ' ')}, found ${found === '' ? other.replace('_', ' ') : found}`,
      this.line,
    );
  }

  /** An expression, or several with commas between them: a tuple. */
  tuple({ condition = true, ends = [] as readonly string[], parenthesised = false } = {}): Expression {
    const { line } = this;
    const items: Expression[] = [];
    let isTuple = false;
    while (!this.endsTuple(ends)) {
      items.push(condition ? this.expression() : this.or());
      if (!this.skip('operator', ',')) break;
      isTuple = true;
    }
    if (!isTuple && items.length === 1) return items[0];
    if (!isTuple && !parenthesised) throw new TemplateError('expected an expression', line);
    return { kind: 'tuple', items, line };
  }

  private endsTuple(ends: readonly string[]): boolean {
    return (
      this.is('variable_end') || this.is('block_end') || this.is('operator', ')') || (this.is('name') && ends.includes(this.current.value))
    );
  }

  /** With conditions: `a if b else c`. */
  expression(): Expression {
    const { line } = this;
    let found = this.or();
    while (this.skip('name', 'if')) {
      const test = this.or();
      const otherwise = this.skip('name', 'else') ? this.expression() : undefined;
      found = { kind: 'condition', test, then: found, otherwise, line };
    }
    return found;
  }

  or(): Expression {
    return this.leftwards('or', () => this.leftwards('and', () => this.not()));
  }

  private leftwards(kind: 'and' | 'or', operand: () => Expression): Expression {
    const { line } = this;
    let left = operand();
    while (this.skip('name', kind)) left = { kind, left, right: operand(), line };
    return left;
  }

  private not(): Expression {
    const { line } = this;
    return this.skip('name', 'not') ? { kind: 'not', operand: this.not(), line } : this.compare();
  }

  private compare(): Expression {
    const { line } = this;
    const first = this.sum();
    const rest: { operator: string; operand: Expression }[] = [];
    for (;;) {
      const operator = this.comparison();
      if (operator === undefined) break;
      rest.push({ operator, operand: this.sum() });
    }
    return rest.length === 0 ? first : { kind: 'compare', first, rest, line };
  }

  private comparison(): string | undefined {
    if (this.current.kind === 'operator' && COMPARISONS.includes(this.current.value)) return this.next().value;
    if (this.skip('name', 'in')) return 'in';
    const following = this.tokens[this.at + 1];
    if (!this.is('name', 'not') || following?.kind !== 'name' || following.value !== 'in') return undefined;
    this.at += 2;
    return 'not in';
  }

  private sum(): Expression {
    return this.binary(['+', '-'], () => this.concat());
  }

  private concat(): Expression {
    const { line } = this;
    const parts = [this.product()];
    while (this.skip('operator', '~')) parts.push(this.product());
    return parts.length === 1 ? parts[0] : { kind: 'concat', parts, line };
  }

  private product(): Expression {
    return this.binary(['*', '/', '//', '%'], () => this.binary(['**'], () => this.unary()));
  }

  private binary(operators: readonly string[], operand: () => Expression): Expression {
    const { line } = this;
    let left = operand();
    while (this.current.kind === 'operator' && operators.includes(this.current.value)) {
      const operator = this.next().value;
      left = { kind: 'binary', operator, left, right: operand(), line };
    }
    return left;
  }

  private unary(filters = true): Expression {
    const { line } = this;
    const sign = this.skip('operator', '-') ? 'minus' : this.skip('operator', '+') ? 'plus' : undefined;
    const node: Expression = sign === undefined ? this.primary() : { kind: sign, operand: this.unary(false), line };
    const found = this.postfix(node);
    return filters ? this.filtered(found) : found;
  }

  protected primary(): Expression {
    const token = this.next();
    const { line, value } = token;
    switch (token.kind) {
      case 'name':
        return Object.hasOwn(CONSTANTS, value) ? { kind: 'constant', value: CONSTANTS[value], line } : { kind: 'name', name: value, line };
      case 'string': {
        let text = value;
        while (this.is('string')) text += this.next().value;
        return { kind: 'constant', value: text, line };
      }
      case 'integer': {
        const number = Number(value.replaceAll('_', '').replace(/^0+(?=\d)/, ''));
        if (!Number.isSafeInteger(number)) throw unsupported(`the number ${value}, which is beyond 2^53,`, line);
        return { kind: 'constant', value: number, line };
      }
      case 'float':
        return { kind: 'float', value: Number(value.replaceAll('_', '')), line };
      case 'operator':
        if (value === '(') return this.closed(')', this.tuple({ parenthesised: true }));
        if (value === '[') return { kind: 'list', items: this.items(']', () => this.expression()), line };
        if (value === '{') return { kind: 'dict', items: this.items('}', () => this.entry()), line };
        break;
      default:
        break;
    }
    throw new TemplateError(`unexpected ${value === '' ? token.kind.replace('_', ' ') : value}`, line);
  }

  private closed(end: string, expression: Expression): Expression {
    this.expect('operator', end);
    return expression;
  }

  private entry(): [Expression, Expression] {
    const key = this.expression();
    this.expect('operator', ':');
    return [key, this.expression()];
  }

  /** Elements with commas between them, up to a bracket; the last may be followed by a comma. */
  private items<T>(end: string, item: () => T): T[] {
    const items: T[] = [];
    while (!this.is('operator', end)) {
      if (items.length > 0) this.expect('operator', ',');
      if (this.is('operator', end)) break;
      items.push(item());
    }
    this.expect('operator', end);
    return items;
  }

  protected postfix(node: Expression): Expression {
    let found = node;
    for (;;) {
      if (this.is('operator', '.') || this.is('operator', '[')) found = this.subscript(found);
      else if (this.is('operator', '(')) found = this.call(found);
      else return found;
    }
  }

  /** Filters and tests, and calls behind them. */
  protected filtered(node: Expression): Expression {
    let found = node;
    for (;;) {
      if (this.is('operator', '|')) found = this.filter(found);
      else if (this.is('name', 'is')) found = this.test(found);
      else if (this.is('operator', '(')) found = this.call(found);
      else return found;
    }
  }

  private subscript(object: Expression): Expression {
    const { line } = this;
    if (this.skip('operator', '.')) {
      const token = this.next();
      if (token.kind === 'name') return { kind: 'attribute', object, name: token.value, line };
      if (token.kind !== 'integer') throw new TemplateError('expected a name or a number behind the point', line);
      return { kind: 'item', object, index: { kind: 'constant', value: Number(token.value), line }, line };
    }
    this.expect('operator', '[');
    const parts = this.items(']', () => this.subscribed(object));
    if (parts.length === 0) throw new TemplateError('expected an index', line);
    if (parts.length > 1) throw unsupported('an index of several parts', line);
    return parts[0];
  }

  private subscribed(object: Expression): Expression {
    const { line } = this;
    const bound = (): Expression | undefined =>
      this.is('operator', ':') || this.is('operator', ']') || this.is('operator', ',') ? undefined : this.expression();
    const from = bound();
    if (!this.skip('operator', ':')) {
      if (from === undefined) throw new TemplateError('expected an index', line);
      return { kind: 'item', object, index: from, line };
    }
    const to = bound();
    const step = this.skip('operator', ':') ? bound() : undefined;
    return { kind: 'slice', object, from, to, step, line };
  }

  private call(callee: Expression): Extract<Expression, { kind: 'call' }> {
    const { line } = this;
    return { kind: 'call', callee, args: this.args(), line };
  }

  private args(): Arguments {
    this.expect('operator', '(');
    const args: Arguments = { positional: [], named: [] };
    let first = true;
    while (!this.is('operator', ')')) {
      if (!first) this.expect('operator', ',');
      first = false;
      if (this.is('operator', ')')) break;
      const { line } = this;
      const following = this.tokens[this.at + 1];
      if (this.skip('operator', '*')) {
        if (args.list !== undefined || args.dict !== undefined) throw new TemplateError('`*` stands twice, or behind `**`', line);
        args.list = this.expression();
      } else if (this.skip('operator', '**')) {
        if (args.dict !== undefined) throw new TemplateError('`**` stands twice', line);
        args.dict = this.expression();
      } else if (this.is('name') && following?.kind === 'operator' && following.value === '=') {
        if (args.dict !== undefined) throw new TemplateError('an argument stands behind `**`', line);
        const name = this.next().value;
        this.next();
        args.named.push([name, this.expression()]);
      } else {
        if (args.named.length > 0 || args.list !== undefined || args.dict !== undefined)
          throw new TemplateError('an argument without a name stands behind others', line);
        args.positional.push(this.expression());
      }
    }
    this.expect('operator', ')');
    return args;
  }

  /** `| name(..)`; with `bare` the first without its bar, as behind `{% filter`. */
  filter(operand: Expression | undefined, bare = false): Expression {
    let found = operand;
    let isFirst = bare;
    while (isFirst || this.skip('operator', '|')) {
      isFirst = false;
      const { line } = this;
      const name = this.dotted();
      if (!FILTERS.has(name)) throw unsupported(`the filter ${name}`, line);
      found = { kind: 'filter', operand: found, name, args: this.is('operator', '(') ? this.args() : NONE, line };
    }
    if (found === undefined) throw new TemplateError('expected a filter', this.line);
    return found;
  }

  private test(operand: Expression): Expression {
    const { line } = this.expect('name', 'is');
    const negated = this.skip('name', 'not');
    const name = this.dotted();
    if (!TESTS.has(name)) throw unsupported(`the test ${name}`, line);
    const test: Expression = { kind: 'test', operand, name, args: this.testArguments(), line };
    return negated ? { kind: 'not', operand: test, line } : test;
  }

  private testArguments(): Arguments {
    if (this.is('operator', '(')) return this.args();
    const begins =
      this.is('name') ||
      this.is('string') ||
      this.is('integer') ||
      this.is('float') ||
      ['(', '[', '{'].some((one) => this.is('operator', one));
    if (!begins || ['else', 'or', 'and'].some((word) => this.is('name', word))) return NONE;
    if (this.is('name', 'is')) throw new TemplateError('tests cannot stand behind one another', this.line);
    return { positional: [this.postfix(this.primary())], named: [] };
  }

  private dotted(): string {
    let name = this.expect('name').value;
    while (this.skip('operator', '.')) name += `.${this.expect('name').value}`;
    return name;
  }
}
