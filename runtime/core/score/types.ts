/** What a score reads and what it returns. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface TableTensor {
  /** Rows first. */
  shape: number[];
  data: Float32Array | Int32Array | Uint32Array;
}

export interface Table {
  tensors: Map<string, TableTensor>;
  /** Columns that never reached the device, one record a row: `boxes`, `prompt`, ... */
  rows: Record<string, unknown>[];
}

export type ScoreParams = Record<string, string | number | boolean>;

export interface ScoreResult {
  /** The figures that are compared between arms. Shares and accuracies lie in 0..1. */
  values: Record<string, number>;
  /** What else is worth keeping: values an example, settings that were found, whether a solver came to its end. */
  details?: Json;
}

export type ScoreFn = (tables: Record<string, Table>, params: ScoreParams, seed: number) => ScoreResult;
