/** The data that a text declares, resolved, without compiling anything else: what `pivot data` works on. */
import type { DataSource } from '../plan/plan.ts';
import { PivotError } from '../plan/errors.ts';
import { Fault } from './elaborate/fault.ts';
import { moduleScope, openUniverse } from './elaborate/names.ts';
import type { Host } from './host.ts';
import { loadModules, usesOfText } from './modules/modules.ts';
import { overridesOf } from './overrides.ts';
import { resolveSource } from './pipeline/data-source.ts';
import { seedsOfText } from './pipeline/seeds.ts';

/** Rows as they are drawn for `seed`, by default the first of the text. @throws PivotError with the first fault of the text; `pivot check` tells all. */
export function dataSources(path: string, host: Host, set: Record<string, string>, seed?: number): Map<string, DataSource> {
  const loaded = loadModules(path, host, usesOfText(path, host));
  const universe = openUniverse(loaded, host, overridesOf(set, loaded).values);
  const scope = moduleScope(loaded.main);
  const sources = new Map<string, DataSource>();
  try {
    const drawing = { seed: seed ?? seedsOfText(universe)[0] };
    for (const [name, declaration] of loaded.main.declarations) {
      if (declaration.kind !== 'Binding' || declaration.keyword !== 'data') continue;
      const value = scope.lookup(name);
      if (value?.kind === 'data') sources.set(name, resolveSource(value, host, drawing));
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { code, message, help, span } = error.diagnostic;
    throw new PivotError(code, message, {
      cure: help ?? '`pivot check` tells all faults of the text',
      ...(span ? { place: { file: span.file, line: span.line, column: span.column } } : {}),
    });
  }
  return sources;
}
