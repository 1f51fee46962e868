/** Replaces composites by their definitions. */
import type { Graph } from '../graph/graph.ts';
import { rebuild } from './rebuild.ts';

/** Inlines every composite, nested ones too, but for those whose name is in `keep`. */
export function expandComposites(graph: Graph, keep: ReadonlySet<string>): Graph {
  // Equal composites share one body object only by chance, so each definition is expanded once by identity.
  const expanded = new Map<Graph, Graph>();
  const definition = (body: Graph): Graph => {
    const known = expanded.get(body) ?? expandComposites(body, keep);
    expanded.set(body, known);
    return known;
  };
  return rebuild(graph, (b, { op }, inputs) =>
    op.kind === 'composite' && !keep.has(op.name) ? b.inline(definition(op.body), inputs) : undefined,
  );
}
