/**
 * TRL's forms. Preferences with an explicit prompt (texts or messages) or an implicit one, which is the longest common beginning of the two
 * conversations; supervised rows as `messages`, or as prompt and completion (here also called answer). Pictures in `images` or `image`.
 */
import { fieldOf } from '../containers/table.ts';
import type { Fields, Value } from '../containers/table.ts';
import { idOf, missing, plainTurn, textOf } from './layout.ts';
import type { Complain, Draft, Layout, Turn } from './layout.ts';
import { picturesOf } from './pictures.ts';
import { OPENAI, sharedTurns, turnsOf } from './turns.ts';

export const TRL: Layout = {
  name: 'trl',
  columns: { preferences: ['prompt', 'chosen', 'rejected'], supervised: ['messages|prompt', 'messages|completion|answer|chosen'] },
  read: (row, wanted, complain) => {
    const images = picturesOf(row, ['image', 'images'], complain);
    const texts = wanted === 'preferences' ? preference(row, complain) : supervised(row, complain);
    if (images === undefined || texts === undefined) return undefined;
    return { id: idOf(row), images, ...texts, picturesFirst: true, read: ['image', 'images', ...texts.read] };
  },
};

type Texts = Pick<Draft, 'prompt' | 'chosen' | 'rejected' | 'messages' | 'lead' | 'conversational' | 'read'>;

const PAIR = ['prompt', 'chosen', 'rejected'];

function preference(row: Fields, complain: Complain): Texts | undefined {
  const prompt = fieldOf(row, 'prompt');
  if (prompt === undefined) return implicit(row, complain);
  const turns = promptOf(prompt, complain);
  const chosen = answer(row, 'chosen', prompt, complain);
  const rejected = answer(row, 'rejected', prompt, complain);
  if (turns === undefined || chosen === undefined || rejected === undefined) return undefined;
  return { prompt: turns, chosen, rejected, ...plainness(prompt), read: PAIR };
}

function implicit(row: Fields, complain: Complain): Texts | undefined {
  for (const column of ['chosen', 'rejected']) {
    if (fieldOf(row, column) === undefined) return missing(row, column, complain);
    if (!Array.isArray(fieldOf(row, column))) return missing(row, 'prompt', complain);
  }
  const chosen = turnsOf(fieldOf(row, 'chosen'), 'chosen', OPENAI, complain);
  const rejected = turnsOf(fieldOf(row, 'rejected'), 'rejected', OPENAI, complain);
  if (chosen === undefined || rejected === undefined) return undefined;
  const shared = sharedTurns(chosen, rejected);
  if (shared === 0) return complain('prompt', 'there is none, and chosen and rejected have no common beginning that could be it');
  if (shared === Math.max(chosen.length, rejected.length)) return complain('rejected', 'it is the same conversation as chosen');
  if (shared === Math.min(chosen.length, rejected.length))
    return complain('rejected', 'one of the two conversations is the beginning of the other');
  return { prompt: chosen.slice(0, shared), chosen: chosen.slice(shared), rejected: rejected.slice(shared), read: PAIR };
}

function supervised(row: Fields, complain: Complain): Texts | undefined {
  const messages = fieldOf(row, 'messages');
  if (messages !== undefined) {
    const turns = turnsOf(messages, 'messages', OPENAI, complain);
    return turns && { messages: turns, read: ['messages'] };
  }
  const prompt = fieldOf(row, 'prompt');
  if (prompt === undefined) return missing(row, 'prompt', complain);
  const column = ['completion', 'answer', 'chosen'].find((name) => fieldOf(row, name) !== undefined) ?? 'answer';
  const turns = promptOf(prompt, complain);
  const said = answer(row, column, prompt, complain);
  if (turns === undefined || said === undefined) return undefined;
  return { messages: [...turns, ...said], lead: turns.length, ...plainness(prompt), read: ['prompt', column] };
}

/** TRL applies no chat template where the prompt is a text. */
function plainness(prompt: Value): Pick<Draft, 'conversational'> {
  return typeof prompt === 'string' ? { conversational: false } : {};
}

function promptOf(value: Value, complain: Complain): Turn[] | undefined {
  if (Array.isArray(value)) return turnsOf(value, 'prompt', OPENAI, complain);
  const text = textOf(value, 'prompt', complain);
  return text === undefined ? undefined : [plainTurn('user', text, 'prompt')];
}

function answer(row: Fields, column: string, prompt: Value, complain: Complain): Turn[] | undefined {
  const value = fieldOf(row, column);
  if (value === undefined) return missing(row, column, complain);
  if (!Array.isArray(value)) {
    const text = textOf(value, column, complain);
    return text === undefined ? undefined : [plainTurn('assistant', text, column)];
  }
  if (typeof prompt === 'string') return complain('prompt', `it is a text, and ${column} is a list of messages; both must be the same`);
  return turnsOf(value, column, OPENAI, complain);
}
