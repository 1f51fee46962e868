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
  /** Of diagnostics that are printed. */
  errors: limit(100, 'diagnostics printed'),
} satisfies Record<string, Limit>;

export type LimitName = keyof typeof LIMITS;
