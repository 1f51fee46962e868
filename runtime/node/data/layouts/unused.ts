/** Columns that a layout does not read. What someone's training would depend on is refused by name; the rest is told once. */
import { describe, fieldOf, plain } from '../containers/table.ts';
import type { Fields, Value } from '../containers/table.ts';
import type { Complain } from './layout.ts';

const ONLY_PICTURES = 'only pictures are read';
const ROW_WEIGHT = 'rows are not weighted: all count alike';
const TOKENISED = 'rows are tokenised here: give their texts';

/** Columns with a meaning for training that is not read here, and why. `1` and `true` say nothing in a weight. */
const MEANT: Readonly<Record<string, string>> = {
  video: ONLY_PICTURES,
  videos: ONLY_PICTURES,
  audio: ONLY_PICTURES,
  audios: ONLY_PICTURES,
  image: 'pictures are not read from it',
  images: 'pictures are not read from it',
  rejected_images: 'this layout reads no other pictures for the rejected answer',
  tools: 'the entry of dataset_info.json does not name it',
  system: 'this layout reads no such column: put the system text into the messages',
  history: 'this layout reads no such column: put earlier turns into the messages',
  chat_template_kwargs: 'it is not handed to the chat template',
  label: 'this layout does not read whether an answer is a good one',
  loss: ROW_WEIGHT,
  weight: ROW_WEIGHT,
  weights: ROW_WEIGHT,
  loss_weight: ROW_WEIGHT,
  loss_scale: ROW_WEIGHT,
  sample_weight: ROW_WEIGHT,
  input_ids: TOKENISED,
  labels: TOKENISED,
  completion_mask: TOKENISED,
  assistant_masks: TOKENISED,
};

/** Complains of the first column that is needed and not read. False after a fault. */
export function checkUnread(fields: Fields, read: readonly string[], complain: Complain): boolean {
  for (const column of Object.keys(fields)) {
    if (read.includes(column) || !Object.hasOwn(MEANT, column)) continue;
    const value = fieldOf(fields, column);
    const why = MEANT[column];
    // A row of KTO: an answer that is not good must not be learnt; other labels name classes.
    if (column === 'label' && String(value).toLowerCase() !== 'false') continue;
    if (isEmpty(value) || (why === ROW_WEIGHT && isOne(value))) continue;
    complain(column, `it is given (${describe(value)}), and not used: ${why}`);
    return false;
  }
  return true;
}

function isEmpty(value: Value | undefined): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Texts of a CSV count as well. */
function isOne(value: Value | undefined): boolean {
  return value === true || Number(value) === 1;
}

/** Names of columns, for people. */
const SHOWN = 12;

/** `columns not used: id, source`. */
export function unusedText(columns: readonly string[]): string {
  const more = columns.length > SHOWN ? ` and ${columns.length - SHOWN} more` : '';
  return `columns not used: ${columns.slice(0, SHOWN).map(plain).join(', ')}${more}`;
}
