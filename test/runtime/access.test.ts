/** What a plan may touch: paths of all kinds against a base, with and without links. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { encodeSafetensors } from '../../runtime/core/safetensors/format.ts';
import { Access } from '../../runtime/node/run/access.ts';
import { goesBeside, requireOwnFile, requireOwnFolder } from '../../runtime/node/run/export-folder.ts';
import { diskFiles } from '../../runtime/node/run/files.ts';
import { refuseLinkedFolders } from '../../runtime/node/run/folder.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'pivot-access-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const base = join(root, 'base');
const other = join(root, 'other');
for (const folder of [join(base, 'in'), other]) mkdirSync(folder, { recursive: true });
writeFileSync(join(base, 'in', 'file'), '');
writeFileSync(join(other, 'file'), '');
symlinkSync(other, join(base, 'out'));
symlinkSync(join(base, 'in'), join(base, 'within'));

const refused = (code: string): unknown => expect.objectContaining({ code });

describe('a plan', () => {
  const access = new Access(base, []);
  test.each(['in/file', './in/../in/file', 'new/folder/', 'within/file'])('reads %s', (path) => {
    expect(access.reading(path).startsWith(base)).toBe(true);
  });
  test.each(['../other/file', 'in/../../other/file', join(root, 'other/file'), '/etc/passwd', 'out/file', 'out/new', '..', '../base2'])(
    'does not read %s',
    (path) => {
      expect(() => access.reading(path)).toThrow(refused('R0643'));
    },
  );
  test('writes below its base', () => {
    expect(access.writing('new/weights.safetensors')).toBe(join(base, 'new/weights.safetensors'));
  });
  test.each(['../other/x.safetensors', '/tmp/x.safetensors', join(root, 'other/x')])('does not write %s', (path) => {
    expect(() => access.writing(path)).toThrow(refused('R0643'));
  });
  test.each(['out/x.safetensors', 'out', 'out/', 'within/x.safetensors'])('does not write through the link %s', (path) => {
    expect(() => access.writing(path)).toThrow(refused('R0644'));
  });
  test('goes where it is allowed to, and no further', () => {
    const more = new Access(base, [other]);
    expect(more.reading('../other/file')).toBe(join(other, 'file'));
    expect(more.reading('out/file')).toBe(join(base, 'out/file'));
    expect(more.writing(join(other, 'x.safetensors'))).toBe(join(other, 'x.safetensors'));
    expect(() => more.writing('out/x')).toThrow(refused('R0644'));
    expect(() => more.reading('../third')).toThrow(refused('R0643'));
  });
});

test('a text names any path, and writes through no link', () => {
  const access = new Access(base, 'anywhere');
  expect(access.reading('../other/file')).toBe(join(other, 'file'));
  expect(access.writing('../other/x.safetensors')).toBe(join(other, 'x.safetensors'));
  expect(() => access.writing('out/x.safetensors')).toThrow(refused('R0644'));
  symlinkSync(join(other, 'file'), join(other, 'link.safetensors'));
  expect(() => access.writing('../other/link.safetensors')).toThrow(refused('R0644'));
});

test('a run folder with a linked folder in it is refused', async () => {
  const run = join(root, 'run');
  mkdirSync(join(run, 'tasks'), { recursive: true });
  await refuseLinkedFolders(run);
  symlinkSync(other, join(run, 'tasks', 'align'));
  await expect(refuseLinkedFolders(run)).rejects.toThrow(refused('R0644'));
  rmSync(join(run, 'tasks'), { recursive: true });
  symlinkSync(other, join(run, 'tasks'));
  await expect(refuseLinkedFolders(run)).rejects.toThrow(refused('R0644'));
  expect((await import('node:fs')).existsSync(join(other, 'file'))).toBe(true);
});

test('a file that is appended to is no link', async () => {
  const link = join(base, 'metrics.jsonl');
  symlinkSync(join(other, 'file'), link);
  await expect(diskFiles.openAppend(link)).rejects.toThrow(expect.objectContaining({ code: 'ELOOP' }));
});

describe('an export', () => {
  const weights = (metadata: Record<string, string>): Uint8Array =>
    encodeSafetensors([{ name: 'w', dtype: 'f32', shape: [1], data: Float32Array.of(1) }], metadata);

  test('replaces an export, and nothing else', async () => {
    const own = join(root, 'own.safetensors');
    await requireOwnFile(own);
    writeFileSync(own, weights({ pivot: 'x' }));
    await requireOwnFile(own);
    for (const content of [weights({ format: 'pt' }), Buffer.from('{"a": 1}'), new Uint8Array(0)]) {
      writeFileSync(own, content);
      await expect(requireOwnFile(own)).rejects.toThrow(refused('R0645'));
    }
  });

  test('goes into a folder of its own', async () => {
    const folder = join(root, 'export');
    await requireOwnFolder(folder);
    mkdirSync(folder);
    await requireOwnFolder(folder);
    writeFileSync(join(folder, '.model.safetensors.1.tmp'), '');
    await requireOwnFolder(folder);
    writeFileSync(join(folder, 'settings.json'), '{}');
    await expect(requireOwnFolder(folder)).rejects.toThrow(refused('R0645'));
    writeFileSync(join(folder, 'model.safetensors'), weights({ pivot: 'x' }));
    await requireOwnFolder(folder);
    writeFileSync(join(folder, 'model-00002-of-00002.safetensors'), weights({}));
    await expect(requireOwnFolder(folder)).rejects.toThrow(refused('R0645'));
  });

  test('takes along the files of a checkpoint, and no others', () => {
    const beside = ['config.json', 'generation_config.json', 'tokenizer.json', 'merges.txt', 'chat_template.jinja', 'spiece.model'];
    for (const name of [...beside, 'model.safetensors.index.json', 'preprocessor_config.json']) expect(goesBeside(name)).toBe(true);
    for (const name of ['settings.json', 'package.json', 'authorized_keys.txt', '.config.json', 'x/config.json', 'launch.json'])
      expect(goesBeside(name)).toBe(false);
  });
});
