/**
 * Token ids of one conversation, as long as the model reads them: an image token is one id in a row and as many as a picture takes in the
 * sequence. Collation and the scan before training share this, so that a row which passes the scan is never refused later.
 */
import type { Collate } from '../../../plan/plan.ts';
import { dataError } from './codes.ts';
import type { Row } from './row.ts';
import { lacking, nameOf, placeOf } from './slots.ts';
import type { Named } from './slots.ts';

/** Layouts of conversations. */
export type Conversations = Extract<Collate, { layout: 'pairs' | 'answers' }>;

/** What stands in a sequence: the prompt, and one answer or two. */
export interface ConversationIds {
  prompt: number[];
  answers: number[][];
  learnt?: Uint8Array;
  /** The id at image tokens. */
  image: number;
}

/** Throws R0516 (the row has no such tokens) or R0515 (more tokens or pictures than there is room for). */
export function conversationIds(row: Row, layout: Conversations, source: Named, index: number): ConversationIds {
  const { ids } = row;
  if (ids === undefined) throw lacking('tokens of a chat template', source, index);
  const sides = layout.layout === 'pairs' ? (['chosen', 'rejected'] as const) : (['answer'] as const);
  const most = layout.pictures ?? 1;
  const fits = (what: string, found: number, room: number, declared: string): void => {
    if (found <= room) return;
    throw dataError('R0515', `${what} of ${nameOf(source, index)}: ${found}, and there is room for ${room}`, {
      cure: `declare ${declared}: ${found} or more, or leave the row out`,
      place: placeOf(source, index),
    });
  };
  const pictures = ids.prompt.filter((id) => id === ids.image).length;
  fits('pictures', pictures, most, 'pictures');
  fits('tokens of the prompt', ids.prompt.length - pictures, layout.prompt, 'prompt');
  const answers = sides.map((side) => {
    const answer = ids[side] ?? (side === 'answer' ? ids.chosen : undefined);
    if (answer === undefined) throw lacking(side, source, index);
    fits(`tokens of ${side}`, answer.length, layout.answer, 'answer');
    return [...answer];
  });
  const prompt = ids.prompt.flatMap((id) => (id === ids.image ? new Array<number>(layout.imageTokens).fill(id) : id));
  return { prompt, answers, image: ids.image, ...(ids.learnt === undefined || layout.layout === 'pairs' ? {} : { learnt: ids.learnt }) };
}
