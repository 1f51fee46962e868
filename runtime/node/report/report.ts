/**
 * The report of a run: `report.html`, one file that can be read, printed and sent without anything else.
 *
 * In come a run folder and its plan, out comes the page. It goes in the order of a reader's questions: what was asked and
 * what was found (`outcome.ts`, `arms.ts`, `verdict-table.ts`), how training went (`curves-section.ts`, `curves.ts`, `charts.ts`), how
 * values were chosen (`tuning.ts`), what the probes say in full (`probes.ts`), where the losses look (`examples.ts`, `gallery.ts`),
 * what the arms answer (`answers.ts`), which pairs the model made (`self-pairs.ts`), what the model was trained on (`preview.ts`), what
 * it took (`cost.ts`) and what exactly was run (`experiment.ts`). Reading the folder is `read-run.ts`, who is compared is
 * `subjects.ts`, what was measured `measures.ts`, what follows from it `comparisons.ts` and `verdicts.ts`. The report computes no result
 * of its own: it compares seeds, and no more. Whatever is missing is named, and the rest is shown.
 */
import { join } from 'node:path';
import type { Plan, ReportTask } from '../../../plan/plan.ts';
import type { SourceContext } from '../../core/data/row.ts';
import { CORE_SOURCES } from '../../core/data/sources.ts';
import { valuesText } from '../run/values.ts';
import { writeAtomic } from '../safetensors/atomic.ts';
import { answersMarkup } from './answers-table.ts';
import { answersOf } from './answers.ts';
import { comparisonsOf } from './comparisons.ts';
import { costMarkup } from './cost-table.ts';
import { trainingMarkup } from './curves-section.ts';
import { galleriesOf } from './examples.ts';
import { dataTable, hashTable, machineTable, resolvedTable, textBlock } from './experiment.ts';
import { galleryMarkup } from './gallery.ts';
import { failuresMarkup } from './failures.ts';
import { markup } from './html.ts';
import type { Content } from './html.ts';
import { measureRows } from './measures.ts';
import { duration } from './numbers.ts';
import { outcomeMarkup } from './outcome.ts';
import { page } from './page.ts';
import type { Section } from './page.ts';
import { previewsMarkup } from './preview-markup.ts';
import { previewsOf } from './preview.ts';
import { probesMarkup } from './probes.ts';
import { failuresOf, readRun, unfinishedNames } from './read-run.ts';
import type { RunRecord } from './read-run.ts';
import { rowsOf } from './rows.ts';
import { selfPairsMarkup } from './self-pairs.ts';
import { seedsOf, subjectsOf } from './subjects.ts';
import { judged } from './summary.ts';
import { gridsOf, tuningMarkup } from './tuning.ts';

/**
 * Writes `report.html` into the run folder, atomically, and returns its path. `sources` opens the data for pictures and rows;
 * without it only data that needs no files is shown.
 */
export async function writeReport(runDir: string, plan: Plan, sources: SourceContext = { openers: CORE_SOURCES }): Promise<string> {
  const run = readRun(runDir, plan);
  const report = plan.tasks.find((task) => task.kind === 'report');
  const text = page({
    title: report?.title || plan.name,
    about: report?.about ?? '',
    meta: metaOf(plan, run),
    ...statusOf(run),
    sections: [...(await results(plan, run, sources)), ...experiment(plan, run, report)],
  });
  const path = join(runDir, 'report.html');
  await writeAtomic(path, [text]);
  return path;
}

/** The sections that show what came out; those with nothing to show are left out. */
async function results(plan: Plan, run: RunRecord, sources: SourceContext): Promise<Section[]> {
  const subjects = subjectsOf(plan, run);
  const open = rowsOf(run, sources);
  const rows = measureRows(run, subjects);
  const comparisons = comparisonsOf(rows, subjects);
  const grids = gridsOf(run, subjects);
  const sections: Section[] = [];
  const add = (title: string, body: Content): void => {
    if (body !== undefined && body !== false && !(Array.isArray(body) && body.length === 0)) sections.push({ title, body });
  };
  add('Failed', failuresMarkup(run));
  add('Summary', outcomeMarkup(plan, run, subjects, rows, comparisons));
  add('Training', await trainingMarkup(subjects));
  add('Tuning', grids.length > 0 && tuningMarkup(grids));
  add('Probes', rows.length > 0 && probesMarkup(rows, subjects, judged(plan, subjects), comparisons));
  const galleries = await galleriesOf(plan, run, subjects, open);
  add('Where the losses look', await all(galleries.map((gallery) => galleryMarkup(gallery))));
  const answers = await answersOf(run, subjects, open);
  add('Answers', await all(answers.map((one) => answersMarkup(one, rows, subjects, comparisons))));
  add('Pairs from the model itself', await selfPairsMarkup(run, open));
  const previews = await previewsOf(plan, subjects, open);
  add('Training rows', previews.length > 0 && (await previewsMarkup(previews)));
  add('Cost', costMarkup(run, subjects));
  return sections;
}

const all = <T>(list: readonly Promise<T>[]): Promise<T[]> => Promise.all(list);

function experiment(plan: Plan, run: RunRecord, report: ReportTask | undefined): Section[] {
  return [
    ...(report !== undefined && report.text.trim() !== '' ? [{ title: 'The text', body: textBlock(report) }] : []),
    ...(plan.resolved.length > 0 ? [{ title: 'Resolved values', body: resolvedTable(plan) }] : []),
    { title: 'Data', body: dataTable(plan) },
    { title: 'Identity', body: markup`${hashTable(plan)}${machineTable(plan, run)}` },
  ];
}

function metaOf(plan: Plan, run: RunRecord): string[] {
  const { started, adapter } = run.info;
  const seconds = run.tasks.reduce((sum, record) => sum + (record.seconds ?? 0), 0);
  const seeds = seedsOf(plan);
  const values = valuesText(plan);
  const facts = [...(values === undefined ? [] : [values]), `${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`];
  const date = typeof started === 'string' || typeof started === 'number' ? new Date(started) : undefined;
  if (date !== undefined && !Number.isNaN(date.getTime())) facts.unshift(date.toISOString().slice(0, 10));
  if (seconds > 0) facts.push(`${duration(seconds)} of work`);
  const name = typeof adapter === 'string' ? adapter : run.tasks.find((record) => record.adapter !== undefined)?.adapter;
  if (name !== undefined) facts.push(name);
  return facts;
}

function statusOf(run: RunRecord): { status?: string } {
  const { unfinished, tasks } = run;
  if (unfinished.length === 0) return {};
  const failed = failuresOf(run);
  const all = tasks.filter(({ task }) => task.kind !== 'report' && task.kind !== 'export').length;
  return {
    status: `This run is not complete: ${unfinished.length} of ${all} tasks have no result${failed.length > 0 ? `, since ${failed.length} failed` : ' yet'} (${unfinishedNames(run, 6)}). What follows shows the others; arms are compared over the seeds that both have.`,
  };
}
