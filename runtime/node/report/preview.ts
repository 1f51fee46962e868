/**
 * The first training rows of each stage as the model sees them: the tokens that collation lays out, and the mask that it gives
 * with them. What is shown is what collate.ts returns, so that a mask that is wrong looks wrong here.
 */
import type { Collate, DataSource, Plan, Tokenizer, TrainTask } from '../../../plan/plan.ts';
import { collate, SEGMENT } from '../../core/data/collate.ts';
import type { Batch } from '../../core/data/collate.ts';
import { dataError } from '../../core/data/codes.ts';
import type { Row, RowSource } from '../../core/data/row.ts';
import { slotsOf } from '../../core/data/slots.ts';
import { orProblem } from './rows.ts';
import type { OpenRows } from './rows.ts';
import type { Subject } from './subjects.ts';

/** Rows that are shown: the first ones. */
const ROWS = 4;

export interface Token {
  text: string;
  kind: 'word' | 'special' | 'end' | 'image' | 'padding';
  /** Whether the mask is 1 there. */
  masked: boolean;
  /** Where it is to be told. */
  id?: number;
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
      // Among tokens the places of pictures are shown where they are.
      imageTokens: 'imageTokens' in task.collate && task.collate.pictures === undefined ? task.collate.imageTokens : 0,
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
  const source = await open(task.data);
  try {
    const rows = await Promise.all(Array.from({ length: Math.min(ROWS, source.count) }, (_, i) => source.row(i)));
    const tokenizer = tokenizerOf(plan, task.data);
    const where = { source: { name: task.data.source }, indices: rows.map((_, i) => i) };
    const batch = collate(rows, task.collate, tokenizer, where);
    const spelling = await spellingOf(source, rows, tokenizer);
    if (spelling === undefined && slotsOf(task.collate).length > 0) {
      throw dataError('R0516', `the plan names no tokenizer for ${task.data.source}`, { cure: 'compile the text again' });
    }
    return rows.map((row, n) => {
      const label =
        task.collate.layout === 'classes' ? `class ${row.label}` : task.collate.layout === 'patches' ? 'a class for each patch' : undefined;
      const pieces = spelling === undefined ? [] : piecesOf(batch, n, task.collate, spelling);
      return { row, pieces, ...(label === undefined ? {} : { label }) };
    });
  } finally {
    await source.close?.();
  }
}

/** How ids are written. */
export interface Spelling {
  textOf(id: number): string;
  /** Undefined where only the place tells padding from words. */
  pad?: number;
  end?: number;
  image?: number;
}

export function spellingOfWords({ words, pad, end }: Tokenizer): Spelling {
  return { textOf: (id) => words[id] ?? `<${id}>`, pad, end };
}

async function spellingOf(source: RowSource, rows: readonly Row[], tokenizer: Tokenizer | undefined): Promise<Spelling | undefined> {
  if (tokenizer !== undefined) return spellingOfWords(tokenizer);
  const all = rows.flatMap(({ ids }) => (ids === undefined ? [] : [ids]));
  if (all.length === 0 || source.spell === undefined) return undefined;
  const ids = [
    ...new Set(all.flatMap(({ prompt, answer = [], chosen = [], rejected = [] }) => [...prompt, ...answer, ...chosen, ...rejected])),
  ];
  const spelt = await source.spell(ids);
  const texts = new Map(ids.map((id, i) => [id, spelt[i]]));
  return { textOf: (id) => texts.get(id) ?? `<${id}>`, image: all[0].image };
}

function tokenizerOf(plan: Plan, data: DataSource): Tokenizer | undefined {
  const name = data.tokenizer ?? data.base?.tokenizer ?? data.mix?.find((part) => part.tokenizer !== undefined)?.tokenizer;
  return name === undefined || !Object.hasOwn(plan.tokenizers, name) ? undefined : plan.tokenizers[name];
}

/** Row `n` of a batch, cut where the layout cuts it. */
export function piecesOf(batch: Batch, n: number, layout: Collate, { textOf, pad, end, image }: Spelling): Piece[] {
  const tokens = batch.get('tokens');
  const segments = batch.get('segment');
  if (tokens === undefined) return [];
  const kindOf = (id: number, at: number): Token['kind'] => {
    if (pad === undefined ? segments?.[at] === SEGMENT.padding : id === pad) return 'padding';
    return id === end ? 'end' : id === image ? 'image' : 'word';
  };
  const piece = (name: Piece['name'], start: number, width: number, all: number, mask: string | undefined): Piece => ({
    name,
    tokens: Array.from({ length: width }, (_, i) => {
      const at = n * all + start + i;
      const masked = mask !== undefined && (batch.get(mask)?.[n * width + i] ?? 0) > 0;
      return { text: textOf(tokens[at]), kind: kindOf(tokens[at], at), masked };
    }),
  });
  // Among tokens, images have their places in the prompt.
  const inPrompt = 'pictures' in layout && layout.pictures !== undefined ? layout.pictures * layout.imageTokens : 0;
  switch (layout.layout) {
    case 'pairs': {
      const { answer } = layout;
      const prompt = inPrompt + layout.prompt;
      const all = prompt + 2 * answer;
      return [
        piece('prompt', 0, prompt, all, undefined),
        piece('chosen', prompt, answer, all, 'chosen.mask'),
        piece('rejected', prompt + answer, answer, all, 'rejected.mask'),
      ];
    }
    case 'answers': {
      const prompt = inPrompt + layout.prompt;
      const all = prompt + layout.answer;
      return [piece('prompt', 0, prompt, all, undefined), piece('answer', prompt, layout.answer, all, 'mask')];
    }
    case 'contrast':
      return [piece('text', 0, layout.answer, layout.answer, 'mask')];
    default:
      return [];
  }
}
