/** A folder of recorded checkpoints: `<name>/` as transformers writes it beside `expect/<name>.{json,safetensors}`. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Universe } from '../../../compiler/elaborate/names.ts';
import { ARCHITECTURES, openUniverse } from '../../../compiler/elaborate/names.ts';
import type { Host } from '../../../compiler/host.ts';
import { loadModules } from '../../../compiler/modules/modules.ts';
import { nodeHost } from '../../../cli/host.ts';
import type { Tensor } from '../../../runtime/core/safetensors/format.ts';
import { openSafetensors, readSafetensors } from '../../../runtime/node/safetensors/files.ts';

export interface ModelRecording {
  name: string;
  /** The folder that holds all checkpoints. */
  folder: string;
  family: string;
  scalars: Record<string, number>;
  /** Names whose gradient is zero by mathematics, with what rounding makes of it. */
  zero: Record<string, number>;
  tensors: ReadonlyMap<string, Tensor>;
  generation: { prompt_ids: number[]; new_ids: number[]; pixel_row?: number }[];
  json: Record<string, unknown>;
}

/** Whether a folder is of this layout. */
export function isModelFolder(folder: string): boolean {
  return existsSync(join(folder, 'expect')) && !existsSync(join(folder, 'core.json'));
}

/** Names of the checkpoints that have a recording. */
export function recordedModels(folder: string): string[] {
  return readdirSync(join(folder, 'expect'))
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .filter((name) => existsSync(join(folder, name, 'config.json')))
    .sort();
}

export async function readModel(folder: string, name: string): Promise<ModelRecording> {
  const json = JSON.parse(readFileSync(join(folder, 'expect', `${name}.json`), 'utf8')) as Record<string, unknown>;
  const { tensors } = await readSafetensors(join(folder, 'expect', `${name}.safetensors`));
  return {
    name,
    folder,
    family: String(json.family),
    scalars: (json.scalars ?? {}) as Record<string, number>,
    zero: (json.mathematically_zero ?? {}) as Record<string, number>,
    tensors,
    generation: (json.generation ?? []) as ModelRecording['generation'],
    json,
  };
}

export function recordedTensor({ tensors, name }: ModelRecording, key: string): Tensor {
  const found = tensors.get(key);
  if (!found) throw new Error(`the recording of ${name} has no ${key}`);
  return found;
}

/** The names of a text over the folder's checkpoints. */
export function universeOver(folder: string, text: string): Universe {
  const real = nodeHost(folder);
  const host: Host = { ...real, read: (path) => (path === 'parity.pivot' ? text : real.read(path)) };
  const also = ['std.pretrained.architectures', 'std.model.vision_language', 'std.model.generate', 'std.optim.clip'];
  const loaded = loadModules('parity.pivot', host, also);
  if (!loaded.modules.has(ARCHITECTURES) || loaded.diagnostics.length > 0)
    throw new Error(loaded.diagnostics.map((d) => `${d.span?.file}: ${d.message}`).join('\n'));
  return openUniverse(loaded, host, new Map());
}

/** The tensors that weights begin as, by the paths of the weights. */
export async function storedWeights(
  folder: string,
  weights: Iterable<{ path: string; stored?: { file: string; name: string } }>,
): Promise<Record<string, Tensor['data']>> {
  const files = new Map<string, Awaited<ReturnType<typeof openSafetensors>>>();
  const result: Record<string, Tensor['data']> = {};
  for (const { path, stored } of weights) {
    if (!stored) throw new Error(`${path} comes from no checkpoint`);
    const file = files.get(stored.file) ?? (await openSafetensors(join(folder, stored.file)));
    files.set(stored.file, file);
    result[path] = (await file.read(stored.name)).data;
  }
  for (const file of files.values()) await file.close();
  return result;
}
