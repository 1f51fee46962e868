/**
 * Curves as SVG, made here by Vega-Lite so that the page needs no script. A colour that Vega writes is a key: the style
 * sheet gives each its value for light and for dark paper (style.ts), and the hexadecimal itself where a style sheet is
 * lost. No text of a user enters a chart.
 */
import { parse, View } from 'vega';
import { compile } from 'vega-lite';
import type { TopLevelSpec } from 'vega-lite';
import type { Panel, Series } from './curves.ts';
import { markup, raw } from './html.ts';
import type { Markup } from './html.ts';
import { metricNaming } from './names.ts';
import { GRID, INK, PALETTE, STAGE } from './style.ts';

const WIDTH = 450;
const HEIGHT = 240;

/** A figure with the chart of one panel, its title and how to read it. */
export async function chart(panel: Panel): Promise<Markup> {
  const { label, unit, percent, note } = metricNaming(panel.metric);
  const held = panel.series.some((series) => series.kind !== 'train');
  const title = panel.loss === undefined ? label : `${label}, ${panel.loss}`;
  const svg = await draw(panel, held);
  return markup`<figure class="chart"><figcaption><strong>${title}</strong>${(percent ? '%' : unit) !== undefined && markup` <span class="unit">${percent ? '%' : unit}</span>`}</figcaption>
<div role="img" aria-label="${`${title} over training steps`}">${raw(svg)}</div>${note !== undefined && markup`<p class="note">${note}</p>`}</figure>
`;
}

async function draw(panel: Panel, held: boolean): Promise<string> {
  const percent = metricNaming(panel.metric).percent === true;
  const order: Series['kind'][] = ['train', 'held', 'mean'];
  const series = [...panel.series].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  const spec: TopLevelSpec = {
    width: WIDTH,
    height: HEIGHT,
    padding: 4,
    autosize: { type: 'fit', contains: 'padding' },
    background: 'transparent',
    config: {
      aria: false,
      font: 'system-ui, sans-serif',
      view: { stroke: null },
      axis: {
        labelColor: INK,
        titleColor: INK,
        titleFontWeight: 'normal',
        titleFontSize: 11.5,
        labelFontSize: 11.5,
        domain: false,
        ticks: false,
        labelPadding: 6,
        gridColor: GRID,
      },
    },
    layer: series.map((one) => ({
      data: { values: one.points.map((p) => ({ x: p.step, y: percent ? 100 * p.value : p.value })) },
      mark: markOf(one, series, held),
    })),
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        axis: { title: 'step', grid: false, tickCount: 6, domain: true, domainColor: GRID, format: 'd', tickMinStep: 1, labelFlush: false },
        scale: { nice: false },
      },
      y: {
        field: 'y',
        type: 'quantitative',
        axis: {
          title: null,
          tickCount: 5,
          minExtent: 34,
          ...(panel.metric === 'learning_rate' ? { labelExpr: "datum.value === 0 ? '0' : format(datum.value, '.1~e')" } : {}),
        },
        scale: { zero: panel.metric === 'learning_rate' || panel.metric === 'grad_norm' },
      },
    },
  };
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  try {
    return scalable(await view.toSVG());
  } finally {
    view.finalize();
  }
}

function markOf(one: Series, all: readonly Series[], held: boolean) {
  const color = one.subject.arm === undefined ? STAGE : PALETTE[one.subject.colour % PALETTE.length];
  if (one.kind === 'train') {
    const alone = all.filter((s) => s.kind === 'train' && s.subject === one.subject).length === 1;
    return { type: 'line' as const, color, strokeWidth: held || !alone ? 1 : 1.6, opacity: held ? 0.32 : alone ? 0.9 : 0.6 };
  }
  const several = all.some((s) => s.kind === 'mean' && s.subject === one.subject);
  if (one.kind === 'held' && several) return { type: 'line' as const, color, strokeWidth: 1, opacity: 0.55, strokeDash: [3, 2] };
  return { type: 'line' as const, color, strokeWidth: 2.2, strokeCap: 'round' as const, point: { filled: true, size: 22, color } };
}

/** The size follows the column; nothing in it has a name that a second chart on the page could share. */
function scalable(svg: string): string {
  return svg.replace(/<svg [^>]*?width="([\d.]+)" height="([\d.]+)"[^>]*>/, '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $1 $2">');
}
