/**
 * Writes the body of a kernel as nested scopes. Each value is placed in the outermost scope where all that it depends on
 * is known, and each is written once: what does not change in a loop is therefore computed before it. The depth of a
 * scope counts from 0, the body of `main`.
 */

const TYPES: ReadonlySet<string> = new Set(['i32', 'u32', 'f32', 'f16']);

interface Scope {
  lines: string[];
  memo: Map<string, unknown>;
  /** Text before and after the lines of an inner scope. */
  head: string;
}

export class Writer {
  private readonly scopes: Scope[] = [{ lines: [], memo: new Map(), head: '' }];
  private names = 0;

  /** Depth of the innermost scope. */
  get depth(): number {
    return this.scopes.length - 1;
  }

  /** Begins a block such as `for (...)` or `if (...)`; an empty head gives a bare block. */
  open(head: string): void {
    this.scopes.push({ lines: [], memo: new Map(), head });
  }

  close(): void {
    const scope = this.scopes.pop();
    if (!scope) return;
    const inner = scope.lines.map((line) => `  ${line}`);
    this.line(...(inner.length > 0 ? [`${scope.head} {`.trimStart(), ...inner, '}'] : []));
  }

  /** Appends statements to the innermost scope. */
  line(...lines: string[]): void {
    this.scopes[this.depth].lines.push(...lines);
  }

  /** A name that nothing else in this kernel has, and that is no type of WGSL (`i32`). */
  name(prefix: string): string {
    const name = `${prefix}${this.names++}`;
    return TYPES.has(name) ? this.name(prefix) : name;
  }

  /** Names an expression in the scope of the given depth. */
  define(expression: string, depth: number, prefix = 'v'): string {
    const name = this.name(prefix);
    this.scopes[depth].lines.push(`let ${name} = ${expression};`);
    return name;
  }

  /** What was made for this key in a scope that is still open; else makes it. `make` says to which depth it belongs. */
  once<T>(key: string, make: () => { value: T; depth: number }): T {
    for (const scope of this.scopes) {
      if (scope.memo.has(key)) return scope.memo.get(key) as T;
    }
    const { value, depth } = make();
    this.scopes[depth].memo.set(key, value);
    return value;
  }

  /** Makes a value known under a key for as long as the innermost scope is open. */
  remember(key: string, value: unknown): void {
    this.scopes[this.depth].memo.set(key, value);
  }

  /** The statements of `main`, indented. */
  body(): string {
    return this.scopes[0].lines.map((line) => `  ${line}`).join('\n');
  }
}
