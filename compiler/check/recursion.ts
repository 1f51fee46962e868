/**
 * Definitions that call themselves whatever happens. Layers are unrolled when compiling, so only a call within an `if` can come to an end; any
 * other is told here, at the call, and the definition is not run.
 */
import { children, report } from '../../grammar/index.ts';
import type { Definition, Diagnostic, Node, Span } from '../../grammar/index.ts';
import type { Module } from '../modules/modules.ts';

/** The definitions of a module that never end; the first of each circle with its diagnostic. */
export function endless(module: Module): Map<Definition, Diagnostic | undefined> {
  const definitions = [...module.declarations.values()].filter((d): d is Definition => d.kind === 'Definition');
  const calls = new Map(definitions.map((d) => [d, mentions(module, d)] as const));
  const found = new Map<Definition, Diagnostic | undefined>();
  for (const start of definitions) {
    for (const [next, span] of calls.get(start) ?? []) {
      if (found.has(start) || !reaches(calls, next, start)) continue;
      const told = [...found.keys()].some((other) => reaches(calls, start, other) && reaches(calls, other, start));
      found.set(start, told ? undefined : report('P0408', { of: start.name.text }, span));
    }
  }
  return found;
}

/** Definitions of the module that a body names outside of any condition, with the place of the first mention. */
function mentions(module: Module, definition: Definition): Map<Definition, Span> {
  const found = new Map<Definition, Span>();
  const own = new Set(definition.params.map((p) => p.name.text));
  const look = (node: Node): void => {
    // A part's name hides a definition of the same name from there on.
    if (node.kind === 'If' || node.kind === 'Conditional') return;
    if (node.kind === 'Identifier' && !own.has(node.name)) {
      const named = module.declarations.get(node.name);
      if (named?.kind === 'Definition' && !found.has(named)) found.set(named, node.span);
    }
    for (const child of children(node)) look(child);
    if (node.kind === 'Part' || node.kind === 'Let') own.add(node.name.text);
  };
  for (const statement of definition.body ?? []) look(statement);
  if (definition.value) look(definition.value);
  return found;
}

function reaches(calls: ReadonlyMap<Definition, ReadonlyMap<Definition, Span>>, from: Definition, to: Definition): boolean {
  const seen = new Set<Definition>();
  const open = [from];
  for (let at = open.pop(); at; at = open.pop()) {
    if (at === to) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    open.push(...(calls.get(at)?.keys() ?? []));
  }
  return false;
}
