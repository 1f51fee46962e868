/** Answers as a table: picture, question, the true answer, what each arm said; and the right ones by kind of question. */
import type { Answers, Said } from './answers.ts';
import type { Compared, Comparison } from './comparisons.ts';
import { markup } from './html.ts';
import type { Content, Markup } from './html.ts';
import type { MeasureRow } from './measures.ts';
import { valueNaming } from './names.ts';
import type { Subject } from './subjects.ts';
import { number, statisticText, styleFor, table } from './tables.ts';
import { thumbnail } from './thumbnail.ts';
import { subjectName } from './training-table.ts';
import { intervalText, oneSeed, styleOf } from './verdict-table.ts';
import { marked, sameWords } from './words.ts';

export async function answersMarkup(
  answers: Answers,
  rows: readonly MeasureRow[],
  subjects: readonly Subject[],
  comparisons: readonly Comparison[],
): Promise<Markup> {
  const body: Content[][] = [];
  for (const one of answers.rows) {
    body.push([
      await thumbnail(one.source, `Picture of row ${one.row + 1}`),
      one.prompt,
      one.answer,
      ...one.said.map((said) => saidCell(said, one.answer)),
    ]);
  }
  const how = answers.temperature === 0 ? 'the likeliest token at each place' : `drawn at temperature ${answers.temperature}`;
  const which = body.length === answers.prompts ? 'All rows' : `The first ${body.length} of ${answers.prompts} rows, not chosen`;
  return markup`<h3>${answers.probe}</h3>
<p class="legend">${which}, seed ${answers.seed}; ${how}. <span class="sign right">✓</span> says the same as the true answer word for word, <span class="sign wrong">✗</span> does not;
words that differ are <em class="differs">underlined</em>.${answers.problems.map((problem) => markup` <strong>Missing:</strong> ${problem}.`)}</p>
<div class="texts">${table(
    [{ head: '' }, { head: 'question' }, { head: 'true answer' }, ...answers.subjects.map((subject) => ({ head: subjectName(subject) }))],
    body,
  )}</div>
${domainTable(answers, rows, subjects, comparisons)}`;
}

function saidCell({ text, ended }: Said['said'][number], answer: string): Markup {
  const right = sameWords(text, answer);
  const sign = right ? markup`<span class="sign right" title="right">✓</span>` : markup`<span class="sign wrong" title="wrong">✗</span>`;
  const words = text.trim() === '' ? markup`<span class="none">(nothing)</span>` : right ? text : marked(text, answer);
  return markup`${sign} ${words}${!ended && markup`<span class="none"> … (no end)</span>`}`;
}

/** `exact` and its parts, a row a kind of question: a column a subject, then each comparison's difference and interval. */
function domainTable(
  { probe }: Answers,
  rows: readonly MeasureRow[],
  subjects: readonly Subject[],
  comparisons: readonly Comparison[],
): Content {
  const parts = rows.filter((row) => row.probe === probe && row.part);
  if (parts.length === 0) return undefined;
  const compared = comparisons.filter((comparison) => comparison.parts.some(({ row }) => parts.includes(row)));
  const columns = subjects.flatMap((_, i) => (parts.some((row) => row.cells[i].mean !== undefined) ? [i] : []));
  const body = parts.map((row): Content[] => {
    const { label, percent = false } = valueNaming(row.score, row.value);
    const style = styleFor(row.cells, percent);
    return [
      markup`${label}${percent && markup`<span class="unit">,\u00a0%</span>`}`,
      ...columns.map((i) => statisticText(row.cells[i], style)),
      ...compared.map((comparison) => differenceCell(comparison.parts.find((one) => one.row === row))),
    ];
  });
  return table(
    [
      { head: 'by kind' },
      ...columns.map((i) => ({ head: subjectName(subjects[i]), number: true })),
      ...compared.map(({ other, baseline }) => ({ head: `${other.label} − ${baseline.label}`, number: true })),
    ],
    body,
    'Differences with their 95 % interval, over seeds where there are several, else over the rows of the one. Kinds are told and not judged: the whole is.',
  );
}

function differenceCell(one: Compared | undefined): Content {
  if (one === undefined) return undefined;
  const style = styleOf(one);
  const { mean } = one.difference;
  const interval = one.difference.interval ?? oneSeed(one)?.interval;
  return markup`${number(mean, { ...style, signed: true })}${interval !== undefined && markup`<span class="seeds">${intervalText(interval, style)}</span>`}`;
}
