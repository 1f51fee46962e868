/** A small picture of a row as it stands in tables, or nothing where the row has none. */
import type { Row } from '../../core/data/row.ts';
import { markup } from './html.ts';
import type { Content } from './html.ts';
import { thumbnailPng } from './pictures.ts';

export async function thumbnail(row: Row | undefined, alt: string): Promise<Content> {
  return row?.image !== undefined && markup`<img class="thumbnail" src="${await thumbnailPng(row.image)}" alt="${alt}">`;
}
