import { describe, expect, test } from '@jest/globals';
import { focus } from '../../runtime/core/score/focus.ts';
import { coverage } from '../../runtime/core/score/overlap.ts';
import type { Box } from '../../runtime/core/data/row.ts';
import type { Table } from '../../runtime/core/score/types.ts';

function maps(gradient: number[][], cam: number[][], rows: Record<string, unknown>[]): Table {
  const tensor = (list: number[][]) => ({ shape: [list.length, list[0].length], data: Float32Array.from(list.flat()) });
  return {
    tensors: new Map([
      ['gradient', tensor(gradient)],
      ['cam', tensor(cam)],
    ]),
    rows,
  };
}

const upperLeft: Box = { x: 0, y: 0, w: 4, h: 4 };

describe('coverage', () => {
  test('weighs a patch by the overlapping area, and overlapping boxes once', () => {
    // 8 px, 2 x 2 patches: [2, 6) x [0, 4) covers half of both upper patches; the second box lies within the first.
    const boxes = [
      { x: 2, y: 0, w: 4, h: 4 },
      { x: 2, y: 1, w: 2, h: 2 },
    ];
    expect([...coverage(boxes, 8, 8, 2)]).toEqual([0.5, 0.5, 0, 0]);
  });

  test('agrees with counting fine pixels', () => {
    const boxes = [
      { x: 1, y: 2, w: 7, h: 3 },
      { x: 5, y: 0, w: 4, h: 9 },
      { x: -3, y: 10, w: 6, h: 20 },
    ];
    const exact = coverage(boxes, 12, 18, 3);
    for (let p = 0; p < 9; p++) {
      let inside = 0;
      for (let y = 0; y < 6; y++) {
        for (let x = 0; x < 4; x++) {
          const [px, py] = [(p % 3) * 4 + x + 0.5, Math.floor(p / 3) * 6 + y + 0.5];
          if (boxes.some((b) => px > b.x && px < b.x + b.w && py > b.y && py < b.y + b.h)) inside++;
        }
      }
      expect(exact[p]).toBeCloseTo(inside / 24, 12);
    }
  });
});

describe('focus', () => {
  test('is the share of a map on the boxes, beside the share of the area', () => {
    const table = maps([[3, 1, 0, 0]], [[0, 0, 0, 5]], [{ boxes: [upperLeft], size: 8 }]);
    expect(focus({ maps: table }, {}).values).toEqual({ gradient_share: 0.75, cam_share: 0, area_share: 0.25 });
  });

  test('a map that looks nowhere in particular gets the share of the area', () => {
    const box = { x: 1, y: 1, w: 5, h: 3 };
    const { values } = focus({ maps: maps([[1, 1, 1, 1]], [[2, 2, 2, 2]], [{ boxes: [box], size: [8, 8] }]) }, {});
    expect(values.area_share).toBeCloseTo(15 / 64, 12);
    expect(values.gradient_share).toBeCloseTo(15 / 64, 12);
  });

  test('leaves out rows without boxes and maps without anything', () => {
    const table = maps(
      [
        [1, 0, 0, 0],
        [1, 1, 1, 1],
        [1, 1, 1, 1],
      ],
      [
        [0, 0, 0, 0],
        [1, 1, 1, 1],
        [0, 1, 1, 0],
      ],
      [{ boxes: [upperLeft], size: 8 }, { size: 8 }, { boxes: [upperLeft], size: 8 }],
    );
    const { values, examples, details } = focus({ maps: table }, {});
    expect(values).toEqual({ gradient_share: 0.625, cam_share: 0, area_share: 0.25 });
    expect(examples).toEqual({ gradient_share: [1, null, 0.25], cam_share: [null, null, 0], area_share: [0.25, null, 0.25] });
    expect(details).toEqual({ gradient_rows: 2, cam_rows: 1, area_rows: 2 });
  });

  test.each([
    ['a map that is not square', maps([[1, 1, 1]], [[1, 1, 1]], [{ boxes: [upperLeft], size: 8 }]), 'R0706'],
    ['a negative map', maps([[-1, 1, 1, 1]], [[1, 1, 1, 1]], [{ boxes: [upperLeft], size: 8 }]), 'R0706'],
    ['a row without a size', maps([[1, 1, 1, 1]], [[1, 1, 1, 1]], [{ boxes: [upperLeft] }]), 'R0706'],
    ['boxes of another form', maps([[1, 1, 1, 1]], [[1, 1, 1, 1]], [{ boxes: [[0, 0, 4, 4]], size: 8 }]), 'R0706'],
    ['fewer rows than maps', maps([[1, 1, 1, 1]], [[1, 1, 1, 1]], []), 'R0706'],
    ['a number that is none', maps([[NaN, 1, 1, 1]], [[1, 1, 1, 1]], [{ boxes: [upperLeft], size: 8 }]), 'R0705'],
    ['no boxes at all', maps([[1, 1, 1, 1]], [[1, 1, 1, 1]], [{ boxes: [], size: 8 }]), 'R0707'],
  ])('refuses %s', (_, table, code) => {
    expect(() => focus({ maps: table }, {})).toThrow(expect.objectContaining({ code }));
  });
});
