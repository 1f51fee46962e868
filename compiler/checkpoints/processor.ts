/**
 * `preprocessor_config.json` -> what is done to a picture, every number resolved. The class (`image_processor_type`, or
 * `feature_extractor_type` of older files, else the model beside it) gives the defaults and what a plain `size` means.
 */
import { isObject } from '../../plan/json.ts';
import type { Architecture } from './architecture.ts';
import type { Fields } from './fields.ts';
import { fieldsOf, LARGEST } from './fields.ts';

export interface Processor {
  /** Padded to a square with the mean colour first. */
  pad: boolean;
  /** To a size, or so that the shorter side has one; undefined where pictures keep their size. */
  resize?: { filter: 'bilinear' | 'bicubic' } & ({ height: number; width: number } | { shortest: number });
  /** Cut out of the middle. */
  crop?: { height: number; width: number };
  /** Factor of bytes; 1 where they are not rescaled. */
  factor: number;
  /** By channel; 0 and 1 where nothing is normalised. */
  mean: [number, number, number];
  deviation: [number, number, number];
}

type Triple = [number, number, number];

const HALF: Triple = [0.5, 0.5, 0.5];
const CLIP_MEAN: Triple = [0.48145466, 0.4578275, 0.40821073];
const CLIP_DEVIATION: Triple = [0.26862954, 0.26130258, 0.27577711];

interface Class {
  /** Whether a plain number of `size` is that of the shorter side. */
  shortest: boolean;
  filter: number;
  crop: boolean;
  mean: Triple;
  deviation: Triple;
}

const SQUARE: Class = { shortest: false, filter: 2, crop: false, mean: HALF, deviation: HALF };
const CROPPED: Class = { shortest: true, filter: 3, crop: true, mean: CLIP_MEAN, deviation: CLIP_DEVIATION };

const CLASSES: Readonly<Record<string, Class>> = {
  SiglipImageProcessor: { ...SQUARE, filter: 3 },
  ViTImageProcessor: SQUARE,
  ViTFeatureExtractor: SQUARE,
  CLIPImageProcessor: CROPPED,
  CLIPFeatureExtractor: CROPPED,
  LlavaImageProcessor: CROPPED,
  BitImageProcessor: CROPPED,
};

const FILTERS = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;

/** The class of a model whose file names none. */
const OF_FAMILY: Readonly<Record<Architecture['family'], string | undefined>> = {
  siglip: 'SiglipImageProcessor',
  siglip_vision: 'SiglipImageProcessor',
  clip: 'CLIPImageProcessor',
  clip_vision: 'CLIPImageProcessor',
  dinov2: 'BitImageProcessor',
  vit: 'ViTImageProcessor',
  vit_mae: 'ViTImageProcessor',
  timm_vit: undefined,
  qwen2: undefined,
  llama: undefined,
  llava: 'CLIPImageProcessor',
};

/** What is known of the model that will see the pictures. */
export interface Viewer {
  /** Gives the class where the file names none. */
  family: Architecture['family'];
  /** Side of its pictures, where they must have it; not given where positions are resampled. */
  side?: number;
}

/** The viewer of an architecture; undefined where it sees no pictures. */
export function viewerOf(architecture: Architecture): Viewer | undefined {
  const vision = 'vision' in architecture ? architecture.vision : 'image' in architecture ? architecture : undefined;
  return vision === undefined ? undefined : { family: architecture.family, side: vision.image };
}

/**
 * What the text of a `preprocessor_config.json` asks for. `viewer` is that of the `config.json` beside it, if there is one.
 * @throws PivotError C0203: not JSON, an unknown class, filter or size, numbers that cannot be, a size that is not the viewer's.
 */
export function readProcessor(content: Uint8Array | string, file: string, viewer?: Viewer): Processor {
  const fields = fieldsOf(content, file, 'C0203');
  const kind = classOf(fields, viewer);
  const size = readSize(fields, 'size', kind.shortest);
  const filter = readFilter(fields, kind);
  const processor: Processor = {
    pad: fields.flag('do_pad', false),
    ...(fields.flag('do_resize', true)
      ? { resize: { filter, ...(size ?? (kind.shortest ? { shortest: 224 } : { height: 224, width: 224 })) } }
      : {}),
    ...(fields.flag('do_center_crop', kind.crop) ? { crop: readCrop(fields) } : {}),
    factor: fields.flag('do_rescale', true) ? fields.positive('rescale_factor', 1 / 255) : 1,
    ...readNormal(fields, kind),
  };
  if (viewer?.side !== undefined) checkSize(fields, processor, viewer.side);
  fields.settle('C0203', 'mend preprocessor_config.json, or take it from the same checkpoint as the weights');
  return processor;
}

function classOf(fields: Fields, viewer: Viewer | undefined): Class {
  const key =
    fields.has('image_processor_type') || !fields.has('feature_extractor_type') ? 'image_processor_type' : 'feature_extractor_type';
  const said = fields.text(key);
  const name = said ?? (viewer === undefined ? undefined : OF_FAMILY[viewer.family]);
  // The faster variants differ in rounding only.
  const plain = name?.replace(/(Fast|Pil)$/, '');
  if (plain !== undefined && Object.hasOwn(CLASSES, plain)) return CLASSES[plain];
  const where = said === undefined ? ', or a config.json beside the file whose model_type decides' : '';
  fields.fault(key, `one of ${Object.keys(CLASSES).join(', ')}${where}`, said);
  return SQUARE;
}

type Size = { height: number; width: number } | { shortest: number };

function readSize(fields: Fields, key: string, shortest: boolean): Size | undefined {
  const value = fields.raw(key);
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) {
    const side = fields.count(key, 224, LARGEST.side);
    return shortest ? { shortest: side } : { height: side, width: side };
  }
  const keys = Object.keys(value).sort().join(' ');
  // A key beside these would change what they mean.
  const inside = fields.sub(key);
  if (keys === 'height width')
    return { height: inside.count('height', 224, LARGEST.side), width: inside.count('width', 224, LARGEST.side) };
  if (keys === 'shortest_edge') return { shortest: inside.count('shortest_edge', 224, LARGEST.side) };
  fields.fault(key, 'height and width, or shortest_edge', keys === '' ? 'nothing' : keys.replaceAll(' ', ' and '));
  return undefined;
}

function readCrop(fields: Fields): { height: number; width: number } {
  const value = fields.raw('crop_size');
  if (value === null) fields.fault('crop_size', 'height and width, since do_center_crop is true');
  const size = readSize(fields, 'crop_size', false);
  if (size === undefined) return { height: 224, width: 224 };
  if ('shortest' in size) {
    fields.fault('crop_size', 'height and width');
    return { height: 224, width: 224 };
  }
  return size;
}

function readFilter(fields: Fields, kind: Class): 'bilinear' | 'bicubic' {
  const number = fields.whole('resample', kind.filter);
  const name = number >= 0 && number < FILTERS.length ? FILTERS[number] : undefined;
  if (name === 'bilinear' || name === 'bicubic') return name;
  fields.fault(
    'resample',
    name === undefined ? '0 to 5, of which 2 (bilinear) and 3 (bicubic) are supported' : '2 (bilinear) or 3 (bicubic)',
    name === undefined ? undefined : `${number} (${name})`,
  );
  return 'bicubic';
}

function readNormal(fields: Fields, kind: Class): Pick<Processor, 'mean' | 'deviation'> {
  if (!fields.flag('do_normalize', true)) return { mean: [0, 0, 0], deviation: [1, 1, 1] };
  // DINOv2's class shares CLIP's numbers by default; its files always say ImageNet's.
  return { mean: readTriple(fields, 'image_mean', kind.mean, false), deviation: readTriple(fields, 'image_std', kind.deviation, true) };
}

function readTriple(fields: Fields, key: string, fallback: Triple, divides: boolean): Triple {
  const value = fields.raw(key);
  if (value === undefined || value === null) return fallback;
  if (!Array.isArray(value) || value.length !== 3) {
    fields.fault(key, '3 numbers', Array.isArray(value) ? `${value.length}` : undefined);
    return fallback;
  }
  const triple = value.map((one, i) => {
    const good = typeof one === 'number' && Number.isFinite(one) && (!divides || one > 0);
    if (!good) fields.fault(`${key}[${i}]`, divides ? 'a positive number' : 'a number', JSON.stringify(one));
    return good ? one : 1;
  });
  return [triple[0], triple[1], triple[2]];
}

/** Positions are those of one size; pictures of another would need them resampled. */
function checkSize(fields: Fields, { resize, crop }: Processor, side: number): void {
  const last = crop ?? (resize !== undefined && 'height' in resize ? resize : undefined);
  const key = crop === undefined ? 'size' : 'crop_size';
  const expected = `${side} x ${side}, for which the encoder has positions, or interpolated positions`;
  if (last === undefined)
    fields.fault(
      key,
      expected,
      resize === undefined ? 'pictures of any size' : `a shorter side of ${'shortest' in resize ? resize.shortest : ''} and no crop`,
    );
  else if (last.height !== side || last.width !== side) fields.fault(key, expected, `${last.height} x ${last.width}`);
}
