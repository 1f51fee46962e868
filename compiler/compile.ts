/**
 * The compiler: from a text to a plan.
 *
 * In comes the path of a `.pivot` text and a `Host` to read files by; out go diagnostics and, if none is an error, a plan. The
 * way: modules are read and their names resolved (modules/), declarations are evaluated and layers run on symbolic tensors
 * (elaborate/), stages become graphs and tasks (pipeline/), graphs are simplified (passes/), fused and lowered to WGSL (fuse/,
 * kernels/, memory/, lower/). Nothing here touches a device; running plans is the runtime's.
 */
import { parseExpression, report } from '../grammar/index.ts';
import type { Diagnostic, Expression } from '../grammar/index.ts';
import { hashOf } from '../plan/hash.ts';
import { PLAN_VERSION } from '../plan/plan.ts';
import type { Ask, Plan, Roles } from '../plan/plan.ts';
import type { Program, Target } from '../plan/program.ts';
import { checkNames } from './check/names.ts';
import { Fault, Silent, fail } from './elaborate/fault.ts';
import { evaluateIn, openUniverse } from './elaborate/names.ts';
import type { Universe } from './elaborate/names.ts';
import { describe } from './elaborate/values.ts';
import type { Graph } from './graph/graph.ts';
import type { Host } from './host.ts';
import { lower } from './lower/lower.ts';
import { loadModules } from './modules/modules.ts';
import { runPasses, simplification } from './passes/passes.ts';
import { canonical } from './graph/canonical.ts';
import { buildAsks } from './pipeline/asks.ts';
import { collateFor, requireImage } from './pipeline/batch.ts';
import { lossNeeds } from './pipeline/objective.ts';
import { buildProbe, probeTarget } from './pipeline/probes.ts';
import { resolvedValues } from './pipeline/resolved.ts';
import type { Resolved } from './pipeline/resolved.ts';
import { Sources } from './pipeline/sources.ts';
import type { StageResult } from './pipeline/sources.ts';
import { resolveStage, stageDeclarations, subject as asSubject } from './pipeline/stages.ts';
import type { StageSpec } from './pipeline/stages.ts';
import { TaskMaker } from './pipeline/tasks.ts';
import { buildTrainGraphs } from './pipeline/train-graphs.ts';
import type { TrainGraphs } from './pipeline/train-graphs.ts';

export interface CompileOptions {
  targets: Target[];
  /** `--set pairs=2k` as name and text of an expression. */
  set?: Record<string, string>;
  /** False: a kernel for every primitive (the equivalence of fused and unfused programs is tested by it). */
  fuse?: boolean;
  /** Modules of the standard library that the compiler itself calls. */
  observe?: (role: string, graph: Graph) => void;
}

export interface Compiled {
  diagnostics: Diagnostic[];
  /** Texts by path, for code frames. */
  texts: Map<string, string>;
  plan?: Plan;
  /** What `pivot show` prints beside the plan. */
  stages: { spec: StageSpec; graphs?: TrainGraphs }[];
}

/** Texts of the standard library that the compiler calls whether a text uses them or not. */
const OWN_USES = ['std.model.vision_language', 'std.model.generate', 'std.optim.clip'];

export function compile(path: string, host: Host, options: CompileOptions): Compiled {
  const loaded = loadModules(path, host, OWN_USES);
  const texts = new Map([...loaded.modules.values()].map((m) => [m.path, m.text]));
  const diagnostics = [...loaded.diagnostics];
  const overrides = new Map<string, Expression>();
  for (const [name, text] of Object.entries(options.set ?? {})) {
    const parsed = parseExpression(text, `--set ${name}`);
    texts.set(`--set ${name}`, text);
    diagnostics.push(...parsed.diagnostics);
    overrides.set(name, parsed.tree);
    const declared = loaded.main.declarations.get(name);
    if (declared?.kind !== 'Param') diagnostics.push(report('P0521', { what: `--set ${name}: the text has no \`param ${name}\`` }));
  }
  const compilation = new Compilation(openUniverse(loaded, host, overrides), diagnostics, options);
  if (loaded.modules.size > 0) {
    diagnostics.push(...checkNames(loaded.main));
    compilation.run();
  }
  const failed = diagnostics.some((d) => d.severity === 'error');
  return { diagnostics: unique(diagnostics), texts, stages: compilation.built, ...(failed ? {} : { plan: compilation.plan() }) };
}

class Compilation {
  readonly built: { spec: StageSpec; graphs?: TrainGraphs }[] = [];
  private readonly results = new Map<string, StageResult>();
  private readonly sources: Sources;
  private readonly maker: TaskMaker;
  private readonly programs: Record<string, Program> = {};
  private readonly kernels: Record<string, string> = {};
  private readonly lowered = new Map<string, string>();
  private readonly universe: Universe;
  private readonly diagnostics: Diagnostic[];
  private readonly options: CompileOptions;
  private seeds = [0];
  private asks: Ask[] = [];

  constructor(universe: Universe, diagnostics: Diagnostic[], options: CompileOptions) {
    this.universe = universe;
    this.diagnostics = diagnostics;
    this.options = options;
    this.sources = new Sources(this.results, universe.host, diagnostics);
    this.maker = new TaskMaker(this.sources, (roles, label) => this.lowerRoles(roles, label), universe.host);
  }

  run(): void {
    const { main } = this.universe.loaded;
    this.attempt(() => (this.seeds = this.readSeeds()));
    // Every declaration is evaluated, used or not, so that all faults come at once.
    for (const declaration of main.declarations.values()) {
      if (declaration.kind === 'Binding' && declaration.keyword === 'probe') continue;
      if (declaration.kind === 'Param' || declaration.kind === 'Binding')
        this.attempt(
          () => void evaluateIn(this.universe, main, { kind: 'Identifier', name: declaration.name.text, span: declaration.name.span }),
        );
    }
    const specs = stageDeclarations(this.universe).flatMap(({ id, declaration, arm }) => {
      const spec = this.attempt(() => resolveStage(this.universe, id, declaration, arm, this.diagnostics));
      if (!spec) this.sources.faulty.add(id);
      return spec ? [spec] : [];
    });
    for (const spec of specs) {
      this.attempt(() => this.stage(spec));
      if (!this.results.has(spec.id)) this.sources.faulty.add(spec.id);
    }
    if (this.failed()) return;
    for (const declaration of main.declarations.values())
      if (declaration.kind === 'Binding' && declaration.keyword === 'probe') this.attempt(() => this.probe(declaration));
    for (const declaration of main.tree.declarations) if (declaration.kind === 'Export') this.attempt(() => this.export(declaration));
    this.asks = buildAsks(
      this.universe.loaded,
      this.built.map((b) => b.spec),
      (roles, label) => this.lowerRoles(roles, label),
    );
    this.maker.report(main.name, main.tree.docs.replace(/([^\n])\n(?!\n)/g, '$1 '), main.text, this.seeds);
  }

  plan(): Plan {
    const { main } = this.universe.loaded;
    const files = Object.fromEntries([...this.sources.files].map((path) => [path, { path, hash: this.universe.host.hash(path) ?? '' }]));
    const resolved = [
      ...this.parameters(),
      ...this.built.flatMap(({ spec }) => [...spec.origins, ...(spec.train ? resolvedValues(spec.id, spec.train) : [])]),
    ];
    return {
      version: PLAN_VERSION,
      name: main.name,
      tasks: this.maker.tasks,
      targets: this.options.targets,
      programs: this.programs,
      kernels: this.kernels,
      tokenizers: this.maker.tokenizers,
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
      const value = describe(evaluateIn(this.universe, main, { kind: 'Identifier', name, span: d.name.span }));
      return [{ name: `param ${name}`, value, origin: this.universe.overrides.has(name) ? '--set' : `line ${d.span.line}` }];
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

  private readSeeds(): number[] {
    const { main } = this.universe.loaded;
    const declaration = main.tree.declarations.find((d) => d.kind === 'Seeds');
    if (declaration?.kind !== 'Seeds') return [0];
    const value = evaluateIn(this.universe, main, declaration.values);
    const items =
      value.kind === 'list'
        ? value.items
        : value.kind === 'range'
          ? Array.from({ length: value.to - value.from }, (_, i) => ({ kind: 'number' as const, value: value.from + i }))
          : fail('P0301', { expected: 'a list of seeds, such as [0, 1, 2]', found: describe(value) }, declaration.values.span);
    const seeds = items.map((item) =>
      item.kind === 'number' && Number.isInteger(item.value) && item.value >= 0
        ? item.value
        : fail('P0521', { what: `a seed is a whole number of at least 0, and ${describe(item)} is not` }, declaration.values.span),
    );
    if (seeds.length === 0 || new Set(seeds).size !== seeds.length)
      fail('P0521', { what: 'seeds must be different, and at least one' }, declaration.values.span);
    return seeds;
  }

  private stage(spec: StageSpec): void {
    const { train } = spec;
    if (!train) {
      if (!spec.start) return;
      this.results.set(spec.id, { spec, weights: this.sources.header(spec.start.file, spec.start.span) });
      this.built.push({ spec });
      return;
    }
    const needs = lossNeeds(train.loss.definition);
    const span = spec.span;
    requireImage(train.model, train.data, span);
    const collate = collateFor(train.model, train.data, needs.pairs, span);
    const reference = needs.reference
      ? train.reference
        ? this.sources.stage(train.reference, span, spec.id)
        : this.ownStart(spec)
      : undefined;
    const graphs = buildTrainGraphs(this.universe.loaded, {
      ...train,
      collate,
      reference: reference ? (train.liveReference ? 'live' : 'cached') : 'none',
      evaluation: train.evaluate?.data.count ?? 0,
      length: { steps: train.steps, stepsPerEpoch: train.stepsPerEpoch },
      span,
    });
    this.sources.warnAboutMissing(spec, graphs.weights);
    for (const seed of this.seeds) this.maker.train(spec, train, graphs, collate, reference, seed);
    this.results.set(spec.id, { spec, weights: new Map(graphs.weights.map((w) => [w.path, w.shape])) });
    this.built.push({ spec, graphs });
  }

  /** The reference of a loss that names none: the weights the stage starts from, as trainers have it. */
  private ownStart(spec: StageSpec): StageResult {
    if (spec.from) return this.sources.stage(spec.from, spec.span, spec.id);
    const weights = spec.start ? this.sources.header(spec.start.file, spec.start.span) : new Map<string, readonly number[]>();
    return { spec: { ...spec, train: undefined }, weights };
  }

  private referenceOf(spec: StageSpec): StageResult | undefined {
    if (!spec.train || !lossNeeds(spec.train.loss.definition).reference) return undefined;
    return spec.train.reference ? this.sources.stage(spec.train.reference, spec.span, spec.id) : this.ownStart(spec);
  }

  private probe(declaration: Extract<Parameters<typeof buildProbe>[1], { kind: 'Binding' }>): void {
    const { bound, subject, parameter } = probeTarget(this.universe, declaration);
    const wanted = subject.arm ? `${subject.stage}.${subject.arm}` : subject.stage;
    const subjects = [...this.results.values()].filter(({ spec }) => spec.id === wanted || (!subject.arm && spec.stage === subject.stage));
    if (subjects.length === 0) fail('P0516', { name: wanted, known: [...this.results.keys()].join(', ') }, declaration.value.span);
    for (const result of subjects) {
      const probe = buildProbe(this.universe, declaration, bound, parameter, subject.part, result.spec);
      for (const seed of subject.seed === undefined ? this.seedsOf(result) : [subject.seed])
        this.maker.probe(probe, result, this.referenceOf(result.spec), seed);
    }
  }

  /** A stage that trained nothing is the same for all seeds. */
  private seedsOf(result: StageResult): number[] {
    return result.spec.train ? this.seeds : this.seeds.slice(0, 1);
  }

  private export(declaration: Extract<Universe['loaded']['main']['tree']['declarations'][number], { kind: 'Export' }>): void {
    const { value, as } = declaration;
    const subject = asSubject(evaluateIn(this.universe, this.universe.loaded.main, value), value.span);
    const result = this.sources.stage(subject, value.span);
    const built = this.built.find((b) => b.spec.id === result.spec.id);
    if (!built?.graphs) fail('P0521', { what: `\`${result.spec.id}\` trains nothing, so there is nothing to export` }, value.span);
    const seed = subject.seed ?? this.seeds[0];
    if (!this.seeds.includes(seed))
      fail('P0521', { what: `seed ${seed} is not among the text's seeds (${this.seeds.join(', ')})` }, value.span);
    const { part } = subject;
    const paths =
      part?.kind === 'instance'
        ? [part.path]
        : part?.kind === 'model' && part.form.kind === 'arrow'
          ? [part.form.encoder.path, part.form.connector.path, part.form.language.path]
          : undefined;
    this.maker.export(as.value, result, paths, built.graphs.weights, seed, declaration.span.line);
  }

  /** Programs of a task's roles for every target, shared with whatever computed the same before. */
  private lowerRoles(roles: Record<string, Graph>, label: string): Record<string, Roles> {
    const result: Record<string, Roles> = Object.fromEntries(this.options.targets.map((t) => [t.name, {}]));
    if (this.failed()) return result;
    for (const [role, graph] of Object.entries(roles)) {
      const key = hashOf(canonical(graph));
      let simple: Graph | undefined;
      for (const target of this.options.targets) {
        const known = this.lowered.get(`${target.name} ${key}`);
        if (known) {
          result[target.name][role] = known;
          continue;
        }
        simple ??= runPasses(graph, simplification());
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

/** The same fault is met once for each arm and seed; it is told once. */
function unique(diagnostics: Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics.filter((d) => {
    const key = `${d.code} ${d.span?.file}:${d.span?.start} ${d.message}`;
    return !seen.has(key) && Boolean(seen.add(key));
  });
}
