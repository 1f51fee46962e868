/**
 * Rows of files that a probe judges on and that its subject was trained on. Generated rows come in splits; of files only the text knows which are
 * held out, so that a folder which stands in both places is worth a word.
 */
import type { DataValue } from '../elaborate/values.ts';
import type { ProbeSpec } from './probes.ts';

/** The first folder that stands in both, if one does. */
export function seenRows(probe: ProbeSpec, trained: readonly DataValue[]): string | undefined {
  const seen = new Set(trained.flatMap(filesOf));
  const judged = probe.parts.flatMap((part) => (part.kind === 'embed' ? [part.data] : part.kind === 'answers' ? [part.on] : []));
  return judged.flatMap(filesOf).find((file) => seen.has(file));
}

/** Folders or files, with the entry of `dataset_info.json` where one is named. */
function filesOf(data: DataValue): string[] {
  const { folder, params, mix, sampled } = data;
  const own = folder === undefined ? [] : [[folder.replace(/^\.\/|\/+$/g, ''), params.entry].filter(Boolean).join(', ')];
  return [...own, ...(mix ?? []).flatMap(filesOf), ...(sampled ? filesOf(sampled.on) : [])];
}
