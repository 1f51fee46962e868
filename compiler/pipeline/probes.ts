/**
 * Probes: a definition's body is run for each subject (an arm or a stage, for each seed). Its `embed` statements become
 * forward programs over data, `train` statements readers of what was embedded, `subject.sample(..)` answers of the model, and
 * its `score` a table to be judged on the host. What comes out is a `ProbeSpec`; its tasks are made by probe-tasks.ts.
 */
import type { Binding, Definition, Diagnostic, Field, Span, Statement } from '../../grammar/index.ts';
import type { Collate } from '../../plan/plan.ts';
import { bindParameters, instantiate } from '../elaborate/calls.ts';
import type { Context, WeightInfo } from '../elaborate/context.ts';
import { makeData } from '../elaborate/data.ts';
import { evaluate } from '../elaborate/expressions.ts';
import { Fault, fail, within } from '../elaborate/fault.ts';
import { evaluateIn } from '../elaborate/names.ts';
import type { Universe } from '../elaborate/names.ts';
import { runStatements } from '../elaborate/statements.ts';
import { Scope } from '../elaborate/scope.ts';
import { describe } from '../elaborate/values.ts';
import type { BoundValue, DataValue, InstanceValue, ModelValue, SubjectValue } from '../elaborate/values.ts';
import type { Graph } from '../graph/graph.ts';
import { collateFor, declareInputs } from './batch.ts';
import { embedGraphs } from './embed-graphs.ts';
import type { Kept } from './embed-graphs.ts';
import { heldOut } from './held-out.ts';
import { Place } from './place.ts';
import { beside, judged, modelOfSubject } from './probe-subjects.ts';
import type { Running } from './probe-subjects.ts';
import { scoreCall } from './score-call.ts';
import type { ScoreCall } from './score-call.ts';
import type { StageSpec } from './stages.ts';
import { takeFields } from './stages.ts';
import { buildTrainGraphs } from './train-graphs.ts';
import type { TrainGraphs } from './train-graphs.ts';
import { requireFields, trainFields } from './training-fields.ts';
import type { TrainFields } from './training-fields.ts';

/** Rows that an embed program takes at once. */
const BATCH = 32;
const READER_FIELDS = ['on', 'loss', 'optimize', 'batch', 'clip', 'steps', 'epochs', 'model'];

export interface EmbedSpec {
  kind: 'embed';
  name: string;
  data: DataValue;
  collate: Collate;
  batch: number;
  roles: Record<string, Graph>;
  weights: WeightInfo[];
  /** States that hold sums over all rows. */
  totals: { name: string; shape: readonly number[] }[];
  scalars: Record<string, number>;
  keepInputs: string[];
  keepColumns: string[];
}

/** A small model that a probe trains on a table. */
export interface ReaderSpec {
  kind: 'reader';
  name: string;
  /** Its weights lie below this path. */
  path: string;
  fields: TrainFields;
  graphs: TrainGraphs;
  collate: Collate;
}

/** Answers of the subject's model. */
export interface AnswersSpec {
  kind: 'answers';
  name: string;
  model: ModelValue;
  on: DataValue;
  perPrompt: number;
  temperature: number;
}

export type ProbePart = EmbedSpec | ReaderSpec | AnswersSpec;

export interface ProbeSpec {
  name: string;
  /** In the order in which they need each other. */
  parts: ProbePart[];
  score: string;
  /** Names of embeds and answers by the score's arguments. */
  tables: Record<string, string>;
  /** Paths of weights by the score's arguments. */
  weights: Record<string, string[]>;
  params: Record<string, string | number | boolean>;
  /** Further subjects by the prefix that their weights bear. */
  others: Map<string, SubjectValue>;
  /** Whether it uses the loss of the stage; otherwise only the stage's model decides what it is. */
  ofLoss: boolean;
  span: Span;
}

/** What a probe declaration judges: the subject that it names first, with its arguments. */
export function probeTarget(universe: Universe, declaration: Binding): { bound: BoundValue; subject: SubjectValue; parameter: string } {
  const value = evaluateIn(universe, universe.loaded.main, declaration.value);
  const span = declaration.value.span;
  if (value.kind !== 'bound' || value.definition.keyword !== 'probe')
    return fail('P0301', { expected: 'a probe, such as linear_probe(post.eyes, on: scenes.objects)', found: describe(value) }, span);
  for (const p of value.definition.params) {
    const given = value.given.get(p.name.text);
    if (given?.kind === 'subject') return { bound: value, subject: given, parameter: p.name.text };
  }
  return fail('P0210', { names: [value.definition.params[0]?.name.text ?? 'subject'], of: `probe ${value.definition.name.text}` }, span);
}

/** The columns that pictures and tables of the report show beside a row. */
function columnsOf(layout: DataValue['layout']): string[] {
  if (layout === 'pairs') return ['size', 'prompt', 'chosen', 'rejected', 'boxes'];
  return layout === 'answers' ? ['size', 'prompt', 'answer', 'boxes'] : [];
}

/** Runs a probe's body for one subject, whose weights `stage` left. */
export function buildProbe(
  universe: Universe,
  declaration: Binding,
  bound: BoundValue,
  parameter: string,
  part: InstanceValue | ModelValue | undefined,
  stage: StageSpec,
  stageOf: (subject: SubjectValue) => StageSpec,
): ProbeSpec {
  const { definition } = bound;
  return within(declaration.span, `in probe ${definition.name.text} of ${stage.id}`, () =>
    new ProbeRun(universe, definition, stage, part, stageOf).run(bound, parameter, declaration),
  );
}

type ProbeStatement = Extract<Statement, { kind: 'Embed' | 'Train' | 'Keep' | 'Score' }>;

class ProbeRun {
  private readonly parts: ProbePart[] = [];
  private score?: ScoreCall;
  /** The embed whose body is running. */
  private readonly running: Running = {};
  private readonly universe: Universe;
  private readonly definition: Definition;
  private readonly stage: StageSpec;
  private readonly part?: InstanceValue | ModelValue;
  /** The stages of further subjects. */
  private readonly stageOf: (subject: SubjectValue) => StageSpec;
  /** Whether the subject is a whole model, so that its image tokens stand in its sequences. */
  private whole = false;
  private name = '';
  /** Where the text declares the probe. */
  private span!: Span;
  /** The subject's model, where it has one. */
  private model?: ModelValue;

  constructor(
    universe: Universe,
    definition: Definition,
    stage: StageSpec,
    part: InstanceValue | ModelValue | undefined,
    stageOf: (subject: SubjectValue) => StageSpec,
  ) {
    this.universe = universe;
    this.definition = definition;
    this.stage = stage;
    this.part = part;
    this.stageOf = stageOf;
  }

  run(bound: BoundValue, parameter: string, declaration: Binding): ProbeSpec {
    const ctx = this.universe.context;
    this.name = declaration.name.text;
    this.span = declaration.value.span;
    this.whole = this.definition.params.find((p) => p.name.text === parameter)?.type?.name?.text === 'model';
    this.model = modelOfSubject(this.universe, this.stage, this.part, declaration.span);
    const others = new Map<string, SubjectValue>();
    const given = new Map(bound.given);
    for (const [name, value] of bound.given) {
      if (value.kind !== 'subject') {
        given.set(name, heldOut(value));
        continue;
      }
      if (name !== parameter) others.set(name, value);
      const record =
        name === parameter
          ? judged(this.universe, this.stage, this.model, this.part, this.running, (answers) => this.answers(answers), declaration.span)
          : beside(this.universe, name, value, this.stageOf(value), this.running, declaration.span);
      given.set(name, record);
    }
    const scope = bindParameters(ctx, { ...bound, given }, bound.module, declaration.span);
    runStatements(ctx, this.definition.body ?? [], scope, { probe: (statement, inner) => this.statement(statement, inner) });
    if (!this.score) return fail('P0512', { names: ['score'], where: `probe ${this.definition.name.text}` }, this.definition.name.span);
    return { name: this.name, parts: this.parts, ...this.score, others, ofLoss: this.running.ofLoss === true, span: declaration.span };
  }

  private statement(s: ProbeStatement, scope: Scope): void {
    switch (s.kind) {
      case 'Embed':
        this.embed(s, scope);
        return;
      case 'Train':
        this.train(s, scope);
        return;
      case 'Score':
        this.score = scoreCall(s, {
          host: this.universe.host,
          parts: this.parts,
          probe: this.span,
          evaluate: (e) => evaluate(this.universe.context, e, scope),
        });
        return;
      case 'Keep':
        fail('P0509', { name: 'keep', place: 'an embed' }, s.span);
    }
  }

  private answers(given: Omit<AnswersSpec, 'kind' | 'name'>): DataValue {
    const name = `answers${this.parts.filter((p) => p.kind === 'answers').length || ''}`;
    this.parts.push({ kind: 'answers', name, ...given });
    return { ...given.on, source: 'table', params: {}, table: { name, columns: {} } };
  }

  private embed(s: Extract<Statement, { kind: 'Embed' }>, scope: Scope): void {
    const data = makeData(this.universe.context, evaluate(this.universe.context, s.from, scope), s.from.span);
    const worded = data.layout === 'pairs' || data.layout === 'answers';
    const collate = collateFor(
      worded && this.whole ? this.model : undefined,
      data,
      worded && this.whole && data.layout === 'pairs',
      s.from.span,
    );
    const batch = Math.min(BATCH, data.count);
    const sizes = [batch, ...(data.count % batch > 0 ? [data.count % batch] : [])];
    const run = (ctx: Context, rows: number): Kept => this.keep(s, scope, data, collate, ctx, rows);
    const { full, graphs } = embedGraphs(s.name.text, data.count, sizes, collate, s.span, run);
    const columns: NonNullable<DataValue['table']>['columns'] = {};
    for (const [name, node] of full.outputs) if (node.dtype !== 'bool') columns[name] = { dtype: node.dtype, shape: node.shape.slice(1) };
    for (const [name, column] of full.inputs) columns[name] = column;
    const table: DataValue = {
      kind: 'data',
      layout: 'tensors',
      source: 'table',
      params: {},
      count: data.count,
      table: { name: s.name.text, columns },
    };
    scope.define(s.name.text, table);
    this.parts.push({
      kind: 'embed',
      name: s.name.text,
      data,
      collate,
      batch,
      ...graphs,
      keepInputs: [...full.inputs.keys()],
      keepColumns: columnsOf(data.layout),
    });
  }

  /** Runs the body on `rows` rows: what is kept of them. */
  private keep(
    s: Extract<Statement, { kind: 'Embed' }>,
    scope: Scope,
    data: DataValue,
    collate: Collate,
    ctx: Context,
    rows: number,
  ): Kept {
    const inputs = declareInputs(ctx, collate, rows);
    const local = new Scope(scope);
    for (const [name, value] of inputs) local.define(name, value);
    this.running.embed = { data, collate, inputs };
    const result: Kept = { outputs: new Map(), inputs: new Map() };
    runStatements(ctx, s.body, local, {
      probe: (inner, at) => {
        if (inner.kind !== 'Keep') fail('P0509', { name: inner.kind.toLowerCase(), place: 'the body of a probe' }, inner.span);
        const value = evaluate(ctx, inner.value, at);
        if (value.kind !== 'tensor') return fail('P0301', { expected: 'a tensor', found: describe(value) }, inner.value.span);
        const { node } = value;
        if (node.shape[0] !== rows)
          fail(
            'P0401',
            {
              what: `\`${inner.name.text}\``,
              expected: '[rows, ..]',
              found: describe(value),
              why: 'what is kept has a row for each row of the data',
            },
            inner.value.span,
          );
        if (node.op.kind === 'input' && node.op.name === inner.name.text && node.dtype !== 'bool')
          result.inputs.set(inner.name.text, { dtype: node.dtype, shape: node.shape.slice(1) });
        else result.outputs.set(inner.name.text, node);
      },
    });
    this.running.embed = undefined;
    return result;
  }

  /** `train reader { model .. on TABLE .. }`: a reader has weights of its own alone, and reads what an embed kept. */
  private train(s: Extract<Statement, { kind: 'Train' }>, scope: Scope): void {
    const diagnostics: Diagnostic[] = [];
    const where = `train ${s.name.text}`;
    const taken = new Map<string, { field: Field; own: boolean }>();
    takeFields(taken, s.fields, true, where, diagnostics, READER_FIELDS);
    const fields = new Map([...taken].map(([name, { field }]) => [name, field]));
    requireFields(fields, ['model', 'on', 'loss', 'optimize', 'batch'], where, s.span, diagnostics);
    if (diagnostics.length > 0) throw new Fault(diagnostics[0]);
    const at = fields.get('model')?.value;
    const layer = at && evaluate(this.universe.context, at, scope);
    if (layer?.kind !== 'bound' || layer.definition.keyword !== 'layer')
      return fail('P0301', { expected: 'a layer over the columns of the table', found: layer ? describe(layer) : 'nothing' }, at?.span);
    const path = `${this.name}.${s.name.text}`;
    const instance = instantiate(layer, path);
    const model: ModelValue = { kind: 'model', path, form: { kind: 'layer', layer: instance } };
    const train = trainFields(
      new Place(this.universe, scope),
      fields,
      { span: s.span, where, diagnostics },
      {
        model,
        trained: [{ name: path, paths: [path], span: s.span }],
      },
    );
    const on = fields.get('on')?.value?.span ?? s.span;
    if (!train.data.table || train.data.layout !== 'tensors')
      fail('P0301', { expected: 'what an `embed` before it keeps', found: describe(train.data) }, on);
    const collate = collateFor(model, train.data, false, on);
    const graphs = buildTrainGraphs(this.universe.loaded, {
      ...train,
      collate,
      reference: 'none',
      evaluation: 0,
      length: { steps: train.steps, stepsPerEpoch: train.stepsPerEpoch },
      span: s.span,
    });
    this.parts.push({ kind: 'reader', name: s.name.text, path, fields: train, graphs, collate });
    scope.define(s.name.text, instance);
  }
}
