/**
 * What a probe's body sees of the stages that it was given: of the one that is judged its parts, its loss on the rows of the
 * embed that is running, and its answers; of others beside it their parts, whose weights bear the parameter's name as prefix.
 */
import type { Span } from '../../grammar/index.ts';
import type { Collate } from '../../plan/plan.ts';
import { named, numberOf } from '../elaborate/builtins.ts';
import { makeData } from '../elaborate/data.ts';
import { fail } from '../elaborate/fault.ts';
import type { Universe } from '../elaborate/names.ts';
import { describe, tensor } from '../elaborate/values.ts';
import type { DataValue, InstanceValue, ModelValue, RecordValue, SubjectValue, Value } from '../elaborate/values.ts';
import { runModel } from './batch.ts';
import { buildObjective, lossNeeds } from './objective.ts';
import type { AnswersSpec } from './probes.ts';
import type { StageSpec } from './stages.ts';
import { partAsTrained } from './trained-parts.ts';
import { asTrained, modelOf } from './training-fields.ts';

/** The embed whose body is running, if one is. */
export interface Running {
  /** Whether it asked for the loss of the stage. */
  ofLoss?: boolean;
  embed?: { data: DataValue; collate: Collate; inputs: Map<string, Value> };
}

/** The model of what is judged: the one that was named, the stage's, or the only one of the text; none where a part was named. */
export function modelOfSubject(
  universe: Universe,
  stage: StageSpec,
  part: InstanceValue | ModelValue | undefined,
  span: Span,
): ModelValue | undefined {
  if (part?.kind === 'model') return asTrained(part, stage);
  return stage.train?.model ?? (part ? undefined : modelOf(universe, undefined, undefined, span));
}

/** The subject that a probe judges. */
export function judged(
  universe: Universe,
  stage: StageSpec,
  model: ModelValue | undefined,
  part: InstanceValue | ModelValue | undefined,
  running: Running,
  answers: (given: Omit<AnswersSpec, 'kind' | 'name'>) => DataValue,
  span: Span,
): RecordValue {
  const { train } = stage;
  const fields = new Map<string, Value>(partsOf(model));
  // As the stage trained it: with the adapters that it has there.
  if (part?.kind === 'instance') fields.set('encoder', partAsTrained(part, train?.model));
  if (train) {
    fields.set('loss', {
      kind: 'closure',
      name: 'loss',
      call: (ctx) => {
        if (!running.embed) return fail('P0509', { name: 'subject.loss()', place: 'an embed' }, span);
        running.ofLoss = true;
        const { collate, inputs } = running.embed;
        const reference = lossNeeds(train.loss.definition).reference ? 'live' : 'none';
        return tensor(
          buildObjective(ctx, universe.loaded, { model: train.model, loss: train.loss, collate, reference, inputs, span }).loss,
        );
      },
    });
  }
  if (model) {
    fields.set('scores', scores(universe, model, running, span));
    fields.set('sample', {
      kind: 'closure',
      name: 'sample',
      call: (ctx, given, at) => {
        const [on, temperature, perPrompt] = named('sample', given, ['on', 'temperature', 'per_prompt'], at, 1);
        const rows = makeData(ctx, on as Value, at);
        if (rows.layout !== 'answers' && rows.layout !== 'pairs')
          return fail('P0301', { expected: 'data with prompts (answers or pairs)', found: describe(rows) }, at);
        return answers({
          model,
          on: rows,
          temperature: temperature ? numberOf(temperature, 'temperature', at).value : 0,
          perPrompt: perPrompt ? numberOf(perPrompt, 'per_prompt', at).value : 1,
        });
      },
    });
  }
  return { kind: 'record', type: 'subject', fields };
}

/** A further subject: its parts, with weights of their own in the same graph. */
export function beside(
  universe: Universe,
  prefix: string,
  subject: SubjectValue,
  stage: StageSpec,
  running: Running,
  span: Span,
): RecordValue {
  const { part } = subject;
  const fields = new Map<string, Value>();
  if (part?.kind === 'instance') {
    fields.set('encoder', prefixed(partAsTrained(part, stage.train?.model), prefix));
    return { kind: 'record', type: 'subject', fields };
  }
  const model = asTrained(part ?? modelOf(universe, undefined, undefined, span), stage);
  for (const [role, instance] of partsOf(model)) fields.set(role, prefixed(instance, prefix));
  const { form } = model;
  if (form.kind === 'arrow') {
    const [encoder, connector, language] = [form.encoder, form.connector, form.language].map((one) => prefixed(one, prefix));
    fields.set('scores', scores(universe, { ...model, form: { kind: 'arrow', encoder, connector, language } }, running, span));
  }
  return { kind: 'record', type: 'subject', fields };
}

/** `subject.scores()`: what the model makes of the rows of the embed that is running, a `Scored` or a `Pair`. */
function scores(universe: Universe, model: ModelValue, running: Running, span: Span): Value {
  return {
    kind: 'closure',
    name: 'scores',
    call: (ctx) => {
      if (!running.embed) return fail('P0509', { name: 'subject.scores()', place: 'an embed' }, span);
      const { collate, inputs } = running.embed;
      return runModel(ctx, universe.loaded, model, collate, inputs, span);
    },
  };
}

function prefixed(instance: InstanceValue, prefix: string): InstanceValue {
  return { ...instance, path: `${prefix}:${instance.path}` };
}

/** `encoder`, `connector`, `language` of an arrow; the parts that another model's layer was given, under their names there. */
function partsOf(model: ModelValue | undefined): [string, InstanceValue][] {
  if (!model) return [];
  const { form } = model;
  if (form.kind === 'arrow')
    return [
      ['encoder', form.encoder],
      ['connector', form.connector],
      ['language', form.language],
    ];
  return [...form.layer.bound.given].flatMap(([name, value]): [string, InstanceValue][] =>
    value.kind === 'instance' ? [[name, value]] : [],
  );
}
