/**
 * `drift`: how far training has moved a model from where it began.
 *
 * Tables `now` and `before`: `features` [n, D] of the same rows. `cka` is linear centred kernel alignment (Kornblith et al. 2019,
 * "Similarity of neural network representations revisited"): |Y'X|^2 / (|X'X| |Y'Y|), Frobenius norms of products of features whose
 * columns are centred; 1 where one space is a turned and scaled copy of the other.
 * Tables `weights_now` and `weights_before`: tensors by the same names. `weights` is sqrt(sum |w - w0|^2) / sqrt(sum |w0|^2) over all of
 * them; `details.tensors` has the same for each, largest first, 40 at most (null, and last, for a tensor that began at zero).
 * Either pair may be missing; its value is then left out.
 */
import { elements } from '../../../plan/dtypes.ts';
import { columnOf, requireFinite, tableOf } from './arguments.ts';
import { centred, linearCka } from './cka.ts';
import type { Centred } from './cka.ts';
import type { Json, ScoreParams, ScoreResult, Table } from './types.ts';
import { scoreError } from './errors.ts';

const MOST_TENSORS = 40;

export function drift(tables: Record<string, Table>, _params: ScoreParams): ScoreResult {
  const given = (name: string): boolean => Object.hasOwn(tables, name);
  const values: Record<string, number> = {};
  const details: Record<string, Json> = {};
  if (given('weights_now') || given('weights_before')) {
    const changes = changesOf(tableOf(tables, 'weights_now', 'drift'), tableOf(tables, 'weights_before', 'drift'));
    const total = (of: 'moved' | 'began'): number => changes.reduce((sum, change) => sum + change[of], 0);
    if (total('began') === 0) {
      throw scoreError(
        'R0707',
        'every weight of weights_before is zero, so there is nothing to measure a change by',
        'compare with trained weights',
      );
    }
    values.weights = Math.sqrt(total('moved') / total('began'));
    const relative = changes.map(({ name, size, moved, began }) => ({ name, size, change: began === 0 ? null : Math.sqrt(moved / began) }));
    relative.sort((a, b) => (b.change ?? -1) - (a.change ?? -1));
    details.tensors = relative.slice(0, MOST_TENSORS);
    details.of = relative.length;
  }
  if (given('now') || given('before')) {
    const [now, before] = [featuresOf(tables, 'now'), featuresOf(tables, 'before')];
    if (now.n !== before.n) throw scoreError('R0706', `now has ${now.n} rows, before ${before.n}`, 'embed the same rows for both');
    const cka = linearCka(now, before);
    if (cka === undefined) {
      throw scoreError('R0707', 'the features of now or of before are the same for every row', 'look whether the encoder has collapsed');
    }
    values.cka = cka;
    details.rows = now.n;
  }
  if (Object.keys(values).length === 0) {
    throw scoreError(
      'R0702',
      'the score drift is given neither features nor weights',
      'write `now:` and `before:`, or `weights_now:` and `weights_before:`',
    );
  }
  return { values, details };
}

interface Change {
  name: string;
  /** Entries. */
  size: number;
  /** Sums of squares of the change, and of the weights before it. */
  moved: number;
  began: number;
}

function changesOf(now: Table, before: Table): Change[] {
  const missing = [...now.tensors.keys(), ...before.tensors.keys()].find((name) => !now.tensors.has(name) || !before.tensors.has(name));
  if (missing !== undefined) {
    throw scoreError(
      'R0706',
      `only one of weights_now and weights_before has ${missing}`,
      'compare weights of one model, before and after training',
    );
  }
  return [...now.tensors.keys()].map((name) => {
    const [after, start] = [columnOf(now, name, 'weights_now', 'drift'), columnOf(before, name, 'weights_before', 'drift')];
    if (elements(after.shape) !== elements(start.shape)) {
      throw scoreError(
        'R0706',
        `${name} has ${elements(start.shape)} weights before and ${elements(after.shape)} now`,
        'compare weights of one model, before and after training',
      );
    }
    requireFinite(after, name, 'weights_now', 'drift');
    requireFinite(start, name, 'weights_before', 'drift');
    let moved = 0;
    let began = 0;
    for (let i = 0; i < start.data.length; i++) {
      moved += (after.data[i] - start.data[i]) ** 2;
      began += start.data[i] ** 2;
    }
    return { name, size: start.data.length, moved, began };
  });
}

function featuresOf(tables: Record<string, Table>, argument: string): Centred {
  const features = columnOf(tableOf(tables, argument, 'drift'), 'features', argument, 'drift');
  requireFinite(features, 'features', argument, 'drift');
  if (features.shape.length !== 2 || elements(features.shape) === 0) {
    throw scoreError(
      'R0706',
      `features of ${argument} have the shape [${features.shape.join(', ')}]`,
      'keep one vector a row, such as a mean',
    );
  }
  return centred(features.data, features.shape[1]);
}
