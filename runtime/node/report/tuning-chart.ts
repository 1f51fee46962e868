/** The measure over the tuned values: a line an arm through the means, a faint dot a seed, a ring about the choice. */
import { markup } from './html.ts';
import type { Markup } from './html.ts';
import { fixed } from './numbers.ts';
import { colourOfSubject, cut, dot, label, line, picture, px, scaleOf } from './plot.ts';
import { mean } from './statistics.ts';
import type { GridGroup } from './tuning.ts';

const WIDTH = 450;
const HEIGHT = 230;
const LEFT = 44;
const RIGHT = 14;
const TOP = 8;
const BOTTOM = 40;

/** Values stand side by side at equal distances: in order of size where all are numbers, else as the text has them. */
export function tuningChart({ grids, name }: GridGroup, measure: string, percent: boolean): Markup {
  const factor = percent ? 100 : 1;
  const texts = [...new Set(grids.flatMap(({ task }) => task.values))];
  if (texts.every((text) => Number.isFinite(Number(text)))) texts.sort((a, b) => Number(a) - Number(b));
  const place = (text: string): number => LEFT + ((texts.indexOf(text) + 0.5) / texts.length) * (WIDTH - LEFT - RIGHT);
  const values = grids.flatMap(({ selected }) => selected?.cells.map(({ value }) => factor * value) ?? []);
  const scale = scaleOf(values, HEIGHT - BOTTOM, TOP, 5);
  const marks: Markup[] = scale.ticks.flatMap((tick) => [
    line(LEFT, scale.at(tick), WIDTH - RIGHT, scale.at(tick)),
    label(LEFT - 8, scale.at(tick) + 4, fixed(tick, scale.decimals), 'end'),
  ]);
  const letters = Math.max(4, Math.floor((WIDTH - LEFT - RIGHT) / texts.length / 7));
  marks.push(...texts.map((text) => label(place(text), HEIGHT - BOTTOM + 18, cut(text, letters))));
  marks.push(label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, cut(name, 40)));
  for (const { task, subject, selected } of grids) {
    if (selected === undefined) continue;
    const colour = colourOfSubject(subject);
    const means = task.values.flatMap((text, choice) => {
      const cells = selected.cells.filter((cell) => cell.choice === choice).map(({ value }) => factor * value);
      const centre = mean(cells);
      marks.push(...cells.map((value) => dot(place(text), scale.at(value), 2.8, colour, 0.4)));
      return centre === undefined ? [] : [{ choice, x: place(text), y: scale.at(centre) }];
    });
    means.sort((a, b) => a.x - b.x);
    const points = means.map(({ x, y }) => `${px(x)},${px(y)}`).join(' ');
    marks.push(markup`<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const { choice, x, y } of means) {
      marks.push(dot(x, y, 3.6, colour));
      if (choice === selected.choice)
        marks.push(markup`<circle cx="${px(x)}" cy="${px(y)}" r="8" fill="none" stroke="${colour}" stroke-width="1.6"/>`);
    }
  }
  return markup`<figure class="chart"><figcaption><strong>${measure}</strong>${percent && markup` <span class="unit">%</span>`}</figcaption>
${picture(WIDTH, HEIGHT, `${measure} over ${name}`, marks)}</figure>
`;
}
