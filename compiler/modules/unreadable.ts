/**
 * What a text with syntax errors leaves unknown. A declaration in which one stands is not looked at further, and names that stand where
 * nothing could be read are not called unknown: one slip in a text is one error.
 */
import type { Declaration, Diagnostic, File } from '../../grammar/index.ts';

export interface Unreadable {
  /** Declarations with a syntax error in them. */
  declarations: ReadonlySet<Declaration>;
  /** Words of those, of what is no declaration at all, and names that a `use` did not find. */
  names: Set<string>;
}

/** `diagnostics` are those of the parser. */
export function unreadableParts(tree: File, text: string, diagnostics: readonly Diagnostic[]): Unreadable {
  const spans = diagnostics.flatMap(({ severity, span }) => (severity === 'error' && span ? [span] : []));
  if (spans.length === 0) return { declarations: new Set(), names: new Set() };
  const declarations = new Set<Declaration>();
  const pieces: string[] = [];
  let read = 0;
  for (const declaration of tree.declarations) {
    const { start, end, line, endLine } = declaration.span;
    // by lines: what follows a fault on its line may belong to the declaration without being in its span
    if (spans.some((span) => span.line <= endLine && span.endLine >= line)) {
      declarations.add(declaration);
      continue;
    }
    pieces.push(text.slice(read, start));
    read = Math.max(read, end);
  }
  pieces.push(text.slice(read));
  return { declarations, names: new Set(pieces.join('\n').match(/[A-Za-z_]\w*/g)) };
}
