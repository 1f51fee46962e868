/** A folder of rows for a test, and the words in which rows are written. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import type { ConversationRow, Message, Part } from '../../runtime/core/data/conversation.ts';
import { openRows } from '../../runtime/node/data/open-rows.ts';
import type { RowsOptions } from '../../runtime/node/data/open-rows.ts';

export interface RowsFolder {
  root: string;
  put(files: Record<string, Uint8Array | string>): Promise<void>;
  /** All rows of a file or folder below, read from the last to the first. */
  readAll(name: string, options?: RowsOptions): Promise<ConversationRow[]>;
  remove(): Promise<void>;
}

export async function rowsFolder(): Promise<RowsFolder> {
  const root = await mkdtemp(join(tmpdir(), 'pivot-rows-'));
  return {
    root,
    put: async (files) => {
      for (const [name, data] of Object.entries(files)) {
        await mkdir(dirname(join(root, name)), { recursive: true });
        await writeFile(join(root, name), data);
      }
    },
    readAll: async (name, options = {}) => {
      const rows = await openRows(join(root, name), name, options);
      const all: ConversationRow[] = [];
      for (let i = rows.count - 1; i >= 0; i--) all.unshift(await rows.row(i));
      await rows.close();
      return all;
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** A gray picture of 2 x 2 as PNG. */
export const png: Buffer = await sharp(new Uint8Array(12).fill(7), { raw: { width: 2, height: 2, channels: 3 } })
  .png()
  .toBuffer();

export const lines = (rows: object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
export const image = (index = 0): Part => ({ type: 'image', index });
export const text = (words: string): Part => ({ type: 'text', text: words });
export const said = (role: Message['role'], ...content: Part[]): Message => ({ role, content });
export const user = (...content: object[]) => ({ role: 'user', content });
export const assistant = (words: string) => ({ role: 'assistant', content: words });
export const human = (value: string) => ({ from: 'human', value });
export const gpt = (value: string) => ({ from: 'gpt', value });

/** What rows of `What?`, `A.` and `B.` are in the normal form. */
export const pair = {
  prompt: [said('user', image(), text('What?'))],
  chosen: [said('assistant', text('A.'))],
  rejected: [said('assistant', text('B.'))],
};
