/** What we use of `@huggingface/tokenizers`, typed: its own declarations import without extensions, which Node's resolution does not follow. */
import * as library from '@huggingface/tokenizers';

export interface LibraryTokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: (number | undefined)[]; tokens: string[] };
  tokenize(text: string, options: { add_special_tokens: boolean }): string[];
  decode(ids: number[], options: { skip_special_tokens: boolean }): string;
  token_to_id(token: string): number | undefined;
}

interface Library {
  Tokenizer: new (tokenizer: object, config: object) => LibraryTokenizer;
  SplitPreTokenizer: new (config: { type: 'Split'; pattern: unknown; behavior: 'Isolated'; invert: boolean }) => object;
}

export const { Tokenizer, SplitPreTokenizer } = library as unknown as Library;
