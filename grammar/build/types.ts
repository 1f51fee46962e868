/** Types: `int`, `Scored`, `[N, T]`, `ids [N, T]?`. */
import { buildRest } from '../generated/build.ts';
import type { ShapeCstNode, TypeRefCstNode } from '../generated/cst.ts';
import type { ShapeEntry, TypeRef } from '../generated/tree.ts';
import type { Build } from './build.ts';
import { buildSum } from './expressions.ts';

export function buildTypeRef(build: Build, cst: TypeRefCstNode): TypeRef {
  const { name, shape, optional } = cst.children;
  return {
    kind: 'TypeRef',
    span: build.span(cst),
    name: name && build.name(name),
    shape: shape && buildShape(build, shape[0]),
    optional: optional !== undefined,
  };
}

function buildShape(build: Build, cst: ShapeCstNode): ShapeEntry[] {
  return build.many(cst.children.entries, (_, entry) => {
    const { rest, value } = entry.children;
    if (rest) return buildRest(build, rest[0]);
    return value && buildSum(build, value[0]);
  });
}
