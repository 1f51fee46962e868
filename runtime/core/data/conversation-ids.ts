/**
 * Token ids of one conversation, as long as the model reads them: an image token is one id in a row and as many as a picture takes in the
 * sequence. Collation and the scan before training share this, so that a row which passes the scan is never refused later.
 */
import type { Collate } from '../../../plan/plan.ts';
import { dataError } from './codes.ts';
import type { Row, TokenIds } from './row.ts';
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
  const ids = idsOf(row, source, index);
  const sides = layout.layout === 'pairs' ? (['chosen', 'rejected'] as const) : (['answer'] as const);
  const prompt = widened(ids.prompt, ids.image, layout, source, index);
  const answers = sides.map((side) => {
    const answer = ids[side] ?? (side === 'answer' ? ids.chosen : undefined);
    if (answer === undefined) throw lacking(side, source, index);
    checkRoom(`tokens of ${side}`, answer.length, layout.answer, 'answer', source, index);
    return [...answer];
  });
  return { prompt, answers, image: ids.image, ...(ids.learnt === undefined || layout.layout === 'pairs' ? {} : { learnt: ids.learnt }) };
}

/** What a model is asked to answer: the prompt, and of several answers all but the last. Throws as `conversationIds`. */
export function promptIds(row: Row, layout: Conversations, source: Named, index: number): ConversationIds {
  const ids = idsOf(row, source, index);
  return { prompt: widened(askedIds(ids), ids.image, layout, source, index), answers: [], image: ids.image };
}

/** The same, with an image token for each picture. */
export function askedIds({ prompt, answer, last }: TokenIds): number[] {
  return [...prompt, ...(answer?.slice(0, last ?? 0) ?? [])];
}

function idsOf({ ids }: Row, source: Named, index: number): TokenIds {
  if (ids === undefined) throw lacking('tokens of a chat template', source, index);
  return ids;
}

/** A prompt whose image tokens are as many as a picture takes. */
function widened(prompt: readonly number[], image: number, layout: Conversations, source: Named, index: number): number[] {
  const pictures = prompt.filter((id) => id === image).length;
  checkRoom('pictures', pictures, layout.pictures ?? 1, 'pictures', source, index);
  checkRoom('tokens of the prompt', prompt.length - pictures, layout.prompt, 'prompt', source, index);
  return prompt.flatMap((id) => (id === image ? new Array<number>(layout.imageTokens).fill(id) : id));
}

function checkRoom(what: string, found: number, room: number, declared: string, source: Named, index: number): void {
  if (found <= room) return;
  throw dataError('R0515', `${what} of ${nameOf(source, index)}: ${found}, and there is room for ${room}`, {
    cure: `declare ${declared}: ${found} or more, or leave the row out`,
    place: placeOf(source, index),
  });
}
