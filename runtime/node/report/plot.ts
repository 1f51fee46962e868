/**
 * Small charts drawn by hand: a scale, its ticks, and the marks that dot charts and grids share, as SVG. Texts go in through
 * `markup`, so a name cannot become an element. Colours are the keys of the style sheet (style.ts).
 */
import { markup } from './html.ts';
import type { Markup } from './html.ts';
import { GRID, INK, PALETTE, STAGE } from './style.ts';
import type { Subject } from './subjects.ts';

export interface Scale {
  /** From a value to a place in the picture. */
  at(value: number): number;
  ticks: number[];
  /** Decimals that tell the ticks apart. */
  decimals: number;
}

/**
 * A linear scale from `from` to `to` whose ends are round numbers (1, 2 or 5 times a power of ten apart) and hold all values.
 * `floor` is the least value that can be, such as 0 for shares.
 */
export function scaleOf(values: readonly number[], from: number, to: number, count = 4): Scale {
  const known = values.filter((value) => Number.isFinite(value));
  let low = Math.min(...known);
  let high = Math.max(...known);
  if (known.length === 0) [low, high] = [0, 1];
  if (low === high) {
    const room = low === 0 ? 1 : Math.abs(low) * 0.1;
    [low, high] = [low - room, high + room];
  }
  const step = niceStep((high - low) / count);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const span = (last - first) * step;
  return {
    at: (value) => from + ((value - first * step) / span) * (to - from),
    ticks,
    decimals: Math.min(8, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))),
  };
}

/** The least of 1, 2, 5 times a power of ten that is not below `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10);
}

/** The colour of a subject: a key that the style sheet knows. */
export function colourOf(subject: { arm?: string; colour: number }): string {
  return subject.arm === undefined ? STAGE : PALETTE[subject.colour % PALETTE.length];
}

export const colourOfSubject = (subject: Subject): string => colourOf(subject);

/** A number with one decimal at most: half a pixel is enough, and the page stays small. */
export const px = (value: number): string => String(Math.round(value * 10) / 10);

export function line(x1: number, y1: number, x2: number, y2: number, stroke: string = GRID, width = 1): Markup {
  return markup`<line x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}" stroke="${stroke}" stroke-width="${width}"/>`;
}

export function dot(x: number, y: number, radius: number, fill: string, opacity = 1): Markup {
  return markup`<circle cx="${px(x)}" cy="${px(y)}" r="${radius}" fill="${fill}"${opacity < 1 && markup` fill-opacity="${opacity}"`}/>`;
}

export function label(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end' = 'middle', fill: string = INK): Markup {
  return markup`<text x="${px(x)}" y="${px(y)}" text-anchor="${anchor}" font-size="11.5" fill="${fill}">${text}</text>`;
}

/** An SVG that fills its column. */
export function picture(width: number, height: number, description: string, marks: readonly Markup[]): Markup {
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${px(height)}" role="img" aria-label="${description}" font-family="system-ui, sans-serif">${marks}</svg>`;
}

/** A name cut to so many letters, so that it stays in its column. */
export function cut(text: string, letters: number): string {
  const all = [...text];
  return all.length <= letters ? text : `${all.slice(0, letters - 1).join('')}…`;
}
