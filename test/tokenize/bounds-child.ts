/** Reads tokenizers that never end, in processes of their own, and prints what was said. Started by bounds.test.ts. */
import { openTokenizer } from '../../runtime/node/tokenize/open.ts';
import { folderOf, specimen } from './specimen.ts';

const bounds = { apart: true, patience: 500, memory: 64 };
const messages = [{ role: 'user', content: [{ type: 'text' as const, text: 'a' }] }];
const words: Record<string, string> = {};

async function told(name: string, doing: Promise<unknown>): Promise<void> {
  words[name] = await doing.then(
    (value) => JSON.stringify(value),
    (error: Error & { code?: string }) => `${error.code} ${error.message}`,
  );
}

const slow = await openTokenizer(
  folderOf(specimen((t) => (t.pre_tokenizer = { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated', invert: false }))),
  bounds,
);
await told('pattern', slow.encode(['ab', 'b', `${'a'.repeat(40)}b`, 'a']));
await told('after', slow.encode(['ab', 'a']));
const endless = await openTokenizer(
  folderOf(specimen(), {
    chat_template: '{% set ns = namespace(x=[1]) %}{% for i in range(40) %}{% set ns.x = ns.x + ns.x %}{% endfor %}',
  }),
  {
    ...bounds,
    patience: 60_000,
  },
);
await told('memory', endless.render([{ messages, generation: true }]));
const broken = await openTokenizer(
  folderOf(specimen((t) => (t.pre_tokenizer = { type: 'Split', pattern: { Regex: '(a' }, behavior: 'Isolated', invert: false }))),
  bounds,
);
await told('broken', broken.encode(['a']));
for (const tokenizer of [slow, endless, broken]) await tokenizer.close();
console.log(JSON.stringify(words));
