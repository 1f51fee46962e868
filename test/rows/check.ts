/** One line of the table that `npm run rows` prints: how many cases of a kind there are, and which of them miss. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { PivotError } from '../../plan/errors.ts';

export interface RowCheck {
  what: string;
  cases: number;
  /** A sentence for each miss. */
  misses: string[];
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8')) as unknown;

/** Runs one case after another; a case gives a sentence for every miss. Errors are misses. */
export async function checkAll<T>(what: string, cases: Iterable<T>, one: (value: T) => Promise<string[]>): Promise<RowCheck> {
  const check: RowCheck = { what, cases: 0, misses: [] };
  for (const value of cases) {
    check.cases++;
    try {
      check.misses.push(...(await one(value)));
    } catch (error) {
      if (!(error instanceof PivotError)) throw error;
      check.misses.push(error.format());
    }
  }
  return check;
}

/** A miss where found and wanted differ. */
export function differs(what: string, found: unknown, wanted: unknown): string[] {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  return a === b ? [] : [`${what}: ${a ?? 'nothing'} instead of ${b ?? 'nothing'}`];
}

export function table(checks: readonly RowCheck[]): string {
  const rows = checks.map(({ what, cases, misses }) => [
    what,
    String(cases),
    String(misses.length),
    misses.length === 0 && cases > 0 ? 'pass' : 'MISS',
  ]);
  const head = ['what', 'cases', 'misses', ''];
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i].length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => (i === 1 || i === 2 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
