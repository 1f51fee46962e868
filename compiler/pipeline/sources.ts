/** Where each tensor of a task begins: an earlier task's result, a file, or a drawing keyed by its path. */
import { report } from '../../grammar/index.ts';
import type { Diagnostic, Span } from '../../grammar/index.ts';
import type { Cell, Collate, StateTensor, TrainTask } from '../../plan/plan.ts';
import type { WeightInfo } from '../elaborate/context.ts';
import { Silent, fail } from '../elaborate/fault.ts';
import type { SubjectValue } from '../elaborate/values.ts';
import type { Host } from '../host.ts';
import type { StageSpec } from './stages.ts';
import type { TrainGraphs } from './train-graphs.ts';

/** What a stage leaves: weights by name, and how it is trained where it is. */
export interface StageResult {
  spec: StageSpec;
  /** Names and shapes of the weights of its task, or of its file. */
  weights: ReadonlyMap<string, readonly number[]>;
  graphs?: TrainGraphs;
  collate?: Collate;
  /** Whose weights its loss is compared with. */
  reference?: StageResult;
  /** A value of a tuned name that this stage was given, to be compared with others. */
  cell?: Cell;
  /** The choice that its scalars and schedules wait for. */
  tuned?: TrainTask['tuned'];
}

/** `reference:eyes.position`, `against:head.embedding`: a second subject's weights bear a prefix beside the first one's. */
export function prefixOf(path: string): string | undefined {
  return /^(\w+):/.exec(path)?.[1];
}

/** The name that a weight has in its own stage. */
export function withoutPrefix(path: string): string {
  return path.slice((prefixOf(path)?.length ?? -1) + 1);
}

type Weight = Pick<WeightInfo, 'path' | 'shape' | 'init' | 'stored'>;

export class Sources {
  private readonly results: Map<string, StageResult>;
  private readonly host: Host;
  private readonly diagnostics: Diagnostic[];
  /** Told of every stage and seed whose task a weight is taken from, before it is. */
  private readonly need: (stage: StageResult, seed: number) => void;
  /** Stages with a fault of their own: what refers to them says nothing further. */
  readonly faulty = new Set<string>();
  /** Files that were used, as keys of `Plan.files`. */
  readonly files = new Set<string>();
  private readonly headers = new Map<string, ReadonlyMap<string, readonly number[]>>();
  private readonly warned = new Set<string>();

  constructor(results: Map<string, StageResult>, host: Host, diagnostics: Diagnostic[], need: (stage: StageResult, seed: number) => void) {
    this.results = results;
    this.host = host;
    this.diagnostics = diagnostics;
    this.need = need;
  }

  /** Names and shapes in a safetensors file beside the text. */
  header(file: string, span?: Span): ReadonlyMap<string, readonly number[]> {
    const known = this.headers.get(file);
    if (known) return known;
    const found = this.host.tensors(file);
    if (!found) return fail('P0510', { file }, span);
    const header = new Map(found.tensors.map((t) => [t.name, t.shape] as const));
    this.headers.set(file, header);
    this.files.add(file);
    return header;
  }

  /** The stage that a subject names; a comparison must name its arm. */
  stage(subject: SubjectValue, span: Span, before?: string): StageResult {
    const id = subject.arm ? `${subject.stage}.${subject.arm}` : subject.stage;
    const result = this.results.get(id);
    if (result) return result;
    if (this.faulty.has(id)) throw new Silent();
    if ([...this.results.keys()].some((k) => k.startsWith(`${id}.`))) return fail('P0520', { name: id }, span);
    return fail('P0516', { name: id, known: [...this.results.keys()].filter((k) => k !== before).join(', ') }, span);
  }

  /** The state of a model whose weights are those that `stage` leaves (a reference, a probe, an export). */
  leftBy(stage: StageResult, weight: Weight, seed: number): StateTensor['source'] {
    return this.find(stage, weight, seed) ?? this.begin(weight);
  }

  /** Where a weight begins in a stage's own task. */
  beginningOf(spec: StageSpec, weight: Weight, seed: number): StateTensor['source'] {
    return this.upstream(spec, weight, seed) ?? this.begin(weight);
  }

  /** A weight that no stage has touched: a checkpoint's tensor, or drawn. */
  private begin(weight: Weight): StateTensor['source'] {
    if (!weight.stored) return drawn(weight);
    const { file, name, rows } = weight.stored;
    this.files.add(file);
    return { from: 'file', file, name, ...(rows ? { rows } : {}) };
  }

  /** Says which weights of a stage begin anew although it starts from something. Where only parts were named, the others are to. */
  warnAboutMissing(spec: StageSpec, weights: readonly WeightInfo[]): void {
    if ((!spec.start && !spec.from) || this.warned.has(spec.id)) return;
    this.warned.add(spec.id);
    // An adapter is to begin anew where it is first trained.
    const own = weights.filter((w) => prefixOf(w.path) === undefined && !w.stored && !w.adapter);
    if (own.length === 0) return;
    const missing = own.filter((w) => !this.upstream(spec, w, undefined) && !this.untouched(spec, w)).map((w) => w.path);
    if (missing.length === 0) return;
    const where = spec.start ? spec.start.file : (spec.from?.stage ?? '');
    if (missing.length === own.length) fail('P0518', { file: where, missing: missing[0] }, spec.start?.span ?? spec.span);
    this.diagnostics.push(
      report(
        'P0519',
        { missing: missing.length > 3 ? `${missing.slice(0, 3).join(', ')}, ...` : missing.join(', '), count: missing.length, where },
        spec.start?.span ?? spec.span,
      ),
    );
  }

  /** Whether the stage that another starts from has the weight as it began. For the same seed it begins so again. */
  private untouched(spec: StageSpec, { path }: Weight): boolean {
    if (!spec.from || spec.from.seed !== undefined) return false;
    const from = this.stage(spec.from, spec.span, spec.id);
    return from.graphs?.weights.some((w) => w.path === path) ?? false;
  }

  /** Without a seed it is only found out whether there is a source. */
  private upstream(spec: StageSpec, weight: Weight, seed: number | undefined): StateTensor['source'] | undefined {
    for (const part of spec.parts) {
      if (!part.paths.some((path) => weight.path === path || weight.path.startsWith(`${path}.`))) continue;
      const found = this.find(this.stage(part.subject, part.span, spec.id), weight, part.subject.seed ?? seed);
      if (found) return found;
    }
    if (spec.start) {
      const shape = this.header(spec.start.file, spec.start.span).get(weight.path);
      if (shape) {
        this.sameShape(spec.start.file, weight, shape, spec.start.span);
        return { from: 'file', file: spec.start.file, name: weight.path };
      }
    }
    return spec.from ? this.find(this.stage(spec.from, spec.span, spec.id), weight, spec.from.seed ?? seed) : undefined;
  }

  private find(stage: StageResult, weight: Weight, seed: number | undefined): StateTensor['source'] | undefined {
    const name = withoutPrefix(weight.path);
    if (stage.spec.train) {
      const shape = stage.weights.get(name);
      if (shape) {
        this.sameShape(stage.spec.id, weight, shape, stage.spec.span);
        if (seed === undefined) return drawn(weight);
        this.need(stage, seed);
        return { from: 'task', task: taskId(stage.spec, seed), name };
      }
    }
    return this.upstream(stage.spec, { ...weight, path: name }, seed);
  }

  private sameShape(file: string, weight: Weight, shape: readonly number[], span?: Span): void {
    if (shape.join() !== weight.shape.join())
      fail('P0517', { file, name: weight.path, expected: `[${weight.shape.join(', ')}]`, found: `[${shape.join(', ')}]` }, span);
  }
}

/** A second copy of a model begins with the very weights that the first begins with, so it is drawn by the same key. */
function drawn({ path, init }: Weight): StateTensor['source'] {
  return prefixOf(path) === undefined ? { from: 'init', init } : { from: 'init', init, key: withoutPrefix(path) };
}

/** `post.dpo@1`: the task of a stage or arm for a seed. */
export function taskId(spec: { id: string }, seed: number): string {
  return `${spec.id}@${seed}`;
}
