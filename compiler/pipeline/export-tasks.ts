/**
 * Exports: weights as a stage left them, written as one safetensors file under our names, or, where the name ends in `/`, as a folder:
 * the checkpoint that the part came from with what was trained in its place, or the adapter alone as PEFT stores it.
 */
import type { Span } from '../../grammar/index.ts';
import { hashOf } from '../../plan/hash.ts';
import { sourcesOf } from '../../plan/left-tensor.ts';
import type { LeftTensor, ExportTask, Source } from '../../plan/plan.ts';
import type { WeightInfo } from '../elaborate/context.ts';
import { fail } from '../elaborate/fault.ts';
import type { SubjectValue } from '../elaborate/values.ts';
import type { StageResult } from './sources.ts';
import { isUntouched } from './states.ts';
import { prefixOf } from './sources.ts';
import { needsOf } from './tasks.ts';
import type { TaskMaker } from './tasks.ts';
import { pathsOf } from './trained-parts.ts';

interface Wish {
  result: StageResult;
  subject: SubjectValue;
  seed: number;
  file: string;
  line: number;
  span: Span;
}

export function exportTask(maker: TaskMaker, wish: Wish): ExportTask {
  const { result, subject, seed, file, line, span } = wish;
  const { graphs } = result;
  requireName(maker, file, span);
  if (!graphs) return fail('P0521', { what: `\`${result.spec.id}\` trains nothing, so there is nothing to export` }, span);
  const paths =
    subject.part && (subject.part.kind === 'instance' || subject.part.form.kind === 'arrow') ? pathsOf(subject.part, span) : undefined;
  const chosen = graphs.weights.filter(
    (w) => prefixOf(w.path) === undefined && (!paths || paths.some((p) => w.path === p || w.path.startsWith(`${p}.`))),
  );
  const sourceOf = (w: LeftWeight): Source => maker.sources.leftBy(result, w, seed);
  const what = subject.adapterOnly
    ? adapterAlone(chosen, sourceOf, file, result, span)
    : file.endsWith('/')
      ? checkpointFolder(chosen, graphs.weights, sourceOf, file, span)
      : { tensors: merged(chosen, sourceOf) };
  const sources = what.tensors.flatMap(sourcesOf);
  return {
    kind: 'export',
    id: `export ${file}`,
    hash: hashOf({
      kind: 'export',
      file,
      tensors: what.tensors.map(({ name, source, merge }) => [
        name,
        maker.sourceHash(source, seed),
        ...(merge ? [maker.sourceHash(merge.down, seed), maker.sourceHash(merge.up, seed), merge.scale] : []),
      ]),
    }),
    needs: needsOf(sources.map((source) => ({ source }))),
    seed,
    place: { file: span.file, line },
    file,
    ...what,
  };
}

/** What a weight of a stage must say to be taken from it. */
export type LeftWeight = Pick<WeightInfo, 'path' | 'shape' | 'init' | 'stored' | 'adapter'>;

/** Weights with the low-rank changes that they have. */
export function merged(chosen: readonly LeftWeight[], sourceOf: (w: LeftWeight) => Source): LeftTensor[] {
  const factors: ReadonlyMap<string, LeftWeight> = new Map(
    chosen.flatMap((w) => (w.adapter ? [[`${w.adapter.of} ${w.adapter.side}`, w] as const] : [])),
  );
  return chosen.flatMap((w): LeftTensor[] => {
    if (w.adapter) return [];
    const [down, up] = ['down', 'up'].map((side) => factors.get(`${w.path} ${side}`));
    const merge =
      down?.adapter && up ? { down: sourceOf(down), up: sourceOf(up), rank: down.adapter.rank, scale: down.adapter.scale } : undefined;
    return [{ name: w.path, shape: w.shape, source: sourceOf(w), ...(merge ? { merge } : {}) }];
  });
}

/** Told before anything is trained: a name that nothing can be written by, or that would be written twice. */
function requireName({ tasks }: TaskMaker, file: string, span: Span): void {
  if (plain(file) === '/' || (!file.endsWith('.safetensors') && !file.endsWith('/')))
    fail(
      'P0521',
      { what: `an export is a file ending in .safetensors, or a folder ending in \`/\`, and ${JSON.stringify(file)} is neither` },
      span,
    );
  if (tasks.some((task) => task.kind === 'export' && plain(task.file) === plain(file)))
    fail('P0521', { what: `${file} is exported twice, and one would be written over the other` }, span);
}

/** `./a//b/../c/` as `a/c`. */
function plain(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return `${path.startsWith('/') ? '/' : ''}${parts.join('/')}`;
}

/** The names that a weight has in its checkpoint: its own, and those of copies that no other weight is read from. */
function namesOnDisk(weight: WeightInfo | undefined, read: ReadonlySet<string>): string[] {
  const { name, copies = [] } = weight?.stored ?? { name: weight?.path ?? '' };
  return [name, ...copies.filter((copy) => !read.has(copy))];
}

/** The checkpoint that all of the weights came from; what no stage has touched is copied from it. */
function checkpointFolder(
  chosen: readonly WeightInfo[],
  all: readonly WeightInfo[],
  sourceOf: (w: LeftWeight) => Source,
  file: string,
  span: Span,
): Pick<ExportTask, 'tensors' | 'checkpoint'> {
  const folder = folderOf(chosen, span);
  if (plain(`${folder}/`) === plain(file))
    fail('P0521', { what: `${file} is the checkpoint that the part came from, and would be written over: name another folder` }, span);
  const weights = new Map(chosen.map((w) => [w.path, w]));
  const read = new Set(all.flatMap(({ stored }) => (stored ? [stored.name] : [])));
  const tensors = merged(chosen, sourceOf)
    .filter(({ name, merge, source }) => merge !== undefined || !isUntouched(weights.get(name) ?? {}, source))
    .flatMap((t) => namesOnDisk(weights.get(t.name), read).map((name) => ({ ...t, name: `${name}${/#\d+$/.exec(t.name)?.[0] ?? ''}` })));
  return { tensors, checkpoint: { folder } };
}

/** The factors under the names that PEFT gives them. */
function adapterAlone(
  chosen: readonly WeightInfo[],
  sourceOf: (w: LeftWeight) => Source,
  file: string,
  result: StageResult,
  span: Span,
): Pick<ExportTask, 'tensors' | 'checkpoint'> {
  const own = chosen.filter((w) => w.adapter);
  const [first] = own;
  if (!first?.adapter) return fail('P0521', { what: `\`${result.spec.id}\` trained no adapter of this part` }, span);
  if (!file.endsWith('/')) fail('P0521', { what: 'an adapter is exported as a folder: let its name end in `/`' }, span);
  const disk = new Map(chosen.flatMap((w) => (w.stored ? [[w.path, w.stored.name] as const] : [])));
  const tensors = own.map((w): LeftTensor => {
    const of = disk.get(w.adapter?.of ?? '') ?? '';
    return { name: peftName(of, w.adapter?.side === 'down' ? 'lora_A' : 'lora_B'), shape: w.shape, source: sourceOf(w) };
  });
  const { rank, scale } = first.adapter;
  const targets = [...new Set(own.map((w) => w.path.split('.').at(-3) ?? ''))].sort();
  return { tensors, checkpoint: { folder: folderOf(chosen, span), lora: { rank, alpha: rank * scale, targets } } };
}

/** `base_model.model.` and the name in transformers' memory, which for LLaVA differs from the one on disk. */
function peftName(disk: string, factor: string): string {
  const memory = disk.replace(/^language_model\.model\./, 'model.language_model.').replace(/^vision_tower\./, 'model.vision_tower.');
  return `base_model.model.${memory.replace(/\.weight$/, '')}.${factor}.weight`;
}

function folderOf(chosen: readonly WeightInfo[], span: Span): string {
  const folders = new Set(chosen.flatMap((w) => (w.adapter ? [] : [w.stored?.file.replace(/\/[^/]*$/, '')])));
  const [folder] = folders;
  if (folders.size !== 1 || folder === undefined)
    return fail(
      'P0521',
      {
        what: 'a folder is written for a part that came from one: what began anew has no layout of its own, so let the name end in .safetensors',
      },
      span,
    );
  return folder;
}
