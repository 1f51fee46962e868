/** Writes small ustar archives for tests. */

export interface TarFile {
  name: string;
  data: Uint8Array | string;
  /** `0` is a file, `2` a symbolic link. */
  kind?: string;
  /** What the size field says, where it is to lie. */
  size?: string;
}

const BLOCK = 512;

export function writeTar(files: TarFile[]): Uint8Array {
  return Buffer.concat([...files.flatMap(entry), Buffer.alloc(2 * BLOCK)]);
}

function entry({ name, data, kind = '0', size }: TarFile): Uint8Array[] {
  const bytes = Buffer.from(data);
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write(size ?? `${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  header.write(kind, 156);
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)];
}
