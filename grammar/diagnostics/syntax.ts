/** P01: the text is not a Pivot text. */
import { entry } from './entry.ts';

export const syntax = {
  P0101: entry<{ expected: string; found: string; after: string }>({
    message: ({ expected, found, after }) => `expected ${expected}${after === '' ? '' : ` after ${after}`}, found ${found}`,
    explain: 'The words of the text stand in an order that the grammar does not know. The sentence names what could have stood there.',
    example: 'pivot 1\nparam pairs = = 8k\n',
  }),
  P0110: entry<{ text: string; unit: string; nearest?: string }>({
    message: ({ text, unit }) => `\`${unit}\` in \`${text}\` is no unit`,
    help: ({ nearest, text, unit }) =>
      nearest ? `write \`${text.slice(0, text.indexOf(unit))}${nearest}\`` : 'units are px, % and h; magnitudes are k, M and B; steps, epochs, tokens and rows stand apart',
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
