/**
 * Rows of files that a probe judges on and that its subject was trained on. Generated rows come in splits; of files only the text knows which are
 * held out, so that a folder which stands in both places is worth a word.
 */
import type { DataValue } from '../elaborate/values.ts';
import type { ProbeSpec } from './probes.ts';
import { filesOf } from './seeds.ts';

/** The first folder that stands in both, if one does. */
export function seenRows(probe: ProbeSpec, trained: readonly DataValue[]): string | undefined {
  const seen = new Set(trained.flatMap(filesOf));
  return rowsOf(probe)
    .flatMap(filesOf)
    .find((file) => seen.has(file));
}

/** All data that a probe reads. */
export function rowsOf({ parts }: ProbeSpec): DataValue[] {
  return parts.flatMap((part) => (part.kind === 'embed' ? [part.data] : part.kind === 'answers' ? [part.on] : []));
}
