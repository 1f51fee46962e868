/** Which layout rows are in, by the columns of the first of them; and whether the columns of a table have the types that it needs. */
import { dataError } from '../../../core/data/codes.ts';
import { nearestOf } from '../../../core/data/tokens.ts';
import { FLAT, RLHF_V } from './flat.ts';
import type { Layout, LayoutName, Wanted } from './layout.ts';
import { factoryLayout } from './llamafactory.ts';
import { LLAVA } from './llava.ts';
import { MS_SWIFT } from './ms-swift.ts';
import { TRL } from './trl.ts';

export const LAYOUTS: Readonly<Record<LayoutName, Layout>> = {
  trl: TRL,
  'ms-swift': MS_SWIFT,
  llamafactory: factoryLayout(),
  llava: LLAVA,
  flat: FLAT,
  'rlhf-v': RLHF_V,
};

export const LAYOUT_NAMES = Object.keys(LAYOUTS) as readonly LayoutName[];

/** Columns that some layout reads, whatever their type. */
export const READ_COLUMNS: ReadonlySet<string> = new Set([
  ...['image', 'images', 'prompt', 'chosen', 'rejected', 'completion', 'answer', 'messages', 'question', 'system', 'text'],
  ...['conversations', 'rejected_response', 'rejected_messages', 'rejected_images'],
]);

export interface Detected {
  layout: Layout;
  wanted: Wanted;
}

/**
 * The layout of rows with these columns. What is wanted decides where both would do; with nothing wanted, rows with two answers are
 * preferences. Throws R0533 where no layout fits.
 */
export function detect(columns: ReadonlySet<string>, file: string, wish?: Wanted, named?: LayoutName): Detected {
  const has = (...names: string[]): boolean => names.some((name) => columns.has(name));
  const rejected = has('rejected', 'rejected_response', 'rejected_messages', 'rejected_images');
  const wanted =
    wish ?? (rejected || (has('text') && !has('prompt', 'question', 'messages', 'conversations')) ? 'preferences' : 'supervised');
  const name = named ?? nameOf(has, wanted, rejected);
  if (name !== undefined) return { layout: LAYOUTS[name], wanted };
  const known = Object.values(LAYOUTS)
    .map((layout) => layout.columns[wanted])
    .filter((list) => list !== undefined)
    .map((list) => list.join(', '));
  const list = [...columns];
  const shown = list.slice(0, 20).join(', ') + (list.length > 20 ? ` and ${list.length - 20} more` : '');
  throw dataError(
    'R0533',
    `the columns of ${file} fit no layout: expected ${[...new Set(known)].join('; or ')}; found ${shown || 'none'}`,
    {
      cure: 'rename the columns to those of one layout',
      place: { file },
    },
  );
}

function nameOf(has: (...names: string[]) => boolean, wanted: Wanted, rejected: boolean): LayoutName | undefined {
  if (has('conversations')) return wanted === 'supervised' && !has('chosen') ? 'llava' : 'llamafactory';
  if (has('messages')) {
    if (wanted === 'preferences') return has('prompt') ? 'trl' : 'ms-swift';
    return rejected && !has('chosen') ? 'ms-swift' : 'trl';
  }
  if (has('question')) return 'flat';
  if (has('prompt') || (has('chosen') && has('rejected'))) return 'trl';
  if (has('text')) return 'rlhf-v';
  // One of several columns is misspelt: its row says which.
  return has('chosen') || has('rejected') ? 'trl' : undefined;
}

/** Types that may hold a text or messages; of `null` and numbers nothing can be made. */
const TEXTS = /^(string|binary)$/;
const MESSAGES = /^(string|binary|list<struct<.*>>)$/;

/** Checks the columns of a table against what the layout reads. Throws R0533 naming the column, what was expected and what was found. */
export function checkColumns(types: ReadonlyMap<string, string>, { layout, wanted }: Detected, file: string): void {
  const needed = layout.columns[wanted] ?? [];
  for (const either of needed) {
    const names = either === 'image' ? ['image', 'images'] : either.split('|');
    const present = names.filter((name) => types.has(name));
    // Rows may be without pictures, and a prompt may be what two conversations share.
    if (present.length === 0 && either !== 'image' && !(either === 'prompt' && types.has('chosen'))) {
      const near = nearestOf([...types.keys()], names[0]);
      throw dataError(
        'R0533',
        `column ${names.join(' or ')} of ${file} is missing: expected ${needed.join(', ')}, found ${[...types.keys()].slice(0, 30).join(', ')}`,
        { cure: near === undefined ? 'add the column' : `rename ${near}, or add the column`, place: { file } },
      );
    }
    for (const name of present) {
      const type = types.get(name) ?? '';
      const pictures = name === 'image' || name === 'images';
      const fits = pictures ? pictureType(type) : (layout.name === 'flat' || layout.name === 'rlhf-v' ? TEXTS : MESSAGES).test(type);
      if (fits) continue;
      const expected = pictures
        ? 'struct<bytes, path>'
        : layout.name === 'flat' || layout.name === 'rlhf-v'
          ? 'string'
          : 'string or list<struct<role, content>>';
      throw dataError('R0533', `column ${name} of ${file}: expected ${expected}, found ${type}`, {
        cure: 'store it in that type',
        place: { file },
      });
    }
  }
}

function pictureType(type: string): boolean {
  const inner = /^list<(.*)>$/.exec(type)?.[1] ?? type;
  if (inner === 'string' || inner === 'binary') return true;
  const fields = /^struct<(.*)>$/.exec(inner)?.[1].split(', ') ?? [];
  return fields.includes('bytes') || fields.includes('path');
}
