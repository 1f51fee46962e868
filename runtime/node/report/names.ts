/** What metrics and values of scores are called, and what a reader should know about them. A new name needs no entry here. */

import { measureOf } from '../../../plan/scores.ts';

export interface Naming {
  label: string;
  /** Shown as per cent; else as a plain number. */
  percent?: boolean;
  /** Unit of a plain number. */
  unit?: string;
  note?: string;
}

const METRICS: Record<string, Naming> = {
  loss: { label: 'Loss', unit: 'nats' },
  'rewards/accuracies': {
    label: 'Preference accuracy',
    percent: true,
    note: 'Share of pairs whose chosen answer gained more over the reference than the rejected one.',
  },
  'rewards/margins': { label: 'Reward margin', note: 'Reward of the chosen answer less that of the rejected one.' },
  'rewards/chosen': {
    label: 'Reward of chosen answers',
    note: 'This may fall while the margin grows, and that is no failure: the loss sees only the difference of the two rewards.',
  },
  'rewards/rejected': {
    label: 'Reward of rejected answers',
    note: 'Read it beside the chosen answers: what counts is that this one falls further.',
  },
  'logps/chosen': {
    label: 'Log-probability of chosen answers',
    unit: 'nats',
    note: 'This may fall while training goes well: a preference loss asks for a wider gap between the answers, not for a likelier chosen one.',
  },
  'logps/rejected': {
    label: 'Log-probability of rejected answers',
    unit: 'nats',
    note: 'Read it beside the chosen answers: what counts is that this one falls further.',
  },
  grad_norm: { label: 'Gradient norm', note: 'Over all trained weights, before clipping.' },
  learning_rate: { label: 'Learning rate' },
};

const VALUES: Record<string, Naming> = {
  top1: { label: 'top-1 accuracy' },
  class_recall: { label: 'mean recall of the classes' },
  gradient_share: { label: 'gradient on the objects' },
  cam_share: { label: 'Grad-CAM on the objects' },
  area_share: { label: 'area of the objects', note: 'what a map that looks nowhere in particular would get' },
  accuracy: { label: 'pairs told apart' },
  margin: { label: 'margin of the pairs, nats' },
  recall: { label: 'mean recall of patch classes' },
  iou: { label: 'mean IoU of patch classes' },
  mutual_knn: { label: 'shared nearest neighbours' },
  exact: { label: 'answers right' },
  attributes: { label: 'attributes right' },
  weights: { label: 'change of the weights', note: 'the length of their change over the length of what they were' },
  cka: { label: 'CKA with the start', note: '100 % for features that agree with those of the start but for a rotation and a scale' },
};

export function metricNaming(name: string): Naming {
  return Object.hasOwn(METRICS, name) ? METRICS[name] : { label: name };
}

/** How a value of a score is called and shown; a part of a measure (`exact.short`) after the measure. */
export function valueNaming(score: string, value: string): Naming {
  const [name, ...part] = value.split('.');
  const naming = Object.hasOwn(VALUES, name) ? VALUES[name] : { label: name.replace(/_/g, ' ') };
  const percent = measureOf(score, value)?.unit === 'share';
  return { ...naming, ...(part.length > 0 ? { label: `${naming.label}, ${part.join('.')}` } : {}), percent };
}

/** Metrics that are drawn, in this order. */
export const CURVES = [
  'loss',
  'rewards/accuracies',
  'rewards/margins',
  'rewards/chosen',
  'rewards/rejected',
  'logps/chosen',
  'logps/rejected',
  'grad_norm',
  'learning_rate',
];
