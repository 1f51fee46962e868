/** Tasks in which a model answers prompts: for probes, and for data that a model makes itself. */
import type { Span } from '../../grammar/index.ts';
import { hashOf } from '../../plan/hash.ts';
import type { SampleTask, StateTensor } from '../../plan/plan.ts';
import { fail } from '../elaborate/fault.ts';
import type { DataValue, ModelValue } from '../elaborate/values.ts';
import type { Graph } from '../graph/graph.ts';
import { collateFor } from './batch.ts';
import { decodeGraphs } from './decode.ts';
import type { DecodeGraphs } from './decode.ts';
import type { StageResult } from './sources.ts';
import { halvesOf, weightState } from './states.ts';
import { needsOf, tasksOf } from './tasks.ts';
import type { TaskMaker } from './tasks.ts';

/** Prompts that a model is to answer. */
export interface Sampling extends Pick<SampleTask, 'perPrompt' | 'temperature' | 'rank'> {
  id: string;
  model: ModelValue;
  on: DataValue;
  span: Span;
}

/** Answers that are decoded at once. */
const DECODED = 64;

export class Sampler {
  private readonly maker: TaskMaker;
  private readonly decoders = new Map<string, { graphs: DecodeGraphs; roles: Record<string, Graph> }>();

  constructor(maker: TaskMaker) {
    this.maker = maker;
  }

  /** Answers of the model that `from` leaves to the prompts of a sampling. Equal samplings are one task. */
  task(sampling: Sampling, from: StageResult, seed: number): string {
    const { model, on, perPrompt, temperature, rank, span } = sampling;
    const { maker } = this;
    if (on.tokenizer && 'folder' in on.tokenizer.of)
      return fail('P0521', { what: 'a model with a chat template trains and is probed, but does not answer yet' }, span);
    const data = maker.dataSource(on, seed);
    const collate = collateFor(model, on, false, span);
    if (collate.layout !== 'answers') return fail('P0514', { layout: on.layout }, span);
    const items = on.count * perPrompt;
    const batch = Math.min(DECODED, items);
    const key = hashOf([model.path, collate, batch, items % batch]);
    const known = this.decoders.get(key) ?? this.decoder(sampling, collate, batch, items % batch);
    this.decoders.set(key, known);
    const state: StateTensor[] = [
      ...known.graphs.weights.map((w) => weightState(w, maker.sources.leftBy(from, w, seed), 'working')),
      ...known.graphs.cache.map((c): StateTensor => ({
        name: c.name,
        dtype: c.dtype,
        shape: [...c.shape],
        source: { from: 'init', init: { kind: 'constant', value: 0 } },
        keep: 'working',
        trained: false,
      })),
    ];
    const hash = hashOf({
      kind: 'sample',
      roles: maker.canonicalRoles(known.roles),
      scalars: known.graphs.scalars,
      data: maker.byContent(data),
      collate,
      batch,
      perPrompt,
      temperature,
      rank,
      // The likeliest token is the same for every seed; the weights bring theirs.
      seed: temperature > 0 ? seed : undefined,
      state: state.map((s) => [s.name, maker.sourceHash(s.source, seed)]),
    });
    const same = maker.tasks.find((t) => t.kind === 'sample' && t.hash === hash);
    if (same) return same.id;
    const task: SampleTask = {
      kind: 'sample',
      id: `${sampling.id}@${seed}`,
      hash,
      needs: [...new Set([...needsOf(state), ...tasksOf(data)])],
      seed,
      place: { file: span.file, line: span.line },
      state,
      data,
      collate,
      batch,
      programs: maker.programs(known.roles, sampling.id, halvesOf(state)),
      scalars: known.graphs.scalars,
      perPrompt,
      temperature,
      ...(rank === undefined ? {} : { rank }),
      subject: { stage: from.spec.stage, ...(from.spec.arm ? { arm: from.spec.arm } : {}) },
    };
    maker.add(task);
    return task.id;
  }

  private decoder(
    { model, span }: Sampling,
    collate: SampleTask['collate'],
    batch: number,
    rest: number,
  ): { graphs: DecodeGraphs; roles: Record<string, Graph> } {
    const graphs = decodeGraphs(this.maker.universe.loaded, model, collate, batch, span);
    const last = rest > 0 ? decodeGraphs(this.maker.universe.loaded, model, collate, rest, span, '.rest') : undefined;
    if (!graphs) return fail('P0521', { what: `${model.path} cannot answer token by token: its language model remembers nothing` }, span);
    return {
      graphs: { ...graphs, cache: [...graphs.cache, ...(last?.cache ?? [])] },
      roles: { ...graphs.roles, ...last?.roles },
    };
  }
}
