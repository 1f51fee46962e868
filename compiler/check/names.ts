/**
 * Names of a whole text, before anything is evaluated: every identifier of every declaration, used or not, must mean
 * something, and every named argument of a call whose callee is a definition must be one of its parameters. Evaluation stops
 * at the first fault of a declaration; this pass tells all of them at once. What values are is left to evaluation.
 */
import { LIMITS, children, nearest, report } from '../../grammar/index.ts';
import type { Definition, Diagnostic, Expression, Field, Span, Statement } from '../../grammar/index.ts';
import { namesOf } from '../elaborate/names.ts';
import type { Host } from '../host.ts';
import { checkArguments, checkPart } from './arguments.ts';
import { checkMember, recordsOf } from './records.ts';
import type { Records } from './records.ts';
import { libraryPathOf } from '../modules/library.ts';
import type { Import, Module } from '../modules/modules.ts';
import { FIELD_WORDS } from '../pipeline/training-fields.ts';

/** What a body of each kind knows besides its parameters. */
const GIVEN: Partial<Record<Definition['keyword'], string[]>> = { optimizer: ['step', 'decay'] };
/** Names of a batch's inputs within an `embed`. */
const BATCH = ['image', 'tokens', 'position', 'segment', 'mask', 'label'];

export function checkNames(module: Module, host: Host): Diagnostic[] {
  const check = new NameCheck(module, host);
  for (const declaration of module.tree.declarations) {
    if (module.unreadable.declarations.has(declaration)) continue;
    switch (declaration.kind) {
      case 'Definition':
        check.definition(declaration);
        break;
      case 'Param':
        check.expression(declaration.value, new Set());
        break;
      case 'Binding':
        check.expression(declaration.value, new Set());
        break;
      case 'Seeds':
        check.expression(declaration.values, new Set());
        break;
      case 'Export':
        check.expression(declaration.value, new Set());
        break;
      case 'Stage':
      case 'Compare': {
        if (declaration.from) check.expression(declaration.from, new Set());
        const arms = declaration.kind === 'Compare' ? declaration.arms : [];
        const shared = declaration.tunes;
        for (const tune of [...shared, ...arms.flatMap((a) => a.tunes)])
          for (const e of [tune.values, tune.by, tune.seeds]) check.expression(e, new Set());
        // A name that an arm tunes is known in its own fields, and in those that the comparison gives to all arms.
        const tuned = new Set([...shared, ...arms.flatMap((a) => a.tunes)].map((t) => t.name.text));
        for (const arm of arms) check.fields(arm.fields, new Set([...shared, ...arm.tunes].map((t) => t.name.text)));
        check.fields(declaration.fields, tuned);
        break;
      }
      case 'Use':
      case 'RecordType':
        break;
    }
  }
  return check.diagnostics;
}

class NameCheck {
  readonly diagnostics: Diagnostic[] = [];
  private readonly module: Module;
  private readonly host: Host;
  /** Records among the parameters of the definition that is being looked at. */
  private records: Records = new Map();
  private readonly known: ReadonlySet<string>;

  constructor(module: Module, host: Host) {
    this.module = module;
    this.host = host;
    this.known = new Set(namesOf(module));
  }

  definition(definition: Definition): void {
    this.records = recordsOf(definition, this.module);
    const names = new Set([...definition.params.map((p) => p.name.text), ...(GIVEN[definition.keyword] ?? [])]);
    for (const p of definition.params) this.dimensions(p.type?.shape ?? [], names);
    for (const p of definition.params) if (p.default) this.expression(p.default, names);
    if (definition.value) this.expression(definition.value, names);
    this.statements(definition.body ?? [], names);
    this.records = new Map();
  }

  fields(fields: readonly Field[], names: ReadonlySet<string>): void {
    for (const field of fields) {
      for (const e of [field.value, field.every, field.on, ...field.more.map((m) => m.value)])
        if (e)
          this.expression(e, new Set([...names, ...(Object.hasOwn(FIELD_WORDS, field.name.text) ? FIELD_WORDS[field.name.text] : [])]));
    }
  }

  /** Plain names in a shape bind dimensions, whether they are new or not. */
  private dimensions(shape: readonly { kind: string }[], names: Set<string>): void {
    for (const entry of shape) if (entry.kind === 'Identifier') names.add((entry as Extract<Expression, { kind: 'Identifier' }>).name);
  }

  /** Statements share the names of their body: parts and weights of a branch stay known after it. */
  private statements(statements: readonly Statement[], names: Set<string>): void {
    for (const s of statements) {
      switch (s.kind) {
        case 'Let': {
          const inner = s.params ? new Set([...names, ...s.params.map((p) => p.text)]) : names;
          // Parameters of a local function are no records, whatever they are called.
          const records = this.records;
          if (s.params) this.records = new Map([...records].filter(([name]) => !s.params?.some((p) => p.text === name)));
          this.expression(s.value, inner);
          this.records = records;
          if (s.shape?.shape) this.dimensions(s.shape.shape, names);
          names.add(s.name.text);
          this.records.delete(s.name.text);
          break;
        }
        case 'Assign':
        case 'Keep':
          this.expression(s.value, names);
          break;
        case 'Expose':
          this.expression(s.value, names);
          names.add(s.name.text);
          break;
        case 'Weight':
          for (const entry of s.shape.shape ?? []) if (entry.kind !== 'Rest') this.expression(entry, names);
          this.expression(s.init, names);
          for (const option of s.options) this.expression(option.value, names);
          names.add(s.name.text);
          break;
        case 'Part':
          if (s.index) this.expression(s.index, names);
          this.expression(s.value, names);
          this.part(s.value, names);
          names.add(s.name.text);
          break;
        case 'Repeat':
          this.expression(s.over, names);
          names.add(s.variable.text);
          this.statements(s.body, names);
          break;
        case 'If':
          this.expression(s.condition, names);
          this.statements(s.then, names);
          this.statements(s.otherwise ?? [], names);
          break;
        case 'Return':
        case 'Score':
          this.expression(s.value, names);
          break;
        case 'Require':
          this.expression(s.condition, names);
          this.expression(s.message, names);
          break;
        case 'StateLike':
          this.name(s.like.text, s.like.span, names);
          names.add(s.name.text);
          break;
        case 'Train':
          this.fields(s.fields, names);
          names.add(s.name.text);
          break;
        case 'Embed':
          this.expression(s.from, names);
          this.statements(s.body, new Set([...names, ...BATCH]));
          names.add(s.name.text);
          break;
      }
    }
  }

  expression(e: Expression, names: ReadonlySet<string>): void {
    if (e.kind === 'Identifier') {
      this.name(e.name, e.span, names);
      return;
    }
    if (e.kind === 'Call') this.call(e, names);
    if (e.kind === 'Member') this.diagnostics.push(...checkMember(e, this.records, this.module, names));
    for (const child of children(e)) this.node(child, names);
  }

  private node(node: { kind: string }, names: ReadonlySet<string>): void {
    // Names of members, arguments and named indices are not looked up; everything below them that is an expression is.
    if (node.kind === 'Name') return;
    if (EXPRESSIONS.has(node.kind)) this.expression(node as Expression, names);
    else for (const child of children(node as Expression)) this.node(child, names);
  }

  private name(name: string, span: Span, names: ReadonlySet<string>): void {
    if (names.has(name) || this.known.has(name) || this.module.unreadable.names.has(name)) return;
    // beyond what is printed nobody reads which name was meant
    const told = this.diagnostics.length < LIMITS.errors.most;
    const near = told ? nearest(name, [...names, ...this.known]) : undefined;
    const library = told ? libraryPathOf(this.host, name) : undefined;
    this.diagnostics.push(report('P0201', { name, nearest: near ?? '', ...(library ? { library } : {}) }, span));
  }

  private call(e: Extract<Expression, { kind: 'Call' }>, names: ReadonlySet<string>): void {
    const definition = this.callee(e.callee, names);
    if (!definition) return;
    this.diagnostics.push(...checkArguments(e, definition));
  }

  private part(value: Expression, names: ReadonlySet<string>): void {
    const definition = this.callee(value.kind === 'Call' ? value.callee : value, names);
    if (definition?.keyword === 'layer') this.diagnostics.push(...checkPart(value, definition, this.module));
  }

  /** The definition that a callee means, if it can be told without evaluating: a name, or a member of a module. */
  private callee(e: Expression, names: ReadonlySet<string>): Definition | undefined {
    if (e.kind === 'Identifier') return names.has(e.name) ? undefined : definitionOf(this.module, e.name);
    if (e.kind !== 'Member' || e.object.kind !== 'Identifier' || names.has(e.object.name)) return undefined;
    const target: Import | undefined = this.module.imports.get(e.object.name);
    return target && !target.name ? definitionOf(target.module, e.name.text) : undefined;
  }
}

const EXPRESSIONS: ReadonlySet<string> = new Set([
  'NumberLiteral',
  'StringLiteral',
  'BoolLiteral',
  'NoneLiteral',
  'ListLiteral',
  'Identifier',
  'Member',
  'Call',
  'Index',
  'Unary',
  'Binary',
  'Range',
  'Conditional',
  'Arrow',
  'Missing',
]);

function definitionOf(module: Module, name: string): Definition | undefined {
  const imported = module.imports.get(name);
  const declaration = imported
    ? imported.name
      ? imported.module.declarations.get(imported.name)
      : undefined
    : module.declarations.get(name);
  return declaration?.kind === 'Definition' ? declaration : undefined;
}
