/**
 * Doc lines (`///`) and what they belong to. A block of lines belongs to the declaration after it. Lines between `pivot 1` and the first
 * declaration tell about the file when a blank line parts them from the declaration, or when they follow the `pivot` line at once; in
 * the latter case they also stand for the declaration, if it touches them.
 */
import type { IToken } from 'chevrotain';

export interface Docs {
  /** What the file is about. */
  file: string;
  /** The docs of the declaration that starts at an offset. */
  before(offset: number | undefined): string;
}

/** Sorts the doc lines of a text by the token that follows them. */
export function attachDocs(lines: readonly IToken[], tokens: readonly IToken[]): Docs {
  const byToken = new Map<number, IToken[]>();
  let next = 0;
  for (const line of lines) {
    while (next < tokens.length && tokens[next].startOffset < line.startOffset) next++;
    const key = next < tokens.length ? tokens[next].startOffset : -1;
    byToken.set(key, [...(byToken.get(key) ?? []), line]);
  }
  const pivot = tokens.length > 0 && tokens[0].tokenType.name === 'Pivot' ? tokens[0] : undefined;
  const first = tokens[pivot ? 2 : 0];
  const about = pivot ? (byToken.get(pivot.startOffset) ?? []) : [];
  if (pivot) {
    const key = first ? first.startOffset : -1;
    const blocks = split(byToken.get(key) ?? []);
    const own = blocks.at(-1);
    const touches = own !== undefined && first !== undefined && line(own[own.length - 1]) + 1 >= line(first);
    const follows = own !== undefined && blocks.length === 1 && line(own[0]) <= line(tokens[1] ?? pivot) + 1;
    about.push(...(touches && !follows ? blocks.slice(0, -1) : blocks).flat());
    byToken.set(key, touches && own ? own : []);
  }
  return { file: join(about), before: (offset) => join(offset === undefined ? [] : (byToken.get(offset) ?? [])) };
}

function line(token: IToken): number {
  return token.startLine ?? 0;
}

/** Runs of lines without a gap. */
function split(lines: readonly IToken[]): IToken[][] {
  const blocks: IToken[][] = [];
  for (const token of lines) {
    const last = blocks.at(-1)?.at(-1);
    if (last && line(last) + 1 === line(token)) blocks[blocks.length - 1].push(token);
    else blocks.push([token]);
  }
  return blocks;
}

function join(lines: readonly IToken[]): string {
  return lines
    .map((token) => token.image.slice(3).replace(/^ /, '').trimEnd())
    .join('\n')
    .trim();
}
