/**
 * One tensor under several names. A checkpoint may hold the table of a tied language model as its output layer as well, and a part of a model
 * under two prefixes. A program reads one of them; the others must equal it, and an export must write them all.
 */
import type { Architecture } from '../../formats/config/architecture.ts';
import { partsOf } from './tensors.ts';

/** Names below the prefix of a language model's table, and of its output layer. */
const TABLE = 'embed_tokens.weight';
const HEAD = 'lm_head.weight';

/** Names of one tensor on disk; those of the table before those of the output layer. */
export interface Copies {
  names: string[];
  /** Of these the ones that are an output layer. */
  heads: string[];
}

/** Tensors of a checkpoint that are there under several names, as far as names tell; their values have to be compared. */
export function copiesOf(architecture: Architecture, onDisk: Iterable<string>): Copies[] {
  const names = new Set(onDisk);
  const found = new Map<string, Copies>();
  const entries = partsOf(architecture).flatMap(({ prefixes, tensors }) => tensors.map(({ name }) => ({ name, prefixes })));
  for (const { name, prefixes } of entries) {
    const isHead = name === HEAD;
    const own = prefixes.map((prefix) => prefix + name).filter((one) => names.has(one));
    const key = isHead ? TABLE : `${name} ${prefixes.join(' ')}`;
    const known = found.get(name === TABLE ? TABLE : key) ?? { names: [], heads: [] };
    found.set(name === TABLE ? TABLE : key, { names: [...known.names, ...own], heads: [...known.heads, ...(isHead ? own : [])] });
  }
  return [...found.values()].filter((one) => one.names.length > 1 || one.heads.length > 0);
}

/** Whether the config says that the output layer is the table of embeddings; undefined where there is no language model. */
export function isTied(architecture: Architecture): boolean | undefined {
  if (architecture.family === 'llava') return architecture.language.tied;
  return architecture.family === 'qwen2' || architecture.family === 'llama' ? architecture.tied : undefined;
}
