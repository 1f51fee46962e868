/**
 * From `preprocessor_config.json`, as published checkpoints have it, to a recipe. Old forms (numbers as sizes, feature extractors, no type
 * at all) and new ones; what is absent has the default of its class. All faults come in one error, each with its field.
 */
import { dataError } from '../codes.ts';
import { nearestOf } from '../tokens.ts';
import { CLASS_OF_MODEL, CLASSES, currentName } from './classes.ts';
import type { ClassDefaults } from './classes.ts';
import { MAX_PIXELS } from './recipe.ts';
import type { Recipe, ResizeTarget } from './recipe.ts';
import type { Filter } from './resample.ts';

const FILTERS = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;
const STEPS = new Set(['do_resize', 'do_center_crop', 'do_pad', 'do_rescale', 'do_normalize', 'do_convert_rgb']);

interface Fault {
  field: string;
  what: string;
}

type Complain = (field: string, what: string) => undefined;
type Config = Record<string, unknown>;

export interface RecipeOptions {
  /** Content of `config.json`, whose `model_type` decides where the configuration names no class. */
  model?: unknown;
  /** The file, for messages. */
  file?: string;
}

/** Resolves the content of a `preprocessor_config.json`. Throws R0530 with every fault that it has. */
export function resolveRecipe(content: unknown, options: RecipeOptions = {}): Recipe {
  const file = options.file ?? 'preprocessor_config.json';
  const faults: Fault[] = [];
  const complain: Complain = (field, what) => {
    faults.push({ field, what });
    return undefined;
  };
  const recipe = isConfig(content)
    ? read(content, options.model, complain)
    : complain('', `expected an object, found ${describe(content)}`);
  if (recipe !== undefined && faults.length === 0) return recipe;
  const lines = faults.map(({ field, what }) => `\n  ${field === '' ? '' : `${field}: `}${what}`).join('');
  throw dataError('R0530', `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} in ${file}:${lines}`, {
    cure: 'mend the file, or write the steps out in it',
    place: { file },
  });
}

function read(config: Config, model: unknown, complain: Complain): Recipe | undefined {
  const as = className(config, model, complain);
  if (as === undefined) return undefined;
  const defaults = CLASSES[as];
  const step = (name: 'do_resize' | 'do_center_crop' | 'do_pad' | 'do_rescale' | 'do_normalize'): boolean => {
    const value = config[name];
    if (value === undefined) return defaults[name];
    if (value === null) return false;
    return typeof value === 'boolean' ? value : (complain(name, `expected true or false, found ${describe(value)}`) ?? false);
  };
  for (const [name, value] of Object.entries(config)) {
    if (name.startsWith('do_') && !STEPS.has(name) && value !== false && value !== null)
      complain(name, `a step that is not reproduced; found ${describe(value)}`);
  }
  const recipe: Recipe = { as, factor: 1 };
  const mean = triple('image_mean', config, defaults, complain);
  const std = triple('image_std', config, defaults, complain);
  std?.forEach((value, i) => {
    if (!(value > 0)) complain(`image_std[${i}]`, `expected a number above 0, found ${value}`);
  });
  if (step('do_pad')) {
    if (as !== 'LlavaImageProcessor') complain('do_pad', `${as} pads in a way that is not reproduced`);
    if (mean !== undefined) recipe.pad = { colour: [byteOf(mean[0]), byteOf(mean[1]), byteOf(mean[2])] };
  }
  if (step('do_resize')) {
    const to = sizeOf(config, defaults, complain);
    const filter = filterOf(config.resample === undefined ? defaults.resample : config.resample, complain);
    if (to !== undefined && filter !== undefined) recipe.resize = { to, filter };
  }
  if (step('do_center_crop')) {
    const crop = squareOr('crop_size', config.crop_size === undefined ? defaults.crop_size : config.crop_size, complain);
    if (crop !== undefined) recipe.crop = crop;
  }
  if (step('do_rescale')) {
    const factor = config.rescale_factor === undefined ? defaults.rescale_factor : config.rescale_factor;
    if (typeof factor === 'number' && factor > 0) recipe.factor = factor;
    else complain('rescale_factor', `expected a number above 0, found ${describe(factor)}`);
  }
  if (step('do_normalize')) {
    if (mean === undefined || std === undefined) return undefined;
    recipe.normalise = { mean, std };
  }
  return recipe;
}

function className(config: Config, model: unknown, complain: Complain): string | undefined {
  const field = config.image_processor_type === undefined ? 'feature_extractor_type' : 'image_processor_type';
  const given = config[field];
  if (given !== undefined) {
    const name = typeof given === 'string' ? currentName(given) : '';
    if (Object.hasOwn(CLASSES, name)) return name;
    const near = nearestOf(Object.keys(CLASSES), name);
    const hint = near === undefined ? '' : ` (did you mean ${near}?)`;
    return complain(field, `expected one of ${Object.keys(CLASSES).join(', ')}, found ${describe(given)}${hint}`);
  }
  const type = isConfig(model) ? model.model_type : undefined;
  if (typeof type === 'string' && Object.hasOwn(CLASS_OF_MODEL, type)) return CLASS_OF_MODEL[type];
  const beside =
    type === undefined ? 'no config.json beside it says model_type' : `model_type ${describe(type)} of config.json implies none`;
  return complain('image_processor_type', `it is missing, and ${beside}`);
}

function triple(field: 'image_mean' | 'image_std', config: Config, defaults: ClassDefaults, complain: Complain): number[] | undefined {
  const value = config[field] === undefined ? defaults[field] : config[field];
  // What is not normalised needs no numbers; padding may.
  if (value === null && config.do_normalize === false) return undefined;
  if (typeof value === 'number') return [value, value, value];
  if (!Array.isArray(value)) return complain(field, `expected 3 numbers, found ${describe(value)}`);
  const numbers: number[] = [];
  for (const [i, one] of value.entries()) {
    if (typeof one !== 'number' || !Number.isFinite(one)) return complain(`${field}[${i}]`, `expected a number, found ${describe(one)}`);
    numbers.push(one);
  }
  return numbers.length === 3 ? numbers : complain(field, `expected 3 numbers, found ${numbers.length}`);
}

function sizeOf(config: Config, defaults: ClassDefaults, complain: Complain): ResizeTarget | undefined {
  const value = config.size === undefined ? defaults.size : config.size;
  if (typeof value === 'number' && defaults.numberIsShortestEdge) return edgeOf('size', value, complain);
  if (isConfig(value) && value.shortest_edge !== undefined && Object.keys(value).length === 1)
    return edgeOf('size.shortest_edge', value.shortest_edge, complain);
  const exact = squareOr('size', value, complain);
  return exact === undefined ? undefined : { kind: 'exact', ...exact };
}

function edgeOf(field: string, value: unknown, complain: Complain): ResizeTarget | undefined {
  const edge = pixels(field, value, complain);
  return edge === undefined ? undefined : { kind: 'shortest edge', edge };
}

/** A number (a square), a pair of height and width, or an object with both. */
function squareOr(field: string, value: unknown, complain: Complain): { width: number; height: number } | undefined {
  let sides: [unknown, unknown];
  let names = [field, field];
  if (typeof value === 'number') sides = [value, value];
  else if (Array.isArray(value) && value.length === 2) sides = [value[0], value[1]];
  else if (isConfig(value) && value.height !== undefined && value.width !== undefined && Object.keys(value).length === 2) {
    sides = [value.height, value.width];
    names = [`${field}.height`, `${field}.width`];
  } else {
    const found = isConfig(value) ? Object.keys(value).join(', ') || 'an empty object' : describe(value);
    const expected = field === 'size' ? 'height and width, or shortest_edge' : 'height and width';
    return complain(field, `expected ${expected}, found ${found}`);
  }
  const height = pixels(names[0], sides[0], complain);
  const width = pixels(names[1], sides[1], complain);
  if (height === undefined || width === undefined) return undefined;
  if (height * width > MAX_PIXELS) return complain(field, `expected at most ${MAX_PIXELS} pixels, found ${width} x ${height}`);
  return { width, height };
}

function pixels(field: string, value: unknown, complain: Complain): number | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= MAX_PIXELS) return value;
  return complain(field, `expected a positive whole number, found ${describe(value)}`);
}

function filterOf(value: unknown, complain: Complain): Filter | undefined {
  const name = typeof value === 'number' ? FILTERS[value] : undefined;
  if (name === 'bilinear' || name === 'bicubic') return name;
  if (name === undefined) return complain('resample', `expected 0 to 5, the number of a filter in Pillow, found ${describe(value)}`);
  return complain('resample', `expected 2 (bilinear) or 3 (bicubic), found ${describe(value)} (${name})`);
}

/** As Pillow's colours are written by transformers: truncated. */
function byteOf(mean: number): number {
  return Math.max(0, Math.min(255, Math.trunc(mean * 255)));
}

function isConfig(value: unknown): value is Config {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return isConfig(value) ? 'an object' : JSON.stringify(value);
}
