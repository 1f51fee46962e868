/**
 * Plain columns: image, question, chosen, rejected, as RLAIF-V has them (or question and answer), perhaps with a system text; and RLHF-V's,
 * which holds the last three as JSON in a column `text`. The picture comes before the question unless that says where.
 */
import { describe, fieldOf, isFields, plain } from '../containers/table.ts';
import type { Fields, Value } from '../containers/table.ts';
import { idOf, plainTurn, textColumn, textOf } from './layout.ts';
import type { Complain, Draft, Layout, Turn, Wanted } from './layout.ts';
import { picturesOf } from './pictures.ts';

/** Keys of RLHF-V's texts. */
const TEXTS = ['system', 'question', 'chosen', 'rejected', 'answer'];

export const FLAT: Layout = {
  name: 'flat',
  columns: { preferences: ['image', 'question', 'chosen', 'rejected'], supervised: ['image', 'question', 'answer|chosen'] },
  read: (row, wanted, complain) => readFlat(row, row, wanted, complain),
};

export const RLHF_V: Layout = {
  name: 'rlhf-v',
  columns: { preferences: ['image', 'text'], supervised: ['image', 'text'] },
  read: (row, wanted, complain) => {
    const text = textColumn(row, 'text', complain);
    if (text === undefined) return undefined;
    let value: Value;
    try {
      value = JSON.parse(text) as Value;
    } catch {
      return complain('text', 'expected JSON with question, chosen and rejected, found a text that is none');
    }
    if (!isFields(value)) return complain('text', `expected a JSON object with question, chosen and rejected, found ${describe(value)}`);
    const other = Object.keys(value).find((key) => !TEXTS.includes(key) && fieldOf(value, key) !== null);
    if (other !== undefined) return complain(`text.${plain(other)}`, `it is not read: expected ${TEXTS.join(', ')}`);
    const draft = readFlat(row, value, wanted, (field, what, lacks) => complain(field === 'image' ? field : `text.${field}`, what, lacks));
    return draft && { ...draft, read: ['image', 'images', 'text'] };
  },
};

function readFlat(row: Fields, texts: Fields, wanted: Wanted, complain: Complain): Draft | undefined {
  const images = picturesOf(row, ['image', 'images'], complain);
  const question = textColumn(texts, 'question', complain);
  const system = fieldOf(texts, 'system');
  const instruction = system === undefined || system === null ? undefined : textOf(system, 'system', complain);
  const answer = (column: string): Turn[] | undefined => {
    const text = textColumn(texts, column, complain);
    return text === undefined ? undefined : [plainTurn('assistant', text, column)];
  };
  const column = wanted === 'preferences' || fieldOf(texts, 'answer') === undefined ? 'chosen' : 'answer';
  const first = answer(column);
  const second = wanted === 'preferences' ? answer('rejected') : [];
  if (images === undefined || question === undefined || first === undefined || second === undefined) return undefined;
  const prompt = [
    ...(instruction === undefined ? [] : [plainTurn('system', instruction, 'system')]),
    plainTurn('user', question, 'question'),
  ];
  const common = {
    id: idOf(row),
    images,
    picturesFirst: true,
    read: ['image', 'images', 'system', 'question', column, ...(wanted === 'preferences' ? ['rejected'] : [])],
  };
  return wanted === 'preferences' ? { ...common, prompt, chosen: first, rejected: second } : { ...common, messages: [...prompt, ...first] };
}
