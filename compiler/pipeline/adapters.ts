/**
 * Adapters of stages that others start from or are compared with. A model has the adapters that its stage trains, so what another stage left in
 * an adapter is part of a model only where the same adapter is named there. Anything else would pass over what was trained.
 */
import type { Span } from '../../grammar/index.ts';
import type { WeightInfo } from '../elaborate/context.ts';
import { fail } from '../elaborate/fault.ts';
import { prefixOf } from './sources.ts';
import type { StageResult } from './sources.ts';

/** Reports the first adapter of `from` that a model with these weights lacks, or scales otherwise. `paths`: only of parts at these. */
export function requireAdapters(weights: readonly WeightInfo[], from: StageResult, span: Span, paths: readonly string[] = ['']): void {
  const own = new Map(weights.map((w) => [w.path, w]));
  for (const { path, adapter } of from.graphs?.weights ?? []) {
    if (!adapter || prefixOf(path) !== undefined || !own.has(adapter.of)) continue;
    if (!paths.some((part) => part === '' || path.startsWith(`${part}.`))) continue;
    const same = own.get(path)?.adapter;
    if (same?.scale === adapter.scale) continue;
    const why = same ? `with alpha / rank = ${adapter.scale}, not ${same.scale}` : 'which is not here';
    fail('P0532', { stage: from.spec.id, of: adapter.of, why }, span);
  }
}
