/**
 * Layers that take their weights from a checkpoint. In comes a folder as `transformers` or timm writes it (`config.json`, safetensors, one file
 * or shards with an index), out goes a bound layer whose parameters have the config's values and whose weights know their
 * tensors on disk. Which layer it is, and under which prefixes its weights lie there, says an `architecture` of the text or of
 * `std.pretrained.architectures`; names below the prefix are those of the layer's own parts, so there is nothing to map.
 *
 * Only headers are read here. The runtime reads tensors one by one, when a task needs them.
 */
import { nearest } from '../../grammar/index.ts';
import type { Definition, Parameter, Span } from '../../grammar/index.ts';
import type { Architecture } from '../../formats/config/architecture.ts';
import { readKnownArchitecture } from '../../formats/config/config.ts';
import { strangers } from '../checkpoints/tensors.ts';
import { isTied } from '../checkpoints/copies.ts';
import type { Host } from '../host.ts';
import { named } from './builtins.ts';
import { convert } from './parameters.ts';
import type { Given } from './calls.ts';
import { fail } from './fault.ts';
import { refusing } from './foreign.ts';
import { comparedCopies, halfNamed, prefixOf } from './stored.ts';
import type { Checkpoint } from './stored.ts';
import { bool, describe, number, string } from './values.ts';
import type { BoundValue, RecordValue, Value } from './values.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Config = Record<string, Json>;

/** The parameter of language models that says whether the output layer is the table of embeddings. */
const TIE = 'tie_word_embeddings';

/** What `checkpoint(..)` of an architecture says. */
export function makeArchitecture(given: Given[], span: Span): RecordValue {
  const names = ['layer', 'config', 'also', 'tensors', 'parts'];
  const values = named('checkpoint', given, names, span, 0);
  const fields = new Map<string, Value>();
  names.forEach((name, i) => {
    const value = values[i];
    if (value) fields.set(name, value);
  });
  const layer = fields.get('layer');
  if (!fields.has('parts') && (layer?.kind !== 'bound' || layer.definition.keyword !== 'layer'))
    fail('P0301', { expected: 'checkpoint(layer: .., tensors: [..])', found: layer ? describe(layer) : 'no layer' }, span);
  return { kind: 'record', type: 'architecture', fields };
}

/** Reads checkpoints for one compilation. */
export class Pretrained {
  private readonly host: Host;
  /** An architecture by its name: the text's own before the standard library's. */
  private readonly architecture: (name: string) => Value | undefined;
  private readonly architectures: () => string[];
  private readonly checkpoints = new Map<string, Checkpoint>();
  /** Architectures of folders whose tensors have not been compared with them. */
  private readonly known = new Map<string, Architecture>();
  private odd: { folder: string; what: string }[] = [];

  constructor(host: Host, architecture: (name: string) => Value | undefined, architectures: () => string[]) {
    this.host = host;
    this.architecture = architecture;
    this.architectures = architectures;
  }

  /** `pretrained("folder", part: "vision_tower", feature_layer: -2)` */
  layer(given: Given[], span: Span): BoundValue {
    const folderAt = given.find((g) => g.name === undefined || g.name === 'folder');
    if (folderAt?.value.kind !== 'string')
      return fail('P0301', { expected: 'the path of a folder in quotes', found: folderAt ? describe(folderAt.value) : 'nothing' }, span);
    const folder = folderAt.value.value.replace(/\/+$/, '');
    const partAt = given.find((g) => g.name === 'part');
    const own = given.filter((g) => g !== folderAt && g !== partAt);
    const file = `${folder}/config.json`;
    const config = this.config(folder, file, span);
    const part = partAt?.value.kind === 'string' ? partAt.value.value : undefined;
    return part === undefined
      ? this.whole(folder, file, config, [''], own, span)
      : this.partOf(folder, file, config, part, own, partAt?.span ?? span);
  }

  /** The configs that numbers of the text were taken from. */
  configs(): string[] {
    return [...this.checkpoints.keys()].map((folder) => `${folder}/config.json`);
  }

  /** Tensors of checkpoints that are no part of the model of their config; each checkpoint is told once. */
  unread(): { folder: string; count: number; some: string }[] {
    return [...this.checkpoints.values()].flatMap(({ folder, tensors, copies }) => {
      const architecture = this.known.get(folder);
      this.known.delete(folder);
      const names = architecture && tensors ? strangers(architecture, tensors.keys()).filter((name) => !copies.has(name)) : [];
      return names.length === 0 ? [] : [{ folder, count: names.length, some: some(names, ', ') }];
    });
  }

  /** What is odd in the files of checkpoints; each is told once. */
  oddities(): { folder: string; what: string }[] {
    const { odd } = this;
    this.odd = [];
    return odd;
  }

  /** Tells all tensors that are missing or have another shape than the layers that have run by now. */
  requireSound(span: Span): void {
    for (const { folder, faults } of this.checkpoints.values())
      if (faults.size > 0) fail('P0612', { folder, faults: some([...faults.values()]) }, span);
  }

  /** A part of a folder that holds several, each with a section of the config. */
  private partOf(folder: string, file: string, config: Config, part: string, own: Given[], span: Span): BoundValue {
    const sections: Record<string, string> = { vision_tower: 'vision_config', language_model: 'text_config', multi_modal_projector: '' };
    const family = this.family(file, config, '', span);
    const parts = family.fields.get('parts');
    const known = parts?.kind === 'list' ? parts.items.flatMap((item) => (item.kind === 'string' ? [item.value] : [])) : [];
    if (!known.includes(part) || !Object.hasOwn(sections, part))
      return fail(
        'P0611',
        { file, field: 'part', expected: known.length > 0 ? known.join(', ') : 'no part: the folder holds one', found: part },
        span,
      );
    const prefixes = [`${part}.`, `model.${part}.`];
    if (part === 'multi_modal_projector') {
      const projector = this.architecture('llava_projector');
      if (projector?.kind !== 'record') throw new Error('std.pretrained has no llava_projector');
      return this.bind(projector, folder, file, config, '', prefixes, own, span);
    }
    const section = sectionOf(config, sections[part], file, span);
    const inherited = part === 'vision_tower' ? towerFeatures(config, file, span) : [];
    return this.whole(folder, file, section, prefixes, [...inherited, ...own], span, `${sections[part]}.`);
  }

  private whole(folder: string, file: string, config: Config, prefixes: string[], own: Given[], span: Span, at = ''): BoundValue {
    return this.bind(this.family(file, config, at, span), folder, file, config, at, prefixes, own, span);
  }

  /** The architecture that a config names. */
  private family(file: string, config: Config, at: string, span: Span): RecordValue {
    for (const key of ['auto_map', 'quantization_config'] as const) {
      const found = config[key];
      if (found === undefined || found === null) continue;
      if (key === 'auto_map') {
        const [code] = typeof found === 'object' && !Array.isArray(found) ? Object.values(found) : [found];
        return fail(
          'P0611',
          { file, field: `${at}auto_map`, expected: 'a model that needs no code of its own', found: plain(code ?? null) },
          span,
        );
      }
      const method = typeof found === 'object' && !Array.isArray(found) ? found.quant_method : undefined;
      return fail(
        'P0611',
        { file, field: `${at}quantization_config.quant_method`, expected: 'weights that are not quantised', found: plain(method ?? found) },
        span,
      );
    }
    const key = config.model_type === undefined && config.architecture !== undefined ? 'architecture' : 'model_type';
    const type = config[key];
    const known = this.architectures();
    if (typeof type !== 'string')
      return fail(
        'P0611',
        { file, field: `${at}model_type`, expected: `one of ${known.join(', ')}`, found: type === undefined ? 'nothing' : plain(type) },
        span,
      );
    // timm names sizes: `vit_small_patch16_224` is a vision_transformer.
    const name = key === 'architecture' && type.startsWith('vit_') ? 'vision_transformer' : type;
    const found = known.includes(name) ? this.architecture(name) : undefined;
    if (found?.kind === 'record' && found.type === 'architecture') return found;
    const near = nearest(name, known);
    return fail(
      'P0611',
      {
        file,
        field: `${at}${key}`,
        expected: near ? `${near}, or another of ${known.join(', ')}` : `one of ${known.join(', ')}`,
        found: type,
      },
      span,
    );
  }

  private bind(
    family: RecordValue,
    folder: string,
    file: string,
    config: Config,
    at: string,
    prefixes: string[],
    own: Given[],
    span: Span,
  ): BoundValue {
    const layer = family.fields.get('layer');
    if (layer?.kind !== 'bound')
      return fail('P0611', { file, field: 'part', expected: 'a part of the folder, which holds several', found: 'none' }, span);
    const main = family.fields.get('config');
    const section = main?.kind === 'string' ? main.value : '';
    const inner = section === '' ? config : sectionOf(config, section, file, span);
    const sections = [inner, ...strings(family.fields.get('also')).map((name) => optionalSection(inner, name))];
    const path = `${at}${section === '' ? '' : `${section}.`}`;
    const given = new Map(layer.given);
    for (const p of layer.definition.params) {
      if (own.some((g) => g.name === p.name.text)) continue;
      const value = fromConfig(p, sections, file, path, span);
      if (value) given.set(p.name.text, value);
    }
    const checkpoint = this.open(folder, config, span);
    // Which tensors there are decides beside the config.
    if (checkpoint.tied !== undefined && layer.definition.params.some((p) => p.name.text === TIE)) given.set(TIE, bool(checkpoint.tied));
    for (const g of own) {
      const p = layer.definition.params.find((one) => one.name.text === g.name);
      if (!p || g.name === undefined)
        return fail(
          'P0209',
          { name: g.name ?? '', of: `layer ${layer.definition.name.text}`, nearest: '', known: names(layer.definition) },
          g.span,
        );
      if (g.name === TIE && checkpoint.apart === true && g.value.kind === 'bool' && g.value.value)
        fail(
          'P0611',
          { file, field: TIE, expected: `false, as ${folder} holds an output layer that is not its table`, found: 'true' },
          g.span,
        );
      given.set(g.name, convert(p, g.value, `layer ${layer.definition.name.text}`, g.span));
    }
    const tails = strings(family.fields.get('tensors'));
    const candidates = prefixes.flatMap((prefix) => (tails.length > 0 ? tails : ['']).map((tail) => `${prefix}${tail}`));
    return { ...layer, given, stored: { checkpoint, prefix: prefixOf(candidates, layer.definition, checkpoint) }, span };
  }

  private open(folder: string, config: Config, span: Span): Checkpoint {
    const opened = this.checkpoints.get(folder);
    if (opened) return opened;
    const tensors = this.tensors(folder, span);
    const architecture = this.known.get(folder);
    const tied = architecture && isTied(architecture);
    const compared =
      architecture && tensors
        ? refusing(folder, span, () => comparedCopies(architecture, tensors, this.host))
        : { copies: new Map<string, string[]>(), warnings: [], ...(tied === undefined ? {} : { tied }) };
    const { warnings, ...known } = compared;
    this.odd.push(...warnings.map((what) => ({ folder, what })));
    const checkpoint: Checkpoint = {
      folder,
      faults: new Map(),
      ...known,
      ...(tensors ? { tensors } : halfNamed(config.torch_dtype ?? config.dtype ?? null)),
    };
    this.checkpoints.set(folder, checkpoint);
    return checkpoint;
  }

  private tensors(folder: string, span: Span): Checkpoint['tensors'] {
    const found = refusing(folder, span, () => this.host.tensors(folder));
    if (!found) {
      const others = (this.host.list(folder) ?? []).some((file) => file.endsWith('.safetensors'));
      return others ? fail('P0510', { file: `${folder}/model.safetensors` }, span) : undefined;
    }
    this.odd.push(...found.warnings.map((what) => ({ folder, what })));
    return new Map(found.tensors.map(({ name, dtype, file, shape }) => [name, { file, shape, ...halfNamed(dtype) }]));
  }

  private config(folder: string, file: string, span: Span): Config {
    const text = this.host.read(file);
    if (text === undefined) return fail('P0510', { file }, span);
    const config = parse(text, file, span);
    // Of types that are known, values that no model can have, or that would change the result unseen, are told all at once.
    const known = refusing(file, span, () => readKnownArchitecture(text, file));
    if (known) this.known.set(folder, known.architecture);
    return config;
  }
}

/** The first few, and how many more. */
function some(faults: readonly string[], between = '; '): string {
  const shown = faults.slice(0, 8).join(between);
  return faults.length > 8 ? `${shown}${between}and ${faults.length - 8} more` : shown;
}

/** Layer and class token that LLaVA's config takes of its tower. */
function towerFeatures(config: Config, file: string, span: Span): Given[] {
  const layer = config.vision_feature_layer ?? -2;
  if (typeof layer !== 'number')
    return fail('P0611', { file, field: 'vision_feature_layer', expected: 'a whole number', found: plain(layer) }, span);
  const select = config.vision_feature_select_strategy ?? 'default';
  if (select !== 'default' && select !== 'full')
    return fail('P0611', { file, field: 'vision_feature_select_strategy', expected: 'default or full', found: plain(select) }, span);
  const tower = config.vision_config;
  const type = typeof tower === 'object' && tower !== null && !Array.isArray(tower) ? tower.model_type : undefined;
  // SigLIP has no class token to drop: its `default` would cut off the first patch, as transformers does.
  const hasClass = typeof type === 'string' && !type.startsWith('siglip');
  return [
    { name: 'feature_layer', value: number(layer), span },
    ...(hasClass ? [{ name: 'class_token', value: bool(select === 'full'), span }] : []),
  ];
}

/** The value of a parameter in a config, if it has one. */
function fromConfig(p: Parameter, sections: readonly Config[], file: string, at: string, span: Span): Value | undefined {
  const key = p.name.text;
  const type = p.type?.name?.text;
  if (type === undefined || p.type?.shape || !['int', 'float', 'string', 'bool'].includes(type)) return undefined;
  const section =
    sections.find((one) => Object.hasOwn(one, key)) ??
    (key === 'rope_type' ? sections.find((one, i) => i > 0 && Object.hasOwn(one, 'type')) : undefined);
  const found = section?.[Object.hasOwn(section, key) ? key : 'type'];
  if (found === undefined) return undefined;
  const wrong = (expected: string): never => fail('P0611', { file, field: `${at}${key}`, expected, found: plain(found) }, span);
  switch (type) {
    case 'int':
      if (typeof found !== 'number') return wrong('a number');
      if (!Number.isSafeInteger(found) || found < 0 || (found === 0 && !key.startsWith('num_register')))
        return wrong('a positive whole number');
      return number(found);
    case 'float':
      if (typeof found !== 'number') return wrong('a number');
      return found < 0 ? wrong('a number of at least 0') : number(found);
    case 'string':
      return typeof found === 'string' ? string(found) : wrong('a text');
    default:
      return typeof found === 'boolean' ? bool(found) : wrong('true or false');
  }
}

function sectionOf(config: Config, name: string, file: string, span: Span): Config {
  const section = config[name];
  if (section === undefined && name.endsWith('config')) return {};
  return typeof section === 'object' && section !== null && !Array.isArray(section)
    ? section
    : fail('P0611', { file, field: name, expected: 'an object', found: plain(section ?? null) }, span);
}

function optionalSection(config: Config, name: string): Config {
  const section = Object.hasOwn(config, name) ? config[name] : undefined;
  return typeof section === 'object' && section !== null && !Array.isArray(section) ? section : {};
}

function parse(text: string, file: string, span: Span): Config {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return fail('P0511', { file, message: error instanceof Error ? error.message : String(error) }, span);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fail(
      'P0511',
      { file, message: `an object is expected, and it holds ${Array.isArray(value) ? 'a list' : plain(value as Json)}` },
      span,
    );
  return value as Config;
}

function strings(value: Value | undefined): string[] {
  return value?.kind === 'list' ? value.items.flatMap((item) => (item.kind === 'string' ? [item.value] : [])) : [];
}

function names(definition: Definition): string {
  return definition.params.map((p) => p.name.text).join(', ');
}

function plain(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
