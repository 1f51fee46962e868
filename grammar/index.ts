/**
 * The grammar: a text goes in, a syntax tree and diagnostics come out.
 *
 *   tokens.ts       words, numbers with their units, marks
 *   parser/         brackets mended, then the rules of the language (Chevrotain, with recovery), then faults in words
 *   build/          the parser's concrete tree to the syntax tree; most of it is generated from nodes.ts
 *   generated/      written by generate.ts: the types of both trees, builders, the children of each kind
 *   diagnostics/    every diagnostic of the language, the compiler's too, by family
 *
 * There is always a tree. Where the text has a hole the tree has a `Missing` expression or an empty name, and a diagnostic has told it.
 * What names mean, which fields a stage has, whether types, units and shapes fit: that is left to the compiler.
 */
export { languageVersion, parse, parseExpression } from './parse.ts';
export { lookup, registry, report } from './diagnostics.ts';
export type { Diagnostic, DiagnosticCode, DiagnosticParams } from './diagnostics.ts';
export { formatDiagnostics } from './format.ts';
export type { FormatOptions } from './format.ts';
export { nearest } from '../plan/nearest.ts';
export { LIMITS } from './limits.ts';
export type { LimitName } from './limits.ts';
export { children, walk } from './walk.ts';
export type * from './generated/tree.ts';
