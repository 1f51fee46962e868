/** Seeds: those of a text, of a tuning grid, and what varies with them. */
import { LIMITS } from '../../grammar/index.ts';
import type { Span } from '../../grammar/index.ts';
import { fail } from '../elaborate/fault.ts';
import { evaluateIn } from '../elaborate/names.ts';
import type { Universe } from '../elaborate/names.ts';
import { describe, number } from '../elaborate/values.ts';
import type { DataValue, Value } from '../elaborate/values.ts';

/** `seeds [0, 1, 2]` of the text; [0] where it says nothing. */
export function seedsOfText(universe: Universe): number[] {
  const { main } = universe.loaded;
  const [declaration, second] = main.tree.declarations.filter((d) => d.kind === 'Seeds');
  if (second) fail('P0521', { what: 'a text has one line `seeds`' }, second.span);
  if (declaration === undefined) return [0];
  return wholeNumbers(evaluateIn(universe, main, declaration.values), 'a seed', declaration.values.span);
}

/** `[0, 1, 2]` or `0..3`, each once. */
export function wholeNumbers(value: Value, what: string, span: Span): number[] {
  const found = value.kind === 'list' ? value.items.length : value.kind === 'range' ? value.to - value.from : 0;
  if (found > LIMITS.seeds.most) fail('P0701', { limit: 'seeds', found, where: 'this list' }, span);
  const items =
    value.kind === 'list'
      ? value.items
      : value.kind === 'range'
        ? Array.from({ length: Math.max(0, value.to - value.from) }, (_, i) => number(value.from + i))
        : fail('P0301', { expected: `a list of numbers, such as [0, 1, 2]`, found: describe(value) }, span);
  const numbers = items.map((item) =>
    item.kind === 'number' && item.unit === undefined && Number.isInteger(item.value) && item.value >= 0
      ? item.value
      : fail('P0521', { what: `${what} is a whole number of at least 0, and ${describe(item)} is not` }, span),
  );
  if (numbers.length === 0 || new Set(numbers).size !== numbers.length)
    fail('P0521', { what: 'seeds must be different, and at least one' }, span);
  return numbers;
}

/** Whether another seed gives other rows. */
export function followsSeed({ drawn, mix, sampled }: DataValue): boolean {
  if (sampled) return sampled.subject.seed === undefined;
  return mix ? mix.some(followsSeed) : drawn === 'by the run';
}

/** Files or folders that rows are read from, with the entry of `dataset_info.json` where one is named. */
export function filesOf({ folder, params, mix, sampled }: DataValue): string[] {
  const own = folder === undefined ? [] : [[folder.replace(/^\.\/|\/+$/g, ''), params.entry].filter(Boolean).join(', ')];
  return [...own, ...(mix ?? []).flatMap(filesOf), ...(sampled ? filesOf(sampled.on) : [])];
}

/** What `pivot show` says of rows. */
export function rowsInWords(data: DataValue): string {
  const { drawn, params, mix, sampled } = data;
  if (sampled) {
    const { seed } = sampled.subject;
    return seed === undefined
      ? "answers of the run's seed, to " + rowsInWords(sampled.on)
      : `rows of seed ${seed} of ${sampled.subject.stage}, the same for all seeds`;
  }
  if (mix) return [...new Set(mix.map(rowsInWords))].join('; ');
  if (drawn === 'by the run') return "rows of the run's seed";
  return drawn === 'by the text' ? `rows of seed ${String(params.seed)}, the same for all seeds` : 'rows of files, the same for all seeds';
}
