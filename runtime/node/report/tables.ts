/**
 * Tables whose numbers align on the decimal point: the cells of a column are written with equal decimals and set in
 * figures of equal width, flush right.
 */
import { markup } from './html.ts';
import type { Content, Markup } from './html.ts';
import { decimalsFor, fixed, NONE } from './numbers.ts';
import type { Statistic } from './summary.ts';

export interface Column {
  head: Content;
  /** Neighbours with the same group share a heading above theirs. */
  group?: string;
  number?: boolean;
}

/** A table with a caption below it. Rows have as many cells as there are columns; the first cell names the row. */
export function table(columns: readonly Column[], rows: readonly (readonly Content[])[], caption?: Content, kind?: 'compact'): Markup {
  const grouped = columns.some((column) => column.group !== undefined);
  return markup`<figure class="table"><div class="scroll"><table class="${kind ?? ''}">
<thead>${grouped && groupRow(columns)}<tr>${columns.map((column, i) => markup`<th scope="col" class="${classOf(columns, i)}">${column.head}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      markup`<tr>${row.map((cell, i) =>
        i === 0 ? markup`<th scope="row">${cell}</th>` : markup`<td class="${classOf(columns, i)}">${cell}</td>`,
      )}</tr>
`,
  )}</tbody></table></div>${caption !== undefined && markup`<figcaption>${caption}</figcaption>`}</figure>
`;
}

function groupRow(columns: readonly Column[]): Markup {
  const spans: { group?: string; span: number }[] = [];
  for (const { group } of columns) {
    const last = spans.at(-1);
    if (last !== undefined && group !== undefined && last.group === group) last.span++;
    else spans.push({ group, span: 1 });
  }
  return markup`<tr class="groups">${spans.map(({ group, span }) =>
    group === undefined ? markup`<td></td>` : markup`<th scope="colgroup" colspan="${span}"><span>${group}</span></th>`,
  )}</tr>`;
}

function classOf(columns: readonly Column[], i: number): string {
  const { number, group } = columns[i];
  const begins = group !== undefined && columns[i - 1]?.group !== group;
  return [number ? 'number' : 'text', begins ? 'begins' : ''].join(' ').trim();
}

export interface Style {
  percent?: boolean;
  decimals: number;
  signed?: boolean;
}

/** Decimals for a column of statistics: one for per cents, else `digits` significant digits of the largest. */
export function styleFor(statistics: readonly Statistic[], percent: boolean, digits = 4): Style {
  return percent
    ? { percent, decimals: 1 }
    : {
        decimals: decimalsFor(
          statistics.map((s) => s.mean),
          digits,
        ),
      };
}

export function number(value: number | undefined, style: Style): string {
  return fixed(value === undefined ? undefined : value * (style.percent ? 100 : 1), style.decimals, style.signed);
}

/** `0.4512 ± 0.0031`; without the spread where there is one seed. */
export function statisticText({ mean, deviation }: Statistic, style: Style): string {
  if (mean === undefined) return NONE;
  const text = number(mean, style);
  return deviation === undefined ? text : `${text} ± ${number(deviation, { ...style, signed: false })}`;
}

/** The same for the page, in one line. */
export function spreadCell(statistic: Statistic, style: Style): Content {
  const { mean, deviation } = statistic;
  return mean === undefined ? markup`<span class="none">${NONE}</span>` : spread(mean, deviation, style);
}

function spread(mean: number, deviation: number | undefined, style: Style): Markup {
  return markup`${number(mean, style)}${deviation !== undefined && markup` <span class="spread">± ${number(deviation, { ...style, signed: false })}</span>`}`;
}

/** The same with the value of each seed below, where there are several */
export function statisticCell(statistic: Statistic, style: Style): Content {
  if (statistic.mean === undefined) return markup`<span class="none">${NONE}</span>`;
  const seeds =
    statistic.bySeed.size > 1 &&
    markup`<span class="seeds">${[...statistic.bySeed.values()].map((v) => number(v, style)).join(' · ')}</span>`;
  return markup`${spread(statistic.mean, statistic.deviation, style)}${seeds}`;
}

/** The same in a narrow column: the spread below the mean. */
export function narrowCell({ mean, deviation }: Statistic, style: Style): Content {
  const spread = deviation !== undefined && markup`<span class="seeds">± ${number(deviation, { ...style, signed: false })}</span>`;
  return markup`${number(mean, style)}${spread}`;
}
