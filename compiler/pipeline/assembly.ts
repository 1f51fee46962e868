/**
 * From the stages, probes and exports of a text to the tasks of its plan. Each stage is resolved (stages.ts), its graphs are built
 * (train-graphs.ts), and it becomes a `StageResult` from which a task for any seed can be made (tasks.ts); probes run on results
 * (probes.ts, probe-tasks.ts). A task that another one reads is made when it is first asked for, so that the cells of
 * a tuning grid bring the seeds that they need.
 */
import { report } from '../../grammar/index.ts';
import type { Binding, Definition, Diagnostic, Export, Span } from '../../grammar/index.ts';
import type { Cell } from '../../plan/plan.ts';
import { fail } from '../elaborate/fault.ts';
import { evaluateIn } from '../elaborate/names.ts';
import type { Universe } from '../elaborate/names.ts';
import type { DataValue, ModelValue, SubjectValue } from '../elaborate/values.ts';
import { collateFor, requireImage } from './batch.ts';
import { lossNeeds } from './objective.ts';
import { exportTask } from './export-tasks.ts';
import { Place } from './place.ts';
import { probeTasks } from './probe-tasks.ts';
import { buildProbe, probeTarget } from './probes.ts';
import type { ProbeSpec } from './probes.ts';
import type { Resolved } from './resolved.ts';
import { filesOf, followsSeed, rowsInWords } from './seeds.ts';
import { rowsOf, seenRows } from './seen-rows.ts';
import { Sources } from './sources.ts';
import type { StageResult } from './sources.ts';
import { resolveStage, tunesOf } from './stages.ts';
import type { StageDeclaration, StageSpec } from './stages.ts';
import { TaskMaker } from './tasks.ts';
import type { Programs } from './tasks.ts';
import { withAdaptersOf } from './trained-parts.ts';
import { buildTrainGraphs } from './train-graphs.ts';
import { subject as asSubject } from './training-fields.ts';
import { tuneStage } from './tuning.ts';

export class Assembly {
  readonly universe: Universe;
  readonly diagnostics: Diagnostic[];
  readonly sources: Sources;
  readonly maker: TaskMaker;
  /** Stages and arms by id, in the order of the text. */
  readonly results = new Map<string, StageResult>();
  seeds = [0];
  /** Probes of files that a grid is judged by, with the tuned name: what they have chosen is not judged on the same rows again. */
  readonly choosing = new Map<string, { tuned: string; files: string[] }>();
  /** For `pivot show`: on which rows each probe judges. */
  readonly judgedOn: Resolved[] = [];

  constructor(universe: Universe, diagnostics: Diagnostic[], programs: Programs) {
    this.universe = universe;
    this.diagnostics = diagnostics;
    this.sources = new Sources(this.results, universe.host, diagnostics, (stage, seed) => this.maker.stage(stage, seed));
    this.maker = new TaskMaker(universe, this.sources, programs);
  }

  /** Adds a stage and its tasks for all seeds of the text. */
  stage(stage: StageDeclaration): void {
    const tunes = tunesOf(stage);
    if (tunes.length > 1)
      fail('P0521', { what: 'one name can be tuned in a stage: a grid over two would need all of their pairs' }, tunes[1].span);
    const result =
      tunes.length === 1 ? tuneStage(this, stage, tunes[0]) : this.build(resolveStage(new Place(this.universe), stage, this.diagnostics));
    if (!result.spec.train && !result.spec.start) return;
    this.results.set(stage.id, result);
    for (const seed of this.seeds) this.maker.stage(result, seed);
  }

  /** Puts the results in the order in which the text declares them, whatever order they were made in. */
  inOrderOf(declared: readonly StageDeclaration[]): void {
    for (const { id } of declared) {
      const result = this.results.get(id);
      if (!result) continue;
      this.results.delete(id);
      this.results.set(id, result);
    }
  }

  /** The graphs of a resolved stage, and what its loss is compared with. */
  build(given: StageSpec): StageResult {
    const { span } = given;
    if (!given.train) return { spec: given, weights: given.start ? this.sources.header(given.start.file, given.start.span) : new Map() };
    const needs = lossNeeds(given.train.loss.definition);
    requireImage(given.train.model, given.train.data, span);
    const collate = collateFor(given.train.model, given.train.data, needs.pairs, span);
    if (given.train.reference) for (const seed of this.seeds) requireSeed(given.train.reference, seed, span);
    const reference = needs.reference
      ? given.train.reference
        ? this.sources.stage(given.train.reference, span, given.id)
        : this.ownStart(given)
      : undefined;
    const train = { ...given.train, model: this.withEarlierAdapters(given, given.train.model, reference) };
    const spec = { ...given, train };
    const graphs = buildTrainGraphs(this.universe.loaded, {
      ...train,
      collate,
      reference: reference ? (train.liveReference ? 'live' : 'cached') : 'none',
      evaluation: train.evaluate?.data.count ?? 0,
      length: { steps: train.steps, stepsPerEpoch: train.stepsPerEpoch },
      span,
    });
    this.universe.pretrained.requireSound(span);
    for (const unread of this.universe.pretrained.unread()) this.diagnostics.push(report('P0613', unread, span));
    for (const odd of this.universe.pretrained.oddities()) this.diagnostics.push(report('P0614', odd, span));
    this.sources.warnAboutMissing(spec, graphs.weights);
    // What a stage does not train is found where the stage found it.
    const left = graphs.weights.filter((w) => graphs.trained.has(w.path));
    return { spec, weights: new Map(left.map((w) => [w.path, w.shape])), graphs, collate, ...(reference ? { reference } : {}) };
  }

  /** A stage's model keeps the adapters of the stages that it begins with and is compared with, whether it trains them or not. */
  private withEarlierAdapters({ from, parts, span, id }: StageSpec, model: ModelValue, reference: StageResult | undefined): ModelValue {
    const named = [from, ...parts.map(({ subject }) => subject)].flatMap((subject) => subject ?? []);
    const earlier = [...named.map((subject) => this.sources.stage(subject, span, id)), ...(reference ? [reference] : [])];
    return earlier.reduce((one, stage) => withAdaptersOf(one, stage.spec.train?.model, span), model);
  }

  /** The reference of a loss that names none: the weights the stage starts from, as trainers have it. */
  private ownStart(spec: StageSpec): StageResult {
    if (spec.from) return this.sources.stage(spec.from, spec.span, spec.id);
    const weights = spec.start ? this.sources.header(spec.start.file, spec.start.span) : new Map<string, readonly number[]>();
    return { spec: { ...spec, train: undefined }, weights };
  }

  /** Adds a probe for every subject and seed that it judges. */
  probe(declaration: Binding): void {
    const { bound, subject, parameter } = probeTarget(this.universe, declaration);
    const wanted = subject.arm ? `${subject.stage}.${subject.arm}` : subject.stage;
    const subjects = [...this.results.values()].filter(({ spec }) => spec.id === wanted || (!subject.arm && spec.stage === subject.stage));
    if (subjects.length === 0) fail('P0516', { name: wanted, known: [...this.results.keys()].join(', ') }, declaration.value.span);
    const chooses = this.choosing.get(declaration.name.text);
    const stageOf = (other: SubjectValue): StageSpec => this.sources.stage(other, declaration.value.span).spec;
    // Arms of one model have one probe, unless it looks at their losses.
    const built: { model: ModelValue | undefined; probe: ProbeSpec }[] = [];
    for (const result of subjects) {
      const model = result.spec.train?.model;
      const same = built.find((one) => model !== undefined && one.model === model && !one.probe.ofLoss);
      const probe = same?.probe ?? buildProbe(this.universe, declaration, bound, parameter, subject.part, result.spec, stageOf);
      built.push({ model, probe });
      const rows = seenRows(probe, this.trainedOn(result));
      if (rows !== undefined)
        this.diagnostics.push(report('P0532', { probe: probe.name, stage: result.spec.id, rows }, declaration.value.span));
      if (result === subjects[0]) this.tellRows(probe, declaration, chooses?.tuned);
      if (chooses) continue;
      this.requireOtherRows(probe);
      for (const seed of subject.seed === undefined ? this.seedsOf(result, probe) : [subject.seed]) this.judge(probe, result, seed);
    }
    if (chooses && !this.measuredOtherwise(declaration, bound.definition))
      this.diagnostics.push(report('P0542', { probe: declaration.name.text, tuned: chooses.tuned }, declaration.value.span));
  }

  private tellRows(probe: ProbeSpec, { name, value }: Binding, chooses: string | undefined): void {
    const rows = [...new Set(rowsOf(probe).map(rowsInWords))].join('; ');
    const more = chooses === undefined ? '' : `; it chooses ${chooses} and measures nothing else`;
    this.judgedOn.push({ name: `probe ${name.text}`, value: `${rows}${more}`, origin: `line ${value.span.line}` });
  }

  /** Files have one set of rows: what chose a value has seen them. */
  private requireOtherRows(probe: ProbeSpec): void {
    const files = rowsOf(probe).flatMap(filesOf);
    for (const [by, { tuned, files: seen }] of this.choosing) {
      const shared = files.find((file) => seen.includes(file));
      if (shared !== undefined) fail('P0541', { probe: probe.name, by, tuned, rows: shared }, probe.span);
    }
  }

  /** Whether another probe of the same definition measures what a probe of files only chooses by. */
  private measuredOtherwise(declaration: Binding, definition: Definition): boolean {
    return [...this.universe.loaded.main.declarations.values()].some(
      (other) =>
        other.kind === 'Binding' &&
        other.keyword === 'probe' &&
        other !== declaration &&
        !this.choosing.has(other.name.text) &&
        probeTarget(this.universe, other).bound.definition === definition,
    );
  }

  /** All that a stage, and the stages that it begins with, were trained on. */
  private trainedOn({ spec: { id, train, from, parts, span } }: StageResult): DataValue[] {
    const earlier = [from, ...parts.map(({ subject }) => subject)].flatMap((subject) => subject ?? []);
    return [...(train ? [train.data] : []), ...earlier.flatMap((subject) => this.trainedOn(this.sources.stage(subject, span, id)))];
  }

  /** The tasks of a probe on one result, down to its score: the score's id. */
  judge(probe: ProbeSpec, subject: StageResult, seed: number, cell?: Cell): string {
    for (const other of probe.others.values()) requireSeed(other, seed, probe.span);
    const others = new Map([...probe.others].map(([name, other]) => [name, this.sources.stage(other, probe.span)]));
    return probeTasks(this.maker, probe, { subject, reference: subject.reference, others, seed, cell });
  }

  /** All seeds, unless nothing that a probe reads or does depends on them. */
  private seedsOf(result: StageResult, { parts, others, span }: ProbeSpec): number[] {
    const trained = [result, ...[...others.values()].map((other) => this.sources.stage(other, span))].some(({ spec }) => spec.train);
    const drawn = parts.some((part) => {
      if (part.kind === 'reader') return true;
      return part.kind === 'embed' ? followsSeed(part.data) : followsSeed(part.on) || part.temperature > 0;
    });
    return trained || drawn ? this.seeds : this.seeds.slice(0, 1);
  }

  export({ value, as, span }: Export): void {
    const subject = asSubject(evaluateIn(this.universe, this.universe.loaded.main, value), value.span);
    const result = this.sources.stage(subject, value.span);
    const seed = subject.seed ?? this.seeds[0];
    if (!this.seeds.includes(seed))
      fail('P0521', { what: `seed ${seed} is not among the text's seeds (${this.seeds.join(', ')})` }, value.span);
    this.maker.add(exportTask(this.maker, { result, subject, seed, file: as.value, line: span.line, span: value.span }));
  }
}

/** What something is compared with is of its own seed; another one that the text names would be passed over. */
function requireSeed({ stage, arm, seed: named }: SubjectValue, seed: number, span: Span): void {
  if (named === undefined || named === seed) return;
  const id = arm ? `${stage}.${arm}` : stage;
  fail(
    'P0521',
    { what: `what is compared with ${id} has seed ${seed}, and is compared with its own seed: leave out [seed: ${named}]` },
    span,
  );
}
