/** Files of others that a text names: their strict readers throw, a text has diagnostics. */
import type { Span } from '../../grammar/index.ts';
import { PivotError } from '../../plan/errors.ts';
import { fail } from './fault.ts';

/** What `read` makes of a file; its refusal becomes a diagnostic at the place of the text that names the file. */
export function refusing<T>(file: string, span: Span, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PivotError)) throw error;
    const { line } = error.place ?? {};
    return fail('P0511', { file, message: `${line === undefined ? '' : `line ${line}: `}${error.message.replace(`${file}: `, '')}` }, span);
  }
}
