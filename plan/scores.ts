/**
 * The scores that probes may name, and what each measures. The compiler checks names against this table, the runtime
 * implements it (`runtime/core/score`), the report reads which way is better.
 *
 * A measure may have parts: `exact.short` is the part `short` of the measure `exact`, with the same properties.
 */

export interface Measure {
  /** Which of two values is the better one; `neither` for what is only told. */
  better: 'larger' | 'smaller' | 'neither';
  /** A share lies in 0..1 and is shown in percent. */
  unit: 'share' | 'number';
}

const share = (better: Measure['better']): Measure => ({ better, unit: 'share' });

export const SCORES: Readonly<Record<string, Readonly<Record<string, Measure>>>> = {
  /** E1: a linear map of features to classes. */
  logistic: { top1: share('larger'), class_recall: share('larger') },
  /** E2: where gradients fall. */
  focus: { gradient_share: share('larger'), cam_share: share('larger'), area_share: share('neither') },
  /** How often the better of two answers gained more than the worse since training began, and by how much (nats). */
  preference: { accuracy: share('larger'), margin: { better: 'larger', unit: 'number' } },
  /** E3: classes of patches. */
  segmentation: { recall: share('larger'), iou: share('larger') },
  /** E4: neighbours in one space that are neighbours in the other. */
  alignment: { mutual_knn: share('larger') },
  /** E0: answers that are right, as a whole and attribute by attribute. */
  answering: { exact: share('larger'), attributes: share('larger') },
  /** How far features and weights have moved from where training began. */
  drift: { weights: { better: 'neither', unit: 'number' }, cka: share('neither') },
};

/** The measure that a score's value is; undefined where the score has none of that name. */
export function measureOf(score: string, value: string): Measure | undefined {
  const measures = Object.hasOwn(SCORES, score) ? SCORES[score] : {};
  const name = value.split('.')[0];
  return Object.hasOwn(measures, name) ? measures[name] : undefined;
}
