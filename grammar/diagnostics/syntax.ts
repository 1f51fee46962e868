/** P01: the text is not a Pivot text. */
import { entry, suggest } from './entry.ts';

export const syntax = {
  P0101: entry<{ expected: string; found: string; after: string; help?: string }>({
    message: ({ expected, found, after }) => `expected ${expected}${after === '' ? '' : ` after ${after}`}, found ${found}`,
    expected: ({ expected }) => expected,
    help: ({ help }) => help,
    explain: 'The words of the text stand in an order that the grammar does not know. The sentence names what could have stood there.',
    example: 'pivot 1\nparam pairs = = 8k\n',
  }),
  P0102: entry<{ mark: string; close: string; opened: number; before?: number; instead?: string }>({
    message: ({ mark, opened }) => `\`${mark}\` of line ${opened} is never closed`,
    help: ({ close, before, opened, instead }) => {
      if (instead !== undefined) return `write \`${close}\` in place of \`${instead}\``;
      if (before === undefined) return `add \`${close}\` at the end`;
      return before === opened ? `add \`${close}\` in this line` : `add \`${close}\` before line ${before}, or where it belongs`;
    },
    explain: 'Each opening bracket needs its closing one. Where it is missing is guessed from the layout of the lines.',
    example: 'pivot 1\nstage align {\n  batch 32\n\nparam pairs = 8k\n',
  }),
  P0103: entry<{ word: string; nearest?: string }>({
    message: ({ word }) => `no declaration begins with \`${word}\``,
    help: ({ nearest }) =>
      suggest(nearest) ??
      'declarations begin with use, param, seeds, encoder, language, model, data, stage, compare, probe, export, layer, loss, ...',
    explain: 'At the top of a text stand declarations only, each begun by its keyword.',
    example: 'pivot 1\nencodr eyes = 3\n',
  }),
  P0104: entry<{ mark: string }>({
    message: ({ mark }) => `\`${mark}\` closes nothing`,
    help: () => 'remove it, or open what it should close',
    explain: 'A closing bracket has no opening one before it.',
    example: 'pivot 1\nparam pairs = 8k)\n',
  }),
  P0105: entry<{ version: number }>({
    message: ({ version }) => `the text does not begin with \`pivot ${version}\``,
    help: ({ version }) => `write \`pivot ${version}\` as the first line`,
    explain: 'The first words of a text name the version of the language, so that later versions can still read it as it was meant.',
    example: 'param pairs = 8k\n',
  }),
  P0106: entry<{ found: string; version: number }>({
    message: ({ found, version }) => `this text is of version ${found} of the language, this program knows version ${version}`,
    help: ({ version }) => `write \`pivot ${version}\`, or use a program of that version`,
    explain: 'A text of another version could mean something else, so it is not guessed at.',
    example: 'pivot 2\n',
  }),
  P0107: entry<Record<string, never>>({
    message: () => 'the version stands at the beginning of a text, once',
    help: () => 'remove it here',
    explain: '`pivot 1` is the first line of a text and nothing else.',
    example: 'pivot 1\nparam pairs = 8k\npivot 1\n',
  }),
  P0108: entry<Record<string, never>>({
    message: () => 'this string is not closed on its line',
    help: () => 'add `"`; a line break within a string is written \\n',
    explain: 'A string begins and ends on one line.',
    example: 'pivot 1\nparam name = "scenes\n',
  }),
  P0109: entry<{ characters: string; meant?: string }>({
    message: ({ characters }) => `\`${visible(characters)}\` has no meaning here`,
    help: ({ characters, meant }) =>
      meant === undefined ? strayHelp[characters[0]] : `write ${meant === ' ' ? 'a blank' : `\`${meant}\``}`,
    explain: 'The language has no such mark.',
    example: 'pivot 1\nparam pairs = 8k;\n',
  }),
  P0110: entry<{ text: string; unit: string; nearest?: string }>({
    message: ({ text, unit }) => `\`${unit}\` in \`${text}\` is no unit`,
    help: ({ nearest, text, unit }) =>
      nearest
        ? `write \`${text.slice(0, text.indexOf(unit))}${nearest}\``
        : 'units are px, % and h; magnitudes are k, M and B; steps, epochs, tokens and rows stand apart',
    explain: 'What clings to a number is a magnitude (k, M, B), a unit (px, %, h), or a magnitude and then a unit.',
    example: 'pivot 1\nparam size = 32pixels\n',
  }),
  P0111: entry<{ digits: string; unit: string }>({
    message: ({ digits, unit }) => `a blank is missing between ${digits} and \`${unit}\``,
    help: ({ digits, unit }) => `write \`${digits} ${unit}\``,
    explain: 'steps, epochs, tokens and rows are words of their own: they stand after a blank, on the line of their number.',
    example: 'pivot 1\nparam length = 300steps\n',
  }),
  P0113: entry<{ escape: string }>({
    message: ({ escape }) => `\`${escape}\` is no escape`,
    help: () => 'the escapes are \\" \\\\ \\n and \\t; write \\\\ for a backslash',
    explain: 'In a string a backslash begins an escape: \\" for a quote, \\\\ for a backslash, \\n for a new line, \\t for a tab.',
    example: 'pivot 1\nparam path = "C:\\data"\n',
  }),
  P0114: entry<{ first: string; second: string }>({
    message: ({ first, second }) => `comparisons do not chain: \`${first}\` is followed by \`${second}\``,
    help: ({ first, second }) => `write \`a ${first} b and b ${second} c\``,
    explain: 'A comparison has a truth value, which cannot be compared again. Join two comparisons by `and`.',
    example: 'pivot 1\nparam inside = 0 < 1 < 2\n',
  }),
};

/** Characters without a shape of their own by their numbers: `U+200B`. */
function visible(characters: string): string {
  return characters.replace(/[\p{C}\p{Z}]/gu, (c) => `U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`);
}

/** What a mark of other languages is called here. */
const strayHelp: Readonly<Record<string, string>> = {
  ';': 'nothing ends a line here: remove it',
  "'": 'strings stand in double quotes',
  '`': 'strings stand in double quotes',
  '#': 'a comment begins with //',
  '!': 'write `not`',
  '&': 'write `and`',
  '|': 'write `or`',
};
