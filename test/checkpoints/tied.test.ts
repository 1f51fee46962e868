/** One tensor under several names: the table of a tied language model and its output layer, a part under two prefixes. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeHost } from '../../cli/host.ts';
import { compile } from '../../compiler/compile.ts';
import type { Compiled } from '../../compiler/compile.ts';
import type { ExportTask, TrainTask } from '../../plan/plan.ts';
import type { Tensor } from '../../runtime/core/safetensors/format.ts';
import { readSafetensors, writeSafetensors } from '../../runtime/node/safetensors/files.ts';
import { sameTensor } from '../../runtime/node/safetensors/same.ts';
import { SMALL_LLAVA, smallLlava } from '../support/small-llava.ts';

const root = mkdtempSync(join(tmpdir(), 'pivot-tied-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const TABLE = 'language_model.model.embed_tokens.weight';
const HEAD = 'language_model.lm_head.weight';
const OTHER = 'lm_head.weight';

const textOf = (name: string, more = ''): string => `pivot 1
use std.loss.sft
use std.optim.adamw
encoder  eyes = pretrained("${name}", part: "vision_tower")
language head = pretrained("${name}", part: "language_model"${more})
model    mllm = eyes -> pretrained("${name}", part: "multi_modal_projector") -> head
source rows(file: string, count: int, size: px, prompt: int, answer: int) -> pairs
  = native("tensors", image: size, prompt: prompt, answer: answer)
stage tune {
  model    mllm
  train    mllm
  on       rows(file: "rows.safetensors", count: 4, size: 12px, prompt: 4, answer: 3)
  loss     sft
  optimize adamw(lr: 1e-2)
  batch    2
  steps    2
}
export tune.mllm as "out-${name}/"
`;

let count = 0;

/** Compiles the small LLaVA with its tensors changed, and its config. */
async function compiled(change: (table: Tensor, all: Tensor[]) => Tensor[], config: object = {}, more = ''): Promise<Compiled> {
  const name = `c${count++}`;
  const path = join(root, name, 'model.safetensors');
  await smallLlava(join(root, name));
  const all = [...(await readSafetensors(path)).tensors.values()];
  const table = all.find((one) => one.name === TABLE) as Tensor;
  await writeSafetensors(path, change(table, all));
  writeFileSync(join(root, name, 'config.json'), JSON.stringify({ ...SMALL_LLAVA, ...config }));
  writeFileSync(join(root, `${name}.pivot`), textOf(name, more));
  return compile(`${name}.pivot`, nodeHost(root), { targets: [], asks: false });
}

const other = (table: Tensor, name = HEAD): Tensor => ({
  ...table,
  name,
  data: Float32Array.from(table.data, (x, i) => x + (i === 300 ? 1 : 0)),
});

/** Names that an export writes anew, of table and output layer. */
const written = ({ plan }: Compiled): string[] =>
  (plan?.tasks.find((task): task is ExportTask => task.kind === 'export')?.tensors ?? [])
    .map(({ name }) => name)
    .filter((name) => /embed_tokens|lm_head/.test(name))
    .sort();

/** Names of the file that table and output layer begin with. */
const begun = ({ plan }: Compiled): string[] =>
  (plan?.tasks.find((task): task is TrainTask => task.kind === 'train')?.state ?? []).flatMap(({ source }) =>
    source.from === 'file' && /embed_tokens|lm_head/.test(source.name) ? [source.name] : [],
  );

const said = ({ diagnostics }: Compiled): string[] => diagnostics.map(({ code, message }) => `${code} ${message}`);

describe('a tied language model', () => {
  const UNTIED = { ...SMALL_LLAVA.text_config, tie_word_embeddings: false };

  test.each([
    ['the flag in text_config', {}],
    ['the flag at the top', { tie_word_embeddings: true, text_config: { ...SMALL_LLAVA.text_config, tie_word_embeddings: undefined } }],
    ['the flag at the top, against text_config', { tie_word_embeddings: true, text_config: UNTIED }],
    ['the flag in text_config, against the top', { tie_word_embeddings: false }],
  ])('%s: the table is read once and written under all names', async (_, config) => {
    const both = await compiled((table, all) => [...all, { ...table, name: HEAD }, { ...table, name: OTHER }], config);
    expect(said(both)).toEqual([]);
    expect(begun(both)).toEqual([TABLE]);
    expect(written(both)).toEqual([HEAD, TABLE, OTHER]);
  });

  test.each([TABLE, HEAD, OTHER])('%s alone is read, and written', async (name) => {
    const one = await compiled((table, all) => all.map((t) => (t === table ? { ...table, name } : t)));
    expect(said(one)).toEqual([]);
    expect(begun(one)).toEqual([name]);
    expect(written(one)).toEqual([name]);
  });

  test('neither is told by name', async () => {
    expect(said(await compiled((table, all) => all.filter((t) => t !== table)))).toEqual([
      expect.stringMatching(/^P0612 .*embed_tokens.weight is not there/),
    ]);
  });

  test('an output layer with other values is one of its own, with a warning', async () => {
    const apart = await compiled((table, all) => [...all, other(table)]);
    expect(said(apart)).toEqual([expect.stringMatching(/^P0614 .*lm_head.weight is another matrix than .*embed_tokens.weight/)]);
    expect(begun(apart)).toEqual([TABLE, HEAD]);
    expect(written(apart)).toEqual([HEAD, TABLE]);
  });

  test('what is not tied stays two matrices, of equal values too', async () => {
    const apart = await compiled((table, all) => [...all, { ...table, name: HEAD }], { text_config: UNTIED });
    expect(said(apart)).toEqual([]);
    expect(written(apart)).toEqual([HEAD, TABLE]);
    expect(begun(apart)).toEqual([TABLE, HEAD]);
  });

  test('a text cannot tie what differs', async () => {
    const tied = await compiled((table, all) => [...all, other(table)], {}, ', tie_word_embeddings: true');
    expect(said(tied)).toEqual([expect.stringMatching(/^P0611 `tie_word_embeddings`.*expected false, as c\d+ holds an output layer/)]);
  });
});

test('a part under two prefixes is written under both; where they differ, that is told', async () => {
  const old = 'vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight';
  const now = 'vision_tower.encoder.layers.0.mlp.fc1.weight';
  const twice = (change: (t: Tensor) => Tensor) => (_: Tensor, all: Tensor[]) => all.flatMap((t) => (t.name === old ? [t, change({ ...t, name: now })] : [t])); // prettier-ignore
  const same = await compiled(twice((t) => t));
  const task = same.plan?.tasks.find((one): one is ExportTask => one.kind === 'export');
  expect(task?.tensors.map(({ name }) => name).filter((name) => name.endsWith('layers.0.mlp.fc1.weight'))).toEqual([old, now]);
  const odd = await compiled(twice((t) => ({ ...t, data: Float32Array.from(t.data, (x) => x + 1) })));
  expect(said(odd)).toContainEqual(
    expect.stringMatching(/^P0614 .*fc1.weight and .*fc1.weight are names of one tensor, and hold different/),
  );
});

test('tensors are compared by shape and value, whatever they are stored as', async () => {
  const path = join(root, 'kinds.safetensors');
  const data = Float32Array.from({ length: 3 << 19 }, (_, i) => i % 7);
  const changed = Float32Array.from(data, (x, i) => (i === data.length - 1 ? x + 1 : x));
  const shape = [3, 1 << 19];
  const one = (name: string, values: Float32Array, as = shape): Tensor => ({ name, dtype: 'f32', shape: as, data: values });
  await writeSafetensors(path, [one('a', data), one('b', data), one('c', changed), one('d', data, [1 << 19, 3])]);
  const same = (name: string, file = path): boolean => sameTensor({ file: path, name: 'a' }, { file, name });
  expect([same('b'), same('c'), same('d'), same('none')]).toEqual([true, false, false, false]);
  await smallLlava(join(root, 'kinds'));
  const half = join(root, 'kinds', 'model.safetensors');
  const table = (await readSafetensors(half)).tensors.get(TABLE) as Tensor;
  await writeSafetensors(join(root, 'wide.safetensors'), [table]);
  expect(readFileSync(half).length).toBeGreaterThan(0);
  expect(sameTensor({ file: half, name: TABLE }, { file: join(root, 'wide.safetensors'), name: TABLE })).toBe(true);
});
