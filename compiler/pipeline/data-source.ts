/** Data of a text as a plan holds them, where they need no task of the plan. */
import type { DataSource } from '../../plan/plan.ts';
import type { DataValue } from '../elaborate/values.ts';
import type { Host } from '../host.ts';

/** Data as a plan holds it, with the hash of the files that it reads. */
export function resolveSource(data: DataValue, host: Host): DataSource {
  const content = data.folder === undefined ? undefined : host.hash(data.folder);
  return {
    source: data.source,
    params: data.params,
    ...(data.tokenizer ? { tokenizer: data.tokenizer.name } : {}),
    ...(content ? { content } : {}),
    count: data.count,
    ...(data.mix ? { mix: data.mix.map((part) => resolveSource(part, host)) } : {}),
  };
}
