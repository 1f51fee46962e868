/** Names that every text knows. Their rules stand in builtins.ts and tensor-builtins.ts; a test holds the tables together. */
export const CONSTANTS: Record<string, number> = { pi: Math.PI };

export const BUILTINS = [
  // on numbers and tensors alike
  'exp',
  'expm1',
  'log',
  'log1p',
  'sqrt',
  'tanh',
  'erf',
  'sin',
  'cos',
  'abs',
  'floor',
  'min',
  'max',
  // on numbers
  'isqrt',
  'ceil',
  'round',
  // on tensors
  'sum',
  'mean',
  'largest',
  'einsum',
  'reshape',
  'transpose',
  'concat',
  'gather',
  'iota',
  'where',
  'float',
  'stop_gradient',
  'remember',
  'grad',
  'is_finite',
  'batch_rows',
  // how weights begin
  'normal',
  'uniform',
  'zeros',
  'ones',
  'constant',
  // the outside
  'native',
  'vocabulary',
  'load',
  'mix',
  'sample',
  'checkpoint',
  // what is trained, and how
  'lora',
  'layers',
  'within',
  'at_rate',
  // scores of probes (plan/scores.ts)
  'logistic',
  'focus',
  'preference',
  'segmentation',
  'alignment',
  'answering',
  'drift',
] as const;

export type BuiltinName = (typeof BUILTINS)[number];
