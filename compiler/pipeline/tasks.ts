/**
 * From stages, samplings and exports to the tasks of a plan: a task for each seed, with the programs it runs, the tensors it
 * starts from, and the hash of all that decides its result. Tasks of probes are made by probe-tasks.ts, of tuning by tuning.ts.
 */
import { LIMITS } from '../../grammar/index.ts';
import type { Span } from '../../grammar/index.ts';
import { hashOf } from '../../plan/hash.ts';
import type { DataSource, Roles, StateTensor, Task, Tokenizer, TrainTask } from '../../plan/plan.ts';
import { fail } from '../elaborate/fault.ts';
import type { WeightInfo } from '../elaborate/context.ts';
import type { Universe } from '../elaborate/names.ts';
import type { DataValue } from '../elaborate/values.ts';
import { canonical, canonicalHash } from '../graph/canonical.ts';
import type { Graph } from '../graph/graph.ts';
import type { Halves } from '../passes/passes.ts';
import { statesOf } from '../graph/stats.ts';
import type { Host } from '../host.ts';
import { resolveSource, tokenizerOf } from './data-source.ts';
import type { Drawing } from './data-source.ts';
import { Sampler } from './sample-tasks.ts';
import type { Sampling } from './sample-tasks.ts';
import type { Sources, StageResult } from './sources.ts';
import { prefixOf, taskId } from './sources.ts';
import { halvesOf, weightState } from './states.ts';
import type { TrainFields } from './training-fields.ts';
import { asTrained, modelOf } from './training-fields.ts';
import type { TrainGraphs } from './train-graphs.ts';

/** Turns the graphs of a task's roles into programs, for each target; the same graphs give the same programs. `halves`: how states are held. */
export type Programs = (roles: Record<string, Graph>, label: string, halves: Halves) => Record<string, Roles>;

/** What a training task is beside its fields and graphs. */
export interface Training extends Pick<TrainTask, 'stage' | 'arm' | 'cell' | 'probe' | 'tuned'> {
  id: string;
  span: Span;
  fields: TrainFields;
  graphs: TrainGraphs;
  collate: TrainTask['collate'];
  reference?: StageResult;
  source: (weight: WeightInfo, seed: number) => StateTensor['source'];
  /** Tasks of the tables that its data may name. */
  tables?: ReadonlyMap<string, string>;
}

export class TaskMaker {
  readonly tokenizers: Record<string, Tokenizer> = {};
  readonly tasks: Task[] = [];
  readonly sources: Sources;
  readonly programs: Programs;
  private readonly hashes = new Map<string, string>();
  readonly universe: Universe;
  private readonly host: Host;
  private readonly sampler: Sampler;
  /** Tasks of stages that are being made: data that one of them samples are not yet there. */
  private readonly begun = new Set<string>();

  constructor(universe: Universe, sources: Sources, programs: Programs) {
    this.universe = universe;
    this.sources = sources;
    this.programs = programs;
    this.host = universe.host;
    this.sampler = new Sampler(this);
  }

  has(id: string): boolean {
    return this.hashes.has(id);
  }

  hashOfTask(id: string): string | undefined {
    return this.hashes.get(id);
  }

  /** The task of a stage, arm or cell for a seed, unless it is there already. */
  stage(result: StageResult, seed: number): void {
    const { spec, graphs, collate, reference, cell, tuned } = result;
    const id = taskId(spec, seed);
    if (!spec.train || !graphs || !collate || this.has(id)) return;
    if (this.begun.has(id)) fail('P0205', { name: spec.id }, spec.span);
    this.begun.add(id);
    const training: Training = {
      id: spec.id,
      stage: spec.stage,
      ...(spec.arm ? { arm: spec.arm } : {}),
      ...(cell ? { cell } : {}),
      ...(tuned ? { tuned } : {}),
      span: spec.span,
      fields: spec.train,
      graphs,
      collate,
      reference,
      source: (w, s) =>
        prefixOf(w.path) === 'reference' && reference ? this.sources.leftBy(reference, w, s) : this.sources.beginningOf(spec, w, s),
    };
    this.train(training, seed);
    this.begun.delete(id);
  }

  train(training: Training, seed: number): string {
    const { fields, graphs, collate, reference, tuned } = training;
    const state: StateTensor[] = [
      ...graphs.weights.map((w) => {
        const trained = graphs.trained.has(w.path);
        // What is not trained stays where it came from.
        return weightState(w, training.source(w, seed), trained ? 'weight' : 'working', trained);
      }),
      ...graphs.states.map((s): StateTensor => ({
        name: s.name,
        dtype: 'f32',
        shape: [...s.shape],
        source: { from: 'init', init: { kind: 'constant', value: 0 } },
        keep: s.keep,
        trained: false,
      })),
    ];
    const data = this.dataSource(fields.data, { seed }, training.tables);
    const evaluate = fields.evaluate
      ? {
          every: fields.evaluate.every,
          data: this.dataSource(fields.evaluate.data, { seed }, training.tables),
          ...(graphs.evaluationBatch === undefined ? {} : { batch: graphs.evaluationBatch }),
        }
      : undefined;
    const scored =
      reference && graphs.roles.reference
        ? this.reference(graphs, graphs.roles.reference, reference, seed, evaluate ? [data, evaluate.data] : [data], collate)
        : undefined;
    const programs = this.trainPrograms(graphs.roles, training.id, state, scored?.state ?? []);
    const decides = {
      kind: 'train',
      roles: this.canonicalRoles(graphs.roles),
      ...(tuned
        ? { options: tuned.options, choice: this.hashes.get(tuned.task) }
        : { scalars: graphs.scalars, schedules: graphs.schedules }),
      seed,
      data: this.byContent(data),
      evaluate: evaluate && { ...evaluate, data: this.byContent(evaluate.data) },
      collate,
      batch: fields.batch,
      micro: fields.micro,
      steps: fields.steps,
      state: state.map((s) => [s.name, this.sourceHash(s.source, seed)]),
      reference: scored?.hash,
    };
    const { probe, cell, arm } = training;
    const task: TrainTask = {
      kind: 'train',
      id: `${training.id}@${seed}`,
      hash: hashOf(decides),
      needs: [
        ...new Set([
          ...needsOf([...state, ...(scored?.state ?? [])]),
          ...tasksOf(data),
          ...(evaluate ? tasksOf(evaluate.data) : []),
          ...(tuned ? [tuned.task] : []),
        ]),
      ],
      seed,
      place: { file: training.span.file, line: training.span.line },
      stage: training.stage,
      ...(arm === undefined ? {} : { arm }),
      loss: fields.loss.definition.name.text,
      state,
      data,
      collate,
      batch: fields.batch,
      micro: fields.micro,
      steps: fields.steps,
      order: { kind: 'permuted', seed },
      programs,
      scalars: graphs.scalars,
      schedules: graphs.schedules,
      metrics: graphs.metrics,
      ...(evaluate ? { evaluate } : {}),
      checkpointEvery: fields.checkpointEvery,
      ...(scored ? { reference: scored } : {}),
      ...(tuned ? { tuned } : {}),
      ...(cell ? { cell } : {}),
      ...(probe ? { probe } : {}),
    };
    this.add(task);
    return task.id;
  }

  /** The reference has an executor of its own, whose weights may be held otherwise. */
  private trainPrograms(roles: Record<string, Graph>, id: string, state: StateTensor[], reference: StateTensor[]): Record<string, Roles> {
    const { reference: scoring, ...others } = roles;
    const programs = this.programs(others, id, halvesOf(state));
    if (!scoring) return programs;
    const scored = this.programs({ reference: scoring }, id, halvesOf(reference));
    return Object.fromEntries(Object.entries(programs).map(([target, of]) => [target, { ...of, ...scored[target] }]));
  }

  private reference(
    graphs: TrainGraphs,
    graph: Graph,
    reference: StageResult,
    seed: number,
    data: DataSource[],
    collate: TrainTask['collate'],
  ): NonNullable<TrainTask['reference']> {
    const used = statesOf(graph);
    const state = graphs.weights
      .filter((w) => used.has(w.path))
      .map((w) => weightState(w, this.sources.leftBy(reference, w, seed), 'weight'));
    const hash = hashOf({
      graph: canonical(graph),
      data: data.map((d) => this.byContent(d)),
      collate,
      state: state.map((s) => [s.name, this.sourceHash(s.source, seed)]),
    });
    return { state, hash };
  }

  /** Answers of the model that `from` leaves: the task's id. */
  sample(sampling: Sampling, from: StageResult, drawing: Drawing): string {
    return this.sampler.task(sampling, from, drawing);
  }

  report(title: string, about: string, text: string, seeds: number[]): void {
    const needs = this.tasks.map((t) => t.id);
    this.add({
      kind: 'report',
      id: 'report',
      hash: hashOf({ kind: 'report', title, about, text, needs: needs.map((id) => this.hashes.get(id)) }),
      needs,
      seed: seeds[0],
      title,
      about,
      text,
      seeds,
    });
  }

  add(task: Task): void {
    if (this.tasks.length >= LIMITS.tasks.most) fail('P0701', { limit: 'tasks', where: 'this text makes too many tasks' });
    this.tasks.push(task);
    this.hashes.set(task.id, task.hash);
  }

  /** Data as a plan holds it, for a seed; what it reads of earlier tasks is made to be there. */
  dataSource(data: DataValue, drawing: Drawing, tables?: ReadonlyMap<string, string>): DataSource {
    for (const part of [data, ...(data.mix ?? [])])
      if (part.tokenizer && 'words' in part.tokenizer.of) this.tokenizers[part.tokenizer.name] = part.tokenizer.of.words;
    const { sampled, table, exchanged } = data;
    const swapped = exchanged === undefined ? {} : { exchanged };
    if (table) {
      const task = tables?.get(table.name);
      if (task === undefined) throw new Error(`the table ${table.name} has no task`);
      return { source: 'table', params: {}, count: data.count, task, ...swapped };
    }
    if (!sampled) {
      const mix = data.mix?.map((part) => this.dataSource(part, drawing, tables));
      return { ...resolveSource(data, this.host, drawing), ...(mix ? { mix } : {}) };
    }
    const { subject, span } = sampled;
    const from = this.sources.stage(subject, span);
    const model =
      subject.part?.kind === 'model'
        ? asTrained(subject.part, from.spec)
        : (from.spec.train?.model ?? modelOf(this.universe, undefined, undefined, span));
    // A seed that the text names is that of all: of the weights, of the prompts and of the answers.
    const named = { ...drawing, seed: subject.seed ?? drawing.seed };
    const task = this.sample({ ...sampled, id: sampled.name, model }, from, named);
    const base = this.dataSource(sampled.on, named, tables);
    return {
      source: data.source,
      params: {},
      ...tokenizerOf(data, this.host),
      count: data.count,
      task,
      base,
      ...swapped,
    };
  }

  /** As `data` decides a result: earlier tasks by what they are, not by name. */
  byContent(data: DataSource): unknown {
    return {
      ...data,
      ...(data.task === undefined ? {} : { task: this.hashes.get(data.task) }),
      ...(data.base ? { base: this.byContent(data.base) } : {}),
      ...(data.mix ? { mix: data.mix.map((part) => this.byContent(part)) } : {}),
    };
  }

  canonicalRoles(roles: Record<string, Graph>): Record<string, string> {
    return Object.fromEntries(Object.entries(roles).map(([role, graph]) => [role, canonicalHash(graph)]));
  }

  /** What a state tensor begins as, by content: an earlier task's hash, a file's, or the drawing and its seed. */
  sourceHash(source: StateTensor['source'], seed: number): unknown {
    switch (source.from) {
      case 'init':
        return source.init.kind === 'constant' ? source.init : [source.init, seed];
      case 'task':
        return [this.hashes.get(source.task), source.name];
      case 'file':
        return [this.host.hash(source.file) ?? null, source.name, ...(source.rows ?? [])];
    }
  }
}

export function needsOf(state: readonly Pick<StateTensor, 'source'>[]): string[] {
  return [...new Set(state.flatMap((s) => (s.source.from === 'task' ? [s.source.task] : [])))];
}

/** The earlier tasks whose rows a source reads. */
export function tasksOf(data: DataSource): string[] {
  return [data, ...(data.mix ?? [])].flatMap((part) => (part.task === undefined ? [] : [part.task]));
}
