/** Reads weights as a run would: the container, the shards, the names and shapes that `config.json` asks for, and every value. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readArchitecture } from '../../compiler/checkpoints/config.ts';
import { checkTensors } from '../../compiler/checkpoints/tensors.ts';
import { openCheckpoint } from '../../runtime/node/safetensors/checkpoint.ts';
import type { Result } from './result.ts';

export async function read(path: string): Promise<Result> {
  const checkpoint = await openCheckpoint(path);
  try {
    const warnings = [...checkpoint.warnings];
    const config = join(path, 'config.json');
    if (existsSync(config)) {
      const { architecture } = readArchitecture(readFileSync(config), config);
      const found = Array.from(checkpoint.tensors, ([name, { shape }]) => ({ name, shape }));
      warnings.push(...checkTensors(architecture, found, path).warnings);
    }
    const tensors: Result['tensors'] = [];
    for (const [name, { dtype, shape }] of checkpoint.tensors) {
      const { data } = await checkpoint.read(name);
      tensors.push([name, dtype, shape, data[0]]);
    }
    return { tensors, warnings };
  } finally {
    await checkpoint.close();
  }
}
