/** By which tokens of a checkpoint an answer ends, and which are never taken. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { joinHashes, SPEECH_FILES } from '../../plan/checkpoint-files.ts';
import { contentHash } from '../../runtime/node/data/content-hash.ts';
import { openSpeech } from '../../runtime/node/tokenize/speech.ts';
import { folderOf, specimen, TEMPLATE } from './specimen.ts';

const END_OF_TURN = 259;

type Files = Partial<Record<'generation_config.json' | 'config.json', object>>;

function speechOf(config: Record<string, unknown>, files: Files = {}, imageToken?: string) {
  const folder = folderOf(specimen(), config);
  for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(value));
  const hash = joinHashes(SPEECH_FILES, (name) => (existsSync(join(folder, name)) ? contentHash(join(folder, name)) : undefined));
  return openSpeech({ folder, hash, ...(imageToken === undefined ? {} : { imageToken }) }, (path) => path);
}

/** A template whose turns end with a letter and not with a token. */
const PLAIN = "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}";

describe('an answer ends', () => {
  test.each<[string, Record<string, unknown>, Files, number[]]>([
    ['by one id of generation_config.json', { chat_template: PLAIN }, { 'generation_config.json': { eos_token_id: 7 } }, [7]],
    [
      'by several, before those of config.json',
      { chat_template: PLAIN, eos_token: '</s>' },
      { 'generation_config.json': { eos_token_id: [258, 5] }, 'config.json': { eos_token_id: 9 } },
      [258, 5],
    ],
    ['by those of config.json', { chat_template: PLAIN }, { 'generation_config.json': {}, 'config.json': { eos_token_id: 9 } }, [9]],
    ['by those of the text model in it', { chat_template: PLAIN }, { 'config.json': { text_config: { eos_token_id: [9] } } }, [9]],
    ['by the end of the tokenizer', { chat_template: PLAIN, eos_token: '<s>' }, {}, [258]],
    ['by what the template puts behind it, where nothing else is named', { chat_template: TEMPLATE }, {}, [END_OF_TURN]],
    ['by that and by the end of a text', { chat_template: TEMPLATE, eos_token: '<s>' }, {}, [258, END_OF_TURN]],
    ['by the tokenizer alone where there is no template', { eos_token: '</s>' }, {}, [END_OF_TURN]],
  ])('%s', async (_, config, files, ends) => {
    const speech = await speechOf(config, files);
    await speech.close();
    expect(speech.ends).toEqual(ends);
  });

  test('by nothing: that is an error', async () => {
    await expect(speechOf({ chat_template: PLAIN })).rejects.toMatchObject({ code: 'R0545' });
    // An id that is no token ends nothing.
    await expect(speechOf({ chat_template: PLAIN }, { 'config.json': { eos_token_id: 999 } })).rejects.toMatchObject({ code: 'R0545' });
  });
});

describe('never taken', () => {
  test('are the token of pictures, and padding unless it ends answers', async () => {
    const apart = await speechOf({ chat_template: TEMPLATE, eos_token: '</s>', pad_token: '<s>' });
    expect([apart.never, apart.image, apart.size]).toEqual([[260, 258], { token: '<image>', id: 260 }, 261]);
    const one = await speechOf({ chat_template: TEMPLATE, eos_token: '</s>', pad_token: '</s>' }, {}, 'abc');
    expect([one.never, one.image]).toEqual([[257], { token: 'abc', id: 257 }]);
    expect(await one.decode([[97, 98, 259], []])).toEqual(['ab', '']);
    await Promise.all([apart.close(), one.close()]);
  });
});
