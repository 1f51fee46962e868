/** Rows say all that they say: what a message or a row has beside its texts is used, or refused by name. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openRows } from '../../runtime/node/data/open-rows.ts';
import type { RowsOptions } from '../../runtime/node/data/open-rows.ts';
import { tokensOfRow } from '../../runtime/node/data/show-tokens.ts';
import { lines, png, rowsFolder } from '../support/rows-folder.ts';
import { folderOf, specimen, TEMPLATE } from '../tokenize/specimen.ts';

const { root, put, remove } = await rowsFolder();
/** Writes tools, calls, and what was thought of the last turn, as models with tools do. */
const TOOLS =
  "{% if tools %}{{ 'tools ' + (tools | tojson) }}{% endif %}{% for m in messages %}{{ '<s>' + m.role + ':' }}" +
  "{% if m.reasoning_content and loop.last %}{{ '(' + m.reasoning_content + ')' }}{% endif %}{{ m.content }}" +
  "{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% endif %}{{ '</s>' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<s>assistant:' }}{% endif %}";
const folders = {
  plain: folderOf(specimen(), { chat_template: TEMPLATE }),
  tools: folderOf(specimen(), { chat_template: TOOLS }),
  none: folderOf(specimen(), {}),
};
afterAll(async () => {
  await remove();
  for (const folder of Object.values(folders)) await rm(folder, { recursive: true, force: true });
});
await put({ 'p.png': png });

let files = 0;

async function open(row: object, options: RowsOptions = {}) {
  const name = `rows-${files++}.jsonl`;
  await put({ [name]: lines([row]) });
  const rows = await openRows(join(root, name), name, options);
  const first = await rows.row(0);
  await rows.close();
  return { rows, first };
}

/** The text of a row as it is read, what is learnt in brackets, and what was told of it. */
async function seen(row: object, folder: string, options: RowsOptions = {}): Promise<{ text: string; warnings: string[] }> {
  const { rows, first } = await open(row, options);
  const made = await tokensOfRow(first, folder);
  if (made === undefined) throw new Error('no tokens');
  const text = (piece: { tokens: { text: string; masked: boolean }[] }): string =>
    piece.tokens.map((token) => (token.masked ? `[${token.text}]` : token.text)).join('');
  return {
    text: [made.prompt, ...made.answers].map(text).join('').replaceAll('][', ''),
    warnings: [...rows.warnings, ...made.warnings],
  };
}

const say = (role: string, content: string | null, more: object = {}) => ({ role, content, ...more });
const from = (role: string, value: string, more: object = {}) => ({ from: role, value, ...more });
const call = { type: 'function', function: { name: 'f', arguments: { a: 1 } } };
const CALL = '[{"type": "function", "function": {"name": "f", "arguments": {"a": 1}}}]';

describe('marks of what is learnt', () => {
  const turns = (mark: object) => [say('user', 'a'), say('assistant', 'b', mark), say('user', 'c'), say('assistant', 'd')];
  test.each([[{ loss: false }], [{ weight: 0 }], [{ train: false }], [{ training: false }], [{ loss: false, weight: 0 }]])(
    '%j leaves an answer out',
    async (mark) => {
      const { text } = await seen({ messages: turns(mark) }, folders.plain);
      expect(text).toBe('<s>user:a</s><s>assistant:b</s><s>user:c</s><s>assistant:[d</s>]');
    },
  );

  test.each([[{ loss: true }], [{ weight: 1 }], [{ loss: null }], [{ train: true }]])('%j says nothing new', async (mark) => {
    const { text } = await seen({ messages: turns(mark) }, folders.plain);
    expect(text).toBe('<s>user:a</s><s>assistant:[b</s>]<s>user:c</s><s>assistant:[d</s>]');
  });

  test("of ShareGPT's and LLaVA's messages, and of all but the first answer", async () => {
    const row = {
      conversations: [from('human', 'a', { weight: 0 }), from('gpt', 'b'), from('human', 'c'), from('gpt', 'd', { weight: 0 })],
    };
    for (const layout of ['llava', 'llamafactory'] as const) {
      const { text, warnings } = await seen(row, folders.plain, { layout, wanted: 'supervised' });
      expect(text).toBe('<s>user:a</s><s>assistant:[b</s>]');
      expect(warnings).toEqual([expect.stringMatching(/conversations\[2\]: it and 1 more are behind the last answer that is learnt/)]);
    }
  });

  test.each<[object, RegExp]>([
    [{ messages: turns({ weight: 0.5 }) }, /messages\[1\].weight: expected true or false \(or 1 or 0\), found 0.5/],
    [{ messages: turns({ loss: 'no' }) }, /messages\[1\].loss: expected true or false .*"no"/],
    [{ messages: turns({ loss: true, weight: 0 }) }, /messages\[1\].weight: it contradicts loss/],
    [{ messages: turns({ train_detail: [] }) }, /messages\[1\].train_detail: it is not read/],
    [{ messages: [say('user', 'a', { loss: true }), say('assistant', 'b')] }, /messages\[0\].loss: the message is of the user/],
    [{ messages: [say('user', 'a'), say('assistant', 'b', { loss: false })] }, /messages: nothing is to be learnt/],
    [
      { prompt: [say('user', 'a')], chosen: [say('assistant', 'b', { loss: false })], rejected: [say('assistant', 'c')] },
      /chosen\[0\].loss: .*learnt whole/,
    ],
    [
      {
        prompt: [say('user', 'a'), say('assistant', 'x', { weight: 1 }), say('user', 'a')],
        chosen: [say('assistant', 'b')],
        rejected: [say('assistant', 'c')],
      },
      /prompt\[1\].weight: the message is part of the prompt/,
    ],
  ])('%j is refused', async (row, message) => {
    await expect(open(row)).rejects.toThrow(message);
  });
});

test.each([[false], ['False']])('a row of KTO whose label is %j is not learnt as a good answer', async (label) => {
  await expect(open({ prompt: 'a', completion: 'b', label })).rejects.toThrow(
    /label: it is given .* not used: .* whether an answer is a good one/,
  );
  await expect(open({ prompt: 'a', completion: 'b', label: true })).resolves.toBeDefined();
});

describe('what only a chat template can write', () => {
  const talk = [say('user', 'q'), say('assistant', null, { tool_calls: [call], name: null }), say('tool', 'r'), say('assistant', 'z')];

  test('calls and tools reach it, also of columns that hold JSON as a text', async () => {
    for (const tools of [[call], JSON.stringify([call])]) {
      const { text, warnings } = await seen({ messages: talk, tools }, folders.tools);
      expect(text).toBe(`tools ${CALL}<s>user:q</s><s>assistant:[${CALL}</s>]<s>tool:r</s><s>assistant:[z</s>]`);
      expect(warnings).toEqual([]);
    }
  });

  test('in pairs, and what was thought', async () => {
    const pair = {
      prompt: [say('user', 'q')],
      chosen: [say('assistant', 'a', { reasoning_content: 'hm' })],
      rejected: [say('assistant', 'b')],
      tools: [call],
    };
    expect((await seen(pair, folders.tools)).text).toBe(`tools ${CALL}<s>user:q</s><s>assistant:[(hm)a</s>b</s>]`);
  });

  test.each<[string, object]>([
    ['message 2 (assistant): tool_calls', { messages: talk }],
    ['message 2 (assistant): thinking', { messages: [say('user', 'q'), say('assistant', 'a', { thinking: 'hm' })] }],
    ['message 1 (user): mood', { messages: [say('user', 'q', { mood: 'x' }), say('assistant', 'a')] }],
    ['tools', { messages: [say('user', 'q'), say('assistant', 'a')], tools: [call] }],
    ['message 2 (assistant): reasoning_content', { conversations: [from('human', 'q'), from('gpt', 'a', { reasoning_content: 'hm' })] }],
    ['message 2 (assistant): tool_calls', { messages: talk, rejected_response: 'no' }],
  ])('%s is refused by name where the template does not write it', async (name, row) => {
    const { first } = await open(row);
    await expect(tokensOfRow(first, folders.plain)).rejects.toMatchObject({
      code: 'R0544',
      message: expect.stringContaining(`${name} is given, and the chat_template of`),
    });
    await expect(tokensOfRow(first, folders.none)).rejects.toMatchObject({ code: 'R0542' });
  });

  test('a label that it does not write is told', async () => {
    const { text, warnings } = await seen({ messages: [say('user', 'q', { name: 'Bo' }), say('assistant', 'a')] }, folders.plain);
    expect(text).toBe('<s>user:q</s><s>assistant:[a</s>]');
    expect(warnings).toEqual([expect.stringMatching(/message 1 \(user\): name is not used/)]);
  });

  test.each<[object, RegExp]>([
    [{ prompt: 'q', chosen: 'a', rejected: 'b', tools: [call] }, /tools: the texts are plain/],
    [{ messages: [say('user', 'q'), say('assistant', 'a')], tools: 'none' }, /tools: expected a list of tools, or its JSON/],
    [{ messages: [say('user', 'q'), say('assistant', 'a')], tools: { f: 1 } }, /tools: expected a list of tools, .*an object/],
  ])('%j is refused', async (row, message) => {
    await expect(open(row)).rejects.toThrow(message);
  });
});

describe('parts', () => {
  test.each<[object, RegExp]>([
    [{ type: 'text', text: 'q', cache_control: 1 }, /content\[0\].cache_control: a part of text/],
    [{ type: 'image', text: 'q' }, /content\[0\].text: the part is a picture and says a text/],
    [{ type: 'image', image: 'p.png' }, /content\[0\].image: a picture within its part/],
  ])('%j is refused', async (part, message) => {
    await expect(open({ messages: [{ role: 'user', content: [part] }, say('assistant', 'a')] })).rejects.toThrow(message);
  });
});

describe('columns', () => {
  const row = { messages: [say('user', 'q'), say('assistant', 'a')] };

  test('that nobody needs are told once', async () => {
    const { rows } = await open({ ...row, id: 7, source: 'web', prompt: 'q', weight: 1, system: '', videos: [] });
    expect(rows.unused).toEqual(['id', 'source', 'prompt', 'weight', 'system', 'videos']);
  });

  test.each<[object, RegExp]>([
    [{ ...row, weight: 0.5 }, /weight: it is given \(0.5\), and not used: rows are not weighted/],
    [{ ...row, videos: ['v.mp4'] }, /videos: .*only pictures are read/],
    [{ ...row, system: 'Be brief.' }, /system: .*put the system text into the messages/],
    [{ ...row, input_ids: [1] }, /input_ids: .*tokenised here/],
    [{ ...row, chat_template_kwargs: { a: 1 } }, /chat_template_kwargs: .*not handed/],
    [{ image: 'p.png', text: JSON.stringify({ question: 'q', chosen: 'a', rejected: 'b', why: 'c' }) }, /text.why: it is not read/],
  ])('%j is refused', async (given, message) => {
    await expect(open(given)).rejects.toThrow(message);
  });
});
