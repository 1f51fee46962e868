/** LLaVA's form: `conversations` of human and gpt with `<image>` in the texts, and `image`, a name, a list of names, or absent. */
import { fieldOf } from '../containers/table.ts';
import { idOf, missing } from './layout.ts';
import type { Layout } from './layout.ts';
import { checkAlternation } from './llamafactory.ts';
import { picturesOf } from './pictures.ts';
import { SHAREGPT, turnsOf } from './turns.ts';

export const LLAVA: Layout = {
  name: 'llava',
  columns: { preferences: undefined, supervised: ['conversations'] },
  read: (row, _wanted, complain) => {
    if (fieldOf(row, 'conversations') === undefined) return missing(row, 'conversations', complain);
    const messages = turnsOf(fieldOf(row, 'conversations'), 'conversations', SHAREGPT, complain);
    const images = picturesOf(row, ['image', 'images'], complain);
    if (messages === undefined || images === undefined) return undefined;
    if (!checkAlternation(messages, 'conversations', complain)) return undefined;
    return { id: idOf(row), images, messages, picturesFirst: false, read: ['image', 'images', 'conversations'] };
  },
};
