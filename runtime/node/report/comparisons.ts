/** Pairs of arms and what is said of each: the first arm of a stage against every other, over all measures of all probes. */
import type { MeasureRow } from './measures.ts';
import { judge, overRows, overSeeds, sharedRows } from './verdicts.ts';
import type { Judgement, Paired, Shared } from './verdicts.ts';
import { byStage } from './subjects.ts';
import type { Subject } from './subjects.ts';
import type { Statistic } from './summary.ts';

/** One measure of two arms. */
export interface Compared {
  row: MeasureRow;
  baseline: Statistic;
  other: Statistic;
  /** Over seeds, and over rows where the seeds share them. */
  difference: Paired;
  /** Second less first for the seeds that both have, and what shared rows add to them. */
  differences: readonly number[];
  shared?: Shared;
  /** By seed: the difference over the rows that were judged, with the interval of a bootstrap over them. Computed when first asked for. */
  withinSeed(): Map<number, Paired>;
}

export interface Comparison {
  stage: string;
  baseline: Subject;
  other: Subject;
  /** Measures of which one direction is the better one; they share Holm's correction. */
  judged: (Compared & { judgement: Judgement })[];
  /** Measures that are neither better nor worse, such as drift. */
  told: Compared[];
  /** Parts of measures. */
  parts: Compared[];
}

/** Every comparison that the measures have a value of both arms for. */
export function comparisonsOf(rows: readonly MeasureRow[], subjects: readonly Subject[]): Comparison[] {
  return [...byStage(subjects)].flatMap(([stage, members]) => {
    const [baseline, ...others] = members.filter((member) => member.arm !== undefined);
    return others.flatMap((other) => {
      const found = rows.flatMap((row) => compare(row, subjects.indexOf(baseline), subjects.indexOf(other)) ?? []);
      if (found.length === 0) return [];
      const parts = found.filter(({ row }) => row.part);
      const whole = found.filter(({ row }) => !row.part);
      const family = whole.flatMap((one) => {
        const better = one.row.measure?.better ?? 'neither';
        return better === 'neither' ? [] : [{ one, better, differences: one.differences, ...(one.shared ? { shared: one.shared } : {}) }];
      });
      const judgements = judge(family);
      const judged = family.map(({ one }, i) => ({ ...one, judgement: judgements[i] }));
      const told = whole.filter((one) => !family.some((member) => member.one === one));
      return [{ stage, baseline, other, judged, told, parts }];
    });
  });
}

function compare(row: MeasureRow, first: number, second: number): Compared | undefined {
  const [baseline, other] = [row.cells[first], row.cells[second]];
  if (baseline.bySeed.size === 0 || other.bySeed.size === 0) return undefined;
  let known: Map<number, Paired> | undefined;
  const withinSeed = (): Map<number, Paired> => (known ??= bySeed(row, first, second));
  const seeds = [...other.bySeed.keys()].filter((seed) => baseline.bySeed.has(seed));
  const differences = seeds.map((seed) => (other.bySeed.get(seed) ?? NaN) - (baseline.bySeed.get(seed) ?? NaN));
  const of = (subject: number) => seeds.map((seed) => row.examples[subject].get(seed));
  const shared = row.shared[first] || row.shared[second] ? { shared: sharedRows(of(second), of(first)) } : {};
  return { row, baseline, other, differences, ...shared, difference: overSeeds(differences, shared.shared), withinSeed };
}

function bySeed(row: MeasureRow, first: number, second: number): Map<number, Paired> {
  const result = new Map<number, Paired>();
  for (const [seed, list] of row.examples[second]) {
    const start = row.examples[first].get(seed);
    const found = start && overRows(start, list, `${row.probe}.${row.value}`, seed);
    if (found !== undefined) result.set(seed, found);
  }
  return result;
}

/** Whether anything can be judged at all: two seeds or more in some measure. */
export function hasVerdicts(comparison: Comparison): boolean {
  return comparison.judged.some(({ judgement }) => judgement.verdict !== 'no verdict');
}

/**
 * What was found, in one sentence made from the verdicts: `dpo is ahead of sft in 2 of 9 measures and behind in 1; in 6 one cannot
 * tell.` Undefined where nothing was judged.
 */
export function findingOf(comparison: Comparison): string | undefined {
  const verdicts = comparison.judged.map(({ judgement }) => judgement.verdict).filter((verdict) => verdict !== 'no verdict');
  const all = verdicts.length;
  if (all === 0) return undefined;
  const count = (verdict: string): number => verdicts.filter((one) => one === verdict).length;
  const [ahead, behind, open] = [count('ahead'), count('behind'), count('cannot tell')];
  const [name, base] = [comparison.other.label, comparison.baseline.label];
  const measures = `${all} ${all === 1 ? 'measure' : 'measures'}`;
  if (open === all) return `${name} against ${base}: in none of ${measures} can one tell which is ahead.`;
  const rest = open === 0 ? '' : `; in ${open} one cannot tell`;
  if (behind === 0) return `${name} is ahead of ${base} in ${ahead} of ${measures} and behind in none${rest}.`;
  if (ahead === 0) return `${name} is behind ${base} in ${behind} of ${measures} and ahead in none${rest}.`;
  return `${name} is ahead of ${base} in ${ahead} of ${measures} and behind in ${behind}${rest}.`;
}
