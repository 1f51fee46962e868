/**
 * How large a text and what it describes may be, in one table. Each limit is far above what a model or an experiment needs, and low
 * enough that `check` answers within seconds and no walk over a tree or graph leaves the stack. Where one is exceeded, P0701 says so.
 */
export interface Limit {
  most: number;
  /** What is counted, as the sentence has it: `the text has 300,000 characters`. */
  what: string;
  help?: string;
}

function limit(most: number, what: string, help?: string): Limit {
  return { most, what, ...(help === undefined ? {} : { help }) };
}

export const LIMITS = {
  text: limit(200_000, 'characters in a text', 'move declarations into a file of their own and `use` it'),
  string: limit(4_096, 'characters in a string', 'keep long texts in a file'),
  nesting: limit(64, 'levels of brackets, blocks or conditions', 'name an inner expression with `let` or `param`'),
  chain: limit(400, 'operators, calls and members that depend on one another', 'name a part of the expression with `let` or `param`'),
  modules: limit(200, 'files in one text'),
  depth: limit(700, 'expressions within one another as they are evaluated', 'a definition may not call itself'),
  evaluations: limit(3_000_000, 'expressions evaluated', 'call less often, or repeat less'),
  nodes: limit(60_000, 'operations in one program', 'make the model shallower'),
  formula: limit(1_000, 'operations on the step for one number'),
  repeat: limit(10_000, 'rounds of a `repeat`'),
  elements: limit(2 ** 33, 'elements in one tensor', 'make its sizes smaller'),
  /** Each rate is looked at when the plan is made. */
  steps: limit(2_000_000, 'steps of training'),
  seeds: limit(100, 'seeds'),
  cells: limit(100, 'values to tune among'),
  stages: limit(200, 'stages and arms'),
  tasks: limit(5_000, 'tasks', 'use fewer arms, seeds or values to tune among'),
  /** Of diagnostics that are printed. */
  errors: limit(100, 'diagnostics printed'),
} satisfies Record<string, Limit>;

export type LimitName = keyof typeof LIMITS;
