/** Fields of records that a body takes: the type of a parameter says which there are, whether the body is ever run or not. */
import { nearest, report } from '../../grammar/index.ts';
import type { Definition, Diagnostic, Expression } from '../../grammar/index.ts';
import type { Module, Named } from '../modules/modules.ts';

type RecordType = Extract<Named, { kind: 'RecordType' }>;

/** The record types of a definition's parameters, by their names, and the module that the names of fields' types mean something in. */
export type Records = Map<string, { type: RecordType; module: Module }>;

export function recordsOf(definition: Definition, module: Module): Records {
  return new Map(
    definition.params.flatMap((p) => {
      const type = p.type?.name && !p.type.shape ? recordType(module, p.type.name.text) : undefined;
      return type ? [[p.name.text, type] as const] : [];
    }),
  );
}

/** What is wrong with `object.name`, if the object is a record or a module and has no such field or declaration. */
export function checkMember(
  e: Extract<Expression, { kind: 'Member' }>,
  records: Records,
  module: Module,
  names: ReadonlySet<string>,
): Diagnostic[] {
  const { object, name } = e;
  const tell = (of: string, known: readonly string[]): Diagnostic[] =>
    known.includes(name.text) || name.text === ''
      ? []
      : [report('P0206', { name: name.text, of, nearest: nearest(name.text, known) ?? '', known: known.join(', ') }, name.span)];
  if (object.kind === 'Identifier' && !names.has(object.name)) {
    const target = module.imports.get(object.name);
    return target && !target.name ? tell(`the module ${target.module.name}`, [...target.module.declarations.keys()]) : [];
  }
  const record = typeOf(object, records);
  return record ? tell(`a record ${record.type.name.text}`, record.type.fields.map((f) => f.name.text)) : []; // prettier-ignore
}

function typeOf(e: Expression, records: Records): { type: RecordType; module: Module } | undefined {
  if (e.kind === 'Identifier') return records.get(e.name);
  if (e.kind !== 'Member') return undefined;
  const outer = typeOf(e.object, records);
  const field = outer?.type.fields.find((f) => f.name.text === e.name.text)?.type;
  return outer && field?.name && !field.shape ? recordType(outer.module, field.name.text) : undefined;
}

function recordType(module: Module, name: string): { type: RecordType; module: Module } | undefined {
  const imported = module.imports.get(name);
  if (imported) return imported.name ? recordType(imported.module, imported.name) : undefined;
  const found = module.declarations.get(name);
  return found?.kind === 'RecordType' ? { type: found, module } : undefined;
}
