/** `pivot data show --tokenizer`: a row as a checkpoint sees it, in the terminal and on the page. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seenRow } from '../../runtime/node/data/show-seen.ts';
import { rowPage, rowText, showRow } from '../../runtime/node/data/show-row.ts';
import { pivot } from '../cli/pivot.ts';
import { assistant, lines, png, rowsFolder, user } from '../support/rows-folder.ts';
import { folderOf, specimen, TEMPLATE } from '../tokenize/specimen.ts';

const { put, root, remove } = await rowsFolder();
/** Changes how earlier messages are written, once more of them follow. */
const UNSTEADY = `{{ messages | length }}${TEMPLATE}`;
const folders = {
  sound: folderOf(specimen()),
  unsteady: folderOf(specimen(), { chat_template: UNSTEADY }),
  bare: folderOf(specimen(), {}),
  /** Without a token for pictures; its template leaves them out. */
  blind: folderOf(
    specimen((t) => void t.added_tokens.pop()),
    {
      chat_template: TEMPLATE.replace("'<image>' if p.type == 'image' else p.text", "'' if p.type == 'image' else p.text"),
      eos_token: '</s>',
    },
  ),
};
const PROCESSOR = JSON.stringify({ image_processor_type: 'ViTImageProcessor', size: 5 });
const processor = join(root, 'encoder');
afterAll(async () => {
  await remove();
  for (const folder of Object.values(folders)) await rm(folder, { recursive: true, force: true });
});

const picture = { type: 'image' };
await put({
  'p.png': png,
  'encoder/preprocessor_config.json': PROCESSOR,
  'pairs.jsonl': lines([
    {
      images: ['p.png'],
      prompt: [user(picture, { type: 'text', text: 'ab\nc' })],
      chosen: [assistant('abc')],
      rejected: [assistant('<b>')],
    },
  ]),
  'talk.jsonl': lines([
    {
      images: ['p.png'],
      messages: [
        user(picture, { type: 'text', text: 'q' }),
        assistant('ab'),
        { role: 'user', content: [{ type: 'text', text: 'z' }] },
        assistant('c'),
      ],
    },
  ]),
});

const shown = (name: string): ReturnType<typeof showRow> => showRow(join(root, name), name, 1);
const letters = (word: string): string => [...word].map((letter) => JSON.stringify(letter)).join(' ');

describe('the tokens of a row', () => {
  test('both answers of a pair behind their prompt, with what carries loss', async () => {
    const row = await shown('pairs.jsonl');
    const seen = await seenRow(row.row, { tokenizer: folders.sound });
    expect(rowText(row, seen).split('\n').slice(-4)).toEqual([
      `tokens by ${folders.sound}; those with a + carry loss`,
      `  prompt (22 tokens, 1 for a picture): "<s>" ${letters('user:')} "<image>" "ab" "\\n" "c" "</s>" "<s>" ${letters('assistant:')}`,
      '  chosen (2 tokens, all with loss): +"abc" +"</s>"',
      '  rejected (4 tokens, all with loss): +"<" +"b" +">" +"</s>"',
    ]);
    const page = await rowPage(row, seen);
    expect(page).toContain('<h2>Tokens, chosen</h2>');
    expect(page).toContain('<h2>Tokens, rejected</h2>');
    expect(page).toContain('<span class="token word loss" title="id 257">abc</span>');
    expect(page).toContain('<span class="token special loss" title="id 259">&lt;/s&gt;</span>');
    expect(page).toContain('<span class="token special" title="id 258">&lt;s&gt;</span>');
    expect(page).toContain('<span class="token image" title="id 260">1 ×&nbsp;&lt;image&gt;</span>');
    expect(page).toContain('↵');
    expect(page.match(/of the row\. <b>prompt<\/b>: 22 tokens, 1 for a picture/g)).toHaveLength(2);
    expect(page).toContain(`the chat template of ${folders.sound}`);
    expect(page).toContain('As they are stored.');
  });

  test('what stands between two answers carries no loss', async () => {
    const row = await shown('talk.jsonl');
    const { tokens } = await seenRow(row.row, { tokenizer: folders.sound });
    const answer = tokens?.answers[0];
    expect(tokens?.answers).toHaveLength(1);
    expect(answer?.tokens.map(({ text, masked }) => (masked ? text : '.')).join('')).toBe(`ab</s>${'.'.repeat(19)}c</s>`);
  });

  test('a folder that was named for one also does the other', async () => {
    const row = await shown('pairs.jsonl');
    expect((await seenRow(row.row, { tokenizer: folders.sound })).pictures).toBeUndefined();
    await writeFile(join(folders.sound, 'preprocessor_config.json'), PROCESSOR);
    const byTokenizer = await seenRow(row.row, { tokenizer: folders.sound });
    expect(byTokenizer.pictures?.folder).toBe(folders.sound);
    expect(await rowPage(row, byTokenizer)).toContain('seen as 5 x 5');
    const byProcessor = await seenRow(row.row, { processor: join(folders.sound, 'preprocessor_config.json') });
    expect(byProcessor.tokens).toEqual(byTokenizer.tokens);
    const both = await seenRow(row.row, { tokenizer: folders.sound, processor });
    expect([both.tokens?.folder, both.pictures?.folder]).toEqual([folders.sound, processor]);
    expect((await seenRow(row.row, { processor })).tokens).toBeUndefined();
    await writeFile(join(folders.sound, 'preprocessor_config.json'), '{');
    const broken = await seenRow(row.row, { tokenizer: folders.sound });
    expect(rowText(row, broken)).toMatch(/\nwarning: pictures are as stored, since .*\(R0530\)$/);
    await rm(join(folders.sound, 'preprocessor_config.json'));
  });

  test('a tokenizer may be named by its file', async () => {
    const row = await shown('pairs.jsonl');
    const byFile = await seenRow(row.row, { tokenizer: join(folders.sound, 'tokenizer.json') });
    expect(byFile).toEqual(await seenRow(row.row, { tokenizer: folders.sound }));
  });

  test('rows are not to be mended where a tokenizer has no token for pictures', async () => {
    const row = await shown('pairs.jsonl');
    const { refusal } = await seenRow(row.row, { tokenizer: folders.blind });
    expect(refusal).toMatchObject({ code: 'R0544', cure: expect.stringContaining('--image-token') });
  });

  test('a tokenizer without a template is passed over where nobody named it', async () => {
    await writeFile(join(folders.bare, 'preprocessor_config.json'), PROCESSOR);
    const row = await shown('pairs.jsonl');
    expect(await seenRow(row.row, { processor: folders.bare })).toMatchObject({ notes: [], pictures: { folder: folders.bare } });
    expect((await seenRow(row.row, { tokenizer: folders.bare })).refusal).toMatchObject({ code: 'R0542' });
  });
});

test('on the command line; a row that is refused is shown, and then refused by its code', async () => {
  const html = join(root, 'page.html');
  const sound = await pivot('data', 'show', join(root, 'pairs.jsonl'), '--tokenizer', folders.sound, '--html', html);
  expect(sound).toMatchObject({ code: 0, stdout: expect.stringContaining('chosen (2 tokens, all with loss): +"abc" +"</s>"') });
  expect(await readFile(html, 'utf8')).toContain('token word loss');
  const refused = await pivot('data', 'show', join(root, 'pairs.jsonl'), '--tokenizer', folders.unsteady, '--html', html);
  expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining('user: [image 0]') });
  expect(refused.stderr).toContain('error R0542');
  expect(await readFile(html, 'utf8')).toMatch(/The row has no tokens: .*\(R0542\)/);
  const unnamed = await pivot('data', 'show', join(root, 'pairs.jsonl'), '--tokenizer', folders.sound, '--image-token', '<picture>');
  expect(unnamed.stderr).toContain('error R0544');
});
