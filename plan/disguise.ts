/**
 * What a file is that is not what its name says. Downloads fail in a few well-known ways, and a sentence that names the way
 * spares a search; each is told by its first bytes.
 */

/** What the bytes really are, in words (`HTML, such as a page that says a download failed`); undefined where nothing is recognised. */
export function disguiseOf(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 512));
  if (start.startsWith('version https://git-lfs.github.com/spec/')) {
    const size = /^size (\d+)$/m.exec(start)?.[1];
    return `a Git LFS pointer${size === undefined ? '' : ` of ${size} bytes`}; run git lfs pull`;
  }
  if (/^\s*<(!doctype html|html|head|body)\b/i.test(start)) return 'HTML, such as a page that says that a download failed';
  if (/^\s*<\?xml/i.test(start)) return 'XML';
  if (start.startsWith('PK\x03\x04') || start.startsWith('PK\x05\x06')) return 'a zip archive, as torch.save writes it';
  if (/^\x80[\x02-\x05]/.test(start)) return 'a pickle, as older versions of torch.save write it';
  if (start.startsWith('\x1f\x8b')) return 'gzip';
  if (start.startsWith('\x28\xb5\x2f\xfd')) return 'zstd';
  if (start.startsWith('GGUF')) return 'GGUF';
  if (start.startsWith('\x89HDF')) return 'HDF5';
  if (start.startsWith('PAR1')) return 'Parquet';
  if (start.startsWith('\x93NUMPY')) return 'an array of NumPy';
  if (start.startsWith('%PDF')) return 'PDF';
  return undefined;
}
