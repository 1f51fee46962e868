/** What the arms answered: the first rows of the sample tasks that a score reads, of the first seed. */
import { join } from 'node:path';
import type { SampleTask } from '../../../plan/plan.ts';
import type { Row } from '../../core/data/row.ts';
import { readLines } from './read-run.ts';
import type { RunRecord } from './read-run.ts';
import { orProblem, readRows } from './rows.ts';
import type { OpenRows } from './rows.ts';
import { isSubjectOf } from './subjects.ts';
import type { Subject } from './subjects.ts';

/** Rows that are shown: the first ones, so that nobody has chosen them. */
const ROWS = 12;

export interface Said {
  /** Index of the row in its data. */
  row: number;
  source?: Row;
  prompt: string;
  /** The data's own answer. */
  answer: string;
  /** What each subject said, in the order of `subjects`; undefined where it has not answered. */
  said: { text: string; ended: boolean }[];
}

export interface Answers {
  probe: string;
  seed: number;
  /** Prompts that were put. */
  prompts: number;
  temperature: number;
  subjects: Subject[];
  rows: Said[];
  problems: string[];
}

/** One for each probe whose score reads a sample task that has finished. */
export async function answersOf(run: RunRecord, subjects: readonly Subject[], open: OpenRows): Promise<Answers[]> {
  const scores = run.tasks.flatMap(({ task }) => (task.kind === 'score' && task.cell === undefined ? [task] : []));
  const result: Answers[] = [];
  for (const probe of new Set(scores.map((task) => task.probe))) {
    const ofProbe = scores.filter((task) => task.probe === probe);
    const { seed } = ofProbe[0];
    const asked = subjects.flatMap((subject) => {
      const score = ofProbe.find((task) => task.seed === seed && isSubjectOf(task, subject));
      const record = run.tasks.find(({ task }) => task.kind === 'sample' && Object.values(score?.tables ?? {}).includes(task.id));
      if (record?.task.kind !== 'sample' || !record.finished) return [];
      return [{ subject, task: record.task, lines: firstAnswers(join(record.folder, 'rows.jsonl')) }];
    });
    if (asked.length > 0) result.push(await joined(probe, seed, asked, open));
  }
  return result;
}

interface Line {
  prompt: string;
  answer: string;
  said: string;
  ended: boolean;
}

/** The first answer to each prompt, by row. */
function firstAnswers(path: string): Map<number, Line> {
  const lines = new Map<number, Line>();
  for (const { row, sample, prompt, answer, said, ended } of readLines(path)) {
    if (typeof row !== 'number' || typeof said !== 'string' || (typeof sample === 'number' && sample > 0) || lines.has(row)) continue;
    lines.set(row, { prompt: textOf(prompt), answer: textOf(answer), said, ended: ended !== false });
  }
  return lines;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

async function joined(
  probe: string,
  seed: number,
  asked: readonly { subject: Subject; task: SampleTask; lines: Map<number, Line> }[],
  open: OpenRows,
): Promise<Answers> {
  const { task, lines } = asked[0];
  // Rows that all subjects answered: a comparison of one alone would say nothing.
  const common = [...lines.keys()].filter((row) => asked.every((one) => one.lines.has(row))).sort((a, b) => a - b);
  const indices = common.slice(0, ROWS);
  const found = await orProblem(readRows(task.data, indices, open));
  return {
    probe,
    seed,
    prompts: lines.size,
    temperature: task.temperature,
    subjects: asked.map(({ subject }) => subject),
    rows: indices.map((row, i): Said => {
      const source = typeof found === 'string' ? undefined : found[i];
      const line = lines.get(row);
      return {
        row,
        ...(source === undefined ? {} : { source }),
        prompt: line?.prompt ?? '',
        answer: line?.answer ?? '',
        said: asked.map((one) => ({ text: one.lines.get(row)?.said ?? '', ended: one.lines.get(row)?.ended ?? true })),
      };
    }),
    problems: typeof found === 'string' ? [`no pictures: ${found}`] : [],
  };
}
