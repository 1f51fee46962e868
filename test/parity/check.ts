/** Comparisons: the largest error of each quantity beside its tolerance, and the table that shows them. */

/** How an error is measured: as it is, or as a part of the largest recorded value of that tensor. */
export type Measure = 'absolute' | 'of the largest';

export interface Check {
  quantity: string;
  error: number;
  tolerance: number;
  measure: Measure;
  /** Values compared. */
  values: number;
  /** Which tensor or step the largest error is in. */
  worst: string;
}

export function passes(check: Check): boolean {
  return check.values > 0 && check.error <= check.tolerance;
}

export interface Compared {
  name: string;
  found: ArrayLike<number> | undefined;
  wanted: ArrayLike<number>;
}

/** One check over several arrays; what is missing, of another length or not a number is infinitely wrong. */
export function check(quantity: string, tolerance: number, measure: Measure, arrays: readonly Compared[]): Check {
  const result: Check = { quantity, error: 0, tolerance, measure, values: 0, worst: '' };
  for (const { name, found, wanted } of arrays) {
    result.values += wanted.length;
    const error = found?.length === wanted.length ? largest(found, wanted) / (measure === 'absolute' ? 1 : scale(wanted)) : Infinity;
    if (result.worst !== '' && error <= result.error) continue;
    result.error = error;
    result.worst = name;
  }
  return result;
}

function largest(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < wanted.length; i++) {
    const error = Math.abs(found[i] - wanted[i]);
    if (!(error <= most)) most = Number.isNaN(error) ? Infinity : error;
  }
  return most;
}

function scale(values: ArrayLike<number>): number {
  let most = 1e-12;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  return most;
}

/** The table that the command prints. */
export function table(checks: readonly Check[]): string {
  const rows = checks.map((c) => [
    c.quantity,
    c.error.toExponential(1),
    c.tolerance.toExponential(0),
    c.measure,
    String(c.values),
    passes(c) ? 'pass' : 'MISS',
    passes(c) ? '' : c.worst,
  ]);
  const head = ['quantity', 'largest error', 'tolerance', 'measured', 'values', '', ''];
  // Tables of several groups stand under each other, so the first column is as wide in all.
  const widths = head.map((_, i) => Math.max(i === 0 ? 56 : 0, ...[head, ...rows].map((row) => row[i].length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => (i === 1 || i === 2 || i === 4 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
