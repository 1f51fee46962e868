/** What a weight is made of, as a stage left it. */
import type { LeftTensor, Source } from './plan.ts';

/** Its own source, and those of the factors that are merged into it. */
export function sourcesOf({ source, merge }: Pick<LeftTensor, 'source' | 'merge'>): Source[] {
  return merge ? [source, merge.down, merge.up] : [source];
}
