/** Domains of the standard library: a number without one would take values that mean nothing. */
import { expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nodeHost, packageRoot } from '../../cli/host.ts';
import { wordsOf } from '../../compiler/elaborate/domains.ts';
import { parse } from '../../grammar/index.ts';
import { LAYOUT_NAMES } from '../../runtime/node/data/layouts/detect.ts';

const NUMBERS = ['int', 'float', 'px', 'schedule'];
const ROOT = join(packageRoot(), 'stdlib');

const definitions = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.pivot'))
  .flatMap((file) =>
    parse(readFileSync(join(ROOT, file), 'utf8'), file).tree.declarations.flatMap((d) => (d.kind === 'Definition' ? [{ file, d }] : [])),
  );

test('every number that the standard library takes has a domain', () => {
  const without = definitions.flatMap(({ file, d }) =>
    d.params.filter((p) => NUMBERS.includes(p.type?.name?.text ?? '') && !p.domain).map((p) => `${file}: ${d.name.text}.${p.name.text}`),
  );
  expect(definitions.length).toBeGreaterThan(80);
  expect(without).toEqual([]);
});

test('a default that is written out lies in its domain', () => {
  const outside = definitions.flatMap(({ file, d }) =>
    d.params.flatMap(({ name, domain, default: value }) => {
      if (!domain || !value) return [];
      const at = `${file}: ${d.name.text}.${name.text}`;
      if (value.kind === 'StringLiteral') return wordsOf(domain).includes(value.value) ? [] : [at];
      if (value.kind !== 'NumberLiteral') return [];
      const number = value.unit === '%' ? value.value / 100 : value.value;
      const ok = domain.bounds.every(({ operator, negative, value: { value: limit } }) => {
        const bound = negative ? -limit : limit;
        return { '<': number < bound, '<=': number <= bound, '>': number > bound, '>=': number >= bound }[operator];
      });
      return ok ? [] : [at];
    }),
  );
  expect(outside).toEqual([]);
});

test('words of the library are those that the runtime knows', () => {
  const layouts = definitions.flatMap(({ d }) => d.params.filter((p) => p.name.text === 'layout'));
  expect(layouts.length).toBe(2);
  for (const { domain } of layouts) expect(domain && wordsOf(domain).sort()).toEqual(['', ...LAYOUT_NAMES].sort());
  expect(nodeHost(packageRoot()).list('std:')).toContain('loss');
});
