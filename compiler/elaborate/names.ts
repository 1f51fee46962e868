/**
 * What a module's names mean as values. Declarations are evaluated when they are first asked for, so their order in a text
 * does not matter; a declaration that asks for itself is an error.
 */
import type { Declaration, Expression } from '../../grammar/index.ts';
import type { Host } from '../host.ts';
import { beside } from '../modules/modules.ts';
import type { Loaded, Module, Named } from '../modules/modules.ts';
import { requireComplete } from './arguments.ts';
import { instantiate } from './calls.ts';
import { BUILTINS, CONSTANTS } from './builtin-names.ts';
import { Context } from './context.ts';
import { makeData } from './data.ts';
import { requireRepresentable } from './domains.ts';
import { evaluate } from './expressions.ts';
import { Silent, fail } from './fault.ts';
import { makeModel } from './models.ts';
import { convert } from './parameters.ts';
import { Pretrained } from './pretrained.ts';
import { Scope } from './scope.ts';
import { describe } from './values.ts';
import type { SubjectValue, Value } from './values.ts';

/** One compilation: the texts, the outside, and the parameters set on the command line. */
export interface Universe {
  loaded: Loaded;
  host: Host;
  /** `--set name=expression`, parsed. */
  overrides: Map<string, Expression>;
  scopes: Map<Module, Scope>;
  /** For declarations outside of any graph. */
  context: Context;
  pretrained: Pretrained;
  /** Declarations in which a fault has been told: what uses them is not looked at further. */
  faulty: Set<Declaration>;
}

/** Where the standard library says which layers checkpoints are. */
export const ARCHITECTURES = 'std:pretrained/architectures.pivot';

const universes = new WeakMap<Module, Universe>();

export function openUniverse(loaded: Loaded, host: Host, overrides: Map<string, Expression>): Universe {
  const own = [loaded.main, loaded.modules.get(ARCHITECTURES)].filter((module) => module !== undefined);
  const declares = (module: Module): string[] =>
    [...module.declarations.values()].flatMap((d) => (d.kind === 'Binding' && d.keyword === 'architecture' ? [d.name.text] : []));
  const pretrained = new Pretrained(
    host,
    (name) => {
      const module = own.find((one) => declares(one).includes(name));
      return module && moduleScope(module).lookup(name);
    },
    () => own.flatMap(declares),
  );
  const universe: Universe = {
    loaded,
    host,
    overrides,
    scopes: new Map(),
    context: new Context(),
    pretrained,
    faulty: new Set([...loaded.modules.values()].flatMap(({ unreadable }) => [...unreadable.declarations])),
  };
  for (const module of loaded.modules.values()) universes.set(module, universe);
  return universe;
}

/** The scope of a module's own names, imports and builtins. */
export function moduleScope(module: Module): Scope {
  const universe = universes.get(module);
  if (!universe) throw new Error(`the module ${module.name} belongs to no compilation`);
  const known = universe.scopes.get(module);
  if (known) return known;
  const root = new Scope(undefined, builtin);
  const scope = new Scope(root, (name) => declared(universe, module, name));
  universe.scopes.set(module, scope);
  for (const name of BUILTINS) root.define(name, { kind: 'builtin', name });
  root.define('pretrained', { kind: 'closure', name: 'pretrained', call: (_, given, span) => universe.pretrained.layer(given, span) });
  return scope;
}

function builtin(name: string): Value | undefined {
  return Object.hasOwn(CONSTANTS, name) ? { kind: 'number', value: CONSTANTS[name] } : undefined;
}

/** Names that a module's text may use, for the nearest to a misspelt one. */
export function namesOf(module: Module): string[] {
  return [...module.declarations.keys(), ...module.imports.keys(), ...BUILTINS, ...Object.keys(CONSTANTS), 'pretrained'];
}

const underWay = new Set<Named>();

function declared(universe: Universe, module: Module, name: string): Value | undefined {
  const imported = module.imports.get(name);
  if (imported) return imported.name ? moduleScope(imported.module).lookup(imported.name) : { kind: 'namespace', module: imported.module };
  const declaration = module.declarations.get(name);
  if (declaration && universe.faulty.has(declaration)) throw new Silent();
  if (!declaration) {
    if (module.unreadable.names.has(name) && !BUILTINS.some((known) => known === name) && !Object.hasOwn(CONSTANTS, name))
      throw new Silent();
    return undefined;
  }
  if (underWay.has(declaration)) fail('P0205', { name }, declaration.name.span);
  underWay.add(declaration);
  try {
    const value = valueOf(universe, module, declaration);
    moduleScope(module).define(name, value);
    return value;
  } finally {
    underWay.delete(declaration);
  }
}

function valueOf(universe: Universe, module: Module, declaration: Named): Value {
  const scope = moduleScope(module);
  const ctx = universe.context;
  const name = declaration.name.text;
  switch (declaration.kind) {
    case 'Definition':
      return { kind: 'bound', definition: declaration, module, given: new Map() };
    case 'RecordType':
      return { kind: 'recordType', name, fields: declaration.fields.map((f) => ({ name: f.name.text, type: f.type })) };
    case 'Param': {
      const set = module === universe.loaded.main ? universe.overrides.get(name) : undefined;
      const value = evaluate(ctx, set ?? declaration.value, scope);
      if (!declaration.type) {
        requireRepresentable(value, { name, of: 'the text', span: (set ?? declaration.value).span });
        return value;
      }
      convert(
        { kind: 'Parameter', name: declaration.name, type: declaration.type, domain: declaration.domain, span: declaration.span },
        value,
        'the text',
        (set ?? declaration.value).span,
      );
      // Checked, but kept with its unit: where it is used asks for one again.
      return value;
    }
    case 'Stage':
    case 'Compare':
      return { kind: 'subject', module, stage: name };
    case 'Binding':
      switch (declaration.keyword) {
        case 'encoder':
        case 'language': {
          const value = evaluate(ctx, declaration.value, scope);
          if (value.kind !== 'bound' || value.definition.keyword !== 'layer')
            return fail(
              'P0301',
              { expected: `a layer for the ${declaration.keyword} ${name}`, found: describe(value) },
              declaration.value.span,
            );
          requireComplete(value, declaration.value.span);
          return instantiate(value, name);
        }
        case 'model':
          return makeModel(ctx, declaration, scope);
        case 'data': {
          const data = makeData(ctx, evaluate(ctx, declaration.value, scope), declaration.value.span);
          return data.sampled ? { ...data, sampled: { ...data.sampled, name } } : data;
        }
        case 'tokenizer':
          return vocabulary(universe, module, name, evaluate(ctx, declaration.value, scope), declaration.value);
        case 'probe':
        case 'architecture':
          return evaluate(ctx, declaration.value, scope);
      }
  }
}

/** `vocabulary("words.json")`: a JSON list of words; `<pad>` and `<end>` must be among them. */
function vocabulary(universe: Universe, module: Module, name: string, value: Value, at: Expression): Value {
  if (value.kind !== 'string') return fail('P0301', { expected: 'vocabulary("words.json")', found: describe(value) }, at.span);
  const path = beside(module.path, value.value);
  const text = universe.host.read(path);
  if (text === undefined) return fail('P0510', { file: path }, at.span);
  let words: unknown;
  try {
    words = JSON.parse(text);
  } catch {
    words = undefined;
  }
  const list = Array.isArray(words) ? words : (words as { words?: unknown } | undefined)?.words;
  if (!Array.isArray(list) || !list.every((w) => typeof w === 'string'))
    return fail('P0511', { file: path, message: 'a JSON list of words is expected' }, at.span);
  const [pad, end] = ['<pad>', '<end>'].map((w) => list.indexOf(w));
  if (pad < 0 || end < 0) return fail('P0511', { file: path, message: 'the words `<pad>` and `<end>` must be among them' }, at.span);
  return { kind: 'tokenizer', name, of: { words: { kind: 'words', words: list, pad, end } } };
}

/** Evaluates an expression at the top level of a module. */
export function evaluateIn(universe: Universe, module: Module, expression: Expression): Value {
  return evaluate(universe.context, expression, moduleScope(module));
}

/**
 * `post.dpo`, `post.eyes`, `post.dpo.eyes`: an arm of a comparison, or a declared part or model as that stage left it. Without
 * a name: everything that could be named.
 */
export function stageParts(subject: SubjectValue, name: string): Value | undefined;
export function stageParts(subject: SubjectValue, name: undefined): string[];
export function stageParts(subject: SubjectValue, name: string | undefined): Value | string[] | undefined {
  const { module } = subject;
  const declaration = module.declarations.get(subject.stage);
  const arms = declaration?.kind === 'Compare' && subject.arm === undefined ? declaration.arms.map((a) => a.name.text) : [];
  if (name === undefined) {
    const parts = [...module.declarations.values()].filter(
      (d) => d.kind === 'Binding' && ['encoder', 'language', 'model'].includes(d.keyword),
    );
    return [...arms, ...parts.map((d) => d.name.text)];
  }
  if (arms.includes(name)) return { ...subject, arm: name };
  if (subject.part) return undefined;
  const value = module.declarations.has(name) ? moduleScope(module).lookup(name) : undefined;
  return value?.kind === 'instance' || value?.kind === 'model' ? { ...subject, part: value } : undefined;
}
