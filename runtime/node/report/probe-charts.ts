/** A dot chart a measure: a row a subject, each seed a faint dot, the mean with its 95 % interval over seeds. */
import { markup } from './html.ts';
import type { Markup } from './html.ts';
import type { MeasureRow } from './measures.ts';
import { valueNaming } from './names.ts';
import { fixed } from './numbers.ts';
import { colourOfSubject, cut, dot, label, line, picture, px, scaleOf } from './plot.ts';
import { INK } from './style.ts';
import type { Subject } from './subjects.ts';
import { overSeeds, sharedRows } from './verdicts.ts';

const WIDTH = 330;
const ROW = 25;
const TOP = 6;
const NAMES = 92;
/** Room at the right, for the half of the last tick's label. */
const MARGIN = 16;

/** The chart of a measure: a row for each of `shown`, empty where it has no value. `of` names another probe that it is taken from. */
export function probeChart(row: MeasureRow, subjects: readonly Subject[], shown: readonly Subject[], of?: string): Markup {
  const { label: name, percent = false } = valueNaming(row.score, row.value);
  const factor = percent ? 100 : 1;
  const lines = shown.map((subject) => {
    const at = subjects.indexOf(subject);
    const { bySeed } = row.cells[at];
    const shared = row.shared[at] ? sharedRows([...bySeed.keys()].map((seed) => row.examples[at].get(seed))) : undefined;
    const scaled = (value: number): number => factor * value;
    const { mean, interval, pairs } = overSeeds([...bySeed.values()], shared);
    const over = { pairs, ...(mean === undefined ? {} : { mean: scaled(mean) }), ...(interval ? { interval: interval.map(scaled) } : {}) };
    return { subject, values: [...bySeed.values()].map(scaled), over };
  });
  const all = lines.flatMap(({ values, over }) => [...values, ...(over.interval ?? [])]);
  const scale = scaleOf(all, NAMES, WIDTH - MARGIN);
  const bottom = TOP + ROW * shown.length;
  const marks = scale.ticks.flatMap((tick) => [
    line(scale.at(tick), TOP, scale.at(tick), bottom),
    label(scale.at(tick), bottom + 15, fixed(tick, scale.decimals)),
  ]);
  lines.forEach(({ subject, values, over }, i) => {
    const y = TOP + ROW * (i + 0.5);
    const colour = colourOfSubject(subject);
    marks.push(label(NAMES - 10, y + 4, cut(subject.label, 14), 'end', INK));
    if (over.interval !== undefined) {
      const [low, high] = over.interval.map(scale.at);
      marks.push(line(low, y, high, y, colour, 2), line(low, y - 4, low, y + 4, colour, 2), line(high, y - 4, high, y + 4, colour, 2));
      marks.push(...values.map((value) => dot(scale.at(value), y, 2.8, colour, 0.4)));
    }
    if (over.mean !== undefined) marks.push(diamond(scale.at(over.mean), y, colour));
  });
  const said = lines
    .flatMap(({ subject, over }) => (over.mean === undefined ? [] : [`${subject.label} ${fixed(over.mean, 1 + scale.decimals)}`]))
    .join(', ');
  return markup`<figure class="chart"><figcaption><strong>${name}</strong>${of !== undefined && markup` <span class="unit">(${of})</span>`}${percent && markup` <span class="unit">%</span>`}</figcaption>
${picture(WIDTH, bottom + 20, `${name}: ${said}`, marks)}</figure>
`;
}

/** The mean: not a round mark, so that it is told from the seeds without colour. */
function diamond(x: number, y: number, colour: string): Markup {
  const r = 5.2;
  const points = [
    [x, y - r],
    [x + r, y],
    [x, y + r],
    [x - r, y],
  ];
  return markup`<polygon points="${points.map(([a, b]) => `${px(a)},${px(b)}`).join(' ')}" fill="${colour}"/>`;
}
