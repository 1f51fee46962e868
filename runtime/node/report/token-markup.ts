/** Tokens one by one, on the pages of runs and of single rows: those that carry loss are underlined, and whatever is no word looks it. */
import { markup } from './html.ts';
import type { Content, Markup } from './html.ts';
import type { Piece, Token } from './preview.ts';

export function pieceMarkup({ name, tokens }: Piece): Markup {
  return markup`<span class="piece"><b>${name}</b> ${runsOf(tokens).map((run): Content => [tokenMarkup(run), ' '])}</span>`;
}

/** Neighbouring padding and places of pictures are counted, everything else stands for itself. */
function runsOf(tokens: readonly Token[]): (Token & { count: number })[] {
  const runs: (Token & { count: number })[] = [];
  for (const token of tokens) {
    const last = runs.at(-1);
    const alike = last?.kind === token.kind && last.masked === token.masked;
    if (alike && (token.kind === 'padding' || token.kind === 'image')) last.count++;
    else runs.push({ ...token, count: 1 });
  }
  return runs;
}

function tokenMarkup({ text, kind, masked, id, count }: Token & { count: number }): Markup {
  const said =
    kind === 'padding'
      ? markup`${count} ×&nbsp;pad`
      : kind === 'image'
        ? markup`${count} ×&nbsp;${text}`
        : kind === 'end'
          ? markup`end`
          : markup`${text.replaceAll('\n', '↵')}`;
  const title = kind === 'end' ? markup` title="${text}"` : id !== undefined && markup` title="id ${id}"`;
  return markup`<span class="token ${kind}${masked && ' loss'}"${title}>${said}</span>`;
}
