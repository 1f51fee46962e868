/**
 * LLaMA-Factory's ShareGPT form, with the names of columns, fields and roles that an entry of `dataset_info.json` gives. Pairs have their
 * answers in columns of their own.
 */
import { fieldOf } from '../containers/table.ts';
import type { Fields } from '../containers/table.ts';
import { idOf, missing, plainTurn, textOf } from './layout.ts';
import type { Complain, Draft, Layout, Turn, Wanted } from './layout.ts';
import { picturesOf } from './pictures.ts';
import { SHAREGPT, turnOf, turnsOf } from './turns.ts';
import type { Speech } from './turns.ts';

/** Names of columns as an entry gives them; those that it does not name are not read. */
export interface FactoryColumns {
  messages: string;
  chosen?: string;
  rejected?: string;
  images?: string;
  system?: string;
  tools?: string;
}

export const FACTORY_COLUMNS: FactoryColumns = {
  messages: 'conversations',
  chosen: 'chosen',
  rejected: 'rejected',
  images: 'images',
  system: 'system',
  tools: 'tools',
};

export function factoryLayout(columns: FactoryColumns = FACTORY_COLUMNS, speech: Speech = SHAREGPT): Layout {
  const { chosen = 'chosen', rejected = 'rejected' } = columns;
  return {
    name: 'llamafactory',
    columns: { preferences: [columns.messages, chosen, rejected], supervised: [columns.messages] },
    read: (row, wanted, complain) => {
      const draft = readFactory(row, wanted, columns, speech, complain);
      const own = wanted === 'preferences' ? [chosen, rejected] : [];
      const read = [columns.messages, columns.images, columns.system, ...own].filter((name) => name !== undefined);
      return draft && { ...draft, id: idOf(row), picturesFirst: false, read, toolsColumn: columns.tools ?? '' };
    },
  };
}

type Texts = Pick<Draft, 'images' | 'prompt' | 'chosen' | 'rejected' | 'messages'>;

function readFactory(row: Fields, wanted: Wanted, columns: FactoryColumns, speech: Speech, complain: Complain): Texts | undefined {
  const { messages: column, system, chosen = 'chosen', rejected = 'rejected' } = columns;
  if (fieldOf(row, column) === undefined) return missing(row, column, complain);
  const turns = turnsOf(fieldOf(row, column), column, speech, complain);
  const images = columns.images === undefined ? [] : picturesOf(row, [columns.images], complain);
  if (turns === undefined || images === undefined) return undefined;
  const instruction = system === undefined ? undefined : (fieldOf(row, system) ?? undefined);
  if (instruction !== undefined && system !== undefined) {
    const text = textOf(instruction, system, complain);
    if (text === undefined) return undefined;
    if (turns[0].role === 'system') return complain(system, `there is a system text in ${column} as well`);
    turns.unshift(plainTurn('system', text, system));
  }
  if (!checkAlternation(turns, column, complain)) return undefined;
  if (wanted === 'preferences' && !checkAsked(turns, column, complain)) return undefined;
  if (wanted === 'supervised') return { images, messages: turns };
  const first = answer(row, chosen, speech, complain);
  const second = answer(row, rejected, speech, complain);
  return first === undefined || second === undefined ? undefined : { images, prompt: turns, chosen: first, rejected: second };
}

function answer(row: Fields, column: string, speech: Speech, complain: Complain): Turn[] | undefined {
  const value = fieldOf(row, column);
  if (value === undefined) return missing(row, column, complain);
  if (typeof value === 'string') return [plainTurn('assistant', value, column)];
  const turn = turnOf(value, column, speech, complain);
  return turn && [turn];
}

/** After a system text, user (or a tool) and assistant take turns. */
export function checkAlternation(turns: readonly Turn[], column: string, complain: Complain): boolean {
  const spoken = turns[0].role === 'system' ? turns.slice(1) : turns;
  const wrong = spoken.find(({ role }, i) => (i % 2 === 0 ? role !== 'user' && role !== 'tool' : role !== 'assistant'));
  if (wrong === undefined) return true;
  complain(column, `user and assistant do not take turns: ${wrong.role} at ${wrong.field}`);
  return false;
}

/** What pairs answer ends with the user, or a tool. */
function checkAsked(turns: readonly Turn[], column: string, complain: Complain): boolean {
  const end = turns.at(-1)?.role;
  if (end === 'user' || end === 'tool') return true;
  complain(column, `expected the last message to be of the user, found one of the ${end}`);
  return false;
}
