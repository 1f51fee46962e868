/** What a reader of hostile files makes of one. A refusal is a thrown PivotError. */
export interface Result {
  /** Name, dtype as on disk, shape, and the first value where the tensor has one. */
  tensors?: [name: string, dtype: string, shape: number[], first?: number][];
  rows?: number;
  row_groups?: number;
  entry?: string;
  samples?: number;
  width?: number;
  height?: number;
  rgb_sha256?: string;
  ids?: number[];
  /** Whatever else `result` of the expectation asks for, by its name there. */
  values?: Record<string, unknown>;
  warnings: string[];
  /** Further values by the name that a case gives them, such as `row_2_chosen`. */
  [key: string]: unknown;
}

/** A reader of one folder of the set. `asked` is `result` of the expectation, where a case gives the text to encode with it. */
export type Read = (path: string, asked?: Record<string, unknown>) => Promise<Result>;

/** A line of `expect.json`. */
export interface Case {
  /** Relative to the set; a file or a folder. */
  file: string;
  verdict: 'reject' | 'accept' | 'warn' | 'either' | 'bounded';
  wrong: string;
  names?: Record<string, Hint>;
  result?: Record<string, unknown>;
}

export type Hint = string | number | (string | number)[];

/** What came of reading a file in a process of its own. */
export type Outcome =
  | { kind: 'read'; result: Result }
  /** A PivotError, as the command line prints it. */
  | { kind: 'refused'; said: string }
  /** Any other error: a fault of ours. */
  | { kind: 'failed'; said: string }
  /** The process was ended from outside, or ended itself. */
  | { kind: 'killed'; said: string }
  /** There is no reader of this folder. */
  | { kind: 'skipped' };
