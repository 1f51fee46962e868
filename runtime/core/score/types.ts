/** What a score reads and what it returns. */
import type { RatioRow } from '../statistics/statistics.ts';

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
  /**
   * For each value that is a mean over rows: that of every row, in their order; null where the row has none. Arms that were judged on
   * the same rows are compared by them (`pairedBootstrap`).
   */
  examples?: Record<string, (number | null)[]>;
  /** For each value that is a mean over classes of ratios: what every row adds to each class (`pairedRatioBootstrap`). */
  ratios?: Record<string, RatioRow[]>;
  /** What else is worth keeping: settings that were found, counts, whether a solver came to its end. */
  details?: Json;
}

export type ScoreFn = (tables: Record<string, Table>, params: ScoreParams, seed: number) => ScoreResult;
