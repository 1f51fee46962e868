/** Preference pairs that a model made itself: how many of its answers became pairs, and the first of them. */
import { join } from 'node:path';
import type { SampleTask } from '../../../plan/plan.ts';
import { markup } from './html.ts';
import type { Content, Markup } from './html.ts';
import { fixed, grouped, NONE } from './numbers.ts';
import { numbersOf, readJson, readLines } from './read-run.ts';
import type { MetricLine, RunRecord, TaskRecord } from './read-run.ts';
import { orProblem, readRows } from './rows.ts';
import type { OpenRows } from './rows.ts';
import { table } from './tables.ts';
import { thumbnail } from './thumbnail.ts';
import { marked } from './words.ts';

/** Pairs that are shown: the first ones. */
const PAIRS = 6;

type Ranked = TaskRecord & { task: SampleTask };

/** The section; undefined where no sample task ranks its answers or none has finished. */
export async function selfPairsMarkup(run: RunRecord, open: OpenRows): Promise<Markup | undefined> {
  const ranked = run.tasks.filter(
    (record): record is Ranked => record.task.kind === 'sample' && record.task.rank !== undefined && record.finished,
  );
  if (ranked.length === 0) return undefined;
  return markup`<p class="legend">Several answers were drawn for each prompt and ranked against the true one; the best and the worst became a pair. There is none where
all ranks or all texts are equal, or where fewer than two answers came to an end.</p>
${keptTable(ranked)}${await examples(ranked[0], open)}`;
}

function keptTable(ranked: readonly Ranked[]): Markup {
  const body = ranked.map(({ task, folder }): Content[] => {
    const kept = numbersOf(readJson(join(folder, 'kept.json')));
    return [
      markup`<code>${task.id}</code>`,
      ...COUNTS.map(([, name]) => (kept[name] === undefined ? NONE : grouped(kept[name]))),
      shareOf(kept),
      ...RANKS.map(([, name]) => fixed(kept[name], 3)),
    ];
  });
  return table(
    [
      { head: 'task' },
      ...COUNTS.map(([head]) => ({ head, number: true })),
      { head: 'kept, %', number: true },
      ...RANKS.map(([head]) => ({ head, group: 'mean rank', number: true })),
    ],
    body,
    [...new Set(ranked.map(settingsOf))].join(' '),
  );
}

function settingsOf({ task }: Ranked): string {
  const name = task.id.replace(`@${task.seed}`, '');
  return `${name}: ${task.perPrompt} answers to each prompt at temperature ${task.temperature}, ranked by ${task.rank ?? ''}.`;
}

const COUNTS = [
  ['prompts', 'prompts'],
  ['kept', 'kept'],
  ['ties', 'ties'],
  ['same text', 'same'],
  ['no two ended', 'unended'],
] as const;

const RANKS = [
  ['chosen', 'meanChosen'],
  ['rejected', 'meanRejected'],
] as const;

function shareOf({ kept, prompts }: MetricLine): string {
  return kept === undefined || !(prompts > 0) ? NONE : fixed((100 * kept) / prompts, 1);
}

async function examples({ task, folder }: Ranked, open: OpenRows): Promise<Content> {
  const pairs = readLines(join(folder, 'pairs.jsonl')).flatMap(({ row, chosen, rejected, ranks }) =>
    typeof row === 'number' && typeof chosen === 'string' && typeof rejected === 'string'
      ? [{ row, chosen, rejected, ranks: ranksOf(ranks) }]
      : [],
  );
  const shown = pairs.slice(0, PAIRS);
  if (shown.length === 0) return undefined;
  const indices = shown.map(({ row }) => row);
  const found = await orProblem(readRows(task.data, indices, open));
  const rows = typeof found === 'string' ? [] : found;
  const body: Content[][] = [];
  for (const [i, { row, chosen, rejected, ranks }] of shown.entries()) {
    const source = rows.at(i);
    body.push([
      await thumbnail(source, `Picture of row ${row + 1}`),
      source?.prompt ?? '',
      source?.answer ?? source?.chosen ?? '',
      markup`${rankText(ranks[0])}${marked(chosen, rejected)}`,
      markup`${rankText(ranks[1])}${marked(rejected, chosen)}`,
    ]);
  }
  const missing = typeof found === 'string' && markup` <strong>Missing:</strong> no pictures: ${found}.`;
  return markup`<div class="texts">${table(
    [{ head: '' }, { head: 'prompt' }, { head: 'true answer' }, { head: 'chosen' }, { head: 'rejected' }],
    body,
    markup`The first ${shown.length} of ${grouped(pairs.length)} pairs of <code>${task.id}</code>, each answer after its rank; words that differ are underlined.${missing}`,
  )}</div>`;
}

function ranksOf(value: unknown): (number | undefined)[] {
  return Array.isArray(value) ? value.map((rank: unknown) => (typeof rank === 'number' ? rank : undefined)) : [];
}

function rankText(rank: number | undefined): Content {
  return rank !== undefined && markup`<span class="rank">${fixed(rank, 2)}</span> `;
}
