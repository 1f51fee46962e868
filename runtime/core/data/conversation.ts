/**
 * The one form that all layouts of rows are read into: messages whose content is a list of texts and pictures, and the
 * pictures as references that nobody has opened yet. What a layout leaves to convention (a mark in a text, a picture before
 * the first words) is explicit here.
 */
import type { Place } from '../../../plan/errors.ts';
import type { Json } from './row.ts';

/** `index` counts the row's `images` from 0; in `rejected` of a row with `rejectedImages`, those. */
export type Part = { type: 'text'; text: string } | { type: 'image'; index: number };

export type Role = 'system' | 'user' | 'assistant' | 'tool';

/** Neighbouring texts are one; a content that is an empty text is one empty part. */
export interface Message {
  role: Role;
  content: Part[];
  /** What the message says beside its content (`tool_calls`, `reasoning_content`, `name`): a chat template is given it as it is. */
  more?: Record<string, Json>;
  /** The row says that this answer is not to be learnt. */
  learn?: false;
}

/** A picture as it is stored: a path relative to the folder of its rows, or the bytes of a file. */
export type ImageRef = { path: string } | { bytes: Uint8Array; name?: string };

/** Where a row stands: a line of a file, a row of a table (both from 1), an entry of an archive. */
export interface RowPlace extends Place {
  entry?: string;
}

/** What is wrong with a row. `field` is a path such as `prompt[0].role`, where it is about one. */
export interface RowFault {
  place: RowPlace;
  field?: string;
  what: string;
  /** Rows that lack the same column have the same fault, whatever else they have. */
  missing?: boolean;
}

/**
 * One row. Preference rows have `prompt`, `chosen` and `rejected`; supervised rows have `messages`, which end with an answer that is
 * learnt. `conversational: false` says that the texts were plain ones, to which no chat template is applied.
 */
export interface ConversationRow {
  id?: string;
  images: ImageRef[];
  /** Pictures of the rejected conversation, where they are not those of the chosen one. */
  rejectedImages?: ImageRef[];
  prompt?: Message[];
  chosen?: Message[];
  rejected?: Message[];
  messages?: Message[];
  conversational?: boolean;
  /** How many of `messages` are the prompt, where the rows tell it from the completion: only what follows is learnt. */
  lead?: number;
  /** Tools that the chat template is given. */
  tools?: Json[];
  /** Columns that the layout does not read. */
  extra?: Record<string, Json>;
  place: RowPlace;
}

/** The words of messages, without pictures. */
export function wordsOf(messages: readonly Message[]): string {
  return messages.flatMap(({ content }) => content.map((part) => (part.type === 'text' ? part.text : ''))).join('');
}
