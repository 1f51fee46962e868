import { describe, expect, test } from '@jest/globals';
import type { Collate, Tokenizer } from '../../plan/plan.ts';
import { collate } from '../../runtime/core/data/collate.ts';
import { piecesOf, spellingOfWords } from '../../runtime/node/report/preview.ts';
import type { Piece } from '../../runtime/node/report/preview.ts';

const words: Tokenizer = { kind: 'words', words: ['<pad>', '<end>', 'what', 'is', 'red', 'ring', 'blue'], pad: 0, end: 1 };
const image = { width: 2, height: 2, rgb: new Uint8Array(12) };
const rows = [
  { image, prompt: 'what is', chosen: 'red ring', rejected: 'blue' },
  { image, prompt: 'what', chosen: 'red', rejected: 'blue ring' },
];

function pieces(layout: Collate, n: number): Piece[] {
  return piecesOf(collate(rows, layout, words, { source: { name: 'rows' }, indices: [0, 1] }), n, layout, spellingOfWords(words));
}

/** Tokens as one text; those in the mask in brackets. */
const text = ({ name, tokens }: Piece): string => `${name}: ${tokens.map((t) => (t.masked ? `[${t.text}]` : t.text)).join(' ')}`;

describe('piecesOf', () => {
  test('pairs: the prompt carries no loss, both answers do up to their end', () => {
    const layout: Collate = { layout: 'pairs', image: 2, imageTokens: 1, prompt: 3, answer: 4 };
    expect(pieces(layout, 0).map(text)).toEqual([
      'prompt: <pad> what is',
      'chosen: [red] [ring] [<end>] <pad>',
      'rejected: [blue] [<end>] <pad> <pad>',
    ]);
    expect(pieces(layout, 1).map(text)).toEqual([
      'prompt: <pad> <pad> what',
      'chosen: [red] [<end>] <pad> <pad>',
      'rejected: [blue] [ring] [<end>] <pad>',
    ]);
  });

  test('answers: the chosen one of preference rows', () => {
    expect(pieces({ layout: 'answers', image: 2, imageTokens: 1, prompt: 2, answer: 3 }, 1).map(text)).toEqual([
      'prompt: <pad> what',
      'answer: [red] [<end>] <pad>',
    ]);
  });

  test('contrast: which tokens the text has', () => {
    expect(pieces({ layout: 'contrast', image: 2, answer: 3 }, 0).map(text)).toEqual(['text: [red] [ring] <pad>']);
  });
});
