/** Tasks in which a model answers prompts: for probes, and for data that a model makes itself. */
import type { Span } from '../../grammar/index.ts';
import { hashOf } from '../../plan/hash.ts';
import type { SampleTask, StateTensor } from '../../plan/plan.ts';
import { fail } from '../elaborate/fault.ts';
import type { DataValue, ModelValue } from '../elaborate/values.ts';
import type { Graph } from '../graph/graph.ts';
import { collateFor, requireImage } from './batch.ts';
import { speechOf } from './data-source.ts';
import type { Drawing } from './data-source.ts';
import { decodeGraphs, decodingKey } from './decode.ts';
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

/** Answers that are decoded at once, at most. */
const DECODED = 64;
/** Bytes of logits that are read back for each token, at most: rows over a vocabulary of 150 000 tokens are decoded few at once. */
const READ_BACK = 4 * 2 ** 20;

interface Decoder {
  graphs: DecodeGraphs;
  roles: Record<string, Graph>;
  batch: number;
}

export class Sampler {
  private readonly maker: TaskMaker;
  private readonly decoders = new Map<string, Decoder>();

  constructor(maker: TaskMaker) {
    this.maker = maker;
  }

  /** Answers of the model that `from` leaves to the prompts of a sampling. Equal samplings are one task. */
  task(sampling: Sampling, from: StageResult, drawing: Drawing): string {
    const { seed } = drawing;
    const { model, on, perPrompt, temperature, rank, span } = sampling;
    const { maker } = this;
    requireImage(model, on, span);
    const data = maker.dataSource(on, drawing);
    const collate = collateFor(model, on, false, span);
    if (collate.layout !== 'answers') return fail('P0514', { layout: on.layout }, span);
    const items = on.count * perPrompt;
    const key = hashOf([decodingKey(model), collate, items]);
    const known = this.decoders.get(key) ?? this.decoder(sampling, collate, items);
    this.decoders.set(key, known);
    const { batch } = known;
    const speech = speechOf(on, maker.universe.host);
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
      ...speech,
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
      ...speech,
      subject: { stage: from.spec.stage, ...(from.spec.arm ? { arm: from.spec.arm } : {}) },
    };
    maker.add(task);
    return task.id;
  }

  private decoder({ model, span }: Sampling, collate: SampleTask['collate'], items: number): Decoder {
    const graphsFor = (rows: number, suffix: '' | '.rest' = ''): DecodeGraphs =>
      decodeGraphs(this.maker.universe.loaded, model, collate, rows, span, suffix) ??
      fail('P0521', { what: `${model.path} cannot answer token by token: its language model remembers nothing` }, span);
    const most = Math.min(DECODED, items);
    const all = graphsFor(most);
    const batch = Math.min(most, rowsReadAtOnce(all));
    const graphs = batch === most ? all : graphsFor(batch);
    const last = items % batch > 0 ? graphsFor(items % batch, '.rest') : undefined;
    return {
      graphs: { ...graphs, cache: [...graphs.cache, ...(last?.cache ?? [])] },
      roles: { ...graphs.roles, ...last?.roles },
      batch,
    };
  }
}

/** Rows whose logits over the whole vocabulary are few enough to be read back for each token. */
function rowsReadAtOnce({ roles }: DecodeGraphs): number {
  const logits = roles.decode.outputs.find(({ name }) => name === 'logits');
  const vocabulary = logits?.node.shape[1] ?? 1;
  return Math.max(1, Math.floor(READ_BACK / (4 * vocabulary)));
}
