/**
 * `answering`: whether a model's answers are right (E0).
 *
 * Table `said`: the rows of a sample task, each with `said` and `answer`, the data's own. Several samples of a prompt are so many rows.
 * Values: `exact`, the share of rows whose answer is the true one up to blanks; `attributes`, the mean share of attributes that are right
 * (the rank `correctness`, see `rank.ts`); and `exact.<domain>` for each value of the column `domain`, or of `kind` where a row has no
 * domain. `examples` has all by row, null where a row is of another domain. `details` counts rows of each domain, and those whose
 * answer came to its end rather than to the longest length.
 */
import { tableOf } from './arguments.ts';
import { ranks } from './rank.ts';
import type { Json, ScoreParams, ScoreResult, Table } from './types.ts';
import { scoreError } from './errors.ts';

export function answering(tables: Record<string, Table>, _params: ScoreParams): ScoreResult {
  const { rows } = tableOf(tables, 'said', 'answering');
  if (rows.length === 0) throw scoreError('R0707', 'said has no rows, so there is no answer to judge', 'give the sample a count above 0');
  const texts = rows.map((row, i) => ({ said: textOf(row, 'said', i), answer: textOf(row, 'answer', i) }));
  const domains = rows.map(domainOf);
  const exact = texts.map(({ said, answer }) => ranks.exact(said, answer));
  const examples: Record<string, (number | null)[]> = {
    exact,
    attributes: texts.map(({ said, answer }) => ranks.correctness(said, answer)),
  };
  const counts: Record<string, Json> = {};
  for (const domain of [...new Set(domains)].filter((name) => name !== undefined).sort()) {
    examples[`exact.${domain}`] = exact.map((value, i) => (domains[i] === domain ? value : null));
    counts[domain] = domains.filter((name) => name === domain).length;
  }
  const values = Object.fromEntries(Object.entries(examples).map(([name, list]) => [name, meanOf(list)]));
  return { values, examples, details: { rows: rows.length, domains: counts, ended: rows.filter((row) => row.ended === true).length } };
}

function textOf(row: Record<string, unknown>, name: 'said' | 'answer', i: number): string {
  const text = row[name];
  if (typeof text === 'string') return text;
  throw scoreError('R0706', `row ${i + 1} of said has no text called ${name}`, 'let a model answer data whose rows have an answer');
}

function domainOf(row: Record<string, unknown>): string | undefined {
  for (const name of ['domain', 'kind']) {
    const value = row[name];
    if ((typeof value === 'string' && value !== '') || typeof value === 'number') return String(value);
  }
  return undefined;
}

/** Over the rows that have a value; there is one at least. */
function meanOf(list: readonly (number | null)[]): number {
  const known = list.filter((value) => value !== null);
  return known.reduce((a, b) => a + b, 0) / known.length;
}
