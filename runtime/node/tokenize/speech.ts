/**
 * The tokens of a checkpoint as a model answers in them: which of them end an answer, which are never taken, and their texts. What ends an
 * answer is said by `generation_config.json`, else `config.json` (one id or several), else by the tokenizer's own end. To these comes what
 * its template puts behind every answer, if that is a special token: a base model names the end of a text, and learns the end of a turn.
 */
import { SPEECH_FILES } from '../../../plan/checkpoint-files.ts';
import { PivotError } from '../../../plan/errors.ts';
import { isObject, own } from '../../../plan/json.ts';
import type { Json } from '../../../plan/json.ts';
import type { Speech } from '../../../plan/plan.ts';
import { dataError } from '../../core/data/codes.ts';
import type { AnswerTokens } from '../../core/train/answer-tokens.ts';
import { checkFiles } from '../data/content-hash.ts';
import { readConfig } from './config.ts';
import { imageToken } from './image-token.ts';
import { openTokenizer } from './open.ts';
import type { TextTokenizer } from './open.ts';

/** Open: it holds a process until it is closed. */
export interface SpokenTokens extends AnswerTokens {
  tokenizer: TextTokenizer;
  /** What stands for a picture in a text. */
  image?: { token: string; id: number };
  close(): Promise<void>;
}

/** Throws R0523 (other files than when compiled), R0545 (nothing ends an answer), and what opening a tokenizer throws. */
export async function openSpeech(speech: Speech, resolve: (path: string) => string): Promise<SpokenTokens> {
  const folder = resolve(speech.folder);
  checkFiles(folder, SPEECH_FILES, speech.hash);
  const tokenizer = await openTokenizer(folder);
  try {
    const ends = await endsOf(tokenizer, folder);
    const token = await imageToken(tokenizer, folder, speech.imageToken);
    const [id, pad] = await tokenizer.ids([token ?? '', tokenizer.specials.pad_token ?? '']);
    return {
      tokenizer,
      ends,
      never: [id, pad].filter((one) => one !== undefined && !ends.includes(one)) as number[],
      size: tokenizer.vocabulary,
      pad: 0,
      decode: (answers) =>
        tokenizer.decode(
          answers.map((ids) => [...ids]),
          true,
        ),
      ...(token === undefined || id === undefined ? {} : { image: { token, id } }),
      close: () => tokenizer.close(),
    };
  } catch (error) {
    await tokenizer.close();
    throw error;
  }
}

async function endsOf(tokenizer: TextTokenizer, folder: string): Promise<number[]> {
  const named = (await namedEnds(folder)) ?? (await ownEnd(tokenizer));
  const ends = [...new Set([...named, ...(await endOfTurn(tokenizer))])].filter((id) => id < tokenizer.vocabulary);
  const beyond = ends.find((id) => tokenizer.table !== undefined && id >= tokenizer.table);
  if (beyond !== undefined)
    throw dataError(
      'R0545',
      `an answer should end with the id ${beyond}, and the table of embeddings in ${folder} has ${tokenizer.table} rows`,
      {
        cure: 'name an eos_token_id that the model can answer with, or resize its embeddings',
        place: { file: folder },
      },
    );
  if (ends.length > 0) return ends;
  throw dataError('R0545', `nothing in ${folder} says by which token an answer ends`, {
    cure: 'name eos_token in tokenizer_config.json, or eos_token_id in generation_config.json',
    place: { file: folder },
  });
}

/** `eos_token_id` of the first config that has one. */
async function namedEnds(folder: string): Promise<number[] | undefined> {
  for (const name of ['generation_config.json', 'config.json']) {
    const config = await readConfig(folder, name);
    const text = config && own(config, 'text_config');
    for (const at of [config, text]) {
      const ids = isObject(at) ? idsOf(own(at, 'eos_token_id')) : [];
      if (ids.length > 0) return ids;
    }
  }
  return undefined;
}

function idsOf(value: Json | undefined): number[] {
  return (Array.isArray(value) ? value : [value]).filter((id) => typeof id === 'number' && Number.isSafeInteger(id) && id >= 0) as number[];
}

async function ownEnd(tokenizer: TextTokenizer): Promise<number[]> {
  const { eos_token: token } = tokenizer.specials;
  return token === undefined ? [] : (await tokenizer.ids([token])).filter((id) => id !== undefined);
}

/** The special token behind an answer; none where there is no template, or where it writes no such conversation. */
async function endOfTurn(tokenizer: TextTokenizer): Promise<number[]> {
  const word = 'qzxjk';
  const say = (role: string, text: string): { role: string; content: { type: 'text'; text: string }[] } => ({
    role,
    content: [{ type: 'text', text }],
  });
  const messages = [say('user', 'a'), say('assistant', word)];
  const [text] = await tokenizer.render([{ messages, generation: false }]).catch((error: unknown) => {
    if (error instanceof PivotError) return [''];
    throw error;
  });
  const at = text.lastIndexOf(word);
  const [[first] = []] = at < 0 ? [] : await tokenizer.encode([text.slice(at + word.length)]);
  if (first === undefined) return [];
  const [shown] = await tokenizer.decode([[first]], true);
  return shown === '' ? [first] : [];
}
