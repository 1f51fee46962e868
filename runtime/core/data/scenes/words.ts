/**
 * The words of the scenes, and the things they name. `SCENES_WORDS` is the vocabulary of `std.data.scenes`; the same
 * list stands in `stdlib/data/scenes.words.json` for the compiler, and a test compares the two.
 */

export const COLOURS = ['red', 'green', 'blue', 'yellow', 'purple', 'cyan', 'orange', 'white'] as const;
export const SHAPES = ['square', 'circle', 'triangle', 'cross', 'diamond', 'ring'] as const;
export const SIZES = ['small', 'large'] as const;
/** The nine cells in reading order. */
export const PLACES = ['nw', 'north', 'ne', 'west', 'centre', 'east', 'sw', 'south', 'se'] as const;

export type Colour = (typeof COLOURS)[number];
export type Shape = (typeof SHAPES)[number];
export type Size = (typeof SIZES)[number];
export type PlaceWord = (typeof PLACES)[number];

/** Red, green and blue of each colour, from 0 to 1, before scaling and noise. */
export const COLOUR_RGB: Record<Colour, readonly [number, number, number]> = {
  red: [0.9, 0.1, 0.1],
  green: [0.1, 0.7, 0.15],
  blue: [0.15, 0.2, 0.95],
  yellow: [0.95, 0.9, 0.1],
  purple: [0.6, 0.1, 0.75],
  cyan: [0.1, 0.85, 0.9],
  orange: [1.0, 0.5, 0.05],
  white: [1.0, 1.0, 1.0],
};

const GRAMMAR = [
  ';',
  'describe',
  'what',
  'where',
  'colour',
  'shape',
  'size',
  'is',
  'at',
  'the',
  'one',
  'there',
  'a',
  'object',
  'has',
  'and',
  'it',
] as const;

export const SCENES_PAD = 0;
export const SCENES_END = 1;

/** All words by token id; padding and the end of an answer come first. */
export const SCENES_WORDS: readonly string[] = ['<pad>', '<end>', ...COLOURS, ...SHAPES, ...SIZES, ...PLACES, ...GRAMMAR];

/** Tokens of the longest prompt, and of the longest answer without its end token: a caption of four objects. */
export const SCENES_LONGEST_PROMPT = 6;
export const SCENES_LONGEST_ANSWER = 19;
/** Words of the longest bag that `scenes.tags` gives. */
export const SCENES_LONGEST_TAGS = 4;
