/**
 * Probes: a definition's body is run for each subject (an arm or a stage, for each seed). Its `embed` statements become
 * forward programs over data, its `score` a table to be judged on the host.
 */
import type { Binding, Definition, Span, Statement } from '../../grammar/index.ts';
import type { Collate } from '../../plan/plan.ts';
import { bindParameters } from '../elaborate/calls.ts';
import { Context } from '../elaborate/context.ts';
import type { WeightInfo } from '../elaborate/context.ts';
import { makeData } from '../elaborate/data.ts';
import { evaluate } from '../elaborate/expressions.ts';
import { fail, within } from '../elaborate/fault.ts';
import { evaluateIn } from '../elaborate/names.ts';
import type { Universe } from '../elaborate/names.ts';
import { runStatements } from '../elaborate/statements.ts';
import { Scope } from '../elaborate/scope.ts';
import { describe, tensor } from '../elaborate/values.ts';
import type { BoundValue, DataValue, InstanceValue, ModelValue, SubjectValue, Value } from '../elaborate/values.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Graph, Output } from '../graph/graph.ts';
import { collateFor, declareInputs } from './batch.ts';
import { buildObjective, lossNeeds } from './objective.ts';
import type { StageSpec } from './stages.ts';

/** Rows that an embed program takes at once. */
const BATCH = 32;

export interface EmbedSpec {
  name: string;
  data: DataValue;
  collate: Collate;
  batch: number;
  roles: Record<string, Graph>;
  weights: WeightInfo[];
  scalars: Record<string, number>;
  keepInputs: string[];
  keepColumns: string[];
}

export interface ProbeSpec {
  name: string;
  embeds: EmbedSpec[];
  score: string;
  /** Names of embeds by the score's arguments. */
  tables: Record<string, string>;
  params: Record<string, string | number | boolean>;
  span: Span;
}

/** What a probe declaration judges: the subject that it names, with its arguments. */
export function probeTarget(universe: Universe, declaration: Binding): { bound: BoundValue; subject: SubjectValue; parameter: string } {
  const value = evaluateIn(universe, universe.loaded.main, declaration.value);
  const span = declaration.value.span;
  if (value.kind !== 'bound' || value.definition.keyword !== 'probe')
    return fail('P0301', { expected: 'a probe, such as linear_probe(post.eyes, on: scenes.objects)', found: describe(value) }, span);
  for (const p of value.definition.params) {
    const given = value.given.get(p.name.text);
    if (given?.kind === 'subject') return { bound: value, subject: given, parameter: p.name.text };
  }
  return fail('P0210', { name: value.definition.params[0]?.name.text ?? 'subject', of: `probe ${value.definition.name.text}` }, span);
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
): ProbeSpec {
  const { definition } = bound;
  return within(declaration.span, `in probe ${definition.name.text} of ${stage.id}`, () =>
    new ProbeRun(universe, definition, stage, part).run(bound, parameter, declaration),
  );
}

class ProbeRun {
  private readonly embeds: EmbedSpec[] = [];
  private score?: Pick<ProbeSpec, 'score' | 'tables' | 'params'>;
  /** The embed whose body is running. */
  private current?: { data: DataValue; collate: Exclude<Collate, { layout: 'tensors' }>; inputs: Map<string, Value> };
  private readonly universe: Universe;
  private readonly definition: Definition;
  private readonly stage: StageSpec;
  private readonly part?: InstanceValue | ModelValue;

  constructor(universe: Universe, definition: Definition, stage: StageSpec, part: InstanceValue | ModelValue | undefined) {
    this.universe = universe;
    this.definition = definition;
    this.stage = stage;
    this.part = part;
  }

  run(bound: BoundValue, parameter: string, declaration: Binding): ProbeSpec {
    const ctx = this.universe.context;
    const given = new Map([...bound.given, [parameter, this.subject(declaration.span)]]);
    const scope = bindParameters(ctx, { ...bound, given }, bound.module, declaration.span);
    runStatements(ctx, this.definition.body ?? [], scope, { probe: (statement, inner) => this.statement(statement, inner) });
    if (!this.score) return fail('P0512', { name: 'score', where: `probe ${this.definition.name.text}` }, this.definition.name.span);
    return { name: declaration.name.text, embeds: this.embeds, ...this.score, span: declaration.span };
  }

  /** What a body sees as its subject: `subject.encoder`, and `subject.loss()` on the rows of the embed that is running. */
  private subject(span: Span): Value {
    const fields = new Map<string, Value>();
    const train = this.stage.train;
    const model = this.part?.kind === 'model' ? this.part : train?.model;
    const encoder = this.part?.kind === 'instance' ? this.part : model?.form.encoder;
    if (encoder) fields.set('encoder', encoder);
    if (model) for (const [role, value] of Object.entries(model.form)) if (typeof value === 'object') fields.set(role, value);
    if (train) {
      fields.set('loss', {
        kind: 'closure',
        name: 'loss',
        call: (ctx) => {
          if (!this.current) return fail('P0509', { name: 'subject.loss()', place: 'an embed' }, span);
          const { collate, inputs } = this.current;
          const reference = lossNeeds(train.loss.definition).reference ? 'live' : 'none';
          return tensor(
            buildObjective(ctx, this.universe.loaded, { model: train.model, loss: train.loss, collate, reference, inputs, span }).loss,
          );
        },
      });
    }
    return { kind: 'record', type: 'subject', fields };
  }

  private statement(s: Extract<Statement, { kind: 'Embed' | 'Keep' | 'Score' }>, scope: Scope): void {
    switch (s.kind) {
      case 'Embed':
        this.embed(s, scope);
        return;
      case 'Score':
        this.judge(s, scope);
        return;
      case 'Keep':
        fail('P0509', { name: 'keep', place: 'an embed' }, s.span);
    }
  }

  private embed(s: Extract<Statement, { kind: 'Embed' }>, scope: Scope): void {
    const data = makeData(this.universe.context, evaluate(this.universe.context, s.from, scope), s.from.span);
    const train = this.stage.train;
    const arrow = data.layout === 'pairs' || data.layout === 'answers';
    const collate = collateFor(
      arrow ? train?.model : undefined,
      data,
      arrow && data.layout === 'pairs' && train !== undefined && lossNeeds(train.loss.definition).pairs,
      s.from.span,
    );
    const batch = Math.min(BATCH, data.count);
    const full = this.forward(s, scope, data, collate, batch);
    const rest = data.count % batch;
    scope.define(s.name.text, { kind: 'string', value: s.name.text });
    this.embeds.push({
      ...full,
      roles: { forward: full.graph, ...(rest > 0 ? { 'forward.rest': this.forward(s, scope, data, collate, rest).graph } : {}) },
      name: s.name.text,
      data,
      collate,
      batch,
      keepColumns: columnsOf(data.layout),
    });
  }

  private forward(
    s: Extract<Statement, { kind: 'Embed' }>,
    scope: Scope,
    data: DataValue,
    collate: Exclude<Collate, { layout: 'tensors' }>,
    rows: number,
  ): Pick<EmbedSpec, 'weights' | 'scalars' | 'keepInputs'> & { graph: Graph } {
    const ctx = new Context(new GraphBuilder());
    const inputs = declareInputs(ctx, collate, rows);
    const local = new Scope(scope);
    for (const [name, value] of inputs) local.define(name, value);
    this.current = { data, collate, inputs };
    const outputs: Output[] = [];
    const keepInputs: string[] = [];
    runStatements(ctx, s.body, local, {
      probe: (inner, at) => {
        if (inner.kind !== 'Keep') fail('P0509', { name: inner.kind.toLowerCase(), place: 'the body of a probe' }, inner.span);
        const value = evaluate(ctx, inner.value, at);
        if (value.kind !== 'tensor') return fail('P0301', { expected: 'a tensor', found: describe(value) }, inner.value.span);
        if (value.node.shape[0] !== rows)
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
        if (value.node.op.kind === 'input' && value.node.op.name === inner.name.text) keepInputs.push(inner.name.text);
        else outputs.push({ kind: 'output', name: inner.name.text, node: value.node });
      },
    });
    this.current = undefined;
    return { graph: { outputs }, weights: [...ctx.weights.values()], scalars: Object.fromEntries(ctx.scalars), keepInputs };
  }

  /** `score logistic(fit: fitting, l2: l2)`: tables by the names of embeds, the rest are parameters. */
  private judge(s: Extract<Statement, { kind: 'Score' }>, scope: Scope): void {
    const e = s.value;
    if (e.kind !== 'Call' || e.callee.kind !== 'Identifier')
      return fail('P0301', { expected: 'a score such as logistic(fit: a, held: b)', found: 'something else' }, e.span);
    const tables: Record<string, string> = {};
    const params: ProbeSpec['params'] = {};
    for (const argument of e.arguments) {
      if (!argument.name) return fail('P0209', { name: '', of: e.callee.name, nearest: '', known: 'those of the score' }, argument.span);
      const value = evaluate(this.universe.context, argument.value, scope);
      if (value.kind === 'string' && this.embeds.some((one) => one.name === value.value)) tables[argument.name.text] = value.value;
      else if (value.kind === 'string' || value.kind === 'number' || value.kind === 'bool') params[argument.name.text] = value.value;
      else return fail('P0301', { expected: 'an embed, a number or a string', found: describe(value) }, argument.value.span);
    }
    this.score = { score: e.callee.name, tables, params };
  }
}
