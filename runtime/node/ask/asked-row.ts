/**
 * A question as a row: the picture as the encoder takes it, the words or tokens of the question, and what answers are made of. Models of a
 * run often share all of it, so what was opened is kept until the last of them has answered.
 */
import type { Ask, Plan } from '../../../plan/plan.ts';
import type { Row } from '../../core/data/row.ts';
import { runError } from '../../core/train/errors.ts';
import { tokensOfWords } from '../../core/train/answer-tokens.ts';
import type { AnswerTokens } from '../../core/train/answer-tokens.ts';
import { picturesOf, preparation } from '../data/preparation.ts';
import { decodeFile } from '../data/pictures/decode.ts';
import type { Decoded } from '../data/pictures/decode.ts';
import { openSpeech } from '../tokenize/speech.ts';
import type { SpokenTokens } from '../tokenize/speech.ts';
import { questionTokens } from './conversation.ts';
import { promptIds } from './question.ts';

export interface AskedRow {
  row: Row;
  tokens: AnswerTokens;
}

export class AskedRows {
  private readonly spoken = new Map<string, Promise<SpokenTokens>>();
  private readonly plan: Plan;
  private readonly question: string;
  private readonly picture: string;
  private readonly resolve: (path: string) => string;

  constructor(plan: Plan, given: { question: string; picture: string }, resolve: (path: string) => string) {
    this.plan = plan;
    this.question = given.question;
    this.picture = given.picture;
    this.resolve = resolve;
  }

  /** Throws R0654 (the picture), R0655 (the question), and what opening a tokenizer or a processor throws. */
  async rowFor({ collate, processor, tokenizer, speech }: Ask): Promise<AskedRow> {
    const prepared = await preparation({ processor, size: collate.image, among: collate.pictures !== undefined }, this.resolve);
    const pictures = picturesOf([await readPicture(this.picture, prepared.fit)], prepared);
    if (speech === undefined) {
      const words = this.plan.tokenizers[tokenizer ?? ''];
      promptIds(this.question, words, collate.prompt);
      return { row: { ...pictures, prompt: this.question }, tokens: tokensOfWords(words) };
    }
    const tokens = await this.tokensOf(speech);
    return { row: { ...pictures, prompt: this.question, ids: await questionTokens(this.question, tokens, collate.prompt) }, tokens };
  }

  private tokensOf(speech: NonNullable<Ask['speech']>): Promise<SpokenTokens> {
    const key = JSON.stringify(speech);
    const open = this.spoken.get(key) ?? openSpeech(speech, this.resolve);
    this.spoken.set(key, open);
    return open;
  }

  async close(): Promise<void> {
    for (const open of this.spoken.values())
      await open.then(
        (tokens) => tokens.close(),
        () => undefined,
      );
  }
}

async function readPicture(path: string, fit: Parameters<typeof decodeFile>[1]): Promise<Decoded> {
  try {
    return await decodeFile(path, fit);
  } catch (cause) {
    const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw runError(
      'R0654',
      code === 'ENOENT' ? `there is no picture ${path}` : `the picture ${path} cannot be read (${why})`,
      'name a PNG, JPEG or WebP file',
      cause,
    );
  }
}
