/** All sources of data in Node: those of the core, and those that read files. */
import type { SourceOpener } from '../../core/data/row.ts';
import { CORE_SOURCES } from '../../core/data/sources.ts';
import { filesSource } from './files-source.ts';
import { openSampledPairs, openTable } from './results-source.ts';
import { openTensors } from './tensors-source.ts';

export const NODE_SOURCES: Record<string, SourceOpener> = {
  ...CORE_SOURCES,
  'files.preferences': filesSource('preferences'),
  'files.captions': filesSource('captions'),
  tensors: openTensors,
  table: openTable,
  'sampled.pairs': openSampledPairs,
};
