import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { nodeHost } from '../../cli/host.ts';
import type { Tensor } from '../../runtime/core/safetensors/format.ts';
import { initialValue } from '../../runtime/core/train/start.ts';
import { readCheckpoint, readWeight } from '../../runtime/node/safetensors/checkpoint.ts';
import { writeSafetensors } from '../../runtime/node/safetensors/files.ts';

const root = await mkdtemp(join(tmpdir(), 'pivot-checkpoint-'));
afterAll(() => rm(root, { recursive: true, force: true }));

const tensor = (name: string, ...values: number[]): Tensor => ({
  name,
  dtype: 'f32',
  shape: [values.length],
  data: Float32Array.from(values),
});
const SHARDS = ['model-1.safetensors', 'model-2.safetensors'];

const NONE = { tensors: [], warnings: ['there is no checkpoint'] };

let count = 0;
/** A folder with two shards, `a` and `__proto__` in the first, `b` in the second, and this index. */
async function folder(index: unknown): Promise<string> {
  const path = join(root, `${count++}`);
  await writeSafetensors(join(path, SHARDS[0]), [tensor('a', 1, 2), tensor('__proto__', 3)]);
  await writeSafetensors(join(path, SHARDS[1]), [tensor('b', 4)]);
  await writeFile(join(path, 'model.safetensors.index.json'), typeof index === 'string' ? index : JSON.stringify(index));
  return path;
}

const MAP: [string, unknown][] = [
  ['a', SHARDS[0]],
  ['__proto__', SHARDS[0]],
  ['b', SHARDS[1]],
];
const index = (map: [string, unknown][], size = 16) => ({ metadata: { total_size: size }, weight_map: Object.fromEntries(map) });

describe('a checkpoint in shards', () => {
  test('is one set of tensors', async () => {
    const path = await folder(index(MAP));
    const { tensors, warnings } = nodeHost(root).tensors(basename(path)) ?? NONE;
    expect(warnings).toEqual([]);
    expect(tensors.map(({ name, dtype, shape, file }) => [name, dtype, shape, file]).sort()).toEqual([
      ['__proto__', 'F32', [1], `${basename(path)}/${SHARDS[0]}`],
      ['a', 'F32', [2], `${basename(path)}/${SHARDS[0]}`],
      ['b', 'F32', [1], `${basename(path)}/${SHARDS[1]}`],
    ]);
    expect((await readWeight(join(path, SHARDS[0]), '__proto__')).data[0]).toBe(3);
    expect([...(await readWeight(join(path, SHARDS[0]), 'a')).data]).toEqual([1, 2]);
    await expect(readWeight(join(path, SHARDS[0]), 'c')).rejects.toThrow(expect.objectContaining({ code: 'R0503' }));
  });

  test('what the index and the shards say differently is told', async () => {
    const total = readCheckpoint(await folder(index(MAP, 17)));
    expect(total?.warnings).toEqual([expect.stringMatching(/total_size.*expected 16.*found 17/)]);
    const unlisted = readCheckpoint(await folder(index(MAP.slice(0, 2), 12)));
    expect(unlisted?.warnings).toEqual([]);
    const within = readCheckpoint(await folder(index([MAP[0], MAP[2]])));
    expect(within?.warnings).toEqual([expect.stringMatching(/model-1.safetensors holds the tensor __proto__/)]);
    expect(within?.tensors.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test.each<[string, unknown, RegExp]>([
    ['a tensor in the wrong shard', index([...MAP.slice(0, 2), ['b', SHARDS[0]]]), /tensor b is not in the shard model-1.safetensors/],
    ['a shard that is not there', index([...MAP, ['c', 'model-3.safetensors']]), /model-3.safetensors is not there; it should hold c/],
    ['a way out of the folder', index([['a', '../x.safetensors']]), /tensor a: .*found ..\/x.safetensors/],
    ['a way out on other systems', index([['a', '..\\x.safetensors']]), /tensor a/],
    ['an address', index([['a', 'https://a.invalid/x.safetensors']]), /tensor a/],
    ['a number', index([['a', 2]]), /tensor a: expected a file name, found 2/],
    ['no map', {}, /weight_map/],
    ['a key twice', '{"weight_map": {"a": "x.safetensors", "a": "y.safetensors"}}', /the key "a" stands twice/],
  ])('%s is refused', async (_, value, message) => {
    const path = await folder(value);
    expect(() => readCheckpoint(path)).toThrow(expect.objectContaining({ code: 'R0506', message: expect.stringMatching(message) }));
  });
});

describe('a checkpoint', () => {
  test('in one file is preferred', async () => {
    const path = await folder('not read');
    await writeSafetensors(join(path, 'model.safetensors'), [tensor('a', 1, 2), tensor('b', 1, 2, 3)]);
    expect(readCheckpoint(path)?.tensors.map(({ name, file }) => [name, file])).toEqual([
      ['a', 'model.safetensors'],
      ['b', 'model.safetensors'],
    ]);
    expect([...(await readWeight(join(path, 'model.safetensors'), 'b', [1, 2])).data]).toEqual([2, 3]);
  });

  test('whose weights are no numbers is no start', async () => {
    const path = await folder('not read');
    await writeSafetensors(join(path, 'model.safetensors'), [tensor('a', 1, NaN), tensor('b', 1, 2, -Infinity)]);
    const start = async (name: string, shape: number[]): Promise<unknown> => {
      const source = { from: 'file', file: 'model.safetensors', name } as const;
      return initialValue({ name, dtype: 'f32', shape, source, keep: 'weight', trained: true }, 0, {
        ofTask: () => Promise.reject(new Error('no task')),
        ofFile: (file, own) => readWeight(join(path, file), own),
      });
    };
    await expect(start('a', [2])).rejects.toThrow(
      expect.objectContaining({ code: 'R0612', message: 'a in model.safetensors holds NaN at element 1' }),
    );
    await expect(start('b', [3])).rejects.toThrow(/holds -Infinity at element 2/);
  });

  test('that is none', async () => {
    await writeFile(join(root, 'pytorch_model.bin'), 'x');
    expect(readCheckpoint(root)).toBeUndefined();
    await expect(readWeight(join(root, 'model.safetensors'), 'a')).rejects.toThrow(
      /there is no file .*model.safetensors; its folder has pytorch_model.bin/,
    );
  });
});
