/**
 * From rows to the inputs of a program, as `Collate` in plan/plan.ts lays down. All arrays are row-major with rows
 * first. The longest layout, `pairs`, is one sequence per row:
 *
 *     | image tokens | prompt, padded on the left | chosen, padded on the right | rejected, padded on the right |
 *
 * The prompt ends where the answers begin, so the token that predicts the first word of either answer is always the
 * same one. `segment` and `position` say who may see whom; the mask itself is made on the device from these.
 */
import { arrayOf } from '../../../plan/dtypes.ts';
import type { TypedArrayOf } from '../../../plan/dtypes.ts';
import type { Collate, Tokenizer } from '../../../plan/plan.ts';
import { dataError } from './codes.ts';
import type { Row } from './row.ts';
import { conversationIds, promptIds } from './conversation-ids.ts';
import type { ConversationIds } from './conversation-ids.ts';
import { missing, nameOf, placeOf, slotIds, slotsOf } from './slots.ts';
import type { Where } from './slots.ts';

export type Batch = Map<string, TypedArrayOf>;

/** Segments of the packed sequence. */
export const SEGMENT = { prompt: 0, chosen: 1, rejected: 2, padding: 3 } as const;

/** From a byte to a pixel value: (v / 255 - mean) / std. */
export const PIXEL = { mean: 0.5, std: 0.5 } as const;

/** The inputs of a program for these rows. Throws PivotErrors that name the row (R0514 to R0518). */
export function collate(rows: readonly Row[], layout: Collate, tokenizer: Tokenizer | undefined, where: Where): Batch {
  if (layout.layout === 'tensors') return collateTensors(rows, layout.columns, where);
  const batch: Batch = new Map([['image', collateImages(rows, layout, where)]]);
  switch (layout.layout) {
    case 'pairs':
    case 'answers':
      if (layout.pictures !== undefined) {
        const all = rows.map((row, n) => conversationIds(row, layout, where.source, where.indices[n]));
        packConversations(batch, all, layout);
      } else packSequences(batch, rows, layout, needed(tokenizer, where), where);
      break;
    case 'contrast': {
      const [slot] = slotsOf(layout);
      const words = needed(tokenizer, where);
      const tokens = new Int32Array(rows.length * layout.answer).fill(words.pad);
      const mask = new Float32Array(tokens.length);
      rows.forEach((row, n) => {
        const ids = slotIds(row, slot, words, where.source, where.indices[n]);
        tokens.set(ids, n * layout.answer);
        mask.fill(1, n * layout.answer, n * layout.answer + ids.length);
      });
      batch.set('tokens', tokens).set('mask', mask);
      break;
    }
    case 'classes':
      batch.set(
        'label',
        Int32Array.from(rows, (row, n) => row.label ?? missing('label', where, n)),
      );
      break;
    case 'patches': {
      const labels = new Int32Array(rows.length * layout.patches);
      rows.forEach((row, n) => {
        const own = row.patchLabels ?? missing('label for each patch', where, n);
        if (own.length !== layout.patches) {
          throw dataError(
            'R0518',
            `${nameOf(where.source, where.indices[n])} has labels of ${own.length} patches, and the encoder sees ${layout.patches}`,
            {
              cure: 'give the source the patch and picture sizes of the encoder',
              place: placeOf(where.source, where.indices[n]),
            },
          );
        }
        labels.set(own, n * layout.patches);
      });
      batch.set('label', labels);
      break;
    }
  }
  return batch;
}

/** f32 [N, 3, size, size] (for each of `pictures`, where a row may have several) from pixel values or interleaved bytes. */
function collateImages(rows: readonly Row[], layout: Exclude<Collate, { layout: 'tensors' }>, where: Where): Float32Array {
  const size = layout.image;
  const plane = size * size;
  const pictures = 'pictures' in layout ? (layout.pictures ?? 1) : 1;
  const out = new Float32Array(rows.length * pictures * 3 * plane);
  rows.forEach((row, n) => {
    if (row.pixels !== undefined) {
      // Fewer pictures than there is room for leave the rest at zero: no token looks at it.
      if (row.pixels.length > pictures * 3 * plane || row.pixels.length % (3 * plane) !== 0)
        wrongPixels(row.pixels, size, pictures, where, n);
      out.set(row.pixels, n * pictures * 3 * plane);
      return;
    }
    const { width, height, rgb } = row.image ?? missing('picture', where, n);
    if (width !== size || height !== size) {
      throw dataError(
        'R0518',
        `the picture of ${nameOf(where.source, where.indices[n])} has ${width} x ${height} pixels, and the encoder sees ${size} x ${size}`,
        {
          cure: `give the source size: ${size}px`,
          place: placeOf(where.source, where.indices[n]),
        },
      );
    }
    for (let channel = 0; channel < 3; channel++) {
      const start = (n * pictures * 3 + channel) * plane;
      for (let i = 0; i < plane; i++) out[start + i] = LEVELS[rgb[i * 3 + channel]];
    }
  });
  return out;
}

function wrongPixels(pixels: Float32Array, size: number, pictures: number, where: Where, n: number): never {
  throw dataError(
    'R0518',
    `${nameOf(where.source, where.indices[n])} has ${pixels.length} pixel values, and there is room for ${pictures} pictures of 3 x ${size} x ${size}`,
    { cure: 'declare as many pictures as a row may have', place: placeOf(where.source, where.indices[n]) },
  );
}

/** The value of each byte, computed once in double and rounded to f32. */
const LEVELS = Float32Array.from({ length: 256 }, (_, v) => (v / 255 - PIXEL.mean) / PIXEL.std);

/** Layouts whose rows are one sequence each, with a prompt. */
export type Packed = Extract<Collate, { layout: 'pairs' | 'answers' }>;

/** Places before the answers: those of the prompt and of its pictures. */
export function placesOfPrompt({ pictures, imageTokens, prompt }: Packed): number {
  return (pictures ?? 1) * imageTokens + prompt;
}

function packSequences(batch: Batch, rows: readonly Row[], layout: Packed, tokenizer: Tokenizer, where: Where): void {
  const [prompts, ...answers] = slotsOf(layout).map((slot) =>
    rows.map((row, n) => slotIds(row, slot, tokenizer, where.source, where.indices[n])),
  );
  for (const [name, values] of packIds(layout, tokenizer.pad, prompts, answers)) batch.set(name, values);
}

/** Sequences in which a template put the image tokens: as `packIds`, with no tokens before the prompt, and `seen` beside it. */
function packConversations(batch: Batch, all: readonly ConversationIds[], layout: Packed): void {
  const sides = all[0].answers.length;
  const perRow = (layout.pictures ?? 1) * layout.imageTokens;
  const room = placesOfPrompt(layout);
  const prompts = all.map(({ prompt }) => prompt);
  const answers = Array.from({ length: sides }, (_, side) => all.map((one) => one.answers[side]));
  const packed = packIds({ ...layout, imageTokens: 0, prompt: room }, 0, prompts, answers);
  for (const [name, values] of packed) batch.set(name, values);
  const width = room + sides * layout.answer;
  const seen = new Int32Array(all.length * width);
  all.forEach(({ prompt, image, learnt }, n) => {
    let next = n * perRow;
    prompt.forEach((id, i) => {
      if (id === image) seen[n * width + room - prompt.length + i] = ++next;
    });
    // Of several answers in a row, what stands between them is not learnt.
    if (learnt !== undefined) (batch.get('mask') as Float32Array).set(learnt, n * layout.answer);
  });
  batch.set('seen', seen);
}

/**
 * Images and prompts of rows that are to be answered: `image`; `tokens` [N, prompt]; `position` and `segment` [N, imageTokens +
 * prompt], as `answers` has them without the places of the answer; with `pictures` also `seen`. Whatever answers the rows have are not
 * looked at, but for those before the last of several.
 */
export function collatePrompts(rows: readonly Row[], layout: Packed, tokenizer: Tokenizer | undefined, where: Where): Batch {
  if (layout.pictures !== undefined) {
    const batch: Batch = new Map([['image', collateImages(rows, layout, where)]]);
    const all = rows.map((row, n) => promptIds(row, layout, where.source, where.indices[n]));
    packConversations(batch, all, layout);
    return batch;
  }
  const words = needed(tokenizer, where);
  const [slot] = slotsOf(layout);
  const prompts = rows.map((row, n) => slotIds(row, slot, words, where.source, where.indices[n]));
  return new Map([['image', collateImages(rows, layout, where)], ...packIds(layout, words.pad, prompts, [])]);
}

/**
 * `tokens`, `position` and `segment` of sequences, with a mask for each answer. `answers[i][n]` are the ids of answer i of row n,
 * no more than there is room for; with no answers there are no places for them either.
 */
export function packIds(layout: Packed, pad: number, prompts: readonly number[][], answers: readonly (readonly number[][])[]): Batch {
  const rows = prompts.length;
  const texts = layout.prompt + answers.length * layout.answer;
  const whole = layout.imageTokens + texts;
  const tokens = new Int32Array(rows * texts).fill(pad);
  const position = new Int32Array(rows * whole);
  const segment = new Int32Array(rows * whole).fill(SEGMENT.padding);
  const masks = answers.map(() => new Float32Array(rows * layout.answer));
  prompts.forEach((prompt, n) => {
    const inTokens = n * texts;
    const inWhole = n * whole;
    for (let i = 0; i < layout.imageTokens; i++) {
      position[inWhole + i] = i;
      segment[inWhole + i] = SEGMENT.prompt;
    }
    // Left padding keeps position 0 and the segment of padding.
    const left = layout.prompt - prompt.length;
    tokens.set(prompt, inTokens + left);
    for (let i = 0; i < prompt.length; i++) {
      const at = inWhole + layout.imageTokens + left + i;
      position[at] = layout.imageTokens + i;
      segment[at] = SEGMENT.prompt;
    }
    // Either answer follows the prompt, so both begin at the same position.
    const first = layout.imageTokens + prompt.length;
    answers.forEach((ofRows, which) => {
      const answer = ofRows[n];
      const start = layout.prompt + which * layout.answer;
      tokens.set(answer, inTokens + start);
      masks[which].fill(1, n * layout.answer, n * layout.answer + answer.length);
      for (let i = 0; i < layout.answer; i++) {
        const at = inWhole + layout.imageTokens + start + i;
        const real = i < answer.length;
        position[at] = first + (real ? i : answer.length - 1);
        if (real) segment[at] = which === 0 ? SEGMENT.chosen : SEGMENT.rejected;
      }
    });
  });
  const names = masks.length === 1 ? ['mask'] : ['chosen.mask', 'rejected.mask'];
  return new Map<string, TypedArrayOf>([
    ['tokens', tokens],
    ['position', position],
    ['segment', segment],
    ...masks.map((mask, which): [string, TypedArrayOf] => [names[which], mask]),
  ]);
}

function collateTensors(rows: readonly Row[], columns: Record<string, string>, where: Where): Batch {
  const batch: Batch = new Map();
  for (const [input, column] of Object.entries(columns)) {
    const parts = rows.map((row, n) => row.tensors?.get(column) ?? missing(`tensor ${column}`, where, n));
    if (parts.length === 0) continue;
    const all = arrayOf(
      parts[0].dtype,
      parts.reduce((n, part) => n + part.data.length, 0),
    );
    let at = 0;
    for (const { data } of parts) {
      all.set(data, at);
      at += data.length;
    }
    batch.set(input, all);
  }
  return batch;
}

function needed(tokenizer: Tokenizer | undefined, where: Where): Tokenizer {
  if (tokenizer === undefined) throw new Error(`the plan names no tokenizer for ${where.source.name}`);
  return tokenizer;
}
