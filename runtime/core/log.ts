/** What a run says while it works. Everything printed goes through a `Log`, so that a test or a page can catch it. */

export interface Progress {
  /** The task, and what it does when that is not its main loop (`evaluating`, `scoring the reference`). */
  task: string;
  doing: string;
  done: number;
  total: number;
  unit: 'steps' | 'rows' | 'kernels';
  /** Units a second of late. */
  rate?: number;
  /** Rows a second of late, where the unit is steps. */
  rows?: number;
  /** Seconds that this task still needs. */
  remaining?: number;
  /** Seconds that the whole run still needs. */
  remainingRun?: number;
  /** A figure worth seeing: `loss 0.6931`. */
  note?: string;
}

export interface Log {
  /** One line for good. */
  line(text: string): void;
  /** The state of the present loop; called often, and free to ignore most calls. Undefined ends the loop's display. */
  progress(progress: Progress | undefined): void;
}

/** Says nothing. */
export const silent: Log = { line: () => undefined, progress: () => undefined };
