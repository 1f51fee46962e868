/** Training rows on the page: picture, then the tokens in their order, those that carry loss underlined. */
import { markup } from './html.ts';
import type { Content, Markup } from './html.ts';
import type { Preview } from './preview.ts';
import { thumbnail } from './thumbnail.ts';
import { pieceMarkup } from './token-markup.ts';
import { subjectName } from './training-table.ts';

export async function previewsMarkup(previews: readonly Preview[]): Promise<Markup> {
  const parts: Markup[] = [];
  for (const preview of previews) parts.push(await previewMarkup(preview));
  return markup`<p class="legend">The first rows of each stage’s data as collation lays them out. <span class="token loss">Underlined</span> tokens are in the mask: in a text that
is answered, the loss is of their log-probabilities. Others are read and not learnt; <span class="token padding">5 ×&nbsp;pad</span> is filling that nobody attends to.</p>
${parts}`;
}

const LAYOUTS: Partial<Record<Preview['layout'], string>> = {
  pairs: 'picture, prompt, and both answers in one sequence; neither answer sees the other',
  answers: 'picture, prompt and one answer',
  contrast: 'a picture beside a text; the mask says which tokens the text has',
  classes: 'a picture and its class',
  patches: 'a picture and a class for each of its patches',
};

async function previewMarkup({ subjects, layout, imageTokens, rows, problem }: Preview): Promise<Markup> {
  const items: Markup[] = [];
  for (const [i, { row, pieces, label }] of rows.entries()) {
    const places = imageTokens > 0 && markup`<span class="token place">${imageTokens} places of the picture</span> `;
    items.push(markup`<div class="seen">${await thumbnail(row, `Picture of training row ${i + 1}`)}<div>${places}${pieces.map(pieceMarkup)}${
      label !== undefined && markup`<span class="token">${label}</span>`
    }</div></div>
`);
  }
  return markup`<h3>${stageNames(subjects)}</h3>
<p class="note wide">${layout}: ${LAYOUTS[layout] ?? ''}.${problem !== undefined && markup` <strong>Missing:</strong> ${problem}.`}</p>
${items}`;
}

/** `post: sft, dpo`. */
function stageNames(subjects: Preview['subjects']): Content {
  return [...new Set(subjects.map(({ stage }) => stage))].map((stage, i): Content => {
    const arms = subjects.filter((subject) => subject.stage === stage && subject.arm !== undefined);
    return [i > 0 && '; ', stage, arms.length > 0 && ': ', arms.map((arm, k): Content => [k > 0 && ' ', subjectName(arm)])];
  });
}
