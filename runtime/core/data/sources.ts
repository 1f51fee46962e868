/** Sources that need no files: what a browser has. `runtime/node/data/sources.ts` adds the others. */
import type { SourceOpener } from './row.ts';
import { SCENE_SOURCES } from './scenes/sources.ts';

export const CORE_SOURCES: Record<string, SourceOpener> = { ...SCENE_SOURCES };
