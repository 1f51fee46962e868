/**
 * A table that is written row by row and can be gone on with. While it is written each column is a plain file of rows in
 * `<name>.parts/`; the rows that every column has whole are the rows that are there. The finished table is one safetensors
 * file, written at once.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hashOf } from '../../../plan/hash.ts';
import { BYTES, elements } from '../../../plan/dtypes.ts';
import type { Tensor } from '../../core/safetensors/format.ts';
import type { TableColumn, TableWriter } from '../../core/train/storage.ts';
import { sealedParts } from '../safetensors/sealed.ts';
import { makeFolder, onFile, readJson, remove } from './files.ts';
import type { AppendFile, Files } from './files.ts';

/**
 * Opens the table at `path` to write the rows that are missing. `key` says what the rows are: parts of another key are thrown
 * away. Rows that are there come in whole multiples of `unit`.
 */
export async function openTable(
  files: Files,
  path: string,
  columns: readonly TableColumn[],
  key: string,
  unit: number,
): Promise<TableWriter> {
  const folder = `${path}.parts`;
  const note = { key: hashOf({ key, columns, unit }) };
  if ((await readJson(join(folder, 'key.json')))?.key !== note.key) {
    await remove(folder);
    await makeFolder(folder);
    await onFile(folder, () => files.write(join(folder, 'key.json'), [JSON.stringify(note)]));
  }
  const total = columns[0].shape[0];
  const parts = columns.map((column, i) => ({
    ...column,
    path: join(folder, `${i}.rows`),
    rowBytes: BYTES[column.dtype] * elements(column.shape.slice(1)),
  }));
  const open: AppendFile[] = [];
  for (const part of parts) open.push(await onFile(part.path, () => files.openAppend(part.path)));
  const sizes = await Promise.all(parts.map((part) => stat(part.path).then(({ size }) => Math.floor(size / Math.max(part.rowBytes, 1)))));
  const whole = Math.min(total, ...sizes);
  let rows = whole === total ? total : whole - (whole % unit);
  const cut = async (): Promise<void> => {
    await Promise.all(open.map((file, i) => file.truncate(rows * parts[i].rowBytes)));
  };
  await onFile(folder, cut);
  return {
    get rows() {
      return rows;
    },
    append: async (count, data) => {
      try {
        for (const [i, part] of parts.entries()) {
          const values = data.get(part.name);
          if (values?.byteLength !== count * part.rowBytes)
            throw new Error(`${part.name} of ${path} got ${values?.byteLength} bytes for ${count} rows`);
          await onFile(part.path, () => open[i].append(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)));
        }
      } catch (error) {
        // If this fails as well, the next opening cuts.
        await cut().catch(() => undefined);
        throw error;
      }
      rows += count;
    },
    finish: async () => {
      if (rows !== total) throw new Error(`${path} has ${rows} of ${total} rows`);
      const tensors = await Promise.all(parts.map(readPart));
      await onFile(path, () => files.write(path, sealedParts(tensors, { key })));
      await Promise.all(open.splice(0).map((file) => file.close()));
      await remove(folder);
    },
    close: async () => {
      await Promise.all(open.splice(0).map((file) => file.close()));
    },
  };
}

async function readPart(part: TableColumn & { path: string }): Promise<Tensor> {
  const { buffer, byteOffset, byteLength } = await onFile(part.path, () => readFile(part.path));
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength);
  const data = part.dtype === 'f32' ? new Float32Array(bytes) : part.dtype === 'i32' ? new Int32Array(bytes) : new Uint32Array(bytes);
  return { name: part.name, dtype: part.dtype, shape: part.shape, data };
}
