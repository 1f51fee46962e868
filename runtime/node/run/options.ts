/** What a run is given, and what it ends with. */
import type { Plan } from '../../../plan/plan.ts';
import type { SourceContext } from '../../core/data/row.ts';
import type { Failure } from '../../core/run/store.ts';
import type { Log } from '../../core/log.ts';
import type { OpenDevice } from '../device/open.ts';
import type { Files } from './files.ts';

/** What a process that ran a plan ends with. `incomplete`: some tasks failed, and all that does not need them is done. */
export const EXIT = { done: 0, failed: 1, incomplete: 3, interrupted: 130 } as const;

export interface RunOptions {
  /** The run folder. */
  out: string;
  /** Folder that the plan's paths are relative to: that of the text. Default: the working folder. */
  base?: string;
  /** Folders and files outside of `base` that the plan may name, or `anywhere`. Default: none. */
  allow?: readonly string[] | 'anywhere';
  /** As `openDevice` takes it. */
  adapter?: string;
  log: Log;
  signal?: AbortSignal;
  /** Throws away what the folder holds, and begins anew. */
  fresh?: boolean;
  /** Goes on although the folder was begun on another adapter. */
  otherAdapter?: boolean;
  /** Threads that decode pictures. */
  workers?: number;
  /** Writes the report and returns its path; without it, report tasks are left out. */
  report?(out: string, plan: Plan, sources: SourceContext): Promise<string>;
  /** Figures to print at the end, below the table of tasks. */
  summary?(out: string, plan: Plan): string;
  /** The device to use, instead of opening one; it stays open. */
  device?: OpenDevice;
  files?: Files;
}

export interface RunResult {
  status: 'done' | 'incomplete' | 'interrupted';
  exitCode: number;
  out: string;
  /** Ids of the tasks that were done now, and of those that were finished before. */
  ran: string[];
  reused: string[];
  /** Tasks that failed, and those that need them. */
  failed: ({ task: string } & Failure)[];
}
