/**
 * The compiler: from a text to a plan.
 *
 * In comes the path of a `.pivot` text and a `Host` to read files by; out go diagnostics and, if none is an error, a plan. The
 * way: modules are read and their names resolved (modules/), declarations are evaluated and layers run on symbolic tensors
 * (elaborate/), stages become graphs and tasks (pipeline/), graphs are simplified (passes/), fused and lowered to WGSL (fuse/,
 * kernels/, memory/, lower/). Nothing here touches a device; running plans is the runtime's.
 */
import { LIMITS, report } from '../grammar/index.ts';
import type { Diagnostic, Span, parse } from '../grammar/index.ts';
import { hashOf } from '../plan/hash.ts';
import { identified } from '../plan/identity.ts';
import { PLAN_VERSION } from '../plan/plan.ts';
import type { Ask, Plan, Roles } from '../plan/plan.ts';
import type { Program, Target } from '../plan/program.ts';
import { checkNames } from './check/names.ts';
import { endless } from './check/recursion.ts';
import { Fault, Silent } from './elaborate/fault.ts';
import { evaluateIn, openUniverse } from './elaborate/names.ts';
import type { Universe } from './elaborate/names.ts';
import { describe } from './elaborate/values.ts';
import { beginWork } from './elaborate/work.ts';
import type { Graph } from './graph/graph.ts';
import type { Host } from './host.ts';
import { lower } from './lower/lower.ts';
import { loadModules, usesOfText } from './modules/modules.ts';
import { overridesOf } from './overrides.ts';
import { runPasses, simplification } from './passes/passes.ts';
import type { Halves } from './passes/passes.ts';
import { canonicalHash } from './graph/canonical.ts';
import { statesOf } from './graph/stats.ts';
import { buildAsks } from './pipeline/asks.ts';
import { Assembly } from './pipeline/assembly.ts';
import { probeTarget } from './pipeline/probes.ts';
import { checkArms, inOrder } from './pipeline/stage-order.ts';
import { resolvedValues } from './pipeline/resolved.ts';
import type { Resolved } from './pipeline/resolved.ts';
import { seedsOfText } from './pipeline/seeds.ts';
import type { StageResult } from './pipeline/sources.ts';
import { stageDeclarations } from './pipeline/stages.ts';
import { warnAboutUnequalGrids } from './pipeline/tuning.ts';

export interface CompileOptions {
  targets: Target[];
  /** `--set pairs=2k` as name and text of an expression. */
  set?: Record<string, string>;
  /** False: a kernel for every primitive (the equivalence of fused and unfused programs is tested by it). */
  fuse?: boolean;
  /** False: without the programs by which trained models are asked, which no task runs. */
  asks?: boolean;
  /** Parses texts in place of the grammar's own `parse`: it may remember those of the standard library. */
  parse?: typeof parse;
  /** Told of every graph that is lowered. */
  observe?: (role: string, graph: Graph) => void;
}

export interface Compiled {
  diagnostics: Diagnostic[];
  /** Texts by path, for code frames. */
  texts: Map<string, string>;
  plan?: Plan;
  /** What `pivot show` prints beside the plan. */
  stages: StageResult[];
}

/** Texts of the standard library that the compiler calls whether a text uses them or not. */
const OWN_USES = ['std.model.vision_language', 'std.model.generate', 'std.optim.clip'];

export function compile(path: string, host: Host, options: CompileOptions): Compiled {
  beginWork();
  const loaded = loadModules(path, host, [...OWN_USES, ...usesOfText(path, host)], options.parse);
  const texts = new Map([...loaded.modules.values()].map((m) => [m.path, m.text]));
  const diagnostics = [...loaded.diagnostics];
  const overrides = overridesOf(options.set ?? {}, loaded);
  diagnostics.push(...overrides.diagnostics);
  for (const [name, text] of overrides.texts) texts.set(name, text);
  const universe = openUniverse(loaded, host, overrides.values);
  const compilation = new Compilation(universe, diagnostics, options);
  if (loaded.modules.size > 0) {
    const own = [...loaded.modules.values()].filter((module) => !module.path.startsWith('std:'));
    const misnamed = own.flatMap((module) => checkNames(module, host));
    diagnostics.push(...misnamed);
    setAside(universe, misnamed);
    for (const module of own)
      for (const [definition, fault] of endless(module)) {
        if (fault) diagnostics.push(fault);
        universe.faulty.add(definition);
      }
    compilation.run();
  }
  const failed = diagnostics.some((d) => d.severity === 'error');
  return { diagnostics: unique(diagnostics), texts, stages: compilation.stages, ...(failed ? {} : { plan: compilation.plan() }) };
}

class Compilation {
  private readonly assembly: Assembly;
  private readonly programs: Record<string, Program> = {};
  private readonly kernels: Record<string, string> = {};
  private readonly lowered = new Map<string, string>();
  private readonly universe: Universe;
  private readonly diagnostics: Diagnostic[];
  private readonly options: CompileOptions;
  private asks: Ask[] = [];

  constructor(universe: Universe, diagnostics: Diagnostic[], options: CompileOptions) {
    this.universe = universe;
    this.diagnostics = diagnostics;
    this.options = options;
    this.assembly = new Assembly(universe, diagnostics, (roles, label, halves) => this.lowerRoles(roles, label, halves));
  }

  get stages(): StageResult[] {
    return [...this.assembly.results.values()];
  }

  run(): void {
    const { main } = this.universe.loaded;
    const { assembly } = this;
    this.attempt(() => (assembly.seeds = seedsOfText(this.universe)));
    // Every declaration is evaluated, used or not, so that all faults come at once.
    for (const declaration of main.declarations.values()) {
      if (declaration.kind === 'Binding' && declaration.keyword === 'probe') continue;
      if (declaration.kind === 'Param' || declaration.kind === 'Binding')
        this.attempt(
          () => void evaluateIn(this.universe, main, { kind: 'Identifier', name: declaration.name.text, span: declaration.name.span }),
        );
    }
    const declared = stageDeclarations(this.universe);
    if (declared.length > LIMITS.stages.most) {
      const { span } = declared[LIMITS.stages.most].declaration;
      this.diagnostics.push(report('P0701', { limit: 'stages', found: declared.length, where: 'this text' }, span));
      return;
    }
    checkArms(
      main.tree.declarations.filter((d) => d.kind === 'Stage' || d.kind === 'Compare'),
      this.diagnostics,
    );
    const stages = inOrder(main, declared, this.diagnostics);
    for (const stage of declared) if (!stages.includes(stage)) assembly.sources.faulty.add(stage.id);
    for (const stage of stages) {
      if (!this.universe.faulty.has(stage.declaration)) this.attempt(() => assembly.stage(stage));
      if (!assembly.results.has(stage.id)) assembly.sources.faulty.add(stage.id);
    }
    assembly.inOrderOf(declared);
    if (this.failed()) {
      // Arguments of probes need no stage to be judged by.
      for (const declaration of main.declarations.values())
        if (declaration.kind === 'Binding' && declaration.keyword === 'probe')
          this.attempt(() => void probeTarget(this.universe, declaration));
      return;
    }
    warnAboutUnequalGrids(this.universe, declared, this.diagnostics);
    for (const declaration of main.declarations.values())
      if (declaration.kind === 'Binding' && declaration.keyword === 'probe') this.attempt(() => assembly.probe(declaration));
    for (const declaration of main.tree.declarations) if (declaration.kind === 'Export') this.attempt(() => assembly.export(declaration));
    if (this.options.asks ?? true) {
      this.asks = buildAsks(
        this.universe,
        this.stages.map(({ spec }) => spec),
        assembly.maker.tasks,
        (roles, label, halves) => this.lowerRoles(roles, label, halves),
      );
    }
    assembly.maker.report(main.name, main.tree.docs.replace(/([^\n])\n(?!\n)/g, '$1 '), main.text, assembly.seeds);
  }

  plan(): Plan {
    const { main } = this.universe.loaded;
    const { maker, sources } = this.assembly;
    const read = [...sources.files, ...this.universe.pretrained.configs()];
    const files = Object.fromEntries(read.map((path) => [path, { path, hash: this.universe.host.hash(path) ?? '' }]));
    const resolved = [
      ...this.parameters(),
      ...this.assembly.judgedOn,
      ...this.stages.flatMap(({ spec }) => [...spec.origins, ...(spec.train ? resolvedValues(spec.id, spec.train) : [])]),
    ];
    return {
      version: PLAN_VERSION,
      name: main.name,
      tasks: identified({ tasks: maker.tasks, files }),
      targets: this.options.targets,
      programs: this.programs,
      kernels: this.kernels,
      tokenizers: maker.tokenizers,
      files,
      asks: this.asks,
      resolved,
    };
  }

  /** `param`s of the text and what they were set to. */
  private parameters(): Resolved[] {
    const { main } = this.universe.loaded;
    return [...main.declarations.values()].flatMap((d): Resolved[] => {
      if (d.kind !== 'Param') return [];
      const name = d.name.text;
      const textOf = ({ span }: { span: Span }): string => main.text.slice(span.start, span.end);
      const value = describe(evaluateIn(this.universe, main, { kind: 'Identifier', name, span: d.name.span }));
      return [
        {
          name: `param ${name}`,
          value,
          origin: this.universe.overrides.has(name) ? `--set; the text says ${textOf(d.value)}` : `line ${d.span.line}`,
        },
      ];
    });
  }

  private failed(): boolean {
    return this.diagnostics.some((d) => d.severity === 'error');
  }

  /** Runs `fn`; a fault becomes a diagnostic and undefined is returned. */
  private attempt<T>(fn: () => T): T | undefined {
    try {
      return fn();
    } catch (error) {
      if (error instanceof Fault) this.diagnostics.push(error.diagnostic);
      else if (!(error instanceof Silent)) throw error;
      return undefined;
    }
  }

  /** Programs of a task's roles for every target, shared with whatever computed the same before. */
  private lowerRoles(roles: Record<string, Graph>, label: string, halves: Halves): Record<string, Roles> {
    const result: Record<string, Roles> = Object.fromEntries(this.options.targets.map((t) => [t.name, {}]));
    if (this.failed()) return result;
    for (const [role, graph] of Object.entries(roles)) {
      const held =
        halves.size === 0 ? [] : [...statesOf(graph).keys()].flatMap((name) => (halves.has(name) ? [[name, halves.get(name)]] : []));
      const key = JSON.stringify([canonicalHash(graph), held]);
      let simple: Graph | undefined;
      for (const target of this.options.targets) {
        const known = this.lowered.get(`${target.name} ${key}`);
        if (known) {
          result[target.name][role] = known;
          continue;
        }
        simple ??= runPasses(graph, simplification(halves));
        this.options.observe?.(`${label} ${role}`, simple);
        const { program, kernels } = lower(simple, target, { fuse: this.options.fuse ?? true, name: `${label} ${role}` });
        const hash = hashOf(program);
        this.programs[hash] = program;
        Object.assign(this.kernels, kernels);
        this.lowered.set(`${target.name} ${key}`, hash);
        result[target.name][role] = hash;
      }
    }
    return result;
  }
}

/** Values with a misspelt name in them are not evaluated: the fault is told, and what uses them says nothing further. */
function setAside(universe: Universe, misnamed: readonly Diagnostic[]): void {
  for (const declaration of universe.loaded.main.tree.declarations) {
    if (declaration.kind !== 'Param' && declaration.kind !== 'Binding') continue;
    const { start, end } = declaration.span;
    if (misnamed.some(({ span }) => span?.file === universe.loaded.main.path && span.start >= start && span.end <= end))
      universe.faulty.add(declaration);
  }
}

/** The same fault is met once for each arm and seed; it is told once. */
function unique(diagnostics: Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics.filter((d) => {
    const key = `${d.code} ${d.span?.file}:${d.span?.start} ${d.message}`;
    return !seen.has(key) && Boolean(seen.add(key));
  });
}
