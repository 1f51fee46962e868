/** A small byte-level tokenizer as others save them, and changes of it. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Specimen {
  added_tokens: Record<string, unknown>[];
  normalizer: unknown;
  pre_tokenizer: unknown;
  post_processor: unknown;
  decoder: unknown;
  model: { type: string; vocab: Record<string, unknown>; merges: unknown[]; [key: string]: unknown };
}

const special = (id: number, content: string) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

/** The 256 bytes, `ab` (256), `abc` (257), then three special tokens from 258 on. */
export function specimen(change: (tokenizer: Specimen) => void = () => undefined): Specimen {
  const vocab: Record<string, unknown> = {};
  let other = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    vocab[String.fromCodePoint(printable ? byte : other++)] = byte;
  }
  const tokenizer: Specimen = {
    added_tokens: [special(258, '<s>'), special(259, '</s>'), special(260, '<image>')],
    normalizer: { type: 'NFC' },
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', vocab: { ...vocab, ab: 256, abc: 257 }, merges: ['a b', 'ab c'] },
  };
  change(tokenizer);
  return tokenizer;
}

export const TEMPLATE =
  "{% for m in messages %}{{ '<s>' + m.role + ':' }}{% if m.content is string %}{{ m.content }}{% else %}" +
  "{% for p in m.content %}{{ '<image>' if p.type == 'image' else p.text }}{% endfor %}{% endif %}{{ '</s>' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<s>assistant:' }}{% endif %}";

/** A folder with the tokenizer and a config. */
export function folderOf(tokenizer: Specimen, config: Record<string, unknown> = { chat_template: TEMPLATE, eos_token: '</s>' }): string {
  const folder = mkdtempSync(join(tmpdir(), 'pivot-tokenizer-'));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  return folder;
}
