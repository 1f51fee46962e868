/** Messages as rows hold them, in the names of OpenAI (`role`, `content`) or ShareGPT (`from`, `value`), with content as a text or as parts. */
import type { Role } from '../../../core/data/conversation.ts';
import { describe, fieldOf, isFields, quoted } from '../containers/table.ts';
import type { Fields, Value } from '../containers/table.ts';
import { piecesOf, textOf } from './layout.ts';
import type { Complain, Piece, Turn } from './layout.ts';
import { besides } from './message-keys.ts';

/** How messages are written: names of their two fields, and the roles by their names. */
export interface Speech {
  role: string;
  content: string;
  roles: Readonly<Record<string, Role>>;
}

export const OPENAI: Speech = {
  role: 'role',
  content: 'content',
  roles: { system: 'system', user: 'user', assistant: 'assistant', tool: 'tool' },
};

export const SHAREGPT: Speech = {
  role: 'from',
  content: 'value',
  roles: { system: 'system', human: 'user', gpt: 'assistant', observation: 'tool' },
};

/** A list of at least one message. Undefined after a fault. */
export function turnsOf(value: Value | undefined, field: string, speech: Speech, complain: Complain): Turn[] | undefined {
  if (!Array.isArray(value)) return complain(field, `expected a list of messages, found ${describe(value)}`);
  if (value.length === 0) return complain(field, 'expected at least one message, found an empty list');
  const turns: Turn[] = [];
  for (const [i, message] of value.entries()) {
    const turn = turnOf(message, `${field}[${i}]`, speech, complain);
    if (turn === undefined) return undefined;
    turns.push(turn);
  }
  return turns;
}

/** One message. */
export function turnOf(message: Value | undefined, field: string, speech: Speech, complain: Complain): Turn | undefined {
  if (!isFields(message)) return complain(field, `expected a message, found ${describe(message)}`);
  const given = fieldOf(message, speech.role);
  const role = typeof given === 'string' && Object.hasOwn(speech.roles, given) ? speech.roles[given] : undefined;
  if (role === undefined) {
    const expected = [...new Set(Object.keys(speech.roles))].join(', ');
    return complain(`${field}.${speech.role}`, `expected one of ${expected}, found ${describe(given)}`);
  }
  const rest = besides(message, [speech.role, speech.content], role, field, complain);
  if (rest === undefined) return undefined;
  const at = `${field}.${speech.content}`;
  const content = fieldOf(message, speech.content);
  // A call of tools may come without words.
  if ((content === null || content === undefined) && rest.more !== undefined) return { role, pieces: [], plain: true, field, ...rest };
  if (typeof content === 'string') {
    const text = textOf(content, at, complain);
    return text === undefined ? undefined : { role, pieces: piecesOf(text), plain: true, field, ...rest };
  }
  if (!Array.isArray(content)) return complain(at, `expected text or a list of parts, found ${describe(content)}`);
  const pieces: Piece[] = [];
  for (const [i, part] of content.entries()) {
    const piece = pieceOf(part, `${at}[${i}]`, complain);
    if (piece === undefined) return undefined;
    pieces.push(piece);
  }
  return { role, pieces, plain: false, field, ...rest };
}

function pieceOf(part: Value, field: string, complain: Complain): Piece | undefined {
  if (!isFields(part)) return complain(field, `expected a part, found ${describe(part)}`);
  const type = fieldOf(part, 'type');
  if (type === 'image') return within(part, field, complain) ? { picture: true } : undefined;
  if (type !== 'text') return complain(`${field}.type`, `expected text or image, found ${describe(type)}`);
  const other = Object.keys(part).find((key) => key !== 'type' && key !== 'text' && fieldOf(part, key) !== null);
  if (other !== undefined) return complain(`${field}.${other}`, 'a part of text has type and text; what else it says is not read');
  const text = textOf(fieldOf(part, 'text'), `${field}.text`, complain);
  if (text === undefined) return undefined;
  // A tokenizer would take it for a picture that is not there.
  if (text.includes('<image>')) return complain(`${field}.text`, `the text itself says <image>: ${quoted(text)}`);
  return { text };
}

/** A picture stands in the row's column; one inside of a part would be overlooked. */
function within(part: Fields, field: string, complain: Complain): boolean {
  const blank = (key: string): boolean => fieldOf(part, key) === null || (key === 'text' && fieldOf(part, key) === '');
  const name = Object.keys(part).find((key) => key !== 'type' && !blank(key));
  if (name === 'text') complain(`${field}.text`, 'the part is a picture and says a text as well; make it two parts');
  else if (name !== undefined) complain(`${field}.${name}`, 'a picture within its part is not read; put it into the column images');
  return name === undefined;
}

/** Whether two messages are the same to the byte. */
export function sameTurn(a: Turn, b: Turn): boolean {
  return (
    a.role === b.role &&
    JSON.stringify(a.more) === JSON.stringify(b.more) &&
    a.pieces.length === b.pieces.length &&
    a.pieces.every((piece, i) => {
      const other = b.pieces[i];
      return 'text' in piece ? 'text' in other && piece.text === other.text : 'picture' in other;
    })
  );
}

/** How many messages two conversations share at their beginning. */
export function sharedTurns(a: readonly Turn[], b: readonly Turn[]): number {
  let shared = 0;
  while (shared < a.length && shared < b.length && sameTurn(a[shared], b[shared])) shared++;
  return shared;
}
