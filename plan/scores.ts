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

/** A table that a score takes: what an `embed` keeps, or the rows of answers. */
export interface TableArgument {
  /** Tensors that it must have; of several names one. */
  tensors: readonly (readonly string[])[];
  /** Columns that its rows must have beside the tensors: `boxes`. */
  rows?: readonly string[];
  /** Rows of `subject.sample(..)`, which are no tensors. */
  answers?: true;
}

/** The arguments of a score. Weights are pairs of models' parts that it may be given; parameters are numbers. */
export interface Signature {
  tables: Readonly<Record<string, TableArgument>>;
  weights?: readonly string[];
  params?: readonly string[];
}

const FEATURES: TableArgument = { tensors: [['features']] };
const LABELLED: TableArgument = { tensors: [['features'], ['label']] };

/** What each score is given: the compiler compares `score` statements with it, the runtime what a plan brings. */
export const SIGNATURES: Readonly<Record<keyof typeof SCORES, Signature>> = {
  logistic: {
    tables: { fit: LABELLED, held: LABELLED },
    params: ['l2', 'tolerance', 'iterations', 'l2_from', 'l2_to', 'l2_steps', 'validate'],
  },
  focus: { tables: { maps: { tensors: [['gradient'], ['cam']], rows: ['boxes'] } } },
  preference: { tables: { judged: { tensors: [['margin']] } } },
  segmentation: { tables: { judged: { tensors: [['label'], ['logits', 'said']] } } },
  alignment: { tables: { seen: FEATURES, read: FEATURES }, params: ['k'] },
  answering: { tables: { said: { tensors: [], answers: true } } },
  drift: { tables: { now: FEATURES, before: FEATURES }, weights: ['weights_now', 'weights_before'] },
};
