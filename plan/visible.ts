/**
 * Texts of others on a terminal. Control characters move the cursor, set the window's title or clear the screen, and bidirectional marks
 * show a line in another order than it has; both come with texts, plans, rows and answers of models. They are shown as what they are.
 * Specification: Unicode 16, general categories Cc and Cs, and UAX #9 (explicit directional formatting characters).
 */

const MARKS = '\\u061c\\u200e\\u200f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069\\ufeff';
const ALL = new RegExp(`[\\p{Cc}\\p{Cs}${MARKS}]`, 'gu');
const ALL_BUT_LINES = new RegExp(`(?![\\n\\t])[\\p{Cc}\\p{Cs}${MARKS}]`, 'gu');

const escaped = (c: string): string => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text of several lines with escapes (`\u001b`) in place of control characters, lone surrogates and bidirectional marks. */
export function visible(text: string): string {
  return text.replace(ALL_BUT_LINES, escaped);
}

/** As `visible`, for a piece of a line: tabs and line feeds are escaped too. */
export function visibleInLine(text: string): string {
  return text.replace(ALL, escaped);
}

/** As `visible`, with one character for each, so that columns stay what they are: `␛` for ESC, `�` where there is no picture. */
export function visibleInColumns(text: string): string {
  return text.replace(ALL_BUT_LINES, (c) => {
    const code = c.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? '\u2421' : '\ufffd';
  });
}
