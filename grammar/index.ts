export { parse, parseExpression } from './parse.ts';
export { lookup, registry, report } from './diagnostics.ts';
export type { Diagnostic, DiagnosticCode, DiagnosticParams } from './diagnostics.ts';
export { nearest } from './nearest.ts';
export type * from './generated/tree.ts';
export { formatDiagnostics } from './format.ts';
export type { FormatOptions } from './format.ts';
export { children, walk } from './walk.ts';
