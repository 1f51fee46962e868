/** Data of a text as a plan holds them, where they need no task of the plan. */
import type { DataSource } from '../../plan/plan.ts';
import type { DataValue } from '../elaborate/values.ts';
import type { Host } from '../host.ts';

/** The name of a list of words, or the folder whose tokenizer and template make ids. */
export function tokenizerOf({ tokenizer }: DataValue, host: Host): Pick<DataSource, 'tokenizer' | 'chat'> {
  if (!tokenizer) return {};
  if ('words' in tokenizer.of) return { tokenizer: tokenizer.name };
  const { folder } = tokenizer.of;
  const files = ['tokenizer.json', 'tokenizer_config.json', 'chat_template.json', 'chat_template.jinja'].map(
    (name) => host.hash(`${folder}/${name}`) ?? '',
  );
  return { chat: { folder, hash: files.join(' ') } };
}

/** Data as a plan holds it, with the hash of the files that it reads. */
export function resolveSource(data: DataValue, host: Host): DataSource {
  const content = data.folder === undefined ? undefined : host.hash(data.folder);
  return {
    source: data.source,
    params: data.params,
    ...tokenizerOf(data, host),
    ...(content ? { content } : {}),
    count: data.count,
    ...(data.mix ? { mix: data.mix.map((part) => resolveSource(part, host)) } : {}),
  };
}
