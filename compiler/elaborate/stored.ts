/**
 * Weights of layers as tensors of a checkpoint: under which prefix they lie, and what each is called there. A tensor may stand under several
 * names; which of them is read, and whether the others equal it, is settled when the checkpoint is opened.
 */
import type { Definition } from '../../grammar/index.ts';
import type { Half } from '../../plan/dtypes.ts';
import type { Architecture } from '../../formats/config/architecture.ts';
import { copiesOf, isTied } from '../checkpoints/copies.ts';
import type { Host } from '../host.ts';

/** Tensors of a folder, by their names on disk. */
export interface Checkpoint {
  folder: string;
  /** Undefined where the folder has a config and no weights yet: all can be told of it but the run. */
  tensors?: ReadonlyMap<string, { file: string; shape: readonly number[]; half?: Half }>;
  /** How its config says that weights are stored, for a folder that has none yet. */
  half?: Half;
  /** Other names of a tensor that hold the same values, by its name. */
  copies: ReadonlyMap<string, readonly string[]>;
  /** Whether the output layer is the table of embeddings, as the config says and the tensors allow; undefined where neither tells. */
  tied?: boolean;
  /** Whether there are an output layer and a table that differ, so that they cannot be tied. */
  apart?: boolean;
  /** What the layers asked for and the folder does not hold so; told all at once. */
  faults: Map<string, string>;
}

/** Where the weights of a part lie: `prefix` stands before their names below the part. */
export interface Stored {
  checkpoint: Checkpoint;
  prefix: string;
}

/** Where a weight begins. */
export interface StoredTensor {
  file: string;
  name: string;
  half?: Half;
  /** Other names that the same tensor has. */
  copies?: readonly string[];
}

/** The prefix below which most of a layer's own weights and parts lie; of equals the first, but every tensor begins with nothing, so that counts last. */
export function prefixOf(candidates: readonly string[], layer: Definition, { tensors }: Checkpoint): string {
  const names = [...(tensors?.keys() ?? [])];
  const own = (layer.body ?? []).flatMap((s) => (s.kind === 'Weight' || s.kind === 'Part' ? [s.name.text] : []));
  const isIn = (name: string, path: string): boolean => name === path || name.startsWith(`${path}.`);
  const hits = (prefix: string): number => own.filter((one) => names.some((name) => isIn(name, `${prefix}${one}`))).length;
  const holding = candidates.filter((one) => one !== '' && names.some((name) => name.startsWith(one)));
  const last = candidates.includes('') ? [''] : candidates.slice(0, 1);
  return [...holding, ...last].reduce((best, one) => (hits(one) > hits(best) ? one : best));
}

/** The tensor of a weight; what does not fit is noted, so that all of it can be told at once. */
export function storedWeight({ checkpoint, prefix }: Stored, weight: string, shape: readonly number[]): StoredTensor | undefined {
  const wanted = `${prefix}${weight}`;
  if (!checkpoint.tensors)
    return { file: `${checkpoint.folder}/model.safetensors`, name: wanted, ...(checkpoint.half ? { half: checkpoint.half } : {}) };
  // A tied checkpoint may hold its table under the name of the output layer alone.
  const name = checkpoint.tensors.has(wanted) ? wanted : (tableOf(checkpoint, wanted) ?? wanted);
  const found = checkpoint.tensors.get(name);
  if (!found) checkpoint.faults.set(name, `${name} is not there`);
  else if (found.shape.join() !== shape.join())
    checkpoint.faults.set(name, `${name} is [${found.shape.join(', ')}], and the config makes it [${shape.join(', ')}]`);
  const copies = checkpoint.copies.get(name);
  return found && { file: found.file, name, ...(found.half ? { half: found.half } : {}), ...(copies ? { copies } : {}) };
}

/** 16-bit floats by the names that safetensors and configs have for them. */
export function halfNamed(dtype: unknown): { half?: Half } {
  if (dtype === 'BF16' || dtype === 'bfloat16') return { half: 'bf16' };
  return dtype === 'F16' || dtype === 'float16' ? { half: 'f16' } : {};
}

/** The name under which a tied checkpoint holds what is wanted, where it does so under that of its output layer alone. */
function tableOf({ tensors, tied }: Checkpoint, wanted: string): string | undefined {
  if (tied !== true || !wanted.endsWith(TABLE)) return undefined;
  const before = wanted.slice(0, -TABLE.length).replace(/model\.$/, '');
  return [`${before}lm_head.weight`, 'lm_head.weight', 'language_model.lm_head.weight'].find((name) => tensors?.has(name));
}

const TABLE = 'embed_tokens.weight';

/** Compares the tensors that a checkpoint has under several names. `warnings` are sentences about those that should be equal and are not. */
export function comparedCopies(
  architecture: Architecture,
  tensors: NonNullable<Checkpoint['tensors']>,
  host: Host,
): Pick<Checkpoint, 'copies' | 'tied' | 'apart'> & { warnings: string[] } {
  const copies = new Map<string, string[]>();
  const warnings: string[] = [];
  let tied = isTied(architecture);
  let apart = false;
  for (const { names, heads } of copiesOf(architecture, tensors.keys())) {
    const [first, ...others] = names;
    const at = (name: string): { file: string; name: string } => ({ file: tensors.get(name)?.file ?? '', name });
    const isSame = new Map(others.map((name) => [name, host.sameTensor(at(first), at(name))]));
    const equal = [first, ...others.filter((name) => isSame.get(name))];
    for (const name of equal) if (equal.length > 1) copies.set(name, equal.filter((one) => one !== name)); // prettier-ignore
    const odd = others.filter((name) => !isSame.get(name));
    const untied = odd.filter((name) => heads.includes(name) && !heads.includes(first));
    apart ||= untied.length > 0;
    if (untied.length > 0 && tied) {
      tied = false;
      warnings.push(
        `tie_word_embeddings is true, and ${untied.join(', ')} is another matrix than ${first}: both are read and trained apart, as transformers does it`,
      );
    }
    const other = odd.filter((name) => heads.includes(name) === heads.includes(first));
    if (other.length > 0) warnings.push(`${[first, ...other].join(' and ')} are names of one tensor, and hold different values`);
  }
  return { copies, warnings, apart, ...(tied === undefined ? {} : { tied }) };
}
