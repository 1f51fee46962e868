/**
 * The report of a run: `report.markup`, one file that can be read, printed and sent without anything else.
 *
 * In come a run folder and its plan, out comes the page. It goes in the order of a reader's questions: what was asked and
 * how it came out (`outcome.ts`, figures by `summary.ts`), how training went (`curves.ts`, `charts.ts`), where the losses look
 * (`examples.ts`, `gallery.ts`), what it took and what exactly was run (`experiment.ts`). Reading the folder is `read-run.ts`, who
 * is compared is `subjects.ts`. The report computes no result of its own: it averages over seeds, and no more.
 * Whatever is missing is named, and the rest is shown.
 */
import { join } from 'node:path';
import type { EmbedTask, Plan, ReportTask } from '../../../plan/plan.ts';
import { openSource } from '../../core/data/row.ts';
import type { SourceContext } from '../../core/data/row.ts';
import { CORE_SOURCES } from '../../core/data/sources.ts';
import { writeAtomic } from '../safetensors/atomic.ts';
import { chart } from './charts.ts';
import { panelsOf } from './curves.ts';
import { galleriesOf } from './examples.ts';
import { costTable, dataTable, hashTable, machineTable, resolvedTable, textBlock } from './experiment.ts';
import { galleryMarkup } from './gallery.ts';
import { markup } from './html.ts';
import type { Content, Markup } from './html.ts';
import { CURVES } from './names.ts';
import { duration } from './numbers.ts';
import { probeTable, subjectName, trainingTable } from './outcome.ts';
import { page } from './page.ts';
import type { Section } from './page.ts';
import { readRun } from './read-run.ts';
import type { RunRecord } from './read-run.ts';
import { byStage, seedsOf, subjectsOf, verdictOn } from './subjects.ts';
import type { Subject } from './subjects.ts';
import { comparedPair, judged, probeRows, trainingRows } from './summary.ts';

/**
 * Writes `report.markup` into the run folder, atomically, and returns its path. `sources` opens the data for the pictures of the
 * gallery; without it only data that needs no files has pictures.
 */
export async function writeReport(runDir: string, plan: Plan, sources: SourceContext = { openers: CORE_SOURCES }): Promise<string> {
  const run = readRun(runDir, plan);
  const subjects = subjectsOf(plan, run);
  const report = plan.tasks.find((task) => task.kind === 'report');
  const sections: Section[] = [outcome(plan, run, subjects)];
  const curves = await curvesSection(subjects);
  if (curves !== undefined) sections.push(curves);
  const galleries = await galleriesOf(plan, run, subjects, (task: EmbedTask) => openSource(task.data, sources));
  if (galleries.length > 0) {
    const parts: Markup[] = [];
    for (const gallery of galleries) parts.push(await galleryMarkup(gallery));
    sections.push({ title: 'Where the losses look', body: parts });
  }
  sections.push({ title: 'Cost', body: costTable(run) }, ...experiment(plan, run, report));
  const text = page({
    title: report?.title || plan.name,
    about: report?.about ?? '',
    meta: metaOf(plan, run),
    ...statusOf(run),
    sections,
  });
  const path = join(runDir, 'report.html');
  await writeAtomic(path, [text]);
  return path;
}

function outcome(plan: Plan, run: RunRecord, subjects: readonly Subject[]): Section {
  const seeds = seedsOf(plan);
  const training = trainingRows(subjects).filter((row) => row.metrics.size > 0);
  const probes = probeRows(run, subjects);
  const columns = judged(plan, subjects).map((subject) => subjects.indexOf(subject));
  const body: Content = [
    markup`<p class="verdict${seeds.length <= 1 && ' one'}">${verdictOn(seeds)}</p>
`,
    training.length > 0 && trainingTable(training),
    probes.length > 0 && probeTable(probes, subjects, columns, comparedPair(subjects), run),
    training.length === 0 &&
      probes.length === 0 &&
      markup`<p>There are no results yet.</p>
`,
  ];
  return { title: 'Outcome', body };
}

/** A grid of charts for each stage that was trained; undefined where nothing was. */
async function curvesSection(subjects: readonly Subject[]): Promise<Section | undefined> {
  const parts: Markup[] = [];
  const stages = [...byStage(subjects)];
  for (const [stage, members] of stages) {
    const panels = CURVES.flatMap((metric) => panelsOf(metric, members));
    if (panels.length === 0) continue;
    const charts: Markup[] = [];
    for (const panel of panels) charts.push(await chart(panel));
    const shown = members.filter((member) => panels.some((panel) => panel.series.some((series) => series.subject === member)));
    const kinds = new Set(panels.flatMap((panel) => panel.series.map((series) => series.kind)));
    const bucket = Math.max(...panels.map((panel) => panel.bucket));
    parts.push(markup`<h3>${stage}</h3>
<p class="legend">${shown.map(subjectName)}${howToRead(kinds)}${bucket > 1 && ` Points of training lines are means over ${bucket} steps.`}</p>
<div class="charts">${charts}</div>
`);
  }
  return parts.length === 0 ? undefined : { title: 'Training', body: parts };
}

function howToRead(kinds: ReadonlySet<string>): string {
  if (kinds.has('mean'))
    return 'Faint lines are training batches, dashed ones held-out rows of one seed, strong ones their mean over the seeds.';
  if (kinds.has('held')) return kinds.has('train') ? 'Faint lines are training batches, strong ones held-out rows.' : 'Held-out rows.';
  return 'Training batches; nothing was evaluated on held-out rows.';
}

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
  const facts = [`${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`];
  const date = typeof started === 'string' || typeof started === 'number' ? new Date(started) : undefined;
  if (date !== undefined && !Number.isNaN(date.getTime())) facts.unshift(date.toISOString().slice(0, 10));
  if (seconds > 0) facts.push(`${duration(seconds)} of work`);
  const name = typeof adapter === 'string' ? adapter : run.tasks.find((record) => record.adapter !== undefined)?.adapter;
  if (name !== undefined) facts.push(name);
  return facts;
}

function statusOf({ unfinished, tasks }: RunRecord): { status?: string } {
  if (unfinished.length === 0) return {};
  const all = tasks.filter(({ task }) => task.kind !== 'report' && task.kind !== 'export').length;
  const names = unfinished.slice(0, 6).map((task) => task.id);
  const more = unfinished.length > 6 ? ` and ${unfinished.length - 6} more` : '';
  return {
    status: `This run is not finished: ${unfinished.length} of ${all} tasks have no result yet (${names.join(', ')}${more}). What follows shows the others.`,
  };
}
