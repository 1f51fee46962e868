/**
 * From the parser's concrete tree to the syntax tree. The builders of most nodes are generated (`generated/build.ts`); here is what they
 * share: spans, names, lists and docs. Recovery leaves holes in a concrete tree: a missing name becomes the empty name, a missing
 * expression a `Missing` node, and a declaration or statement of which nothing is known is left out.
 */
import type { CstNode, IToken } from 'chevrotain';
import type { Diagnostic } from '../diagnostics.ts';
import type { Name, Span } from '../generated/tree.ts';
import type { Docs } from './docs.ts';

export class Build {
  readonly file: string;
  readonly diagnostics: Diagnostic[] = [];
  private readonly docLines: Docs;
  /** The end of what was built last: where something missing is said to stand. */
  private here: Span;

  constructor(file: string, docs: Docs) {
    this.file = file;
    this.docLines = docs;
    this.here = { file, start: 0, end: 0, line: 1, column: 1, endLine: 1, endColumn: 1 };
  }

  span(cst: CstNode): Span {
    const at = cst.location;
    if (at === undefined || !Number.isFinite(at.startOffset) || !Number.isFinite(at.endOffset)) return this.missing();
    const span = {
      file: this.file,
      start: at.startOffset,
      end: (at.endOffset ?? at.startOffset) + 1,
      line: at.startLine ?? 1,
      column: at.startColumn ?? 1,
      endLine: at.endLine ?? 1,
      endColumn: (at.endColumn ?? 1) + 1,
    };
    return this.note(span.end >= span.start ? span : { ...span, end: span.start, endLine: span.line, endColumn: span.column });
  }

  tokenSpan(token: IToken): Span {
    return isInserted(token) ? this.missing() : this.note(tokenSpan(this.file, token));
  }

  private note(span: Span): Span {
    this.here = { ...span, start: span.end, line: span.endLine, column: span.endColumn };
    return span;
  }

  /** The empty span at which something is missing. */
  missing(): Span {
    return this.here;
  }

  name(tokens: readonly IToken[] | undefined): Name {
    const token = tokens?.[0];
    return token ? { kind: 'Name', span: this.tokenSpan(token), text: token.image } : { kind: 'Name', span: this.missing(), text: '' };
  }

  names(tokens: readonly IToken[] | undefined): Name[] {
    return (tokens ?? []).map((token) => this.name([token]));
  }

  /** The word of `words` that a token spells; the first where recovery lost the token. */
  word<T extends string>(tokens: readonly IToken[] | undefined, words: readonly [T, ...T[]]): T {
    return words.find((word) => word === tokens?.[0].image) ?? words[0];
  }

  one<C, N>(nodes: readonly C[] | undefined, make: (build: Build, cst: C) => N, missing: (span: Span) => N): N {
    return nodes && nodes.length > 0 ? make(this, nodes[0]) : missing(this.missing());
  }

  optional<C, N>(nodes: readonly C[] | undefined, make: (build: Build, cst: C) => N): N | undefined {
    return nodes && nodes.length > 0 ? make(this, nodes[0]) : undefined;
  }

  many<C, N>(nodes: readonly C[] | undefined, make: (build: Build, cst: C) => N | undefined): N[] {
    return (nodes ?? []).flatMap((node) => make(this, node) ?? []);
  }

  /** The `///` lines before a node, without their slashes. */
  docs(cst: CstNode): string {
    return cst.name === 'file' ? this.docLines.file : this.docLines.before(cst.location?.startOffset);
  }
}

/** The span of a token. */
export function tokenSpan(file: string, token: IToken): Span {
  return {
    file,
    start: token.startOffset,
    end: (token.endOffset ?? token.startOffset) + 1,
    line: token.startLine ?? 1,
    column: token.startColumn ?? 1,
    endLine: token.endLine ?? 1,
    endColumn: (token.endColumn ?? 1) + 1,
  };
}

/** Whether recovery made the token up. */
export function isInserted(token: IToken): boolean {
  return token.isInsertedInRecovery === true || !Number.isFinite(token.startOffset);
}

/** From the start of one span to the end of another, or to its own where the other stands for something missing before it. */
export function join(a: Span, b: Span): Span {
  return b.end < a.end ? a : { ...a, end: b.end, endLine: b.endLine, endColumn: b.endColumn };
}
