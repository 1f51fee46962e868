/** Every error of a run, by code, with what it means in general; the place that raises it says what happened in particular. */
import { PivotError } from '../../../plan/errors.ts';

export const RUN_CODES = {
  R0601: 'Another process works in this run folder.',
  R0602: 'The run folder was begun on another adapter.',
  R0603: 'The disk has too little room for what the run will write.',
  R0604: 'The disk is full.',
  R0605: 'A file of the run could not be read or written.',
  R0606: 'A file that the plan names is missing, or is not the one it was compiled with.',
  R0608: 'The run folder holds something that is no run.',
  R0609: 'A task needs more memory than there is.',
  R0611: 'Weights to start from have another shape or type than declared.',
  R0612: 'Weights to start from hold a number that is not finite.',
  R0613: 'A checkpoint does not belong to this task, or is not whole.',
  R0614: 'A result that is needed is missing, or is not what was written.',
  R0621: 'A program asks for an input that the data do not give.',
  R0622: 'A program asks for a scalar that the task does not give.',
  R0623: 'A program that runs over rows has no input.',
  R0624: 'A task lacks a program.',
  R0631: 'Training stopped at a number that is not finite.',
  R0632: 'The device was lost while a task ran.',
  R0633: 'A model gave logits that are not finite, so that no token can be taken.',
  R0634: 'What a probe keeps of rows holds a number that is not finite.',
  R0641: 'An export does not name a safetensors file.',
  R0643: 'A plan names a path outside of the folder of its run.',
  R0644: 'A link lies where something would be written or deleted.',
  R0645: 'An export would write over files that no export wrote.',
  R0651: 'The run has no model that can be asked.',
  R0652: 'The run has no stage, arm or seed of that name.',
  R0653: 'The model that is asked has not been trained to its end.',
  R0654: 'A picture that was given with a question cannot be read.',
  R0655: 'A question has words that the model does not know, or too many.',
  R0656: 'The model cannot show where an answer comes from.',
  R0642: 'An export replaces tensors of a checkpoint that the checkpoint does not have.',
  R0661: 'A value was to be chosen by a measure that the score of its cells does not give.',
  R0662: 'What an earlier task chose is missing or damaged.',
  R0671: 'A task was not done, since one that it needs failed.',
  R0672: 'A score met a fault of Pivot.',
} as const;

export type RunCode = keyof typeof RUN_CODES;

/** A `PivotError` whose code is one of this registry's. */
export function runError(code: RunCode, message: string, cure: string, cause?: unknown): PivotError {
  return new PivotError(code, message, { cure, cause });
}

/** Ends work between two batches once the signal is there; what was finished until then is kept. */
export class Interrupted extends Error {}
