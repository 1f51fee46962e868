/**
 * From stages, probes and exports to the tasks of a plan: a task for each seed, with the programs it runs, the tensors it
 * starts from, and the hash of all that decides its result.
 */
import type { Collate, DataSource, EmbedTask, Roles, ScoreTask, StateTensor, Task, Tokenizer, TrainTask } from '../../plan/plan.ts';
import { hashOf } from '../../plan/hash.ts';
import type { WeightInfo } from '../elaborate/context.ts';
import type { DataValue } from '../elaborate/values.ts';
import { canonical } from '../graph/canonical.ts';
import type { Graph } from '../graph/graph.ts';
import type { Host } from '../host.ts';
import { REFERENCE_PREFIX } from './objective.ts';
import type { EmbedSpec, ProbeSpec } from './probes.ts';
import type { Sources, StageResult } from './sources.ts';
import { taskId } from './sources.ts';
import type { StageSpec, TrainFields } from './stages.ts';
import type { TrainGraphs } from './train-graphs.ts';

/** Turns the graphs of a task's roles into programs, for each target; the same graphs give the same programs. */
export type Programs = (roles: Record<string, Graph>, label: string) => Record<string, Roles>;

export class TaskMaker {
  readonly tokenizers: Record<string, Tokenizer> = {};
  readonly tasks: Task[] = [];
  private readonly hashes = new Map<string, string>();
  private readonly sources: Sources;
  private readonly programs: Programs;
  private readonly host: Host;

  constructor(sources: Sources, programs: Programs, host: Host) {
    this.sources = sources;
    this.programs = programs;
    this.host = host;
  }

  train(
    spec: StageSpec,
    fields: TrainFields,
    graphs: TrainGraphs,
    collate: Collate,
    reference: StageResult | undefined,
    seed: number,
  ): void {
    const programs = this.programs(graphs.roles, spec.id);
    const source = (w: WeightInfo): StateTensor['source'] =>
      w.path.startsWith(REFERENCE_PREFIX) && reference ? this.sources.leftBy(reference, w, seed) : this.sources.beginningOf(spec, w, seed);
    const state: StateTensor[] = [
      ...graphs.weights.map((w): StateTensor => ({
        name: w.path,
        dtype: 'f32',
        shape: w.shape,
        source: source(w),
        keep: w.path.startsWith(REFERENCE_PREFIX) ? 'working' : 'weight',
        trained: graphs.trained.has(w.path),
      })),
      ...graphs.states.map((s): StateTensor => ({
        name: s.name,
        dtype: 'f32',
        shape: [...s.shape],
        source: { from: 'init', init: { kind: 'constant', value: 0 } },
        keep: s.keep,
        trained: false,
      })),
    ];
    const data = this.dataSource(fields.data);
    const evaluate = fields.evaluate ? { every: fields.evaluate.every, data: this.dataSource(fields.evaluate.data) } : undefined;
    const scored =
      reference && graphs.roles.reference
        ? this.reference(graphs, reference, seed, evaluate ? [data, evaluate.data] : [data], collate)
        : undefined;
    const decides = {
      kind: 'train',
      roles: this.canonicalRoles(graphs.roles),
      scalars: graphs.scalars,
      tables: graphs.tables,
      seed,
      data,
      evaluate,
      collate,
      batch: fields.batch,
      micro: fields.micro,
      steps: fields.steps,
      state: state.map((s) => [s.name, this.sourceHash(s, seed)]),
      reference: scored?.hash,
    };
    const task: TrainTask = {
      kind: 'train',
      id: taskId(spec, seed),
      hash: hashOf(decides),
      needs: needsOf([...state, ...(scored?.state ?? [])]),
      seed,
      place: { file: spec.span.file, line: spec.span.line },
      stage: spec.stage,
      ...(spec.arm ? { arm: spec.arm } : {}),
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
      tables: graphs.tables,
      metrics: graphs.metrics,
      ...(evaluate ? { evaluate } : {}),
      checkpointEvery: fields.checkpointEvery,
      ...(scored ? { reference: scored } : {}),
    };
    this.add(task);
  }

  private reference(
    graphs: TrainGraphs,
    reference: StageResult,
    seed: number,
    data: DataSource[],
    collate: Collate,
  ): NonNullable<TrainTask['reference']> {
    const state = graphs.weights
      .filter((w) => graphs.roles.reference && usesState(graphs.roles.reference, w.path))
      .map((w): StateTensor => ({
        name: w.path,
        dtype: 'f32',
        shape: w.shape,
        source: this.sources.leftBy(reference, w, seed),
        keep: 'weight',
        trained: false,
      }));
    const hash = hashOf({
      graph: canonical(graphs.roles.reference),
      data,
      collate,
      state: state.map((s) => [s.name, this.sourceHash(s, seed)]),
    });
    return { state, hash };
  }

  /** The embeds and the score of a probe, for one subject and seed. Embeds that two probes share are one task. */
  probe(probe: ProbeSpec, subject: StageResult, reference: StageResult | undefined, seed: number): void {
    const ids = new Map<string, string>();
    for (const embed of probe.embeds) ids.set(embed.name, this.embed(probe, embed, subject, reference, seed));
    const tables = Object.fromEntries(Object.entries(probe.tables).map(([argument, name]) => [argument, ids.get(name) ?? '']));
    const task: ScoreTask = {
      kind: 'score',
      id: `${probe.name}.${subject.spec.id}@${seed}`,
      hash: hashOf({
        kind: 'score',
        score: probe.score,
        params: probe.params,
        seed,
        tables: Object.entries(tables).map(([k, id]) => [k, this.hashes.get(id)]),
      }),
      needs: Object.values(tables),
      seed,
      place: { file: probe.span.file, line: probe.span.line },
      score: probe.score,
      probe: probe.name,
      subject: { stage: subject.spec.stage, ...(subject.spec.arm ? { arm: subject.spec.arm } : {}) },
      tables,
      params: probe.params,
    };
    this.add(task);
  }

  private embed(probe: ProbeSpec, embed: EmbedSpec, subject: StageResult, reference: StageResult | undefined, seed: number): string {
    const state = embed.weights.map((w): StateTensor => {
      const from = w.path.startsWith(REFERENCE_PREFIX) && reference ? reference : subject;
      return { name: w.path, dtype: 'f32', shape: w.shape, source: this.sources.leftBy(from, w, seed), keep: 'working', trained: false };
    });
    const data = this.dataSource(embed.data);
    const hash = hashOf({
      kind: 'embed',
      roles: this.canonicalRoles(embed.roles),
      scalars: embed.scalars,
      data,
      collate: embed.collate,
      batch: embed.batch,
      keep: [embed.keepInputs, embed.keepColumns],
      state: state.map((s) => [s.name, this.sourceHash(s, seed)]),
    });
    const same = this.tasks.find((t) => t.kind === 'embed' && t.hash === hash);
    if (same) return same.id;
    const task: EmbedTask = {
      kind: 'embed',
      id: `${probe.name}.${embed.name}.${subject.spec.id}@${seed}`,
      hash,
      needs: needsOf(state),
      seed,
      place: { file: probe.span.file, line: probe.span.line },
      state,
      data,
      collate: embed.collate,
      batch: embed.batch,
      programs: this.programs(embed.roles, probe.name),
      scalars: embed.scalars,
      keepInputs: embed.keepInputs,
      keepColumns: embed.keepColumns,
    };
    this.add(task);
    return task.id;
  }

  /** Weights below `path` (or all) as a stage left them, written as a file. */
  export(file: string, subject: StageResult, path: string[] | undefined, weights: readonly WeightInfo[], seed: number, line: number): void {
    const chosen = weights.filter(
      (w) => !w.path.startsWith(REFERENCE_PREFIX) && (!path || path.some((p) => w.path === p || w.path.startsWith(`${p}.`))),
    );
    const tensors = chosen.flatMap((w) => {
      const source = this.sources.leftBy(subject, w, seed);
      return source.from === 'task' ? [{ name: w.path, task: source.task, source: source.name }] : [];
    });
    const needs = [...new Set(tensors.map((t) => t.task))];
    this.add({
      kind: 'export',
      id: `export ${file}`,
      hash: hashOf({ kind: 'export', file, tensors, needs: needs.map((id) => this.hashes.get(id)) }),
      needs,
      seed,
      place: { file: subject.spec.span.file, line },
      file,
      tensors,
    });
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

  private add(task: Task): void {
    this.tasks.push(task);
    this.hashes.set(task.id, task.hash);
  }

  private dataSource(data: DataValue): DataSource {
    for (const part of [data, ...(data.mix ?? [])]) if (part.tokenizer) this.tokenizers[part.tokenizer.name] = part.tokenizer.tokenizer;
    return resolveSource(data, this.host);
  }

  private canonicalRoles(roles: Record<string, Graph>): Record<string, string> {
    return Object.fromEntries(Object.entries(roles).map(([role, graph]) => [role, hashOf(canonical(graph))]));
  }

  /** What a state tensor begins as, by content: an earlier task's hash, a file's, or the drawing and its seed. */
  private sourceHash(state: StateTensor, seed: number): unknown {
    const { source } = state;
    switch (source.from) {
      case 'init':
        return source.init.kind === 'constant' ? source.init : [source.init, seed];
      case 'task':
        return [this.hashes.get(source.task), source.name];
      case 'file':
        return [this.host.hash(source.file), source.name];
    }
  }
}

function needsOf(state: readonly StateTensor[]): string[] {
  return [...new Set(state.flatMap((s) => (s.source.from === 'task' ? [s.source.task] : [])))];
}

function usesState(graph: Graph, name: string): boolean {
  const seen = new Set<unknown>();
  const stack = graph.outputs.map((o) => o.node);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.op.kind === 'state' && node.op.name === name) return true;
    stack.push(...node.inputs);
  }
  return false;
}

/** Data as a plan holds it, with the hash of the files that it reads. */
export function resolveSource(data: DataValue, host: Host): DataSource {
  const content = data.folder === undefined ? undefined : host.hash(data.folder);
  return {
    source: data.source,
    params: data.params,
    ...(data.tokenizer ? { tokenizer: data.tokenizer.name } : {}),
    ...(content ? { content } : {}),
    count: data.count,
    ...(data.mix ? { mix: data.mix.map((part) => resolveSource(part, host)) } : {}),
  };
}
