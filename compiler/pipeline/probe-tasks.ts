/** The tasks of a probe for one subject and seed: its embeds, the readers that it trains, answers, and the score at the end. */
import { hashOf } from '../../plan/hash.ts';
import { sourcesOf } from '../../plan/left-tensor.ts';
import type { Cell, EmbedTask, ScoreTask, StateTensor } from '../../plan/plan.ts';
import type { WeightInfo } from '../elaborate/context.ts';
import type { Drawing } from './data-source.ts';
import { merged } from './export-tasks.ts';
import type { LeftWeight } from './export-tasks.ts';
import type { AnswersSpec, EmbedSpec, ProbeSpec, ReaderSpec } from './probes.ts';
import type { StageResult } from './sources.ts';
import { prefixOf, withoutPrefix } from './sources.ts';
import { halvesOf, weightState, zeroState } from './states.ts';
import { needsOf, tasksOf } from './tasks.ts';
import type { TaskMaker } from './tasks.ts';

/** Whom a probe judges, and whom it sees beside. */
export interface Judged {
  subject: StageResult;
  reference?: StageResult;
  others: ReadonlyMap<string, StageResult>;
  seed: number;
  cell?: Cell;
}

/** Adds the tasks of a probe and returns the id of its score. Embeds and answers that two probes share are one task. */
export function probeTasks(maker: TaskMaker, probe: ProbeSpec, judged: Judged): string {
  return new ProbeTasks(maker, probe, judged).run();
}

class ProbeTasks {
  private readonly maker: TaskMaker;
  private readonly probe: ProbeSpec;
  private readonly judged: Judged;
  /** Tasks by the names of embeds, readers and answers. */
  private readonly ids = new Map<string, string>();
  private readonly readers: ReaderSpec[] = [];

  constructor(maker: TaskMaker, probe: ProbeSpec, judged: Judged) {
    this.maker = maker;
    this.probe = probe;
    this.judged = judged;
  }

  run(): string {
    for (const part of this.probe.parts) this.ids.set(part.name, this.part(part));
    const { maker, probe } = this;
    const { subject, seed, cell } = this.judged;
    const tables = Object.fromEntries(Object.entries(probe.tables).map(([argument, name]) => [argument, this.ids.get(name) ?? '']));
    const weights = Object.fromEntries(Object.entries(probe.weights).map(([argument, paths]) => [argument, this.weights(paths)]));
    const sources = Object.values(weights)
      .flat()
      .flatMap((w) => sourcesOf(w).map((source) => ({ source })));
    const id = `${probe.name}.${subject.spec.id}@${seed}`;
    if (maker.has(id)) return id;
    const task: ScoreTask = {
      kind: 'score',
      id,
      hash: hashOf({
        kind: 'score',
        score: probe.score,
        params: probe.params,
        seed,
        tables: Object.entries(tables).map(([k, task]) => [k, maker.hashOfTask(task)]),
        weights: Object.entries(weights).map(([k, list]) => [
          k,
          list.map((w) => [w.name, ...sourcesOf(w).map((source) => maker.sourceHash(source, w.seed)), ...(w.merge ? [w.merge.scale] : [])]),
        ]),
      }),
      needs: [...new Set([...Object.values(tables), ...needsOf(sources)])],
      seed,
      place: { file: probe.span.file, line: probe.span.line },
      score: probe.score,
      probe: probe.name,
      subject: this.subject(),
      tables,
      ...(sources.length > 0 ? { weights } : {}),
      params: probe.params,
      ...(cell ? { cell } : {}),
    };
    maker.add(task);
    return id;
  }

  /** A cell of a tuning grid is never judged on rows that judge what is made of the choice. */
  private get drawing(): Drawing {
    const { seed, cell } = this.judged;
    return { seed, fresh: cell !== undefined };
  }

  private subject(): ScoreTask['subject'] {
    const { stage, arm } = this.judged.subject.spec;
    return { stage, ...(arm === undefined ? {} : { arm }) };
  }

  private part(part: EmbedSpec | ReaderSpec | AnswersSpec): string {
    switch (part.kind) {
      case 'embed':
        return this.embed(part);
      case 'reader':
        return this.reader(part);
      case 'answers': {
        const { subject } = this.judged;
        const id = `${this.probe.name}.${part.name}.${subject.spec.id}`;
        return this.maker.sample({ ...part, id, span: this.probe.span }, subject, this.drawing);
      }
    }
  }

  private embed(embed: EmbedSpec): string {
    const { maker, probe } = this;
    const { seed, subject } = this.judged;
    const state = [...embed.weights.map((w) => weightState(w, this.source(w), 'working')), ...embed.totals.map(zeroState)];
    const data = maker.dataSource(embed.data, this.drawing, this.ids);
    const hash = hashOf({
      kind: 'embed',
      roles: maker.canonicalRoles(embed.roles),
      scalars: embed.scalars,
      data: maker.byContent(data),
      collate: embed.collate,
      batch: embed.batch,
      keep: [embed.keepInputs, embed.keepColumns],
      state: state.map((s) => [s.name, maker.sourceHash(s.source, seed)]),
    });
    const same = maker.tasks.find((t) => t.kind === 'embed' && t.hash === hash);
    if (same) return same.id;
    const task: EmbedTask = {
      kind: 'embed',
      id: `${probe.name}.${embed.name}.${subject.spec.id}@${seed}`,
      hash,
      needs: [...new Set([...needsOf(state), ...tasksOf(data)])],
      seed,
      place: { file: probe.span.file, line: probe.span.line },
      state,
      data,
      collate: embed.collate,
      batch: embed.batch,
      programs: maker.programs(embed.roles, probe.name, halvesOf(state)),
      scalars: embed.scalars,
      keepInputs: embed.keepInputs,
      keepColumns: embed.keepColumns,
    };
    maker.add(task);
    return task.id;
  }

  private reader(reader: ReaderSpec): string {
    const { probe, maker } = this;
    const { spec } = this.judged.subject;
    this.readers.push(reader);
    const id = `${probe.name}.${reader.name}.${spec.id}`;
    if (maker.has(`${id}@${this.judged.seed}`)) return `${id}@${this.judged.seed}`;
    return maker.train(
      {
        id,
        stage: `${probe.name}.${reader.name}`,
        probe: { name: probe.name, subject: this.subject() },
        span: probe.span,
        fields: reader.fields,
        graphs: reader.graphs,
        collate: reader.collate,
        source: (w) => ({ from: 'init', init: w.init }),
        tables: this.ids,
      },
      this.judged.seed,
    );
  }

  /** A weight of the subject, of one that stands beside it, or of a reader. */
  private source(w: WeightInfo): StateTensor['source'] {
    const { subject, reference, others, seed } = this.judged;
    const reader = this.readers.find((r) => w.path.startsWith(`${r.path}.`));
    if (reader) return { from: 'task', task: this.ids.get(reader.name) ?? '', name: w.path };
    const prefix = prefixOf(w.path);
    const from = prefix === undefined ? subject : prefix === 'reference' ? (reference ?? subject) : (others.get(prefix) ?? subject);
    return this.maker.sources.leftBy(from, w, seed);
  }

  /** All weights below some paths, under the names that they have in their own stage, with their low-rank changes. */
  private weights(paths: readonly string[]): NonNullable<ScoreTask['weights']>[string] {
    const { subject, others, seed } = this.judged;
    return paths.flatMap((path) => {
      const from = others.get(prefixOf(path) ?? '') ?? subject;
      const bare = withoutPrefix(path);
      const below = weightsOf(from).filter((weight) => weight.path === bare || weight.path.startsWith(`${bare}.`));
      return merged(below, (weight) => this.maker.sources.leftBy(from, weight, seed)).map((weight) => ({ ...weight, seed }));
    });
  }
}

/** Weights of a stage's model, also those that it did not train: two stages that train different layers have the same. */
function weightsOf({ weights, graphs }: StageResult): readonly LeftWeight[] {
  const own = graphs?.weights.filter(({ path }) => prefixOf(path) === undefined);
  return own ?? [...weights].map(([name, shape]) => named(name, shape));
}

/** A weight that a file is known to have. */
function named(path: string, shape: readonly number[]): Pick<WeightInfo, 'path' | 'shape' | 'init'> {
  return { path, shape: [...shape], init: { kind: 'constant', value: 0 } };
}
