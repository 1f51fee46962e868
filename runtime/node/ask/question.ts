/** A question as token ids, with all that is wrong with it told at once. */
import type { Tokenizer } from '../../../plan/plan.ts';
import { encoderOf, nearestWord } from '../../core/data/tokens.ts';
import { runError } from '../../core/train/errors.ts';

/** Ids of the words of a question, `room` at most. Throws R0655 with all unknown words, or for none or too many. */
export function promptIds(question: string, tokenizer: Tokenizer, room: number): number[] {
  const encoder = encoderOf(tokenizer);
  const words = question.split(/\s+/).filter((word) => word !== '');
  const unknown = [...new Set(words.filter((word) => 'unknown' in encoder.encode(word)))];
  if (unknown.length > 0) {
    const near = unknown.flatMap((word) => {
      const known = nearestWord(tokenizer, word);
      return known === undefined ? [] : [`${JSON.stringify(known)} for ${JSON.stringify(word)}`];
    });
    throw runError(
      'R0655',
      `the model does not know the ${unknown.length === 1 ? 'word' : 'words'} ${unknown.map((word) => JSON.stringify(word)).join(', ')}`,
      near.length > 0
        ? `did you mean ${near.join(', ')}? Words are separated by spaces`
        : `ask with words of its tokenizer, such as ${samples(tokenizer)}`,
    );
  }
  const encoded = encoder.encode(question);
  const ids = 'ids' in encoded ? encoded.ids : [];
  if (ids.length === 0) throw runError('R0655', 'the question has no word', 'put it in quotes: pivot ask RUN IMAGE "what is it ?"');
  if (ids.length > room)
    throw runError('R0655', `the question has ${ids.length} words, and the model was trained with ${room} at most`, 'ask in fewer words');
  return ids;
}

function samples({ words, pad, end }: Tokenizer): string {
  return words
    .filter((_, id) => id !== pad && id !== end)
    .slice(0, 12)
    .join(' ');
}
