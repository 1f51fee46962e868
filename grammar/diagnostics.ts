/**
 * All diagnostics of the language, by family; an entry of a family's file is all that a new one takes. The first two digits of a code
 * tell the family: P01 syntax, P02 names, P03 types and units, P04 shapes, P05 the pipeline, P06 data, P07 limits.
 */
import { data } from './diagnostics/data.ts';
import type { Entry } from './diagnostics/entry.ts';
import { limits } from './diagnostics/limits.ts';
import { names } from './diagnostics/names.ts';
import { pipeline } from './diagnostics/pipeline.ts';
import { shapes } from './diagnostics/shapes.ts';
import { syntax } from './diagnostics/syntax.ts';
import { types } from './diagnostics/types.ts';
import type { Span } from './generated/tree.ts';

export interface Diagnostic {
  code: DiagnosticCode;
  severity: 'error' | 'warning';
  message: string;
  span?: Span;
  expected?: string;
  help?: string;
  /** What was being done when it happened, innermost first. */
  trace?: { span: Span; text: string }[];
}

const families = { ...syntax, ...names, ...types, ...shapes, ...pipeline, ...data, ...limits };

type Families = typeof families;
type Params = { [C in keyof Families]: Families[C] extends Entry<infer P> ? P : never };

export type DiagnosticCode = keyof Families;
export type DiagnosticParams<C extends DiagnosticCode> = Params[C];

export const registry: { readonly [C in DiagnosticCode]: Entry<Params[C]> } = families;

/** The diagnostic `code`, its sentence filled in. Parameters are checked by type. */
export function report<C extends DiagnosticCode>(code: C, params: DiagnosticParams<C>, span?: Span): Diagnostic {
  const known: Entry<Params[C]> = registry[code];
  const diagnostic: Diagnostic = { code, severity: known.severity, message: known.message(params) };
  if (span) diagnostic.span = span;
  if (known.expected) diagnostic.expected = known.expected(params);
  const help = known.help?.(params);
  if (help !== undefined) diagnostic.help = help;
  return diagnostic;
}

/** The entry of a code that came from outside, such as the command line. */
export function lookup(code: string): Entry<never> | undefined {
  return isCode(code) ? registry[code] : undefined;
}

function isCode(code: string): code is DiagnosticCode {
  return Object.hasOwn(registry, code);
}
