/** From a draft to the normal form: pictures are numbered and counted, and what a layout may say but nobody should train on is found. */
import type { ConversationRow, Message, Part, RowPlace } from '../../../core/data/conversation.ts';
import type { Json } from '../../../core/data/row.ts';
import { fieldOf } from '../containers/table.ts';
import type { Fields } from '../containers/table.ts';
import type { Complain, Draft, Piece, Turn } from './layout.ts';
import { checkMarks, withoutRest } from './learnt.ts';
import { isJson, toolsOf } from './message-keys.ts';
import { sameTurn } from './turns.ts';
import { checkUnread } from './unused.ts';

/** Notes what the user should know of a row that is read. */
export type Warn = (field: string, what: string) => void;

/** The row, or undefined after a fault. `fields` are the stored row, for the columns that nobody read. */
export function assemble(draft: Draft, fields: Fields, place: RowPlace, complain: Complain, warn: Warn): ConversationRow | undefined {
  const { prompt, chosen, rejected, messages, images, rejectedImages } = draft;
  const all = [prompt, chosen, rejected, messages].flatMap((turns) => turns ?? []);
  if (!checkUnread(fields, readOf(draft), complain)) return undefined;
  const tools = toolsOf(fieldOf(fields, draft.toolsColumn ?? TOOLS), draft.toolsColumn ?? TOOLS, complain);
  if (tools === undefined || !checkSpeakers(draft, all, complain) || !checkMarks(draft, complain)) return undefined;
  if (tools.length > 0 && draft.conversational === false)
    return complain(draft.toolsColumn ?? TOOLS, 'the texts are plain, and only a chat template is given tools');
  const before = [...(prompt ?? []), ...(messages ?? [])];
  // Texts without any mark: the pictures stand before the first words of the user.
  const first =
    draft.picturesFirst && picturesIn(all) === 0 && before.every((turn) => turn.plain)
      ? before.find(({ role }) => role === 'user')
      : undefined;
  const counts = first === undefined ? picturesIn(before) : images.length;
  if (!checkCount(counts, images.length, columnOf(images[0]?.field ?? 'images'), complain)) return undefined;
  if (rejectedImages !== undefined && !checkCount(counts, rejectedImages.length, 'rejected_images', complain)) return undefined;
  let next = 0;
  const numbered = (turns: readonly Turn[]): Message[] =>
    turns.map((turn) => {
      const pieces: readonly Piece[] = turn === first ? [...images.map(() => ({ picture: true }) as const), ...turn.pieces] : turn.pieces;
      return {
        role: turn.role,
        content: partsOf(pieces, () => next++),
        ...(turn.more === undefined ? {} : { more: turn.more }),
        ...(turn.mark?.learn === false ? { learn: false } : {}),
      };
    });
  const extra = extraOf(fields, readOf(draft));
  return {
    ...(draft.id === undefined ? {} : { id: draft.id }),
    images: images.map(({ ref }) => ref),
    ...(rejectedImages === undefined ? {} : { rejectedImages: rejectedImages.map(({ ref }) => ref) }),
    ...textsOf(draft, numbered, warn),
    ...(draft.lead === undefined ? {} : { lead: draft.lead }),
    ...(draft.conversational === undefined ? {} : { conversational: draft.conversational }),
    ...(tools.length === 0 ? {} : { tools }),
    ...(extra === undefined ? {} : { extra }),
    place,
  };
}

const TOOLS = 'tools';

/** Columns of the row that are used. */
export function readOf({ read, toolsColumn = TOOLS }: Pick<Draft, 'read' | 'toolsColumn'>): string[] {
  return [...read, toolsColumn];
}

function textsOf(
  { prompt, chosen, rejected, messages, lead, rejectedImages }: Draft,
  numbered: (turns: readonly Turn[]) => Message[],
  warn: Warn,
): Pick<ConversationRow, 'prompt' | 'chosen' | 'rejected' | 'messages'> {
  if (messages !== undefined) {
    const kept = lead === undefined ? withoutRest(messages, warn) : messages;
    for (const turn of kept.slice(lead ?? 0))
      if (turn.role === 'assistant' && turn.mark?.learn !== false) warnEmpty([turn], turn.field, warn);
    return { messages: numbered(kept) };
  }
  if (prompt === undefined || chosen === undefined || rejected === undefined) return {};
  if (rejectedImages === undefined && chosen.length === rejected.length && chosen.every((turn, i) => sameTurn(turn, rejected[i])))
    warn('rejected', 'chosen and rejected are equal, so that the row says nothing');
  if (prompt.at(-1)?.role === 'assistant')
    warn('prompt', 'it ends with the assistant, whose message would be continued instead of a new one begun');
  for (const [name, turns] of [['chosen', chosen] as const, ['rejected', rejected] as const]) warnEmpty(turns, name, warn);
  return { prompt: numbered(prompt), chosen: numbered(chosen), rejected: numbered(rejected) };
}

function warnEmpty(turns: readonly Turn[], field: string, warn: Warn): void {
  const isEmpty = ({ pieces, more }: Turn): boolean => more === undefined && pieces.every((piece) => 'text' in piece && piece.text === '');
  if (turns.every(isEmpty)) warn(field, 'it is empty, so that at most the end of a turn is learnt');
}

/** Answers are the assistant's, and pictures are not. */
function checkSpeakers({ chosen, rejected, messages }: Draft, all: readonly Turn[], complain: Complain): boolean {
  let sound = true;
  const wrong = (turn: Turn, what: string): void => {
    complain(turn.plain && !turn.field.endsWith(']') ? turn.field : `${turn.field}.role`, what);
    sound = false;
  };
  for (const turns of [chosen, rejected]) {
    if (turns === undefined) continue;
    const [start, end] = [turns[0], turns[turns.length - 1]];
    const other = [start, end].find(({ role }) => role !== 'assistant');
    if (other !== undefined) wrong(other, `expected assistant, since it is an answer, found ${other.role}`);
  }
  if (messages !== undefined && messages.every(({ role }) => role !== 'assistant')) {
    complain('messages', 'expected a message of the assistant, found none');
    sound = false;
  }
  const shown = all.find((turn) => turn.role === 'assistant' && picturesIn([turn]) > 0);
  if (shown !== undefined) {
    const at = shown.plain ? '' : `.content[${shown.pieces.findIndex((piece) => 'picture' in piece)}]`;
    complain(`${shown.field}${at}`, 'an answer with a picture, which no model here can give');
    sound = false;
  }
  return sound;
}

function checkCount(places: number, pictures: number, column: string, complain: Complain): boolean {
  if (places === pictures) return true;
  const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
  if (places === 0) complain(column, `the messages mention no picture: expected ${counted(pictures, 'place')}, found 0`);
  else complain(column, `the messages mention ${counted(places, 'picture')}: expected ${counted(places, 'picture')}, found ${pictures}`);
  return false;
}

function picturesIn(turns: readonly Turn[]): number {
  return turns.reduce((sum, { pieces }) => sum + pieces.filter((piece) => 'picture' in piece).length, 0);
}

/** Neighbouring texts become one, empty ones vanish; a content of nothing is one empty text. */
function partsOf(pieces: readonly Piece[], next: () => number): Part[] {
  const parts: Part[] = [];
  for (const piece of pieces) {
    const last = parts.at(-1);
    if ('picture' in piece) parts.push({ type: 'image', index: next() });
    else if (piece.text === '') continue;
    else if (last?.type === 'text') last.text += piece.text;
    else parts.push({ type: 'text', text: piece.text });
  }
  return parts.length === 0 ? [{ type: 'text', text: '' }] : parts;
}

function columnOf(field: string): string {
  return field.replace(/\[.*/, '');
}

/** Columns that no layout read, without bytes. */
function extraOf(fields: Fields, read: readonly string[]): Record<string, Json> | undefined {
  const rest = Object.entries(fields).filter(([name, value]) => !read.includes(name) && isJson(value));
  return rest.length === 0 ? undefined : (Object.fromEntries(rest) as Record<string, Json>);
}
