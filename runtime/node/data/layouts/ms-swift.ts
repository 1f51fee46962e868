/**
 * ms-swift's forms: `messages` whose last one is the (chosen) answer, with `<image>` in the texts, and what was rejected as
 * `rejected_response`, as `rejected_messages`, or as other pictures to the same answer in `rejected_images`.
 */
import type { ImageRef } from '../../../core/data/conversation.ts';
import { fieldOf } from '../containers/table.ts';
import type { Fields } from '../containers/table.ts';
import { idOf, missing, plainTurn, textOf } from './layout.ts';
import type { Complain, Draft, Layout, Picture, Turn } from './layout.ts';
import { picturesOf } from './pictures.ts';
import { OPENAI, sharedTurns, turnsOf } from './turns.ts';

export const MS_SWIFT: Layout = {
  name: 'ms-swift',
  columns: { preferences: ['messages', 'rejected_response|rejected_messages|rejected_images'], supervised: ['messages'] },
  read: (row, wanted, complain) => {
    if (fieldOf(row, 'messages') === undefined) return missing(row, 'messages', complain);
    const turns = turnsOf(fieldOf(row, 'messages'), 'messages', OPENAI, complain);
    const images = picturesOf(row, ['images', 'image'], complain);
    if (turns === undefined || images === undefined) return undefined;
    const common = { id: idOf(row), images, picturesFirst: false, read: ['image', 'images', 'messages', 'rejected_images'] };
    if (wanted === 'supervised') return { ...common, messages: turns };
    if (turns.length < 2) return complain('messages', 'expected a question and an answer, found one message');
    const pair = rejectedOf(row, turns, images, complain);
    if (pair === undefined) return undefined;
    const { column, ...rejected } = pair;
    return { ...common, prompt: turns.slice(0, -1), chosen: turns.slice(-1), ...rejected, read: [...common.read, column] };
  },
};

function rejectedOf(
  row: Fields,
  turns: readonly Turn[],
  images: readonly Picture[],
  complain: Complain,
): (Pick<Draft, 'rejected' | 'rejectedImages'> & { column: string }) | undefined {
  const present = (column: string): boolean => (fieldOf(row, column) ?? null) !== null;
  const pictures = present('rejected_images') ? picturesOf(row, ['rejected_images'], complain) : [];
  if (pictures === undefined) return undefined;
  const rejectedImages = present('rejected_images') && !samePictures(images, pictures) ? { rejectedImages: pictures } : {};
  if (present('rejected_messages')) {
    const other = turnsOf(fieldOf(row, 'rejected_messages'), 'rejected_messages', OPENAI, complain);
    if (other === undefined) return undefined;
    // What differs must be the last message: the two share their prompt.
    if (other.length !== turns.length || sharedTurns(turns, other) < turns.length - 1)
      return complain('rejected_messages', 'it differs from messages before the last one; the two share their prompt');
    return { rejected: other.slice(-1), ...rejectedImages, column: 'rejected_messages' };
  }
  if (present('rejected_response')) {
    const text = textOf(fieldOf(row, 'rejected_response'), 'rejected_response', complain);
    if (text === undefined) return undefined;
    return { rejected: [plainTurn('assistant', text, 'rejected_response')], ...rejectedImages, column: 'rejected_response' };
  }
  if (present('rejected_images')) return { rejected: turns.slice(-1), ...rejectedImages, column: 'rejected_images' };
  return complain('rejected_response', 'there is neither it nor rejected_messages nor rejected_images, and preferences are wanted');
}

/** Whether both name the same pictures: then they are those of the whole row. */
function samePictures(a: readonly Picture[], b: readonly Picture[]): boolean {
  return a.length === b.length && a.every(({ ref }, i) => sameRef(ref, b[i].ref));
}

function sameRef(a: ImageRef, b: ImageRef): boolean {
  if ('path' in a) return 'path' in b && a.path === b.path;
  return 'bytes' in b && Buffer.compare(a.bytes, b.bytes) === 0;
}
