/**
 * The first training rows of each stage as the model sees them: the tokens that collation lays out, and the mask that it gives
 * with them. What is shown is what collate.ts returns, so that a mask that is wrong looks wrong here.
 */
import type { Collate, DataSource, Plan, Tokenizer, TrainTask } from '../../../plan/plan.ts';
import { collate } from '../../core/data/collate.ts';
import type { Batch } from '../../core/data/collate.ts';
import { dataError } from '../../core/data/codes.ts';
import type { Row } from '../../core/data/row.ts';
import { slotsOf } from '../../core/data/slots.ts';
import { orProblem, readRows } from './rows.ts';
import type { OpenRows } from './rows.ts';
import type { Subject } from './subjects.ts';

/** Rows that are shown: the first ones. */
const ROWS = 4;

export interface Token {
  text: string;
  kind: 'word' | 'end' | 'padding';
  /** Whether the mask is 1 there. */
  masked: boolean;
}

export interface Piece {
  name: 'prompt' | 'chosen' | 'rejected' | 'answer' | 'text';
  tokens: Token[];
}

export interface PreviewRow {
  row: Row;
  pieces: Piece[];
  /** For rows without a text: what is learnt from them. */
  label?: string;
}

export interface Preview {
  /** Stages and arms that train on these rows in this layout. */
  subjects: Subject[];
  layout: Collate['layout'];
  /** Places of the picture in the sequence. */
  imageTokens: number;
  rows: PreviewRow[];
  /** Why there are none. */
  problem?: string;
}

/** One for each kind of rows that some stage trains on; arms that see the same rows alike share it. */
export async function previewsOf(plan: Plan, subjects: readonly Subject[], open: OpenRows): Promise<Preview[]> {
  const groups = new Map<string, { task: TrainTask; subjects: Subject[] }>();
  for (const subject of subjects) {
    const task = [...subject.runs.values()][0]?.task;
    if (task?.kind !== 'train' || task.steps === 0 || task.collate.layout === 'tensors') continue;
    const key = JSON.stringify([withoutTask(task.data), task.collate]);
    const group = groups.get(key) ?? { task, subjects: [] };
    group.subjects.push(subject);
    groups.set(key, group);
  }
  const previews: Preview[] = [];
  for (const { task, subjects: who } of groups.values()) {
    const found = await orProblem(previewRows(task, plan, open));
    previews.push({
      subjects: who,
      layout: task.collate.layout,
      imageTokens: 'imageTokens' in task.collate ? task.collate.imageTokens : 0,
      ...(typeof found === 'string' ? { rows: [], problem: found } : { rows: found }),
    });
  }
  return previews;
}

/** Rows that are made anew for each seed are one kind of rows. */
function withoutTask({ task, ...data }: DataSource): unknown {
  return { ...data, task: task?.replace(/@\d+$/, '') };
}

async function previewRows(task: TrainTask, plan: Plan, open: OpenRows): Promise<PreviewRow[]> {
  const rows = await readRows(
    task.data,
    Array.from({ length: ROWS }, (_, i) => i),
    open,
  );
  const tokenizer = tokenizerOf(plan, task.data);
  if (tokenizer === undefined && slotsOf(task.collate).length > 0) {
    throw dataError('R0516', `the plan names no tokenizer for ${task.data.source}`, { cure: 'compile the text again' });
  }
  const batch = collate(rows, task.collate, tokenizer, { source: { name: task.data.source }, indices: rows.map((_, i) => i) });
  return rows.map((row, n) => {
    const label =
      task.collate.layout === 'classes' ? `class ${row.label}` : task.collate.layout === 'patches' ? 'a class for each patch' : undefined;
    return { row, pieces: piecesOf(batch, n, task.collate, tokenizer), ...(label === undefined ? {} : { label }) };
  });
}

function tokenizerOf(plan: Plan, data: DataSource): Tokenizer | undefined {
  const name = data.tokenizer ?? data.base?.tokenizer ?? data.mix?.find((part) => part.tokenizer !== undefined)?.tokenizer;
  return name === undefined || !Object.hasOwn(plan.tokenizers, name) ? undefined : plan.tokenizers[name];
}

/** Row `n` of a batch, cut where the layout cuts it. */
export function piecesOf(batch: Batch, n: number, layout: Collate, tokenizer: Tokenizer | undefined): Piece[] {
  const tokens = batch.get('tokens');
  if (tokens === undefined || tokenizer === undefined) return [];
  const piece = (name: Piece['name'], start: number, width: number, all: number, mask: string | undefined): Piece => ({
    name,
    tokens: Array.from({ length: width }, (_, i) => {
      const id = tokens[n * all + start + i];
      const masked = mask !== undefined && (batch.get(mask)?.[n * width + i] ?? 0) > 0;
      return {
        text: tokenizer.words[id] ?? `<${id}>`,
        kind: id === tokenizer.pad ? 'padding' : id === tokenizer.end ? 'end' : 'word',
        masked,
      };
    }),
  });
  switch (layout.layout) {
    case 'pairs': {
      const { prompt, answer } = layout;
      const all = prompt + 2 * answer;
      return [
        piece('prompt', 0, prompt, all, undefined),
        piece('chosen', prompt, answer, all, 'chosen.mask'),
        piece('rejected', prompt + answer, answer, all, 'rejected.mask'),
      ];
    }
    case 'answers': {
      const all = layout.prompt + layout.answer;
      return [piece('prompt', 0, layout.prompt, all, undefined), piece('answer', layout.prompt, layout.answer, all, 'mask')];
    }
    case 'contrast':
      return [piece('text', 0, layout.answer, layout.answer, 'mask')];
    default:
      return [];
  }
}
