/**
 * Texts and the names they give each other. A module is one file; `use` brings declarations of others into its scope.
 *
 * `use a.b.c` means, in this order: the file a/b/c (its declaration `c`, else the file as a namespace); the declaration `c`
 * of the file a/b; the declaration `c` of any file in the folder a/b. `std` is the standard library; `use "own.pivot".{ x }`
 * names a file beside the text. What comes out is a table of modules with their scopes; nothing is evaluated here.
 */
import { LIMITS, nearest, parse, report } from '../../grammar/index.ts';
import type { Declaration, Diagnostic, File, Name, Span, Use } from '../../grammar/index.ts';
import type { Host } from '../host.ts';
import { unreadableParts } from './unreadable.ts';
import type { Unreadable } from './unreadable.ts';

export type Named = Exclude<Declaration, { kind: 'Use' | 'Seeds' | 'Export' }>;

export interface Module {
  /** `scenes`, or the file's name for the main text. */
  name: string;
  /** As the host reads it: `std:data/scenes.pivot`, `quickstart.pivot`. */
  path: string;
  text: string;
  tree: File;
  declarations: Map<string, Named>;
  /** Names that `use` brought in. */
  imports: Map<string, Import>;
  unreadable: Unreadable;
}

export type Import = { module: Module; name?: string; span: Span };

export interface Loaded {
  main: Module;
  modules: Map<string, Module>;
  diagnostics: Diagnostic[];
}

/** Modules that a text needs without naming them: the layers of checkpoints are many, and most texts need none. */
export function usesOfText(path: string, host: Host): string[] {
  return /\bpretrained\s*\(/.test(host.read(path) ?? '') ? ['std.pretrained.architectures'] : [];
}

/**
 * Reads `path` and everything it uses, and the modules `also` (paths such as `std.optim.clip`). Faults are collected; a
 * module that cannot be found is left out. `read` parses a text; whoever compiles many may keep the trees of the standard library.
 */
export function loadModules(path: string, host: Host, also: readonly string[] = [], read: typeof parse = parse): Loaded {
  const loader = new Loader(host, read);
  for (const name of also) loader.load(`std:${name.split('.').slice(1).join('/')}.pivot`);
  const main = loader.load(path);
  if (!main) return { main: emptyModule(path), modules: new Map(), diagnostics: [report('P0203', { path, candidates: '' })] };
  return { main, modules: loader.modules, diagnostics: loader.diagnostics };
}

class Loader {
  readonly modules = new Map<string, Module>();
  readonly diagnostics: Diagnostic[] = [];
  private readonly host: Host;
  private readonly parse: typeof parse;

  constructor(host: Host, read: typeof parse) {
    this.host = host;
    this.parse = read;
  }

  load(path: string): Module | undefined {
    const known = this.modules.get(path);
    if (known) return known;
    const text = this.host.read(path);
    if (text === undefined) return undefined;
    const { tree, diagnostics } = this.parse(text, path);
    this.diagnostics.push(...diagnostics);
    const name = path.replace(/^.*[/:]/, '').replace(/\.pivot$/, '');
    const unreadable = unreadableParts(tree, text, diagnostics);
    const module: Module = { name, path, text, tree, declarations: new Map(), imports: new Map(), unreadable };
    this.modules.set(path, module);
    if (this.modules.size > LIMITS.modules.most) {
      if (this.modules.size === LIMITS.modules.most + 1)
        this.diagnostics.push(report('P0701', { limit: 'modules', where: `\`${path}\`` }, tree.span));
      return module;
    }
    for (const declaration of tree.declarations) {
      if (declaration.kind === 'Use' || declaration.kind === 'Seeds' || declaration.kind === 'Export') continue;
      this.declare(module, declaration);
    }
    for (const declaration of tree.declarations)
      if (declaration.kind === 'Use' && !unreadable.declarations.has(declaration)) this.use(module, declaration);
    return module;
  }

  private declare(module: Module, declaration: Named): void {
    const { text, span } = declaration.name;
    const before = module.declarations.get(text);
    if (before) this.diagnostics.push(report('P0204', { name: text, line: before.name.span.line }, span));
    else module.declarations.set(text, declaration);
  }

  /** Names that a `use` did not find are told there, and not once more wherever they stand. */
  private use(module: Module, use: Use): void {
    const before = this.diagnostics.length;
    this.bring(module, use);
    if (this.diagnostics.length === before) return;
    for (const { text } of use.names ?? use.path.slice(-1))
      if (!module.imports.has(text) && !module.declarations.has(text)) module.unreadable.names.add(text);
  }

  private bring(module: Module, use: Use): void {
    if (use.file) {
      const target = this.load(beside(module.path, use.file.value));
      if (!target) {
        this.diagnostics.push(report('P0203', { path: use.file.value, candidates: '' }, use.file.span));
        return;
      }
      for (const name of use.names ?? []) this.bind(module, name, this.member(target, name.text), use, [...target.declarations.keys()]);
      return;
    }
    const path = use.path.map((n) => n.text);
    if (path[0] !== 'std') {
      const near = nearest(path[0], ['std']);
      this.diagnostics.push(
        report(
          'P0203',
          { path: path.join('.'), candidates: 'std', ...(near ? { nearest: [near, ...path.slice(1)].join('.') } : {}) },
          use.span,
        ),
      );
      return;
    }
    if (!this.followed(use)) return;
    if (use.names) {
      for (const name of use.names) this.bind(module, name, this.find([...path, name.text]), use, this.candidates(path));
    } else {
      const last = use.path[use.path.length - 1];
      this.bind(module, last, this.find(path), use, this.candidates(path.slice(0, -1)));
    }
  }

  private bind(module: Module, name: Name, found: { module: Module; name?: string } | undefined, use: Use, candidates: string[]): void {
    if (!found) {
      const where = use.file ? use.file.value : use.path.map((n) => n.text).join('.');
      this.diagnostics.push(
        report(
          'P0202',
          { name: name.text, where, nearest: nearest(name.text, candidates) ?? '', candidates: candidates.join(', ') },
          name.span,
        ),
      );
      return;
    }
    const clash = module.declarations.get(name.text) ?? module.imports.get(name.text);
    if (clash) this.diagnostics.push(report('P0204', { name: name.text, line: ('span' in clash ? clash.span : use.span).line }, name.span));
    else module.imports.set(name.text, { ...found, span: name.span });
  }

  /** Finds what `std.a.b.c` means; see the head of this file. */
  private find(path: string[]): { module: Module; name?: string } | undefined {
    const folder = path.slice(1, -1).join('/');
    const last = path[path.length - 1];
    const file = this.load(`std:${[...path.slice(1)].join('/')}.pivot`);
    if (file) return file.declarations.has(last) ? { module: file, name: last } : { module: file };
    const parent = folder ? this.load(`std:${folder}.pivot`) : undefined;
    if (parent) return this.member(parent, last);
    for (const entry of this.files(folder)) {
      const sibling = this.load(`std:${folder}/${entry}`);
      const found = sibling && this.member(sibling, last);
      if (found) return found;
    }
    return undefined;
  }

  /** Whether all folders and files on the way to what `use` names exist; the first that does not is told, with the path that was meant. */
  private followed(use: Use): boolean {
    const path = use.path.map((n) => n.text);
    const end = use.names ? path.length : path.length - 1;
    for (let i = 1; i < end; i++) {
      const before = path.slice(0, i);
      const entries = (this.host.list(`std:${before.slice(1).join('/')}`) ?? []).map((entry) => entry.replace(/\.pivot$/, '')).sort();
      if (entries.length === 0 || entries.includes(path[i])) continue;
      const near = nearest(path[i], entries);
      this.diagnostics.push(
        near === undefined
          ? report('P0202', { name: path[i], where: before.join('.'), nearest: '', candidates: entries.join(', ') }, use.path[i].span)
          : report('P0203', { path: path.join('.'), candidates: '', nearest: [...before, near].join('.') }, use.path[i].span),
      );
      return false;
    }
    return true;
  }

  private member(module: Module, name: string): { module: Module; name: string } | undefined {
    return module.declarations.has(name) ? { module, name } : undefined;
  }

  private files(folder: string): string[] {
    return (this.host.list(`std:${folder}`) ?? []).filter((name) => name.endsWith('.pivot')).sort();
  }

  /** What could have stood after a path, for the message. */
  private candidates(path: string[]): string[] {
    const folder = path.slice(1).join('/');
    const own = folder ? this.load(`std:${folder}.pivot`) : undefined;
    if (own) return [...own.declarations.keys()];
    const names = new Set<string>();
    for (const entry of this.host.list(`std:${folder}`) ?? []) {
      names.add(entry.replace(/\.pivot$/, ''));
      if (!entry.endsWith('.pivot')) continue;
      for (const name of this.load(`std:${folder}/${entry}`)?.declarations.keys() ?? []) names.add(name);
    }
    return [...names].sort();
  }
}

/** `other` as written in the module `path`: beside it. */
export function beside(path: string, other: string): string {
  const at = path.lastIndexOf('/');
  return other.startsWith('/') || at < 0 ? other : `${path.slice(0, at + 1)}${other}`;
}

function emptyModule(path: string): Module {
  const span = { file: path, start: 0, end: 0, line: 1, column: 1, endLine: 1, endColumn: 1 };
  return {
    name: path,
    path,
    text: '',
    tree: { kind: 'File', span, docs: '', declarations: [] } as unknown as File,
    declarations: new Map(),
    imports: new Map(),
    unreadable: { declarations: new Set(), names: new Set() },
  };
}
