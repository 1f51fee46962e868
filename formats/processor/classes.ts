/**
 * The image processors of transformers that are reproduced, with the defaults of their classes: what a configuration does not
 * say is so. (transformers 5, `image_processing_*.py`; older names of the same classes lead here too.)
 */

/** Keys of a configuration with the values that the class gives them. */
export interface ClassDefaults {
  do_resize: boolean;
  size: Record<string, number>;
  /** PIL's number of the filter. */
  resample: number;
  do_center_crop: boolean;
  crop_size?: Record<string, number>;
  do_pad: boolean;
  do_rescale: boolean;
  rescale_factor: number;
  do_normalize: boolean;
  image_mean: number[];
  image_std: number[];
  /** A bare number as `size` is the shortest edge; else a square. */
  numberIsShortestEdge: boolean;
}

const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073];
const CLIP_STD = [0.26862954, 0.26130258, 0.27577711];
const HALF = [0.5, 0.5, 0.5];
const BILINEAR = 2;
const BICUBIC = 3;

const CLIP: ClassDefaults = {
  do_resize: true,
  size: { shortest_edge: 224 },
  resample: BICUBIC,
  do_center_crop: true,
  crop_size: { height: 224, width: 224 },
  do_pad: false,
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: CLIP_MEAN,
  image_std: CLIP_STD,
  numberIsShortestEdge: true,
};

const VIT: ClassDefaults = {
  ...CLIP,
  size: { height: 224, width: 224 },
  resample: BILINEAR,
  do_center_crop: false,
  crop_size: undefined,
  image_mean: HALF,
  image_std: HALF,
  numberIsShortestEdge: false,
};

export const CLASSES: Readonly<Record<string, ClassDefaults>> = {
  SiglipImageProcessor: { ...VIT, resample: BICUBIC, numberIsShortestEdge: true },
  CLIPImageProcessor: CLIP,
  LlavaImageProcessor: CLIP,
  BitImageProcessor: CLIP,
  ViTImageProcessor: VIT,
  DeiTImageProcessor: {
    ...VIT,
    size: { height: 256, width: 256 },
    resample: BICUBIC,
    do_center_crop: true,
    crop_size: { height: 224, width: 224 },
  },
};

/** Which class a model's configuration implies where that of the processor names none. */
export const CLASS_OF_MODEL: Readonly<Record<string, string>> = {
  siglip: 'SiglipImageProcessor',
  siglip_vision_model: 'SiglipImageProcessor',
  clip: 'CLIPImageProcessor',
  clip_vision_model: 'CLIPImageProcessor',
  llava: 'LlavaImageProcessor',
  dinov2: 'BitImageProcessor',
  dinov2_with_registers: 'BitImageProcessor',
  vit: 'ViTImageProcessor',
  vit_mae: 'ViTImageProcessor',
  deit: 'DeiTImageProcessor',
};

/** The class as it is called today: `CLIPFeatureExtractor` and `CLIPImageProcessorFast` are `CLIPImageProcessor`. */
export function currentName(name: string): string {
  return name.replace(/FeatureExtractor$/, 'ImageProcessor').replace(/ImageProcessor(Fast|Pil)$/, 'ImageProcessor');
}
