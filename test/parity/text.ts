/**
 * The text of a recording: `core.pivot` with its sizes, in a folder of its own with the vocabulary, the start and the rows laid out as
 * files. Rows are laid out by hand as the plan's schema says at `Collate`, so that collation is not compared with itself.
 */
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeHost, packageRoot } from '../../cli/host.ts';
import { compile } from '../../compiler/compile.ts';
import type { Universe } from '../../compiler/elaborate/names.ts';
import { openUniverse } from '../../compiler/elaborate/names.ts';
import { loadModules } from '../../compiler/modules/modules.ts';
import { formatDiagnostics, parseExpression } from '../../grammar/index.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Target } from '../../plan/program.ts';
import type { Tensor } from '../../runtime/core/safetensors/format.ts';
import { writeSafetensors } from '../../runtime/node/safetensors/files.ts';
import { below, imageTokens, ours, recorded } from './recording.ts';
import type { Recording, Sizes } from './recording.ts';

export interface RecordedText {
  folder: string;
  file: string;
  set: Record<string, string>;
}

/** Writes the folder. `text` is a file of test/parity. */
export async function writeText(recording: Recording, text: string): Promise<RecordedText> {
  const folder = mkdtempSync(join(tmpdir(), 'pivot-parity-'));
  copyFileSync(join(packageRoot(), 'test', 'parity', text), join(folder, text));
  const words = ['<pad>', '<end>', ...Array.from({ length: recording.sizes.vocab - 2 }, (_, i) => `w${i}`)];
  writeFileSync(join(folder, 'numbers.json'), JSON.stringify(words));
  await writeSafetensors(
    join(folder, 'start.safetensors'),
    [...below(recording, 'start.')].map(([name, t]) => ({ ...t, name: ours(name) })),
  );
  await writeSafetensors(join(folder, 'answers.safetensors'), rowsOf(recording, ['chosen']));
  await writeSafetensors(join(folder, 'pairs.safetensors'), rowsOf(recording, ['chosen', 'rejected']));
  return { folder, file: text, set: settings(recording.sizes) };
}

function settings(s: Sizes): Record<string, string> {
  const plain = {
    width: s.width,
    depth: s.depth,
    heads: s.heads,
    inner: s.mlp,
    hidden: s.hidden,
    dwidth: s.dwidth,
    ddepth: s.ddepth,
    dheads: s.dheads,
    dinner: s.dmlp,
    prompt: s.prompt,
    answer: s.answer,
    context: imageTokens(s) + s.prompt + s.answer,
    rows: s.rows,
    batch: s.batch,
    micro: s.batch,
    steps: s.steps,
  };
  const texts = Object.entries(plain).map(([name, value]) => [name, String(value)]);
  return { ...Object.fromEntries(texts), image: `${s.image}px`, patch: `${s.patch}px` };
}

type Side = 'chosen' | 'rejected';

/** Every row as the columns of a collated batch: `answers` for one side, `pairs` for both. */
export function rowsOf(recording: Recording, sides: readonly Side[], padding: 'masked' | 'kept' = 'masked'): Tensor[] {
  const { rows, prompt, answer } = recording.sizes;
  const lead = imageTokens(recording.sizes);
  const length = prompt + sides.length * answer;
  const whole = lead + length;
  const i32 = (name: string, width: number): Tensor => ({ name, dtype: 'i32', shape: [rows, width], data: new Int32Array(rows * width) });
  const tokens = i32('tokens', length);
  const position = i32('position', whole);
  const segment = i32('segment', whole);
  const words = recorded(recording, 'data.prompt').data;
  for (let n = 0; n < rows; n++) {
    tokens.data.set(words.subarray(n * prompt, (n + 1) * prompt), n * length);
    for (let i = 0; i < lead + prompt; i++) position.data[n * whole + i] = i;
    sides.forEach((side, which) => {
      const ids = recorded(recording, `data.${side}.ids`).data.subarray(n * answer, (n + 1) * answer);
      const mask = recorded(recording, `data.${side}.mask`).data.subarray(n * answer, (n + 1) * answer);
      const real = padding === 'kept' ? answer : Array.from(mask).filter((x) => x === 1).length;
      tokens.data.set(ids, n * length + prompt + which * answer);
      for (let i = 0; i < answer; i++) {
        const at = n * whole + lead + prompt + which * answer + i;
        position.data[at] = lead + prompt + Math.min(i, real - 1);
        segment.data[at] = i < real ? which + 1 : 3;
      }
    });
  }
  const masks = sides.map((side): Tensor => ({
    ...recorded(recording, `data.${side}.mask`),
    name: sides.length === 1 ? 'mask' : `${side}.mask`,
  }));
  return [{ ...recorded(recording, 'data.image'), name: 'image' }, tokens, position, segment, ...masks];
}

/** The plan of the text for one target. Diagnostics are errors here: a test's text has none. */
export function planOf(text: RecordedText, target: Target): Plan {
  const compiled = compile(text.file, nodeHost(text.folder), { targets: [target], set: text.set });
  if (!compiled.plan || compiled.diagnostics.length > 0)
    throw new Error(`the text of the recording does not compile:\n${formatDiagnostics(compiled.diagnostics, compiled.texts)}`);
  return compiled.plan;
}

/** The text's names, to build graphs by hand. */
export function universeOf(text: Pick<RecordedText, 'folder' | 'file' | 'set'>): Universe {
  const host = nodeHost(text.folder);
  const loaded = loadModules(text.file, host, ['std.model.vision_language', 'std.optim.clip']);
  if (loaded.diagnostics.length > 0) throw new Error(loaded.diagnostics.map((d) => d.message).join('\n'));
  const overrides = new Map(Object.entries(text.set).map(([name, value]) => [name, parseExpression(value, name).tree]));
  return openUniverse(loaded, host, overrides);
}

/** The names of `parts.pivot`, which has no sizes. */
export function partsUniverse(): Universe {
  return universeOf({ folder: join(packageRoot(), 'test', 'parity'), file: 'parts.pivot', set: {} });
}
