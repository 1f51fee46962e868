/** A preprocessing as resolved from a configuration: what is done to every picture, with no default left open. */

/** Filters of Pillow that are reproduced. */
export type Filter = 'bilinear' | 'bicubic';

/** Steps in their order; a step that is absent is not done. */
export interface Recipe {
  /** The class of transformers that this is as. */
  as: string;
  /** Padded to a square with this colour, the picture in the middle. */
  pad?: { colour: [number, number, number] };
  resize?: { to: ResizeTarget; filter: Filter };
  /** Cut out of the middle. */
  crop?: { width: number; height: number };
  /** Bytes are multiplied by it; 1 where they are not rescaled. */
  factor: number;
  /** Three numbers each, absent where nothing is normalised. */
  normalise?: { mean: number[]; std: number[] };
}

export type ResizeTarget = { kind: 'exact'; width: number; height: number } | { kind: 'shortest edge'; edge: number };

/** Pixels of a resized picture beyond which it is refused: 64 million, 192 MB of bytes. */
export const MAX_PIXELS = 2 ** 26;
