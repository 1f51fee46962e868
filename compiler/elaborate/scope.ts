/** Names in force at a place: a chain of small tables, innermost first. */
import type { Value } from './values.ts';

export class Scope {
  private readonly names = new Map<string, { value: Value; assignable: boolean }>();
  readonly parent?: Scope;
  /** Called where no inner table knows a name: a module's declarations, which are made when first asked for. */
  private readonly fallback?: (name: string) => Value | undefined;

  constructor(parent?: Scope, fallback?: (name: string) => Value | undefined) {
    this.parent = parent;
    this.fallback = fallback;
  }

  lookup(name: string): Value | undefined {
    return this.names.get(name)?.value ?? this.fallback?.(name) ?? this.parent?.lookup(name);
  }

  define(name: string, value: Value, assignable = false): void {
    this.names.set(name, { value, assignable });
  }

  /** Gives a `let` or state a new value where it was declared; false if the name is not one. */
  assign(name: string, value: Value): boolean {
    const own = this.names.get(name);
    if (!own) return this.parent?.assign(name, value) ?? false;
    if (!own.assignable) return false;
    own.value = value;
    return true;
  }

  /** Every name in force here, for the nearest to a misspelt one. */
  all(): string[] {
    return [...this.names.keys(), ...(this.parent?.all() ?? [])];
  }
}
