/**
 * Writes the rows of a source as a folder that `files.*` and other trainers read: `rows.jsonl` with TRL's columns, and
 * a PNG for each picture. The folder appears under its name only when it is whole.
 */
import { randomBytes } from 'node:crypto';
import { access, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import sharp from 'sharp';
import type { DataSource } from '../../../plan/plan.ts';
import { dataError } from '../../core/data/codes.ts';
import { openSource } from '../../core/data/row.ts';
import type { Picture, Row, SourceContext } from '../../core/data/row.ts';
import { CORE_SOURCES } from '../../core/data/sources.ts';
import { syncFolder, writeAtomic } from '../safetensors/atomic.ts';
import { makeFolders } from '../make-folder.ts';

/**
 * Writes all rows of `spec` to `folder`, which must not exist (R0524). Columns: image, prompt, answer or chosen and
 * rejected, label, boxes, and what is in `extra`.
 */
export async function exportScenes(folder: string, spec: DataSource, context: SourceContext = { openers: CORE_SOURCES }): Promise<void> {
  const exists = await access(folder).then(
    () => true,
    () => false,
  );
  if (exists) throw dataError('R0524', `${folder} exists already`, { cure: 'remove it, or give another name', place: { file: folder } });
  const source = await openSource(spec, context);
  const temporary = `${resolve(folder)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await makeFolders(join(temporary, 'images'));
    const digits = String(Math.max(source.count - 1, 0)).length;
    const lines: string[] = [];
    for (let index = 0; index < source.count; index++) {
      const row = await source.row(index);
      const name = `images/${String(index).padStart(digits, '0')}.png`;
      if (row.image === undefined)
        throw dataError('R0516', `row ${index + 1} of ${source.name} has no picture`, { cure: 'export rows that have one' });
      await writeFile(join(temporary, name), await encodePng(row.image));
      lines.push(`${JSON.stringify(columnsOf(row, name))}\n`);
    }
    await writeAtomic(join(temporary, 'rows.jsonl'), lines);
    await rename(temporary, folder);
    await syncFolder(dirname(resolve(folder)));
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await source.close?.();
  }
}

/** A PNG of the picture, without loss. */
export async function encodePng({ width, height, rgb }: Picture): Promise<Uint8Array> {
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

function columnsOf({ prompt, answer, chosen, rejected, label, boxes, extra }: Row, image: string): Record<string, unknown> {
  return { image, prompt, answer, chosen, rejected, label, boxes, ...extra };
}
