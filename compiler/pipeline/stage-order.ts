/**
 * The order in which stages are resolved: a stage comes after those that it begins with, is compared with, or takes rows of, wherever they stand
 * in the text. Stages that depend on each other in a circle are an error that names them all.
 */
import { report, walk } from '../../grammar/index.ts';
import type { Diagnostic, Span } from '../../grammar/index.ts';
import type { Module } from '../modules/modules.ts';
import type { StageDeclaration } from './stages.ts';

type Declared = StageDeclaration['declaration'];

/** `stages` so that each comes after those that it depends on; otherwise as they stand in the text. Those of a circle are left out. */
export function inOrder(module: Module, stages: readonly StageDeclaration[], diagnostics: Diagnostic[]): StageDeclaration[] {
  const done = new Set<Declared>();
  const underWay: Declared[] = [];
  const circular = new Set<Declared>();
  const result: StageDeclaration[] = [];
  const visit = (declaration: Declared): void => {
    if (done.has(declaration)) return;
    const at = underWay.indexOf(declaration);
    if (at >= 0) {
      const circle = underWay.slice(at);
      const first = circle.reduce((a, b) => (b.span.start < a.span.start ? b : a));
      const from = circle.indexOf(first);
      const names = [...circle.slice(from), ...circle.slice(0, from), first].map((one) => one.name.text);
      // A stage that names itself is told where it does.
      if (circle.length === 1) return;
      diagnostics.push(report('P0537', { names }, first.from?.span ?? first.name.span));
      for (const one of circle) circular.add(one);
      return;
    }
    underWay.push(declaration);
    for (const other of dependencies(module, declaration)) if (other !== declaration) visit(other);
    underWay.pop();
    if (done.has(declaration)) return;
    done.add(declaration);
    result.push(...stages.filter((stage) => stage.declaration === declaration));
  };
  for (const { declaration } of stages) visit(declaration);
  return result.filter(({ declaration }) => !circular.has(declaration));
}

/** Stages that a declaration names, itself or by way of data and probes that it names. */
function dependencies(module: Module, declaration: Declared): Declared[] {
  const found = new Set<Declared>();
  const seen = new Set<string>();
  const look = (node: Parameters<typeof walk>[0]): void =>
    walk(node, (inner) => {
      if (inner.kind !== 'Identifier' || seen.has(inner.name)) return;
      seen.add(inner.name);
      const named = module.declarations.get(inner.name);
      if (named?.kind === 'Stage' || named?.kind === 'Compare') found.add(named);
      else if (named?.kind === 'Binding' || named?.kind === 'Param') look(named.value);
    });
  look(declaration);
  return [...found].sort((a, b) => a.span.start - b.span.start);
}

/** Comparisons that compare nothing, and arms that have one name. */
export function checkArms(stages: readonly Declared[], diagnostics: Diagnostic[]): void {
  for (const declaration of stages) {
    if (declaration.kind !== 'Compare') continue;
    if (declaration.arms.length === 0) diagnostics.push(report('P0535', { name: declaration.name.text }, declaration.name.span));
    const before = new Map<string, Span>();
    for (const { name } of declaration.arms) {
      const first = before.get(name.text);
      if (first) diagnostics.push(report('P0536', { name: name.text, compare: declaration.name.text, line: first.line }, name.span));
      else before.set(name.text, name.span);
    }
  }
}
