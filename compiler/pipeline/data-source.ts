/** Data of a text as a plan holds them, where they need no task of the plan. */
import { joinHashes, PROCESSOR_FILES, SPEECH_FILES, TOKENIZER_FILES } from '../../plan/checkpoint-files.ts';
import type { DataSource, Speech } from '../../plan/plan.ts';
import type { DataValue } from '../elaborate/values.ts';
import type { Host } from '../host.ts';

/** The name of a list of words, or the folder whose tokenizer and template make ids. */
export function tokenizerOf({ tokenizer }: DataValue, host: Host): Pick<DataSource, 'tokenizer' | 'chat'> {
  if (!tokenizer) return {};
  if ('words' in tokenizer.of) return { tokenizer: tokenizer.name };
  const { folder } = tokenizer.of;
  return { chat: { folder, hash: joinHashes(TOKENIZER_FILES, (name) => host.hash(`${folder}/${name}`)) } };
}

/** The checkpoint in whose tokens a model that read these data answers. */
export function speechOf(data: DataValue, host: Host): { speech?: Speech } {
  const { tokenizer } = data;
  if (!tokenizer || 'words' in tokenizer.of) return {};
  const { folder } = tokenizer.of;
  const imageToken = imageTokenOf(data);
  const hash = joinHashes(SPEECH_FILES, (name) => host.hash(`${folder}/${name}`));
  return { speech: { folder, hash, ...(imageToken === undefined ? {} : { imageToken }) } };
}

/** Rows of a mix, and prompts that were answered, are written with the token of the rows that they come from. */
function imageTokenOf({ params, mix, sampled }: DataValue): string | undefined {
  const own = params.image_token;
  if (typeof own === 'string' && own !== '') return own;
  const from = mix?.[0] ?? sampled?.on;
  return from && imageTokenOf(from);
}

/** The checkpoint whose processor prepares pictures. */
export function processorOf({ processor }: DataValue, host: Host): Pick<DataSource, 'processor'> {
  if (processor === undefined) return {};
  const folder = processor.replace(/\/+$/, '');
  return { processor: { folder, hash: joinHashes(PROCESSOR_FILES, (name) => host.hash(`${folder}/${name}`)) } };
}

/**
 * By which seed rows are drawn. Those of the run and those that the text names are kept apart: `seed: 1` is no rows of run 1, so that a stage with
 * rows of its own has them in every seed. In a tuning grid `fresh` draws a probe's rows by the cell's seed even where the text names one.
 */
export interface Drawing {
  seed: number;
  fresh?: boolean;
}

function paramsOf({ params, drawn }: DataValue, { seed, fresh }: Drawing): DataSource['params'] {
  if (drawn === undefined) return params;
  return drawn === 'by the run' || fresh ? { ...params, seed } : { ...params, fixed: true };
}

/** Data as a plan holds it for one seed, with the hash of the files that it reads. */
export function resolveSource(data: DataValue, host: Host, drawing: Drawing): DataSource {
  const content = data.folder === undefined ? undefined : host.hash(data.folder);
  return {
    source: data.source,
    params: paramsOf(data, drawing),
    ...tokenizerOf(data, host),
    ...processorOf(data, host),
    ...(content ? { content } : {}),
    count: data.count,
    ...(data.mix ? { mix: data.mix.map((part) => resolveSource(part, host, drawing)) } : {}),
    ...(data.exchanged === undefined ? {} : { exchanged: data.exchanged }),
  };
}
