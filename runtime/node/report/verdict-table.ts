/** The verdict table of a comparison: both arms, their difference with its interval, and what it allows to say. */
import { hasVerdicts } from './comparisons.ts';
import type { Compared, Comparison } from './comparisons.ts';
import { markup } from './html.ts';
import type { Content, Markup } from './html.ts';
import { valueNaming } from './names.ts';
import { NONE } from './numbers.ts';
import { subjectName } from './training-table.ts';
import { number, spreadCell, styleFor, table } from './tables.ts';
import type { Column, Style } from './tables.ts';
import type { Interval, Judgement, Paired, Verdict } from './verdicts.ts';

/** The table of judged measures, and below it what is only told. */
export function comparisonMarkup(comparison: Comparison): Markup {
  const { judged, told, baseline, other } = comparison;
  return markup`<h3>${subjectName(other)} against ${subjectName(baseline)}</h3>
${judged.length > 0 && verdictTable(comparison)}${told.length > 0 && toldTable(comparison)}`;
}

function verdictTable(comparison: Comparison): Markup {
  const { judged, baseline, other } = comparison;
  const several = hasVerdicts(comparison);
  const columns: Column[] = [...valueColumns(comparison), ...(several ? OVER_SEEDS : OVER_ROWS)];
  const body = judged.map((one, i): Content[] => {
    const style = styleOf(one);
    const start = valueCells(one, judged[i - 1], style);
    if (!several) return [...start, intervalText(oneSeed(one)?.interval, style)];
    const { judgement } = one;
    return [
      ...start,
      intervalText(judgement.interval, style),
      judgement.pairs > 0 ? `${judgement.inFavour} of ${judgement.pairs}` : NONE,
      probabilityText(judgement.adjusted),
      verdictCell(judgement.verdict),
    ];
  });
  const counted = judged.filter(({ judgement }) => judgement.adjusted !== undefined).length;
  const points = judged.some((one) => styleOf(one).percent) ? ' Differences of percentages are in percentage points.' : '';
  const caption = several
    ? `Difference: ${other.label} less ${baseline.label}, paired by seed; its 95 % interval is Student’s.${sharedNote(judged)} “For” counts the seeds in which ${other.label} is the better one. p is adjusted by Holm over ${counted} measures; below 0.05 it is a verdict.${points}`
    : `Difference: ${other.label} less ${baseline.label}. The interval is of a bootstrap over the rows of this seed, where a measure is a mean over rows: it says how much the choice of rows matters, and nothing about other seeds.${points}`;
  return table(columns, body, caption);
}

/** Which probes judged all seeds on the same rows. */
function sharedNote(judged: Comparison['judged']): string {
  const probes = [...new Set(judged.flatMap(({ row, shared }) => (shared === undefined ? [] : [row.probe])))];
  if (probes.length === 0) return '';
  const unknown = judged.some(({ shared }) => shared === 'unknown');
  const rest = unknown ? ' Where results by row were not kept, there is no interval and no verdict.' : '';
  return ` The rows of ${probes.join(', ')} are the same for all seeds, so that its interval counts rows as well as seeds.${rest}`;
}

/** What is told: no direction is the better one, so nothing is judged. */
function toldTable(comparison: Comparison): Markup {
  const { told, other, baseline } = comparison;
  const intervals = told.some(({ difference }) => difference.interval !== undefined);
  const columns = [...valueColumns(comparison), ...(intervals ? OVER_SEEDS.slice(0, 1) : [])];
  const body = told.map((one, i): Content[] => [
    ...valueCells(one, told[i - 1], styleOf(one)),
    ...(intervals ? [intervalText(one.difference.interval, styleOf(one))] : []),
  ]);
  const notes = new Set(told.flatMap(({ row }) => noteOf(row.score, row.value)));
  return table(
    columns,
    body,
    markup`Told and not judged: neither direction is the better one. ${[...notes].join(' ')} Difference: ${other.label} less ${baseline.label}.`,
  );
}

function noteOf(score: string, value: string): string[] {
  const { label, note } = valueNaming(score, value);
  return note === undefined ? [] : [`${label[0].toUpperCase()}${label.slice(1)}: ${note}.`];
}

const OVER_SEEDS: Column[] = [
  { head: '95 % interval', number: true },
  { head: 'for', number: true },
  { head: 'p, adjusted', number: true },
  { head: 'verdict' },
];
const OVER_ROWS: Column[] = [{ head: '95 % over the rows', number: true }];

function valueColumns({ baseline, other }: Comparison): Column[] {
  return [
    { head: 'probe' },
    { head: 'measure' },
    { head: subjectName(baseline), number: true },
    { head: subjectName(other), number: true },
    { head: 'difference', number: true },
  ];
}

function valueCells(one: Compared, before: Compared | undefined, style: Style): Content[] {
  const { label, percent } = valueNaming(one.row.score, one.row.value);
  return [
    before?.row.probe === one.row.probe ? '' : one.row.probe,
    markup`${label}${percent && markup`<span class="unit">,\u00a0%</span>`}`,
    spreadCell(one.baseline, style),
    spreadCell(one.other, style),
    number(one.difference.mean, { ...style, signed: true }),
  ];
}

/** How the numbers of a measure are written. */
export function styleOf({ row, baseline, other }: Compared): Style {
  return styleFor([baseline, other], valueNaming(row.score, row.value).percent ?? false);
}

/** The difference within the first seed that has one. */
export function oneSeed(one: Compared): Paired | undefined {
  return [...one.withinSeed().values()].at(0);
}

export function intervalText(interval: Interval | undefined, style: Style): string {
  if (interval === undefined) return NONE;
  const signed = { ...style, signed: true };
  return `${number(interval[0], signed)} to ${number(interval[1], signed)}`;
}

/** `0.012`, `0.34`, `< 0.001`. */
export function probabilityText(p: number | undefined): string {
  if (p === undefined) return NONE;
  if (p < 0.001) return '< 0.001';
  return p.toFixed(p < 0.1 ? 3 : 2);
}

const SIGNS: Record<Verdict, string> = { ahead: '▲', behind: '▼', 'cannot tell': '', 'no verdict': '' };

/** In words; a sign and a weight beside them, so that the eye finds it without colour. */
function verdictCell(verdict: Judgement['verdict']): Markup {
  const clear = verdict === 'ahead' || verdict === 'behind';
  return markup`<span class="said ${clear ? verdict : 'open'}">${SIGNS[verdict]}${clear && ' '}${verdict}</span>`;
}
