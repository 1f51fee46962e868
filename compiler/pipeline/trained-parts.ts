/**
 * What a stage trains: weights of named parts, less those that it freezes, each at the stage's rate or at one of its own.
 *
 * In comes what the fields `train` and `freeze` say: parts and models, `lora(..)`, `layers(eyes, 0..12)`, `within(eyes, "embeddings")`,
 * `at_rate(eyes, 10%)`. Which weights these are is known once a graph has been built of the model, so out go choices that are made among its
 * weights then.
 */
import type { Span } from '../../grammar/index.ts';
import type { WeightInfo } from '../elaborate/context.ts';
import { fail } from '../elaborate/fault.ts';
import { describe } from '../elaborate/values.ts';
import type { Adapter, InstanceValue, ModelValue, PortionValue, Rate, Value } from '../elaborate/values.ts';

/** A part as `train` or `freeze` names it. */
export interface TrainedPart {
  name: string;
  /** Its weights lie at these paths and below them. */
  paths: string[];
  span: Span;
  /** Only the factors of this adapter below the paths. */
  adapter?: Adapter;
  /** Only layers with these numbers, from the end where negative. */
  layers?: readonly number[];
  /** Its own rate; undefined for that of the stage. */
  rate?: Rate;
}

/** The parts of `train` or `freeze`. Each part of an arrow is one by itself. */
export function partsOf(value: Value, span: Span): TrainedPart[] {
  switch (value.kind) {
    case 'list':
      return value.items.flatMap((item) => partsOf(item, span));
    case 'rated':
      return partsOf(value.of, span).map((part) => ({ ...part, rate: value.rate }));
    case 'adapter':
      return pathsOf(value.part, span).map((path) => ({ name: `lora(${path})`, paths: [path], span, adapter: value.adapter }));
    case 'portion':
      return [portion(value, span)];
    default: {
      const paths = pathsOf(value, span);
      if (value.kind === 'model' && value.form.kind === 'layer') return [{ name: value.path, paths, span }];
      return paths.map((path) => ({ name: path, paths: [path], span }));
    }
  }
}

function portion({ part, below, layers }: PortionValue, span: Span): TrainedPart {
  const paths = pathsOf(part, span).map((path) => (below === undefined ? path : `${path}.${below}`));
  return { name: paths.join(', ') + (layers ? ` layers ${layers.join(', ')}` : ''), paths, span, ...(layers ? { layers } : {}) };
}

/** The part or model that a value of `train` is about. */
export function wholeOf(value: Value | undefined): Value | undefined {
  switch (value?.kind) {
    case 'list':
      return wholeOf(value.items[0]);
    case 'rated':
      return wholeOf(value.of);
    case 'adapter':
    case 'portion':
      return value.part;
    default:
      return value;
  }
}

/** Paths of the weights of a part, a model, or a list of them. */
export function pathsOf(value: Value, span: Span): string[] {
  if (value.kind === 'instance') return [value.path];
  if (value.kind === 'list') return value.items.flatMap((item) => pathsOf(item, span));
  if (value.kind !== 'model') return fail('P0301', { expected: 'a model or its parts', found: describe(value) }, span);
  return partsIn(value).map(({ path }) => path);
}

/** The model with the adapters that are trained in it. A part has one. */
export function withAdapters(model: ModelValue, trained: readonly TrainedPart[]): ModelValue {
  const adapt = (part: InstanceValue): InstanceValue => {
    const [first, second] = trained.filter((t) => t.adapter && t.paths.includes(part.path));
    if (second) fail('P0530', { part: part.path }, second.span);
    const adapter = first?.adapter;
    return adapter ? { ...part, adapter } : part;
  };
  return withParts(model, adapt);
}

/** The model with other instances in place of its own; those that a layer model is given are parts of it too. */
function withParts(model: ModelValue, change: (part: InstanceValue) => InstanceValue): ModelValue {
  const { form } = model;
  if (form.kind === 'arrow') {
    const parts = { encoder: change(form.encoder), connector: change(form.connector), language: change(form.language) };
    return { ...model, form: { kind: 'arrow', ...parts } };
  }
  const layer = change(form.layer);
  const given = new Map([...layer.bound.given].map(([name, value]) => [name, value.kind === 'instance' ? change(value) : value]));
  return { ...model, form: { ...form, layer: { ...layer, bound: { ...layer.bound, given } } } };
}

/** The model with the adapters that `other` has in parts of the same name, unless it has its own there. */
export function withAdaptersOf(model: ModelValue, other: ModelValue | undefined, span: Span): ModelValue {
  const known = new Map(partsIn(other).map((part) => [part.path, part.adapter]));
  if (![...known.values()].some((adapter) => adapter !== undefined)) return model;
  const adapt = (part: InstanceValue): InstanceValue => {
    const adapter = known.get(part.path);
    if (!adapter) return part;
    if (part.adapter && JSON.stringify(part.adapter) !== JSON.stringify(adapter))
      fail('P0521', { what: `${part.path} has an adapter already, of another rank, scale or targets: train that one` }, span);
    return { ...part, adapter };
  };
  return withParts(model, adapt);
}

/** The parts of a model that adapters may be in. */
function partsIn(model: ModelValue | undefined): InstanceValue[] {
  if (!model) return [];
  const { form } = model;
  if (form.kind === 'arrow') return [form.encoder, form.connector, form.language];
  return [form.layer, ...[...form.layer.bound.given.values()].flatMap((value) => (value.kind === 'instance' ? [value] : []))];
}

/** A part as a stage trained it: with the adapter that it has there. */
export function partAsTrained(part: InstanceValue, model: ModelValue | undefined): InstanceValue {
  return partsIn(model).find(({ path }) => path === part.path) ?? part;
}

/** What of a model's weights a stage trains. */
export interface Chosen {
  /** In the order of the weights. */
  trained: WeightInfo[];
  /** Rates of their own: of the parts that name one, the last that has the weight. */
  rates: Map<WeightInfo, Rate>;
  /** The weights of each trained part that are not frozen; none where all of it is. */
  byPart: { part: TrainedPart; weights: WeightInfo[] }[];
}

/** Chooses among the weights of a graph. `own`: the path of the loss, whose weights are always trained. */
export function choose(weights: readonly WeightInfo[], train: readonly TrainedPart[], freeze: readonly TrainedPart[], own: string): Chosen {
  const open = weights.filter((w) => !w.path.startsWith('reference:'));
  const frozen = new Set<WeightInfo>();
  const parts = train.map((part) => ({
    part,
    all: weightsOf(part, open, (w) => (w.adapter === undefined) === (part.adapter === undefined)),
  }));
  // An adapter of a whole model is for those of its parts that have such matrices.
  for (const { part, all } of parts)
    if (all.length === 0 && !part.adapter) fail('P0501', { part: part.name, why: absent(part, open) }, part.span);
  requireTargets(parts);
  const named = new Set(parts.flatMap(({ all }) => all));
  for (const part of freeze) {
    const found = weightsOf(part, open, () => true).filter((w) => named.has(w));
    if (found.length === 0) fail('P0526', { part: part.name }, part.span);
    for (const w of found) frozen.add(w);
  }
  // A model's part may be frozen as a whole; an adapter that is named and then frozen is not what anybody means.
  for (const { part, all } of [...parts.filter(({ part: one }) => one.adapter), { part: train[0], all: [...named] }])
    if (all.length > 0 && all.every((w) => frozen.has(w)))
      fail('P0501', { part: part.name, why: 'all of its weights are frozen' }, part.span);
  const rates = new Map<WeightInfo, Rate>();
  for (const { part, all } of parts) if (part.rate) for (const w of all) rates.set(w, part.rate);
  const inForce = new Set(rates.values());
  for (const { part } of parts) if (part.rate && !inForce.has(part.rate)) fail('P0531', { part: part.name }, part.span);
  return {
    trained: open.filter((w) => (named.has(w) && !frozen.has(w)) || liesBelow(w.path, [own])),
    rates,
    byPart: parts.map(({ part, all }) => ({ part, weights: all.filter((w) => !frozen.has(w)) })),
  };
}

/** Why a part has no weights: where a path is misspelt, what there is in its place. */
function absent({ paths }: TrainedPart, weights: readonly WeightInfo[]): string {
  const why = 'it has no weights that this stage uses';
  for (const path of paths) {
    for (let above = path; above.includes('.');) {
      above = above.slice(0, above.lastIndexOf('.'));
      const below = weights.flatMap((w) => (w.path.startsWith(`${above}.`) ? [w.path.slice(above.length + 1).split(/[.#]/)[0]] : []));
      if (below.length > 0) return `${why}; ${above} has ${[...new Set(below)].join(', ')}`;
    }
  }
  return why;
}

/** Every name that an adapter is given must be that of a matrix, in one of the parts that it is for. */
function requireTargets(parts: readonly { part: TrainedPart; all: readonly WeightInfo[] }[]): void {
  for (const { part } of parts) {
    const { adapter } = part;
    if (!adapter) continue;
    const all = parts.flatMap((one) => (one.part.adapter === adapter ? one.all : []));
    // `eyes.blocks.0.attention.query.lora_A.weight` is of the matrix `query`.
    const found = new Set(all.map(({ path }) => path.split('.').at(-3)));
    const missing = adapter.targets.filter((name) => !found.has(name));
    if (missing.length > 0) fail('P0501', { part: part.name, why: `it has no matrices named ${missing.join(', ')}` }, part.span);
  }
}

function weightsOf(part: TrainedPart, weights: readonly WeightInfo[], fits: (weight: WeightInfo) => boolean): WeightInfo[] {
  const below = weights.filter((w) => liesBelow(w.path, part.paths) && fits(w));
  return part.layers === undefined ? below : inLayers(part, part.layers, below);
}

/** Weights whose path has the number of a layer as its first number. */
function inLayers({ name, span }: TrainedPart, numbers: readonly number[], weights: readonly WeightInfo[]): WeightInfo[] {
  const placed = weights.flatMap((weight) => {
    const found = /^(.*?)\.(\d+)(?:\.|$)/.exec(weight.path);
    return found ? [{ weight, list: found[1], layer: Number(found[2]) }] : [];
  });
  const lists = [...new Set(placed.map(({ list }) => list))];
  if (lists.length !== 1) return fail('P0527', { part: name, lists: lists.join(', ') }, span);
  const count = 1 + placed.reduce((most, { layer }) => Math.max(most, layer), 0);
  const wanted = new Set(
    numbers.map((n) => {
      const layer = n < 0 ? count + n : n;
      return layer >= 0 && layer < count ? layer : fail('P0528', { layer: n, count, list: lists[0] }, span);
    }),
  );
  return placed.flatMap(({ weight, layer }) => (wanted.has(layer) ? [weight] : []));
}

function liesBelow(path: string, parts: readonly string[]): boolean {
  return parts.some((part) => path === part || path.startsWith(`${part}.`) || path.startsWith(`${part}#`));
}
