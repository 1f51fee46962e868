/** What metrics and values of scores are called, and what a reader should know about them. A new name needs no entry here. */

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
  top1: { label: 'top-1 accuracy', percent: true },
  class_recall: { label: 'mean recall of the classes', percent: true },
  gradient_share: { label: 'gradient on the objects', percent: true },
  cam_share: { label: 'Grad-CAM on the objects', percent: true },
  area_share: { label: 'area of the objects', percent: true, note: 'what a map that looks nowhere in particular would get' },
};

export function metricNaming(name: string): Naming {
  return Object.hasOwn(METRICS, name) ? METRICS[name] : { label: name };
}

export function valueNaming(name: string): Naming {
  return Object.hasOwn(VALUES, name) ? VALUES[name] : { label: name.replace(/_/g, ' ') };
}

/** Metrics that are drawn, in this order. */
export const CURVES = ['loss', 'rewards/accuracies', 'rewards/margins', 'logps/chosen', 'logps/rejected', 'grad_norm', 'learning_rate'];
