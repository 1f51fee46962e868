/** Statements of Jinja: the whole template as a tree. */
import { TemplateError, unsupported } from './errors.ts';
import { ExpressionParser } from './expressions.ts';
import { tokenize } from './lexer.ts';
import type { Expression, MacroNode, Parameter, Statement, Target } from './nodes.ts';

const RESERVED = ['true', 'false', 'none', 'True', 'False', 'None'];
const MACRO_NAMES = ['varargs', 'kwargs', 'caller'];

/** Deeper than any template is, and less deep than the stack. */
const DEEPEST = 200;

/** @throws TemplateError with its line, where it cannot be parsed or has a construct that is not supported. */
export function parseTemplate(template: string): Statement[] {
  return new Parser(tokenize(template)).template();
}

class Parser extends ExpressionParser {
  private depth = 0;

  template(): Statement[] {
    const statements = this.body([]);
    if (!this.is('end')) throw new TemplateError(`unexpected ${this.current.value}`, this.line);
    return statements;
  }

  /** Statements up to a tag that begins with one of these words, which is not consumed beyond `{%`. */
  private body(ends: readonly string[]): Statement[] {
    if (++this.depth > DEEPEST) throw unsupported('so deep a nesting', this.line);
    const statements: Statement[] = [];
    while (!this.is('end')) {
      const { line } = this;
      if (this.is('data')) statements.push({ kind: 'text', text: this.next().value, line });
      else if (this.skip('variable_begin')) {
        statements.push({ kind: 'output', value: this.tuple(), line });
        this.expect('variable_end');
      } else {
        this.expect('block_begin');
        if (this.is('name') && ends.includes(this.current.value)) {
          this.depth--;
          return statements;
        }
        statements.push(this.statement());
        this.expect('block_end');
      }
    }
    if (ends.length > 0) throw new TemplateError(`expected ${ends.join(' or ')}, found the end of the template`, this.line);
    this.depth--;
    return statements;
  }

  /** The body of a tag whose own end is due, up to one of these words, which is consumed where it is the last. */
  private block(...ends: string[]): Statement[] {
    this.expect('block_end');
    return this.body(ends);
  }

  private closing(end: string): void {
    this.expect('name', end);
  }

  private statement(): Statement {
    const { value: word, line } = this.expect('name');
    switch (word) {
      case 'if':
        return this.if(line);
      case 'for':
        return this.for(line);
      case 'set':
        return this.set(line);
      case 'macro':
        return this.macro(line);
      case 'call':
        return this.callBlock(line);
      case 'with':
        return this.with(line);
      case 'filter': {
        const filter = this.filter({ kind: 'constant', value: '', line }, true);
        const body = this.block('endfilter');
        this.closing('endfilter');
        return { kind: 'filter_block', filter, body, line };
      }
      case 'generation': {
        const body = this.block('endgeneration');
        this.closing('endgeneration');
        // transformers calls it as a block, so that what is set inside stays inside.
        return { kind: 'scope', body, line };
      }
      case 'break':
      case 'continue':
        return { kind: word, line };
      default:
        if (/^(end|else|elif)/.test(word)) throw new TemplateError(`unexpected ${word}`, line);
        throw unsupported(`the tag ${word}`, line);
    }
  }

  private if(line: number): Statement {
    const branches: { test: Expression; body: Statement[] }[] = [];
    do {
      const test = this.tuple({ condition: false });
      branches.push({ test, body: this.block('elif', 'else', 'endif') });
    } while (this.skip('name', 'elif'));
    const otherwise = this.skip('name', 'else') ? this.block('endif') : [];
    this.closing('endif');
    return { kind: 'if', branches, otherwise, line };
  }

  private for(line: number): Statement {
    const target = this.target(['in']);
    this.expect('name', 'in');
    const over = this.tuple({ condition: false, ends: ['recursive', 'if'] });
    const test = this.skip('name', 'if') ? this.expression() : undefined;
    if (this.is('name', 'recursive')) throw unsupported('a recursive loop', line);
    const body = this.block('endfor', 'else');
    const otherwise = this.skip('name', 'else') ? this.block('endfor') : [];
    this.closing('endfor');
    if (test !== undefined && namesIn(test).has('loop')) throw unsupported('`loop` in the condition of its own loop', line);
    if (namesIn(otherwise).has('loop')) throw unsupported('`loop` behind the `else` of its loop', line);
    return { kind: 'for', target, over, test, body, otherwise, usesLoop: namesIn(body).has('loop'), line };
  }

  private set(line: number): Statement {
    const target = this.target([]);
    if (this.skip('operator', '=')) return { kind: 'set', target, value: this.tuple(), line };
    const filter = this.is('operator', '|') ? this.filter({ kind: 'constant', value: '', line }) : undefined;
    const body = this.block('endset');
    this.closing('endset');
    return { kind: 'set_block', target, filter, body, line };
  }

  /** One name, a field of a namespace, or several with commas between them. */
  private target(ends: readonly string[]): Target {
    const items: Target[] = [];
    let isTuple = false;
    do {
      if (items.length > 0 && (this.is('operator', '=') || this.is('block_end') || (this.is('name') && ends.includes(this.current.value))))
        break;
      items.push(this.skip('operator', '(') ? this.inner() : this.single());
    } while (this.skip('operator', ',') && (isTuple = true));
    return isTuple ? { kind: 'tuple', items } : items[0];
  }

  private inner(): Target {
    const target = this.target([]);
    this.expect('operator', ')');
    return target;
  }

  private single(): Target {
    const { value: name, line } = this.expect('name');
    if (RESERVED.includes(name)) throw new TemplateError(`${name} cannot be assigned to`, line);
    return this.skip('operator', '.') ? { kind: 'field', object: name, name: this.expect('name').value } : { kind: 'name', name };
  }

  private with(line: number): Statement {
    const values: [Target, Expression][] = [];
    while (!this.is('block_end')) {
      if (values.length > 0) this.expect('operator', ',');
      const { value: name } = this.expect('name');
      this.expect('operator', '=');
      values.push([{ kind: 'name', name }, this.expression()]);
    }
    const body = this.block('endwith');
    this.closing('endwith');
    return { kind: 'with', values, body, line };
  }

  private macro(line: number): Statement {
    const { value: name } = this.expect('name');
    const parameters = this.parameters();
    const body = this.block('endmacro');
    this.closing('endmacro');
    return { kind: 'macro', name, macro: macroOf(parameters, body, line), line };
  }

  private callBlock(line: number): Statement {
    const parameters = this.is('operator', '(') ? this.parameters() : [];
    const call = this.expression();
    if (call.kind !== 'call') throw new TemplateError('expected a call', line);
    const body = this.block('endcall');
    this.closing('endcall');
    return { kind: 'call_block', call, macro: macroOf(parameters, body, line), line };
  }

  private parameters(): Parameter[] {
    this.expect('operator', '(');
    const parameters: Parameter[] = [];
    while (!this.is('operator', ')')) {
      if (parameters.length > 0) this.expect('operator', ',');
      const { value: name, line } = this.expect('name');
      const fallback = this.skip('operator', '=') ? this.expression() : undefined;
      if (fallback === undefined && parameters.at(-1)?.fallback !== undefined)
        throw new TemplateError('a parameter without a default stands behind one with a default', line);
      parameters.push({ name, fallback });
    }
    this.expect('operator', ')');
    return parameters;
  }
}

function macroOf(parameters: Parameter[], body: Statement[], line: number): MacroNode {
  const read = namesIn(body);
  const own = parameters.map(({ name }) => name);
  if (own.includes('caller')) throw unsupported('a parameter called caller', line);
  return { parameters, body, reads: new Set(MACRO_NAMES.filter((name) => read.has(name) && !own.includes(name))) };
}

/** All names that are read in a tree. */
function namesIn(tree: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(tree)) for (const one of tree) namesIn(one, found);
  else if (typeof tree === 'object' && tree !== null && !(tree instanceof Set)) {
    if ('kind' in tree && tree.kind === 'name' && 'line' in tree) found.add(String((tree as { name?: unknown }).name));
    for (const one of Object.values(tree)) namesIn(one, found);
  }
  return found;
}
