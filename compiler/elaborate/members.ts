/** `x.name`: fields of records, activations and weights of parts, parts of models and stages, declarations of modules. */
import { nearest } from '../../grammar/index.ts';
import type { Span } from '../../grammar/index.ts';
import type { Context } from './context.ts';
import { exchange, makeData } from './data.ts';
import { fail } from './fault.ts';
import { moduleScope, stageParts } from './names.ts';
import { describe, number } from './values.ts';
import type { Value } from './values.ts';

export function member(ctx: Context, object: Value, name: string, span: Span): Value {
  const found = lookup(ctx, object, name);
  if (found) return found;
  const known = membersOf(ctx, object);
  return fail('P0206', { name, of: describe(object), nearest: nearest(name, known) ?? '', known: known.join(', ') }, span);
}

function lookup(ctx: Context, object: Value, name: string): Value | undefined {
  switch (object.kind) {
    case 'record':
      return object.fields.get(name);
    case 'namespace':
      return object.module.declarations.has(name) ? moduleScope(object.module).lookup(name) : undefined;
    case 'instance':
      return ctx.exposed.get(`${ctx.prefix}${object.path}.${name}`) ?? configuration(object, name) ?? tokenizerOf(object, name);
    case 'tokenizer':
      return name === 'size' && 'words' in object.of ? number(object.of.words.words.length) : undefined;
    case 'model':
      return name === 'encoder' || name === 'connector' || name === 'language' || name === 'layer'
        ? (object.form as unknown as Record<string, Value | undefined>)[name]
        : undefined;
    case 'subject':
      return name === 'lora' && object.part ? { ...object, adapterOnly: true } : stageParts(object, name);
    case 'data':
      return name === 'exchanged' && object.layout === 'pairs'
        ? { kind: 'closure', name, call: (_, given, at) => exchange(object, given, at) }
        : undefined;
    case 'bound':
      return name === 'exchanged' && object.definition.keyword === 'source' && object.definition.result?.name?.text === 'pairs'
        ? { kind: 'closure', name, call: (inner, given, at) => exchange(makeData(inner, object, at), given, at) }
        : undefined;
    default:
      return undefined;
  }
}

/** The tokenizer that lies beside a language model's weights: `head.tokenizer`. */
function tokenizerOf({ stored }: Extract<Value, { kind: 'instance' }>, name: string): Value | undefined {
  if (name !== 'tokenizer' || !stored) return undefined;
  const { folder } = stored.checkpoint;
  return { kind: 'tokenizer', name: folder, of: { folder } };
}

/** What a part was declared with: `eyes.image`. */
function configuration(object: Extract<Value, { kind: 'instance' }>, name: string): Value | undefined {
  return object.bound.given.get(name);
}

function membersOf(ctx: Context, object: Value): string[] {
  switch (object.kind) {
    case 'record':
      return [...object.fields.keys()];
    case 'namespace':
      return [...object.module.declarations.keys()];
    case 'instance': {
      const prefix = `${ctx.prefix}${object.path}.`;
      return [
        ...[...ctx.exposed.keys()].filter((k) => k.startsWith(prefix)).map((k) => k.slice(prefix.length)),
        ...object.bound.given.keys(),
      ];
    }
    case 'tokenizer':
      return ['size'];
    case 'model':
      return Object.keys(object.form).filter((k) => k !== 'kind');
    case 'subject':
      return stageParts(object, undefined);
    case 'data':
      return object.layout === 'pairs' ? ['exchanged'] : [];
    default:
      return [];
  }
}
