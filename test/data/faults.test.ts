/** What is wrong with rows, and how it is told. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { openRows } from '../../runtime/node/data/open-rows.ts';
import type { RowsOptions } from '../../runtime/node/data/open-rows.ts';
import { assistant, gpt, human, lines, pair, png, rowsFolder, text, user } from '../support/rows-folder.ts';

const { root, put, readAll, remove } = await rowsFolder();
afterAll(remove);

await put({ 'p.png': png });

describe('faults', () => {
  const good = { image: 'p.png', question: 'What?', chosen: 'A.', rejected: 'B.' };

  test('all of them in one answer, by line and field', async () => {
    await put({
      'faults.jsonl': `${JSON.stringify(good)}\n\n{"image": \n${lines([
        { ...good, chosen: 4 },
        { ...good, choosen: 'A.', chosen: undefined },
      ])}`,
    });
    await expect(readAll('faults.jsonl', { wanted: 'preferences' })).rejects.toMatchObject({
      code: 'R0520',
      message: expect.stringMatching(
        /^3 faults in the rows of faults.jsonl:\n.*jsonl:3: not valid JSON .*\(row 2\)\n.*jsonl:4: chosen: expected text, found 4 \(row 3\)\n.*jsonl:5: chosen: .*the row has image, question, rejected, choosen/,
      ),
    });
  });

  test.each<[string, string | object, RegExp]>([
    ['NaN', `${JSON.stringify(good).slice(0, -1)}, "score": NaN}`, /not valid JSON/],
    ['Latin-1', Buffer.from(JSON.stringify(good).replace('A.', '\xe4'), 'latin1'), /not valid UTF-8/],
    ['half of a pair', JSON.stringify(good).replace('A.', '\\ud800'), /chosen: expected text, found half of a surrogate pair/],
    [
      'answers in the prototype',
      '{"image":"p.png","question":"What?","__proto__":{"chosen":"A.","rejected":"B."}}',
      /chosen: there is no such column/,
    ],
    ['nesting', JSON.stringify(good).replace('"What?"', '['.repeat(12000) + ']'.repeat(12000)), /question: expected text, found a list/],
    ['a path upwards', { ...good, image: 'a/../../x.png' }, /image: a\/..\/..\/x.png leaves the folder/],
    ['a path of Windows', { ...good, image: '..\\x.png' }, /image: ..\\x.png leaves the folder/],
    ['a drive', { ...good, image: 'C:\\x.png' }, /image: C:\\x.png leaves the folder/],
    ['a URL', { ...good, image: 'http://picture.invalid/a.png' }, /nothing is fetched/],
    ['a NUL', { ...good, image: 'p.png\0.jpg' }, /image: p.png\\u0000.jpg is no path/],
    ['another case', { ...good, image: 'P.png' }, /image: P.png does not exist; there is p.png/],
    ['a link out', { ...good, image: 'out.png' }, /image: out.png leaves the folder by a link/],
    ['a link to itself', { ...good, image: 'loop.png' }, /image: loop.png cannot be read \(ELOOP\)/],
  ])('%s', async (name, row, message) => {
    await put({
      [`faults/${name}.jsonl`]: Buffer.concat([
        Buffer.from(lines([good])),
        typeof row === 'string' || row instanceof Uint8Array ? Buffer.from(row) : Buffer.from(JSON.stringify(row)),
      ]),
    });
    await put({ 'faults/p.png': png });
    await symlink(join(root, 'p.png'), join(root, 'faults/out.png')).catch(() => undefined);
    await symlink('loop.png', join(root, 'faults/loop.png')).catch(() => undefined);
    await expect(readAll(`faults/${name}.jsonl`, { wanted: 'preferences' })).rejects.toThrow(message);
  });

  const chat = {
    images: ['p.png'],
    prompt: [user({ type: 'image' }, text('What?'))],
    chosen: [assistant('A.')],
    rejected: [assistant('B.')],
  };
  test.each<[string, object, RegExp]>([
    [
      'two places, one picture',
      { prompt: [user({ type: 'image' }, { type: 'image' }, text('What?'))] },
      /images: .*expected 2 pictures, found 1/,
    ],
    ['a picture without a place', { prompt: [user(text('What?'))] }, /images: .*expected 1 place, found 0/],
    [
      'an unknown role',
      { prompt: [{ role: 'human', content: 'x' }] },
      /prompt\[0\].role: expected one of system, user, assistant, tool, found the text "human"/,
    ],
    [
      'a part without text',
      { prompt: [user({ type: 'image' }, { type: 'text' })] },
      /prompt\[0\].content\[1\].text: expected text, found nothing/,
    ],
    ['a video', { prompt: [user({ type: 'image' }, { type: 'video' })] }, /prompt\[0\].content\[1\].type: .*"video"/],
    ['no messages', { chosen: [] }, /chosen: expected at least one message/],
    ['an answer of the user', { chosen: [user(text('A.'))] }, /chosen\[0\].role: expected assistant/],
    ['a text and messages', { prompt: '<image>What?' }, /prompt: it is a text, and chosen is a list/],
    ['a list of lists', { images: [['p.png']] }, /images\[0\]: expected text, the path of a picture/],
    ['no list of pictures', { images: undefined }, /images: .*expected 1 picture, found 0/],
    [
      'equal conversations',
      { prompt: undefined, images: [], chosen: [user(text('x')), assistant('A.')], rejected: [user(text('x')), assistant('A.')] },
      /rejected: it is the same conversation/,
    ],
    [
      'no common beginning',
      { prompt: undefined, images: [], chosen: [user(text('x')), assistant('A.')], rejected: [user(text('y')), assistant('B.')] },
      /prompt: .*no common beginning/,
    ],
  ])('%s', async (name, change, message) => {
    await put({ [`chat ${name}.jsonl`]: lines([chat, { ...chat, ...change }]) });
    await expect(readAll(`chat ${name}.jsonl`, { wanted: 'preferences' })).rejects.toThrow(message);
  });

  test('what is read all the same is told', async () => {
    await put({
      'warn.jsonl': lines([
        { ...chat, rejected: chat.chosen },
        { ...chat, prompt: [...chat.prompt, assistant('It is')] },
      ]),
    });
    const rows = await openRows(join(root, 'warn.jsonl'), 'warn.jsonl');
    expect(rows.warnings).toEqual([
      expect.stringMatching(/^warn.jsonl:1: rejected: chosen and rejected are equal/),
      expect.stringMatching(/^warn.jsonl:2: prompt: it ends with the assistant/),
    ]);
    await rows.close();
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    ['nothing', '', /expected at least one row, found an empty file/],
    ['blank lines', '\n  \n', /found blank lines only/],
    ['UTF-16', Buffer.from('\xff\xfe{\0', 'latin1'), /in UTF-8, found UTF-16/],
    ['gzip', Buffer.from([0x1f, 0x8b, 8, 0]), /found gzip/],
    ['an array', `[${JSON.stringify(good)}]\n`, /expected one object per line, found an array/],
    ['no known columns', lines([{ a: 1, b: 2 }]), /fit no layout: expected .*; found a, b/],
  ])('a file of %s', async (name, data, message) => {
    await put({ [`file ${name}.jsonl`]: data });
    await expect(readAll(`file ${name}.jsonl`)).rejects.toThrow(message);
  });

  test.each<[string, string, RegExp]>([
    ['cut', `[${JSON.stringify(good)},`, /the list has no end after row 1/],
    ['two commas', `[${JSON.stringify(good)},,${JSON.stringify(good)}]`, /a comma with nothing before it/],
    ['something behind', `[${JSON.stringify(good)}] x`, /something stands behind the end/],
    ['an element broken', `[${JSON.stringify(good)},{"a"]}]`, /row 2: not valid JSON|not valid JSON: /],
  ])('a list: %s', async (name, data, message) => {
    await put({ [`list ${name}.json`]: data });
    await expect(readAll(`list ${name}.json`, { wanted: 'preferences' })).rejects.toThrow(message);
  });

  test('entries of dataset_info.json', async () => {
    const entry = { file_name: 'rows.json', formatting: 'sharegpt', ranking: true };
    const row = { conversations: [human('<image>What?')], chosen: gpt('A.'), rejected: gpt('B.'), images: ['p.png'] };
    const open = async (name: string, info: object, rows: object[] = [row], options: RowsOptions = { wanted: 'preferences' }) => {
      await put({
        [`${name}/dataset_info.json`]: JSON.stringify(info),
        [`${name}/rows.json`]: JSON.stringify(rows),
        [`${name}/p.png`]: png,
      });
      return readAll(name, options);
    };
    expect(await open('info-good', { pairs: entry })).toMatchObject([pair]);
    await expect(open('info-hub', { pairs: { hf_hub_url: 'x/y' } })).rejects.toThrow(/hf_hub_url: .*nothing is fetched/);
    await expect(open('info-out', { pairs: { ...entry, file_name: '../a.jsonl' } })).rejects.toThrow(/..\/a.jsonl leaves the folder/);
    await expect(open('info-ranking', { pairs: { ...entry, ranking: false } })).rejects.toThrow(/ranking: expected true/);
    await expect(open('info-two', { a: entry, b: entry })).rejects.toThrow(/choose one of a, b/);
    expect(await open('info-entry', { a: entry, b: {} }, [row], { entry: 'a' })).toMatchObject([pair]);
    await expect(open('info-turns', { pairs: entry }, [{ ...row, conversations: [human('<image>a'), human('b')] }])).rejects.toThrow(
      /row 1: conversations: user and assistant do not take turns/,
    );
    await expect(
      open('info-column', {
        pairs: { ...entry, columns: { messages: 'conversations', chosen: 'better', rejected: 'rejected', images: 'images' } },
      }),
    ).rejects.toThrow(/row 1: better: there is no such column/);
  });
});
