/**
 * safetensors files that carry their own checksum: `sha256` in the metadata, over the file as it would be without that entry. A
 * checkpoint is used long before its task is finished, so what it is checked by has to lie in it.
 */
import { createHash } from 'node:crypto';
import { PivotError } from '../../../plan/errors.ts';
import { bytesOf, encodeHeader } from '../../core/safetensors/format.ts';
import type { Tensor } from '../../core/safetensors/format.ts';
import type { TensorFile } from '../../core/train/storage.ts';
import { readSafetensors } from './files.ts';

const CHUNK = 1 << 26;

/** The parts of a file of these tensors, with its checksum. */
export function sealedParts(tensors: readonly Tensor[], metadata: Record<string, string>): Uint8Array[] {
  const sha256 = digestOf(tensors, metadata);
  return [encodeHeader(tensors, { ...metadata, sha256 }), ...tensors.map(({ data }) => bytesOf(data))];
}

/**
 * Reads a file whole. Throws R0505 where it is not what was written. A file without a checksum, of an earlier version, is taken as it
 * is; `metadata.sha256` is not among what is returned.
 */
export async function readSealed(path: string): Promise<TensorFile> {
  const { metadata, tensors } = await readSafetensors(path);
  const { sha256, ...rest } = metadata;
  if (sha256 !== undefined && digestOf([...tensors.values()], rest) !== sha256) {
    throw new PivotError('R0505', `${path} is not what was written: its checksum does not fit`, {
      cure: 'let it be made again',
      place: { file: path },
    });
  }
  return { metadata: rest, tensors };
}

function digestOf(tensors: readonly Tensor[], metadata: Record<string, string>): string {
  const hash = createHash('sha256');
  hash.update(encodeHeader(tensors, metadata));
  for (const { data } of tensors) {
    const bytes = bytesOf(data);
    for (let at = 0; at < bytes.length; at += CHUNK) hash.update(bytes.subarray(at, at + CHUNK));
  }
  return hash.digest('hex');
}
