/** What the command line says when a command ends early. */
import { PivotError } from '../plan/errors.ts';
import { visible } from '../plan/visible.ts';
import { debugLevel } from './debug.ts';

/** Ends a command whose faults have been printed already. */
export class Rejected extends Error {}

/** A `PivotError` is a sentence for the user; anything else is a fault of ours and is shown with its stack. */
export function printFailure(error: unknown): void {
  if (error instanceof Rejected) return;
  if (!(error instanceof PivotError)) {
    process.stderr.write(visible(`this is a fault of Pivot, please report it:\n${error instanceof Error ? error.stack : String(error)}\n`));
    return;
  }
  process.stderr.write(`${error.format()}\n`);
  if (debugLevel() > 0) process.stderr.write(visible(`${error.stack}\n`));
}
