/**
 * The examples of the gallery: the first rows of a Grad-CAM probe, with the maps of each subject. Maps come from the tables
 * that the probe's embed tasks wrote; pictures and texts from the data source itself, since they never reached the device.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbedTask, Plan } from '../../../plan/plan.ts';
import type { Box, Picture, Row } from '../../core/data/row.ts';
import { coverage, shareOf } from '../../core/score/overlap.ts';
import { isBox } from '../../core/score/focus.ts';
import { openSafetensors } from '../safetensors/files.ts';
import { orProblem, readRows } from './rows.ts';
import type { OpenRows } from './rows.ts';
import { readLines } from './read-run.ts';
import type { Fields, RunRecord, TaskRecord } from './read-run.ts';
import { isSubjectOf } from './subjects.ts';
import type { Subject } from './subjects.ts';

/** Rows that the gallery shows: the first ones, so that nobody has chosen them. */
const ROWS = 8;

export const MAPS = ['gradient', 'cam'] as const;

export interface ExampleMap {
  subject: Subject;
  map: (typeof MAPS)[number];
  /** [grid * grid] */
  values: Float32Array;
  grid: number;
  /** Share of the map on the boxes; undefined where there are none, or the map is empty. */
  share?: number;
}

export interface Example {
  /** Counts from 1. */
  row: number;
  image?: Picture;
  size: [number, number];
  boxes: Box[];
  texts: { name: string; text: string }[];
  maps: ExampleMap[];
}

export interface Gallery {
  probe: string;
  seed: number;
  /** Rows that the probe saw. */
  rows: number;
  subjects: Subject[];
  examples: Example[];
  /** What could not be shown, and why. */
  problems: string[];
}

/** A gallery for each probe scored by `focus` that has finished, of its first seed. */
export async function galleriesOf(plan: Plan, run: RunRecord, subjects: readonly Subject[], open: OpenRows): Promise<Gallery[]> {
  const probes = new Set(
    plan.tasks.flatMap((task) => (task.kind === 'score' && task.cell === undefined && task.score === 'focus' ? [task.probe] : [])),
  );
  const galleries: Gallery[] = [];
  for (const probe of probes) {
    const gallery = await galleryOf(probe, run, subjects, open);
    if (gallery !== undefined) galleries.push(gallery);
  }
  return galleries;
}

interface MapTable {
  subject: Subject;
  task: EmbedTask;
  rows: Fields[];
  maps: { map: (typeof MAPS)[number]; shape: number[]; data: Float32Array }[];
}

async function galleryOf(probe: string, run: RunRecord, subjects: readonly Subject[], open: OpenRows): Promise<Gallery | undefined> {
  const scored = run.tasks.flatMap(({ task }) => (task.kind === 'score' && task.cell === undefined && task.probe === probe ? [task] : []));
  const seed = scored[0].seed;
  const tables: MapTable[] = [];
  const problems: string[] = [];
  for (const subject of subjects) {
    const score = scored.find((task) => task.seed === seed && isSubjectOf(task, subject));
    const record = run.tasks.find(({ task }) => task.id === score?.tables.maps);
    const table = record && (await orProblem(readMaps(record, subject)));
    if (typeof table === 'string') problems.push(table);
    else if (table !== undefined) tables.push(table);
  }
  const gallery: Gallery = { probe, seed, rows: 0, subjects: [], examples: [], problems };
  if (tables.length === 0) return problems.length > 0 ? gallery : undefined;
  const count = Math.min(ROWS, ...tables.flatMap((table) => table.maps.map(({ shape }) => shape[0])));
  const found = await orProblem(
    readRows(
      tables[0].task.data,
      Array.from({ length: count }, (_, i) => i),
      open,
    ),
  );
  const rows = typeof found === 'string' ? [] : found;
  if (typeof found === 'string') problems.push(`no pictures: ${found}`);
  gallery.rows = tables[0].maps[0].shape[0];
  gallery.subjects = tables.map((table) => table.subject);
  gallery.examples = Array.from({ length: count }, (_, i) => exampleOf(i, tables, rows[i] ?? {}));
  return gallery;
}

async function readMaps(record: TaskRecord, subject: Subject): Promise<MapTable | undefined> {
  const path = join(record.folder, 'table.safetensors');
  if (record.task.kind !== 'embed' || !record.finished || !existsSync(path)) return undefined;
  const file = await openSafetensors(path);
  try {
    const maps: MapTable['maps'] = [];
    for (const map of MAPS) {
      if (!file.names.includes(map)) continue;
      const { shape } = file.info(map);
      if (shape.length !== 2 || !Number.isInteger(Math.sqrt(shape[1]))) continue;
      const { data } = await file.readRows(map, 0, Math.min(ROWS, shape[0]));
      maps.push({ map, shape, data: Float32Array.from(data) });
    }
    return maps.length === 0 ? undefined : { subject, task: record.task, rows: readLines(join(record.folder, 'rows.jsonl')), maps };
  } finally {
    await file.close();
  }
}

function exampleOf(i: number, tables: readonly MapTable[], row: Row): Example {
  const kept = tables[0].rows[i] ?? {};
  const boxes = Array.isArray(kept.boxes) ? kept.boxes.filter(isBox) : (row.boxes ?? []);
  const texts = (['prompt', 'chosen', 'rejected', 'answer'] as const).flatMap((name) => {
    const text = kept[name] ?? row[name];
    return typeof text === 'string' ? [{ name, text }] : [];
  });
  const size = sizeOf(kept.size, row.image);
  const maps = tables.flatMap(({ subject, maps: list }) =>
    list.map(({ map, shape, data }): ExampleMap => {
      const grid = Math.sqrt(shape[1]);
      const values = data.slice(i * shape[1], (i + 1) * shape[1]);
      const share = boxes.length === 0 ? undefined : shareOf(values, coverage(boxes, size[0], size[1], grid));
      return { subject, map, values, grid, ...(share === undefined ? {} : { share }) };
    }),
  );
  return { row: i + 1, ...(row.image === undefined ? {} : { image: row.image }), size, boxes, texts, maps };
}

function sizeOf(kept: unknown, image: Picture | undefined): [number, number] {
  if (image !== undefined) return [image.width, image.height];
  const list = Array.isArray(kept) ? kept : [kept, kept];
  const [width, height]: unknown[] = list;
  return typeof width === 'number' && typeof height === 'number' && width > 0 && height > 0 ? [width, height] : [24, 24];
}
