/** What a model's answers are made of, to whoever takes their tokens: words of a plan, or the tokens of a checkpoint. */
import type { Tokenizer } from '../../../plan/plan.ts';
import { encoderOf } from '../data/tokens.ts';

export interface AnswerTokens {
  /** Each of these ends an answer. */
  ends: readonly number[];
  /** Never taken: padding, and what stands for a picture. */
  never: readonly number[];
  /** Ids from here on are no tokens, where the model's table is longer than the vocabulary. */
  size?: number;
  /** Stands in places that nobody looks at. */
  pad: number;
  /** The texts of answers, without their ends. */
  decode(answers: readonly (readonly number[])[]): Promise<string[]>;
}

export function tokensOfWords(tokenizer: Tokenizer): AnswerTokens {
  const { pad, end, decode } = encoderOf(tokenizer);
  return { ends: [end], never: [pad], pad, decode: (answers) => Promise.resolve(answers.map((ids) => decode(ids))) };
}
