/**
 * The texts of a row as trainers write them (TRL's forms): plain text, perhaps with `<image>` before a prompt, or a list
 * of messages whose content is text or parts. Out come plain prompt and answers. What the layouts here cannot say (several
 * turns, a system text, a picture behind words) is a fault and never flattened.
 */
import type { Json } from '../../core/data/row.ts';

/** A text, or what is wrong with the column. */
export type Read = { text: string } | { fault: string };

interface Message {
  role: string;
  text: string;
  /** Where pictures stand: none, before all text, or elsewhere. */
  pictures: 'none' | 'first' | 'behind' | 'several';
}

type JsonObject = { [key: string]: Json };

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const MARK = '<image>';

/** A prompt: a text, or exactly one message of the user. */
export function readPrompt(value: Json): Read {
  if (typeof value === 'string') {
    const rest = value.startsWith(MARK) ? value.slice(MARK.length) : value;
    if (rest.includes(MARK)) return { fault: `${MARK} stands behind words or twice; the picture comes first and once` };
    return { text: rest };
  }
  const messages = readMessages(value);
  if ('fault' in messages) return messages;
  if (messages.length !== 1) {
    return {
      fault: `${messages.length} messages (${messages.map((m) => m.role).join(', ') || 'none'}); a prompt is one message of the user`,
    };
  }
  const [{ role, text, pictures }] = messages;
  if (role !== 'user') return { fault: `a message of role ${role}; a prompt is one message of the user` };
  if (pictures === 'behind') return { fault: 'the picture stands behind words; it comes first' };
  if (pictures === 'several') return { fault: 'several pictures; one is read' };
  return { text };
}

/** An answer: a text, or exactly one message of the assistant, without a picture. */
export function readAnswer(value: Json): Read {
  if (typeof value === 'string') return value.includes(MARK) ? { fault: `an answer with ${MARK}` } : { text: value };
  const messages = readMessages(value);
  if ('fault' in messages) return messages;
  if (messages.length !== 1 || messages[0].role !== 'assistant') {
    return { fault: `messages of ${messages.map((m) => m.role).join(', ') || 'nobody'}; an answer is one message of the assistant` };
  }
  return messages[0].pictures === 'none' ? { text: messages[0].text } : { fault: 'an answer with a picture' };
}

/**
 * TRL's implicit prompt: `chosen` and `rejected` are whole conversations, and what they share at their beginning is the
 * prompt. Gives explicit columns; undefined where the row is not of that form.
 */
export function splitImplicit(
  chosen: Json | undefined,
  rejected: Json | undefined,
): { prompt: Json; chosen: Json; rejected: Json } | undefined {
  if (!Array.isArray(chosen) || !Array.isArray(rejected)) return undefined;
  let shared = 0;
  while (shared < Math.min(chosen.length, rejected.length) - 1 && JSON.stringify(chosen[shared]) === JSON.stringify(rejected[shared]))
    shared++;
  if (shared === 0) return undefined;
  return { prompt: chosen.slice(0, shared), chosen: chosen.slice(shared), rejected: rejected.slice(shared) };
}

function readMessages(value: Json): Message[] | { fault: string } {
  if (!Array.isArray(value)) return { fault: `is ${describe(value)}; it must be a text or a list of messages` };
  const messages: Message[] = [];
  for (const [i, message] of value.entries()) {
    if (!isObject(message) || typeof message.role !== 'string') return { fault: `message ${i + 1} has no role` };
    const content = readContent(message.content);
    if ('fault' in content) return { fault: `message ${i + 1} ${content.fault}` };
    messages.push({ role: message.role, ...content });
  }
  return messages;
}

function readContent(content: Json | undefined): Omit<Message, 'role'> | { fault: string } {
  if (typeof content === 'string') return { text: content, pictures: 'none' };
  if (!Array.isArray(content)) return { fault: `has ${describe(content)} as content; it must be a text or a list of parts` };
  let text = '';
  let pictures: Message['pictures'] = 'none';
  for (const part of content) {
    if (isObject(part) && part.type === 'text' && typeof part.text === 'string') {
      text += part.text;
    } else if (isObject(part) && part.type === 'image') {
      pictures = pictures !== 'none' ? 'several' : text === '' ? 'first' : 'behind';
    } else {
      return { fault: `has a part that is neither a text nor a picture: ${JSON.stringify(part).slice(0, 60)}` };
    }
  }
  return { text, pictures };
}

function describe(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
