/** Archives and tables of rows, sound and damaged. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { openRows } from '../../runtime/node/data/open-rows.ts';
import { writeParquet } from '../support/parquet.ts';
import { writeTar } from '../support/tar.ts';
import { image, pair, png, rowsFolder, said, text } from '../support/rows-folder.ts';

const { root, put, readAll, remove } = await rowsFolder();
afterAll(remove);

describe('archives and tables', () => {
  const json = (question: string, more = {}): string => JSON.stringify({ question, chosen: 'A.', rejected: 'B.', ...more });

  test('samples of an archive: parts in any order, several pictures by number, names from the key', async () => {
    await put({
      'a.tar': writeTar([
        { name: 'deep/', data: '', kind: '5' },
        { name: 'deep/s0.json', data: json('What?') },
        { name: 'deep/s0.PNG', data: png },
        { name: 's1.10.png', data: png },
        { name: 's1.2.png', data: png },
        { name: 's1.__proto__', data: 'x' },
        { name: 's1.json', data: json('<image>and<image>', { id: 'own' }) },
      ]),
    });
    const [first, second] = await readAll('a.tar');
    expect(first).toMatchObject({ ...pair, id: 'deep/s0', place: { file: 'a.tar', row: 1, entry: 'deep/s0' } });
    expect(second).toMatchObject({ id: 'own', images: [{ name: 's1.2.png' }, { name: 's1.10.png' }] });
    expect(second.prompt?.[0].content).toEqual([image(0), text('and'), image(1)]);
  });

  test('samples whose names stand in headers of their own, and files between them that belong to none', async () => {
    const long = (letter: string, ending: string): string => `${letter.repeat(150)}.${ending}`;
    const pax = (name: string): string => {
      const record = ` path=${name}\n`;
      return `${record.length + String(record.length + 3).length}${record}`;
    };
    await put({
      'long.tar': writeTar([
        { name: 'header', data: pax(long('a', 'json')), kind: 'x' },
        { name: 'cut short', data: json('first') },
        { name: 'header', data: `${long('a', 'png')}\0`, kind: 'L' },
        { name: 'cut short', data: png },
        { name: 'README', data: 'of no sample' },
        { name: 'b.png', data: png },
        { name: '.hidden.json', data: '{' },
        { name: 'b.json', data: json('second') },
        { name: 'header', data: pax(long('c', 'json')), kind: 'x' },
        { name: 'cut short', data: json('third') },
        { name: 'header', data: pax(long('c', 'png')), kind: 'x' },
        { name: 'cut short', data: png },
      ]),
    });
    const rows = await readAll('long.tar');
    expect(rows.map(({ id }) => id)).toEqual(['a'.repeat(150), 'b', 'c'.repeat(150)]);
    expect(rows.map(({ prompt }) => prompt?.[0].content.at(-1))).toEqual([text('first'), text('second'), text('third')]);
    expect(rows.map(({ images }) => images)).toEqual(
      [long('a', 'png'), 'b.png', long('c', 'png')].map((name) => [{ name, bytes: new Uint8Array(png) }]),
    );
  });

  const columns = (count: number) => [
    { path: ['image', 'bytes'], text: false, values: Array.from({ length: count }, () => png) },
    { path: ['image', 'path'], text: true, values: Array.from({ length: count }, (_, i) => `${i}.png`) },
    ...['question', 'chosen', 'rejected'].map((name) => ({
      path: [name],
      text: true,
      values: Array.from({ length: count }, (_, i) => `${name} ${i}`),
    })),
  ];

  test('a table, its row groups in any order', async () => {
    await put({ 'a.parquet': writeParquet(columns(7), { groupRows: 3, checksums: true }) });
    const rows = await openRows(join(root, 'a.parquet'), 'a.parquet');
    expect(rows).toMatchObject({ count: 7, rowGroups: 3, layout: 'flat', wanted: 'preferences' });
    for (const i of [6, 0, 3, 5, 2]) {
      const row = await rows.row(i);
      expect(row).toMatchObject({ chosen: [said('assistant', text(`chosen ${i}`))], place: { file: 'a.parquet', row: i + 1 } });
      expect(row.images).toEqual([{ bytes: new Uint8Array(png), name: `${i}.png` }]);
    }
    await rows.close();
  });

  test('damage is named by row group and column', async () => {
    const bytes = Buffer.from(writeParquet(columns(6), { groupRows: 3, checksums: true }));
    bytes[bytes.indexOf('chosen 4')] ^= 1;
    await put({ 'damaged.parquet': bytes, 'lying.parquet': writeParquet(columns(2), { groupRows: 2, lie: { unpacked: 2e9 } }) });
    await expect(readAll('damaged.parquet')).rejects.toMatchObject({
      code: 'R0532',
      message: expect.stringMatching(/^row group 2 \(rows 4 to 6\), column chosen: the checksum of page \d+ is wrong/),
    });
    await expect(readAll('lying.parquet')).rejects.toThrow(/column image.bytes: page \d+ unfolds to 2000000000 bytes/);
  });

  test.each<[string, (good: Buffer) => Uint8Array, RegExp]>([
    ['cut', (good) => good.subarray(0, 100), /expected PAR1 at the end, found 100 bytes/],
    [
      'a footer of 4 GB',
      (good) => Buffer.concat([good.subarray(0, -8), Buffer.from('\xff\xff\xff\xffPAR1', 'latin1')]),
      /a length of 4294967295/,
    ],
    ['nesting', () => nested(20000), /the footer is damaged: structures nested deeper/],
    [
      'a list of 2^31 elements',
      () => framed(Buffer.from([0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 7])),
      /a list of 2147483647 elements/,
    ],
    ['zeros', () => framed(Buffer.alloc(50)), /the footer is damaged/],
    ['another file', () => Buffer.from('<html>'), /expected Parquet.*found HTML/],
    [
      'a missing column',
      () =>
        writeParquet(
          columns(2).filter(({ path }) => path[0] !== 'rejected'),
          { groupRows: 2 },
        ),
      /column rejected of .* is missing/,
    ],
  ])('%s is refused before anything is unpacked', async (name, make, message) => {
    await put({ [`${name}.parquet`]: make(Buffer.from(writeParquet(columns(2), { groupRows: 2 }))) });
    await expect(readAll(`${name}.parquet`, { wanted: 'preferences' })).rejects.toThrow(message);
  });

  function framed(footer: Uint8Array): Uint8Array {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(footer.length);
    return Buffer.concat([Buffer.from('PAR1'), footer, length, Buffer.from('PAR1')]);
  }
  const nested = (depth: number): Uint8Array => framed(Buffer.alloc(depth, 0x1c));

  test.each<[string, () => Uint8Array, RegExp]>([
    ['a link', () => writeTar([{ name: 'a.png', data: '', kind: '2' }]), /entry a.png at byte 0: it is a symbolic link/],
    [
      'a size beyond reason',
      () => writeTar([{ name: 'a.png', data: png, size: '77777777777\0' }]),
      /entry a.png at byte \d+: expected at most \d+ bytes, found 8589934591 bytes/,
    ],
    [
      'letters as size',
      () => writeTar([{ name: 'a.png', data: png, size: 'not octal!!\0' }]),
      /entry a.png at byte 0: its size is no number/,
    ],
    [
      'a sample apart',
      () => writeTar(['a.png', 'b.png', 'a.json'].map((name) => ({ name, data: png }))),
      /sample a stands twice, or its parts are apart/,
    ],
    ['an ending twice', () => writeTar(['a.png', 'a.png'].map((name) => ({ name, data: png }))), /entry a.png at byte \d+ stands twice/],
    ['no texts', () => writeTar([{ name: 'a.png', data: png }]), /sample a: expected a .json.*found a.png \(\d+ bytes of a PNG\)/],
    ['no picture', () => writeTar([{ name: 'a.json', data: json('<image>What?') }]), /sample a: images: .*expected 1 picture, found 0/],
    [
      'a broken picture',
      () =>
        writeTar([
          { name: 'a.json', data: json('What?') },
          { name: 'a.png', data: png.subarray(0, 40) },
        ]),
      /a.png: the file is cut off/,
    ],
    [
      'a cut archive',
      () => writeTar([{ name: 'a.png', data: png }]).subarray(0, 520),
      /entry a.png at byte \d+: expected \d+ bytes, found 8 bytes: the file is cut off/,
    ],
    ['gzip', () => Buffer.from([0x1f, 0x8b, 8, 0]), /expected a tar archive, found gzip/],
  ])('an archive with %s is refused', async (name, make, message) => {
    await put({ [`bad ${name}.tar`]: make() });
    await expect(readAll(`bad ${name}.tar`)).rejects.toThrow(message);
  });

  test('a wrong checksum of a header', async () => {
    const bytes = Buffer.from(writeTar([{ name: 'a.json', data: json('What?') }]));
    bytes[3] ^= 1;
    await put({ 'checksum.tar': bytes });
    await expect(readAll('checksum.tar')).rejects.toThrow(/expected a tar archive|the checksum of its header/);
  });
});
