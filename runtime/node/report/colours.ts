/** Inferno, the perceptually even colour map of matplotlib (van der Walt and Smith 2015), from nine of its colours. */

const ANCHORS = ['#000004', '#210c4a', '#57106e', '#8a226a', '#bc3754', '#e45a31', '#f98c0a', '#f9c932', '#fcffa4'];
const RGB = ANCHORS.map((hex) => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)));

/** Red, green and blue (0..255) of a value of 0..1; values beyond are taken as the nearest end. */
export function inferno(value: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, value)) * (RGB.length - 1);
  const i = Math.min(RGB.length - 2, Math.floor(at));
  const mix = (c: number): number => RGB[i][c] + (at - i) * (RGB[i + 1][c] - RGB[i][c]);
  return [mix(0), mix(1), mix(2)];
}

/** The map as a CSS gradient, for legends. */
export const INFERNO_GRADIENT = `linear-gradient(90deg,${ANCHORS.join(',')})`;
