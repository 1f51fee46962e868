import { expect, test } from '@jest/globals';
import { PivotError } from '../../plan/errors.ts';
import { visible, visibleInColumns, visibleInLine } from '../../plan/visible.ts';
import { formatDiagnostics } from '../../grammar/index.ts';
import { parse } from '../../grammar/index.ts';

/** What moves a cursor or turns the order of a line: all controls but tab and line feed, and the bidirectional marks. */
const HARMFUL = [
  ...Array.from({ length: 0xa0 }, (_, code) => code).filter((code) => (code < 0x20 || code >= 0x7f) && code !== 9 && code !== 10),
  ...[0x61c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0xd800, 0xfeff],
].map((code) => String.fromCharCode(code));

const isHarmless = (text: string): boolean => !HARMFUL.some((c) => text.includes(c));

test('no harmful character is left, and no other is changed', () => {
  const all = HARMFUL.join('a');
  for (const show of [visible, visibleInLine, visibleInColumns]) {
    expect(isHarmless(show(all))).toBe(true);
    expect(show('Größe 3 px, "日本語" \u{1f600}é')).toBe('Größe 3 px, "日本語" \u{1f600}é');
  }
  expect(visible('a\tb\n\u001b[2J')).toBe('a\tb\n\\u001b[2J');
  expect(visibleInLine('a\tb\n')).toBe('a\\u0009b\\u000a');
  expect(visibleInColumns('\u001b\u007f\u202e.')).toBe('\u241b\u2421\ufffd.');
});

test('an error shows none, wherever it holds one', () => {
  const evil = HARMFUL.join('');
  const error = new PivotError('R0504', `there is no ${evil}`, { cure: `look at ${evil}`, place: { file: `f${evil}`, line: 3 } });
  expect(isHarmless(error.format())).toBe(true);
});

test('diagnostics show none of a text, its name or its words', () => {
  const file = `e\u001b]0;x\u0007.pivot`;
  const text = `pivot 1\nuse "a\u001b[2J\u202e.pivot".{ x }\nparam a = b \u001b]0;pwned\u0007 "\u001b[31m"\n`;
  const { diagnostics } = parse(text, file);
  expect(diagnostics.length).toBeGreaterThan(0);
  const shown = formatDiagnostics(diagnostics, new Map([[file, text]]));
  expect(isHarmless(shown)).toBe(true);
  expect(shown).toContain('\u241b]0;pwned\u2407');
});
