/**
 * `segmentation`: classes of patches, as a trained reader says them (E3).
 *
 * Table `judged`: `label` i32 [n, P], and `logits` f32 [n, P, K], whose largest entry is what is said (of equal ones the first), or
 * `said` i32 [n, P]. Classes count from 0.
 * Values: `recall`, the mean over the classes in the labels of the share of their patches that are said rightly; and `iou`, the mean over
 * the classes in labels or predictions of intersection over union. Over all patches of all rows together, not image by image.
 * `details.confusion` [K, K] counts patches, a row for each class of the labels, a column for each that is said. `ratios` has what
 * every row adds to both.
 */
import { elements } from '../../../plan/dtypes.ts';
import { meanOfRatios } from '../statistics/statistics.ts';
import type { RatioRow } from '../statistics/statistics.ts';
import { columnOf, requireFinite, tableOf } from './arguments.ts';
import type { ScoreParams, ScoreResult, Table, TableTensor } from './types.ts';
import { scoreError } from './errors.ts';

export function segmentation(tables: Record<string, Table>, _params: ScoreParams): ScoreResult {
  const table = tableOf(tables, 'judged', 'segmentation');
  const label = columnOf(table, 'label', 'judged', 'segmentation');
  const { said, classes } = saidOf(table, label);
  const [n, patches] = label.shape;
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  const recall: RatioRow[] = [];
  const iou: RatioRow[] = [];
  for (let row = 0; row < n; row++) {
    const counts = new Map<number, { there: number; said: number; both: number }>();
    const count = (c: number) => {
      const known = counts.get(c) ?? { there: 0, said: 0, both: 0 };
      counts.set(c, known);
      return known;
    };
    for (let i = row * patches; i < (row + 1) * patches; i++) {
      confusion[label.data[i]][said[i]]++;
      count(label.data[i]).there++;
      count(said[i]).said++;
      if (label.data[i] === said[i]) count(said[i]).both++;
    }
    recall.push([...counts].flatMap(([c, { there, both }]): RatioRow => (there === 0 ? [] : [[c, both, there]])));
    iou.push([...counts].map(([c, { there, said: also, both }]): [number, number, number] => [c, both, there + also - both]));
  }
  return {
    values: { recall: meanOfRatios(recall) ?? 0, iou: meanOfRatios(iou) ?? 0 },
    ratios: { recall, iou },
    details: { rows: n, patches, classes, confusion },
  };
}

function saidOf(table: Table, label: TableTensor): { said: ArrayLike<number>; classes: number } {
  if (label.shape.length !== 2 || elements(label.shape) === 0) {
    throw scoreError('R0706', `label of judged has the shape [${label.shape.join(', ')}]`, 'give a label for each patch of each row');
  }
  const direct = table.tensors.has('said') && !table.tensors.has('logits');
  const given = columnOf(table, direct ? 'said' : 'logits', 'judged', 'segmentation');
  if (given.shape.length !== (direct ? 2 : 3) || given.shape[0] !== label.shape[0] || given.shape[1] !== label.shape[1]) {
    throw scoreError(
      'R0706',
      `${direct ? 'said' : 'logits'} [${given.shape.join(', ')}] and label [${label.shape.join(', ')}] of judged do not belong together`,
      'logits need one axis more than the labels, classes said have the same two',
    );
  }
  if (!direct) requireFinite(given, 'logits', 'judged', 'segmentation');
  const said = direct ? given.data : likeliestOf(given);
  const most = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => Math.max(a, b), 0);
  const classes = direct ? Math.max(most(said), most(label.data)) + 1 : given.shape[2];
  for (const data of [label.data, said]) {
    const wrong = Array.from(data).findIndex((c) => c < 0 || c >= classes);
    if (wrong >= 0) {
      throw scoreError(
        'R0706',
        `row ${Math.floor(wrong / label.shape[1]) + 1} of judged has a patch of class ${data[wrong]}, and there are ${classes}`,
        'count classes from 0, and give the reader as many as the data has',
      );
    }
  }
  return { said, classes };
}

function likeliestOf({ shape, data }: TableTensor): Int32Array {
  const classes = shape[2];
  return Int32Array.from({ length: shape[0] * shape[1] }, (_, i) => {
    let best = 0;
    for (let c = 1; c < classes; c++) if (data[i * classes + c] > data[i * classes + best]) best = c;
    return best;
  });
}
