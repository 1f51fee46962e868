/**
 * How a checkpoint prepares pictures: from `preprocessor_config.json`, or from `image_processor` of the `processor_config.json` that transformers 5
 * writes in its place, to a recipe in which nothing is left open. Old forms (numbers as sizes, feature extractors, no class at all) and new ones;
 * what is absent has the default of its class. All faults come in one error, each with its field.
 */
import { isObject } from '../../plan/json.ts';
import type { Json } from '../../plan/json.ts';
import { nearest } from '../../plan/nearest.ts';
import { fieldsOf } from '../fields.ts';
import type { Fields } from '../fields.ts';
import { CLASS_OF_MODEL, CLASSES, currentName } from './classes.ts';
import type { ClassDefaults } from './classes.ts';
import { MAX_PIXELS } from './recipe.ts';
import type { Filter, Recipe, ResizeTarget } from './recipe.ts';

const CODE = 'R0530';
const CURE = 'mend the file, or take it from the same checkpoint as the weights';

const FILTERS = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;
const STEPS = ['do_resize', 'do_center_crop', 'do_pad', 'do_rescale', 'do_normalize'] as const;

/** A file of a checkpoint's folder: its path, and what it holds. */
export interface FileContent {
  file: string;
  content: Uint8Array | string;
}

/** The files of a folder that may say how pictures are prepared. */
export interface ProcessorFiles {
  /** `preprocessor_config.json` */
  own?: FileContent;
  /** `processor_config.json` */
  nested?: FileContent;
  /** `config.json`, whose `model_type` decides where no class is named. */
  model?: FileContent;
}

/** What is known of the encoder beside the processor. */
export interface Viewer {
  /** Side of its pictures, where they must have it; not given where positions are resampled. */
  side: number;
}

export interface Processor {
  recipe: Recipe;
  /** The file that it was read from. */
  file: string;
}

/**
 * Resolves the files of a folder; undefined where none of them prepares pictures. As in transformers, `image_processor` of
 * `processor_config.json` counts before `preprocessor_config.json`. With `viewer` the pictures must have the size that it takes.
 * @throws PivotError R0530: not JSON, or one or several faults.
 */
export function readProcessor({ own, nested, model }: ProcessorFiles, viewer?: Viewer): Processor | undefined {
  const whole = nested && fieldsOf(nested.content, nested.file, CODE);
  const fields = whole?.has('image_processor') === true ? innerOf(whole) : own && fieldsOf(own.content, own.file, CODE);
  if (fields === undefined) return undefined;
  const recipe = read(fields, model && fieldsOf(model.content, model.file, CODE).raw('model_type'));
  if (viewer !== undefined && recipe !== undefined) checkSize(fields, recipe, viewer.side);
  fields.settle(CODE, CURE);
  if (recipe === undefined) throw new Error('a processor without a recipe has no fault');
  return { recipe, file: fields.file };
}

/** The token that stands for a picture in texts, as `processor_config.json` names it. */
export function processorImageToken({ file, content }: FileContent): string | undefined {
  const token = fieldsOf(content, file, CODE).raw('image_token');
  const text = isObject(token) ? token.content : token;
  return typeof text === 'string' && text !== '' ? text : undefined;
}

function innerOf(whole: Fields): Fields {
  if (!isObject(whole.raw('image_processor'))) whole.fault('image_processor', 'an object');
  return whole.sub('image_processor');
}

function read(fields: Fields, model: Json | undefined): Recipe | undefined {
  const as = className(fields, model);
  if (as === undefined) return undefined;
  const defaults = CLASSES[as];
  const [resizes, crops, pads, rescales, normalises] = STEPS.map((name) => step(fields, name, defaults));
  for (const name of fields.keys()) {
    if (!name.startsWith('do_') || STEPS.some((one) => one === name) || name === 'do_convert_rgb') continue;
    const value = fields.raw(name);
    if (value !== false && value !== null) fields.fault(name, 'a step that is reproduced');
  }
  const recipe: Recipe = { as, factor: 1 };
  const mean = triple(fields, 'image_mean', defaults);
  const std = triple(fields, 'image_std', defaults);
  std?.forEach((value, i) => {
    if (!(value > 0)) fields.fault(`image_std[${i}]`, 'a number above 0', String(value));
  });
  if (pads) {
    if (as !== 'LlavaImageProcessor') fields.fault('do_pad', `false, as ${as} pads in a way that is not reproduced`);
    if (mean !== undefined) recipe.pad = { colour: [byteOf(mean[0]), byteOf(mean[1]), byteOf(mean[2])] };
  }
  if (resizes) {
    const to = sizeOf(fields, defaults);
    const filter = filterOf(fields, defaults);
    if (to !== undefined && filter !== undefined) recipe.resize = { to, filter };
  }
  if (crops) {
    const crop = squareOr(fields, 'crop_size', valueOf(fields, 'crop_size', defaults.crop_size));
    if (crop !== undefined) recipe.crop = crop;
  }
  if (rescales) {
    const factor = valueOf(fields, 'rescale_factor', defaults.rescale_factor);
    if (typeof factor === 'number' && factor > 0) recipe.factor = factor;
    else fields.fault('rescale_factor', 'a number above 0');
  }
  if (normalises && mean !== undefined && std !== undefined) recipe.normalise = { mean, std };
  else if (normalises && fields.raw('image_mean') === null) fields.fault('image_mean', '3 numbers, since do_normalize is true');
  return recipe;
}

function step(fields: Fields, name: (typeof STEPS)[number], defaults: ClassDefaults): boolean {
  const value = fields.raw(name);
  if (value === undefined) return defaults[name];
  if (value === null) return false;
  if (typeof value !== 'boolean') fields.fault(name, 'true or false');
  return value === true;
}

function className(fields: Fields, model: Json | undefined): string | undefined {
  const field = fields.has('image_processor_type') ? 'image_processor_type' : 'feature_extractor_type';
  const given = fields.raw(field);
  const known = Object.keys(CLASSES);
  if (given !== undefined) {
    const name = typeof given === 'string' ? currentName(given) : '';
    if (Object.hasOwn(CLASSES, name)) return name;
    const near = nearest(name, known);
    fields.fault(field, `one of ${known.join(', ')}${near === undefined ? '' : ` (did you mean ${near}?)`}`);
    return undefined;
  }
  if (typeof model === 'string' && Object.hasOwn(CLASS_OF_MODEL, model)) return CLASS_OF_MODEL[model];
  const beside = model === undefined ? 'no config.json beside it has a model_type' : `model_type ${JSON.stringify(model)} implies none`;
  fields.fault('image_processor_type', `one of ${known.join(', ')}`, `none, and ${beside}`);
  return undefined;
}

/** The value of a key, the default where it is missing; null stays null. */
function valueOf(fields: Fields, key: string, fallback: Json | undefined): Json | undefined {
  const value = fields.raw(key);
  return value === undefined ? fallback : value;
}

function triple(fields: Fields, key: 'image_mean' | 'image_std', defaults: ClassDefaults): number[] | undefined {
  const value = valueOf(fields, key, defaults[key]);
  // What is not normalised needs no numbers; padding may.
  if (value === null) {
    if (key === 'image_std' && step(fields, 'do_normalize', defaults)) fields.fault(key, '3 numbers, since do_normalize is true');
    return undefined;
  }
  if (typeof value === 'number') return [value, value, value];
  if (!Array.isArray(value)) {
    fields.fault(key, '3 numbers');
    return undefined;
  }
  const numbers: number[] = [];
  for (const [i, one] of value.entries()) {
    if (typeof one === 'number' && Number.isFinite(one)) numbers.push(one);
    else fields.fault(`${key}[${i}]`, 'a number', JSON.stringify(one));
  }
  if (value.length === 3) return numbers.length === 3 ? numbers : undefined;
  fields.fault(key, '3 numbers', String(value.length));
  return undefined;
}

function sizeOf(fields: Fields, defaults: ClassDefaults): ResizeTarget | undefined {
  const value = valueOf(fields, 'size', defaults.size);
  if (typeof value === 'number' && defaults.numberIsShortestEdge) return edgeOf(fields, 'size', value);
  if (isObject(value) && value.shortest_edge !== undefined && Object.keys(value).length === 1)
    return edgeOf(fields, 'size.shortest_edge', value.shortest_edge);
  const exact = squareOr(fields, 'size', value);
  return exact === undefined ? undefined : { kind: 'exact', ...exact };
}

function edgeOf(fields: Fields, key: string, value: Json): ResizeTarget | undefined {
  const edge = pixels(fields, key, value);
  return edge === undefined ? undefined : { kind: 'shortest edge', edge };
}

/** A number (a square), a pair of height and width, or an object with both. */
function squareOr(fields: Fields, key: string, value: Json | undefined): { width: number; height: number } | undefined {
  let sides: [Json, Json];
  let names = [key, key];
  if (typeof value === 'number') sides = [value, value];
  else if (Array.isArray(value) && value.length === 2) sides = [value[0], value[1]];
  else if (isObject(value) && value.height !== undefined && value.width !== undefined && Object.keys(value).length === 2) {
    sides = [value.height, value.width];
    names = [`${key}.height`, `${key}.width`];
  } else {
    const found = isObject(value) ? Object.keys(value).join(', ') || 'an empty object' : undefined;
    fields.fault(key, key === 'size' ? 'height and width, or shortest_edge' : 'height and width', found);
    return undefined;
  }
  const height = pixels(fields, names[0], sides[0]);
  const width = pixels(fields, names[1], sides[1]);
  if (height === undefined || width === undefined) return undefined;
  if (height * width <= MAX_PIXELS) return { width, height };
  fields.fault(key, `at most ${MAX_PIXELS} pixels`, `${width} x ${height}`);
  return undefined;
}

function pixels(fields: Fields, key: string, value: Json): number | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= MAX_PIXELS) return value;
  fields.fault(key, 'a positive whole number', JSON.stringify(value));
  return undefined;
}

function filterOf(fields: Fields, defaults: ClassDefaults): Filter | undefined {
  const value = valueOf(fields, 'resample', defaults.resample);
  const name = typeof value === 'number' ? FILTERS[value] : undefined;
  if (name === 'bilinear' || name === 'bicubic') return name;
  if (name === undefined)
    fields.fault('resample', '0 to 5, the number of a filter in Pillow, of which 2 (bilinear) and 3 (bicubic) are reproduced');
  else fields.fault('resample', '2 (bilinear) or 3 (bicubic)', `${JSON.stringify(value)} (${name})`);
  return undefined;
}

/** As Pillow's colours are written by transformers: truncated. */
function byteOf(mean: number): number {
  return Math.max(0, Math.min(255, Math.trunc(mean * 255)));
}

/** Positions are those of one size; pictures of another would need them resampled. */
function checkSize(fields: Fields, { resize, crop }: Recipe, side: number): void {
  const last = crop ?? (resize?.to.kind === 'exact' ? resize.to : undefined);
  if (last !== undefined && last.height === side && last.width === side) return;
  const found =
    last !== undefined
      ? `${last.height} x ${last.width}`
      : resize?.to.kind === 'shortest edge'
        ? `a shorter side of ${resize.to.edge} and no crop`
        : 'pictures of any size';
  fields.fault(crop === undefined ? 'size' : 'crop_size', `${side} x ${side}, for which the encoder has positions`, found);
}
