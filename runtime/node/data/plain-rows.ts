/**
 * Rows that the models here can be trained on so far: one picture before one question, and one answer to it or two. What the normal form can
 * say beyond that (several turns, a system text, a picture behind words) is a fault and never flattened.
 */
import { wordsOf } from '../../core/data/conversation.ts';
import type { ConversationRow, Message } from '../../core/data/conversation.ts';
import type { Box, Json } from '../../core/data/row.ts';
import { plain } from './containers/table.ts';

export type Form = 'preferences' | 'captions';

/** The texts of a row, and what else it says that never reaches the device. */
export interface PlainRow {
  prompt: string;
  answer?: string;
  chosen?: string;
  rejected?: string;
  /** In pixels of the picture as stored. */
  boxes?: Box[];
  extra?: Record<string, Json>;
}

const OTHER = 'name the tokenizer of a checkpoint that has one';

type Complain = (field: string, what: string) => undefined;

/** The plain texts of a row; undefined after a fault. */
export function plainRow(row: ConversationRow, form: Form, complain: Complain): PlainRow | undefined {
  if (row.images.length !== 1) return complain('images', `${row.images.length} pictures; a row has one`);
  if (row.rejectedImages !== undefined) return complain('rejected_images', 'another picture for the rejected answer; a row has one');
  if (row.tools !== undefined) return complain('tools', `only a chat template is given tools; ${OTHER}`);
  const texts = form === 'preferences' ? preferenceTexts(row, complain) : captionTexts(row, complain);
  const { boxes: given, ...extra } = row.extra ?? {};
  const boxes = given === undefined ? undefined : readBoxes(given, complain);
  if (texts === undefined || (given !== undefined && boxes === undefined)) return undefined;
  return { ...texts, ...(boxes === undefined ? {} : { boxes }), ...(Object.keys(extra).length === 0 ? {} : { extra }) };
}

function preferenceTexts({ prompt = [], chosen = [], rejected = [] }: ConversationRow, complain: Complain): PlainRow | undefined {
  const question = promptText(prompt, 'prompt', complain);
  const [first, second] = [answerText(chosen, 'chosen', complain), answerText(rejected, 'rejected', complain)];
  return question === undefined || first === undefined || second === undefined
    ? undefined
    : { prompt: question, chosen: first, rejected: second };
}

function captionTexts({ messages = [] }: ConversationRow, complain: Complain): PlainRow | undefined {
  const prompt = promptText(messages.slice(0, -1), 'prompt', complain);
  const answer = answerText(messages.slice(-1), 'answer', complain);
  return prompt === undefined || answer === undefined ? undefined : { prompt, answer };
}

function promptText(messages: readonly Message[], field: string, complain: Complain): string | undefined {
  if (messages.length !== 1 || messages[0].role !== 'user')
    return complain(field, `${counted(messages)}; a prompt is one message of the user`);
  if (!saysMore(messages[0], field, complain)) return undefined;
  return messages[0].content[0].type === 'image' ? wordsOf(messages) : complain(field, 'the picture stands behind words; it comes first');
}

function answerText(messages: readonly Message[], field: string, complain: Complain): string | undefined {
  if (messages.length !== 1 || messages[0].role !== 'assistant')
    return complain(field, `${counted(messages)}; an answer is one message of the assistant`);
  return saysMore(messages[0], field, complain) ? wordsOf(messages) : undefined;
}

/** False after a fault: a list of words has no place for what a message says beside its content. */
function saysMore({ more }: Message, field: string, complain: Complain): boolean {
  const [key] = Object.keys(more ?? {});
  if (key !== undefined) complain(`${field}.${plain(key)}`, `only a chat template can write it; ${OTHER}`);
  return key === undefined;
}

function counted(messages: readonly Message[]): string {
  return `${messages.length} ${messages.length === 1 ? 'message' : 'messages'} (${messages.map(({ role }) => role).join(', ') || 'none'})`;
}

function readBoxes(value: Json, complain: Complain): Box[] | undefined {
  const boxes: Box[] = [];
  for (const box of Array.isArray(value) ? value : [value]) {
    const sides = typeof box === 'object' && box !== null && !Array.isArray(box) ? [box.x, box.y, box.w, box.h] : [];
    const [x, y, w, h] = sides.filter((side) => typeof side === 'number');
    if (sides.length !== 4 || h === undefined) return complain('boxes', 'must be a list of {x, y, w, h} in pixels');
    boxes.push({ x, y, w, h });
  }
  return boxes;
}
