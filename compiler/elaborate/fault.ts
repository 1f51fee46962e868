/** The way a diagnostic leaves the depth of an evaluation: thrown at the place, caught by the declaration that was being resolved. */
import { report } from '../../grammar/index.ts';
import type { Diagnostic, DiagnosticParams, DiagnosticCode, Span } from '../../grammar/index.ts';

export class Fault extends Error {
  readonly diagnostic: Diagnostic;
  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.name = 'Fault';
    this.diagnostic = diagnostic;
  }
}

/** Throws the diagnostic `code` at a place of the text. */
export function fail<C extends DiagnosticCode>(code: C, params: DiagnosticParams<C>, span?: Span): never {
  throw new Fault(report(code, params, span));
}

/** Runs `fn`; a fault within it also says that it happened while `text` was done at `span`. */
export function within<T>(span: Span | undefined, text: string, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    if (error instanceof Fault && span) {
      error.diagnostic.trace = [...(error.diagnostic.trace ?? []), { span, text }];
    }
    throw error;
  }
}

/** Ends the resolving of a declaration whose fault has been reported already. */
export class Silent extends Error {}
