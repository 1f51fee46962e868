/** The same rows in every layout, read into one normal form. */
import { afterAll, describe, expect, test } from '@jest/globals';
import type { RowsOptions } from '../../runtime/node/data/open-rows.ts';
import { assistant, gpt, human, image, lines, pair, png, rowsFolder, said, text, user } from '../support/rows-folder.ts';

const { put, readAll, remove } = await rowsFolder();
afterAll(remove);

await put({ 'p.png': png, 'images/l.png': png });

const dialogue = [said('user', image(), text('What?')), said('assistant', text('A.'))];

describe('one pair in every layout', () => {
  const info = JSON.stringify({
    pairs: {
      file_name: 'rows.json',
      formatting: 'sharegpt',
      ranking: true,
      columns: { messages: 'talk', chosen: 'good', rejected: 'bad', images: 'pictures' },
      tags: { role_tag: 'who', content_tag: 'says', user_tag: 'me', assistant_tag: 'you' },
    },
  });
  const factory = [
    { talk: [{ who: 'me', says: '<image>What?' }], good: { who: 'you', says: 'A.' }, bad: { who: 'you', says: 'B.' }, pictures: ['p.png'] },
  ];
  const flat = { image: 'p.png', question: 'What?', chosen: 'A.', rejected: 'B.' };
  const cases: [string, string, Record<string, Uint8Array | string>][] = [
    [
      'TRL, explicit',
      'a.jsonl',
      {
        'a.jsonl': lines([
          {
            images: ['p.png'],
            prompt: [user({ type: 'image', text: null }, text('Wh'), text('at?'))],
            chosen: [assistant('A.')],
            rejected: [assistant('B.')],
          },
        ]),
      },
    ],
    [
      'TRL, implicit',
      'b.jsonl',
      {
        'b.jsonl': lines(
          [
            {
              images: ['p.png'],
              chosen: [user(image(), text('What?')), assistant('A.')],
              rejected: [user(image(), text('What?')), assistant('B.')],
            },
          ].map((row) => JSON.parse(JSON.stringify(row).replaceAll(',"index":0', '')) as object),
        ),
      },
    ],
    [
      'TRL, contents without marks',
      'c.jsonl',
      {
        'c.jsonl': lines([
          { images: ['p.png'], prompt: [{ role: 'user', content: 'What?' }], chosen: [assistant('A.')], rejected: [assistant('B.')] },
        ]),
      },
    ],
    [
      'ms-swift, response',
      'd.jsonl',
      {
        'd.jsonl': lines([
          { messages: [{ role: 'user', content: '<image>What?' }, assistant('A.')], rejected_response: 'B.', images: ['p.png'] },
        ]),
      },
    ],
    [
      'ms-swift, messages',
      'e.jsonl',
      {
        'e.jsonl': lines([
          {
            messages: [{ role: 'user', content: '<image>What?' }, assistant('A.')],
            rejected_messages: [{ role: 'user', content: '<image>What?' }, assistant('B.')],
            images: ['p.png'],
            rejected_images: ['p.png'],
          },
        ]),
      },
    ],
    [
      'LLaMA-Factory through its entry',
      'f',
      { 'f/dataset_info.json': info, 'f/rows.json': JSON.stringify(factory, null, 1), 'f/p.png': png },
    ],
    ['plain columns', 'g.jsonl', { 'g.jsonl': lines([flat]) }],
    ['plain columns, the mark in the question', 'h.jsonl', { 'h.jsonl': lines([{ ...flat, question: '<image>What?' }]) }],
    [
      'RLHF-V',
      'i.jsonl',
      { 'i.jsonl': lines([{ image: 'p.png', text: JSON.stringify({ question: 'What?', chosen: 'A.', rejected: 'B.' }) }]) },
    ],
    ['a JSON list', 'j.json', { 'j.json': ` [\n ${JSON.stringify(flat)} ] \n` }],
    ['JSON lines named .json', 'k.json', { 'k.json': lines([flat]) }],
    ['CSV', 'l.csv', { 'l.csv': '\uFEFFimage,"question",chosen,rejected\r\np.png,"What?",A.,"B."\r\n' }],
    [
      'metadata beside pictures',
      'm',
      {
        'm/train/metadata.jsonl': lines([{ file_name: 'sub/q.png', question: 'What?', chosen: 'A.', rejected: 'B.' }]),
        'm/train/sub/q.png': png,
      },
    ],
  ];
  test.each(cases)('%s', async (_name, path, files) => {
    await put(files);
    const [row, ...others] = await readAll(path);
    expect(others).toEqual([]);
    const { prompt, chosen, rejected, images, rejectedImages } = row;
    expect({ prompt, chosen, rejected }).toEqual(pair);
    expect(images).toEqual([{ path: expect.stringMatching(/^(sub\/q|p)\.png$/) }]);
    expect(rejectedImages).toBeUndefined();
  });

  test('plain texts are no conversation; another picture for what is rejected', async () => {
    await put({ 'n.jsonl': lines([{ image: 'p.png', prompt: '<image>What?', chosen: 'A.', rejected: 'B.' }]) });
    expect(await readAll('n.jsonl')).toMatchObject([{ ...pair, conversational: false }]);
    const other = {
      messages: [{ role: 'user', content: '<image>What?' }, assistant('A.')],
      images: ['p.png'],
      rejected_images: ['images/l.png'],
    };
    await put({ 'o.jsonl': lines([other]) });
    expect(await readAll('o.jsonl')).toMatchObject([{ ...pair, rejected: pair.chosen, rejectedImages: [{ path: 'images/l.png' }] }]);
  });
});

describe('one dialogue in every layout', () => {
  test.each<[string, object, RowsOptions]>([
    ['TRL messages', { images: ['p.png'], messages: [user({ type: 'image' }, text('What?')), assistant('A.')] }, {}],
    ['TRL completion', { image: 'p.png', prompt: [user({ type: 'image' }, text('What?'))], completion: [assistant('A.')] }, {}],
    ['ms-swift', { images: ['p.png'], messages: [{ role: 'user', content: '<image>What?' }, assistant('A.')] }, {}],
    ['LLaVA', { id: 7, image: 'l.png', conversations: [human('<image>What?'), gpt('A.')] }, {}],
    ['LLaVA, its folder named', { image: 'l.png', conversations: [human('<image>What?'), gpt('A.')] }, { images: 'images' }],
    ['question and answer', { image: 'p.png', question: 'What?', answer: 'A.' }, {}],
  ])('%s', async (name, row, options) => {
    await put({ [`sft-${name}.jsonl`]: lines([row]) });
    expect(await readAll(`sft-${name}.jsonl`, options)).toMatchObject([{ messages: dialogue }]);
  });

  test('texts around pictures are kept to the byte, and empty ones are one empty part', async () => {
    const messages = [
      { role: 'system', content: '' },
      { role: 'user', content: ' a<image>\n\u2028<image>' },
      { role: 'assistant', content: [text(''), text('x'), text(' y')] },
    ];
    await put({ 'bytes.jsonl': lines([{ messages, images: ['p.png', 'p.png'] }]) });
    const [{ messages: read }] = await readAll('bytes.jsonl');
    expect(read).toEqual([
      said('system', text('')),
      said('user', text(' a'), image(0), text('\n\u2028'), image(1)),
      said('assistant', text('x y')),
    ]);
  });
});
