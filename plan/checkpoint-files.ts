/** Files of a checkpoint's folder that decide what rows become. A plan holds their hashes, so compiler and runtime must mean the same ones. */

/** All that makes ids of a conversation; a folder has some of them. */
export const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.json',
  'chat_template.jinja',
  'processor_config.json',
] as const;

/** All that makes texts of the ids that a model answers with, and says by which ids an answer ends. */
export const SPEECH_FILES = [...TOKENIZER_FILES, 'generation_config.json', 'config.json'] as const;

/** What makes pixel values of a picture; transformers 5 writes the second in place of the first. */
export const PROCESSOR_FILES = ['preprocessor_config.json', 'processor_config.json'] as const;

/** The hashes of files as a plan holds them; those that are missing leave a gap. */
export function joinHashes(files: readonly string[], hash: (file: string) => string | undefined): string {
  return files.map((file) => hash(file) ?? '').join(' ');
}
