/**
 * Diagnostics as text for a terminal: the sentence, the lines of the source with what is meant underlined, and how to mend it. Control
 * characters of the source are shown, never sent.
 */
import { visible, visibleInColumns } from '../plan/visible.ts';
import type { Diagnostic } from './diagnostics.ts';
import type { Span } from './generated/tree.ts';
import { LIMITS } from './limits.ts';

export interface FormatOptions {
  /** ANSI colours; off unless asked for. */
  color?: boolean;
}

const styles = { error: '\u001b[1;31m', warning: '\u001b[1;33m', help: '\u001b[36m', frame: '\u001b[2m', off: '\u001b[0m' } as const;

type Paint = (style: keyof typeof styles, text: string) => string;

/**
 * All diagnostics, in the order of the text, and a line that counts them.
 *
 * `sources` gives the text of a file by its name; a file that it does not know is shown without its lines.
 */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string> | ((file: string) => string | undefined),
  { color = false }: FormatOptions = {},
): string {
  if (diagnostics.length === 0) return '';
  const paint: Paint = (style, text) => (color ? `${styles[style]}${text}${styles.off}` : text);
  const read = typeof sources === 'function' ? sources : (file: string) => sources.get(file);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  // where not all are printed, no error makes way for a warning
  const shown = [...errors, ...diagnostics.filter(({ severity }) => severity !== 'error')].slice(0, LIMITS.errors.most);
  const blocks = shown.sort(byPlace).map((diagnostic) => formatOne(diagnostic, read, paint));
  if (diagnostics.length > shown.length) blocks.push(`and ${diagnostics.length - shown.length} more`);
  return `${blocks.join('\n\n')}\n\n${tally(diagnostics)}\n`;
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  const one = a.span;
  const two = b.span;
  if (!one || !two) return Number(two !== undefined) - Number(one !== undefined);
  return one.file === two.file ? one.start - two.start : one.file < two.file ? -1 : 1;
}

function formatOne({ severity, code, message, span, expected, help, trace }: Diagnostic, read: Read, paint: Paint): string {
  const lines = [`${paint(severity, `${severity} ${code}`)}: ${visible(message)}`];
  if (span) lines.push(...frame(span, read, paint, severity, expected));
  const indent = ' '.repeat(gutter(span));
  if (help !== undefined) lines.push(`${indent} ${paint('frame', '=')} ${paint('help', 'help:')} ${visible(help)}`);
  for (const step of shortened(trace ?? [])) {
    if (step === undefined) {
      lines.push(`${indent} ${paint('frame', '=')} ...`);
      continue;
    }
    const at = visible(`${step.span.file}:${step.span.line}:${step.span.column}`);
    lines.push(`${indent} ${paint('frame', '=')} ${visible(step.text)} ${paint('frame', `(${at})`)}`);
  }
  return lines.join('\n');
}

/** The innermost and the outermost steps of a long way; `undefined` stands for those between. */
function shortened<T>(steps: readonly T[]): readonly (T | undefined)[] {
  return steps.length > 2 * shownSteps + 1 ? [...steps.slice(0, shownSteps), undefined, ...steps.slice(-shownSteps)] : steps;
}

type Read = (file: string) => string | undefined;

function gutter(span: Span | undefined): number {
  return span ? String(Math.min(span.endLine, span.line + shownLines - 1)).length : 0;
}

/** Of a span over many lines, so many are shown. */
const shownLines = 3;
/** Of the way to a fault, so many steps are shown at either end. */
const shownSteps = 4;
/** Characters of a line that are shown. */
const longestLine = 240;

function frame(span: Span, read: Read, paint: Paint, severity: 'error' | 'warning', expected?: string): string[] {
  const width = gutter(span);
  const blank = ' '.repeat(width);
  const out = [`${blank}${paint('frame', '-->')} ${visible(span.file)}:${span.line}:${span.column}`];
  const lines = read(span.file)?.split(/\r\n|\n|\r/);
  if (!lines) return out;
  const last = Math.min(span.endLine, span.line + shownLines - 1, lines.length);
  const label = (number: number): string =>
    expected !== undefined && number === last ? ` ${paint(severity, `expected ${visible(expected)}`)}` : '';
  out.push(`${blank} ${paint('frame', '|')}`);
  for (let number = span.line; number <= last; number++) {
    const whole = lines[number - 1];
    const begins = number === span.line ? span.column - 1 : whole.length - whole.trimStart().length;
    // of a line that no terminal shows in one piece, the part around the fault
    const cut = whole.length > longestLine && begins > longestLine / 2 ? begins - longestLine / 2 : 0;
    const text = whole.slice(cut, cut + longestLine);
    const from = begins - cut;
    const to = Math.min(number === span.endLine ? span.endColumn - 1 - cut : text.length, longestLine);
    out.push(`${paint('frame', `${String(number).padStart(width)} |`)} ${visibleInColumns(text)}`);
    // tabs stay tabs below, so that the carets keep under their words
    const lead = text.slice(0, from).replace(/[^\t]/g, ' ').padEnd(from);
    out.push(`${blank} ${paint('frame', '|')} ${lead}${paint(severity, '^'.repeat(Math.max(1, to - from)))}${label(number)}`);
  }
  if (last < span.endLine) out.push(`${blank} ${paint('frame', '|')} ...`);
  return out;
}

function tally(diagnostics: readonly Diagnostic[]): string {
  const count = (severity: Diagnostic['severity'], word: string): string[] => {
    const found = diagnostics.filter((d) => d.severity === severity).length;
    return found === 0 ? [] : [`${found} ${word}${found === 1 ? '' : 's'}`];
  };
  return [...count('error', 'error'), ...count('warning', 'warning')].join(', ');
}
