/**
 * What an expression can be while the compiler runs a text. Numbers are known; tensors are nodes of the graph being
 * built. A number may differ from step to step (`schedule`) or be a parameter of a loss or optimizer (`uniform`); where such
 * a number meets a tensor it becomes a scalar of the program, so that texts with other values share the program.
 */
import type { Definition, Expression, Span, TypeRef } from '../../grammar/index.ts';
import type { StoredDtype } from '../../plan/dtypes.ts';
import type { Init, Tokenizer } from '../../plan/plan.ts';
import type { Schedule } from '../../plan/schedule.ts';
import type { Node } from '../graph/graph.ts';
import type { Module } from '../modules/modules.ts';
import type { Given } from './calls.ts';
import type { Context } from './context.ts';
import type { Stored } from './stored.ts';
import type { Scope } from './scope.ts';

export interface NumberValue {
  kind: 'number';
  value: number;
  /** `px`, `%`, `h`, `steps`, `epochs`, `tokens`, `rows`; only on its way from a literal to a parameter. */
  unit?: string;
  /** Its formula of the step, where it changes with the step; `value` is then its value at the step that is looked at, mostly the first. */
  schedule?: Schedule;
  /**
   * Must not be written into programs, because it is a parameter or computed from one. Says how, such as
   * `(1 - adamw.beta1)`: equal ways share a scalar. Numbers with a `schedule` always have it where they meet a tensor.
   */
  uniform?: string;
  /** The argument of the user's text by which it came in, and from which it was computed: where its faults are told. */
  at?: Span;
}

export interface TensorValue {
  kind: 'tensor';
  node: Node;
}
export interface StringValue {
  kind: 'string';
  value: string;
}
export interface BoolValue {
  kind: 'bool';
  value: boolean;
}
export interface NoneValue {
  kind: 'none';
}
export interface ListValue {
  kind: 'list';
  items: Value[];
}
export interface RangeValue {
  kind: 'range';
  from: number;
  to: number;
}
export interface RecordValue {
  kind: 'record';
  type: string;
  fields: Map<string, Value>;
}

/** A layer, loss, schedule, optimizer, source or probe with some of its arguments given. */
export interface BoundValue {
  kind: 'bound';
  definition: Definition;
  module: Module;
  given: Map<string, Value>;
  /** Where each of them was given. */
  spans?: ReadonlyMap<string, Span>;
  /** Where the arguments were given, for messages. */
  span?: Span;
  /** The checkpoint that its weights are taken from. */
  stored?: Stored;
}

/** A bound layer that has a place in the model: its weights are `<path>.<weight>`. */
export interface InstanceValue {
  kind: 'instance';
  bound: BoundValue;
  path: string;
  stored?: Stored;
  /** Low-rank changes of the matrices below it. */
  adapter?: Adapter;
}

/**
 * LoRA (Hu et al. 2022): a matrix W [a, b] of a part called as one of `targets` becomes W + scale B A with A [rank, b] and B [a, rank].
 * Only A and B are trained; B begins at zero.
 */
export interface Adapter {
  rank: number;
  scale: number;
  targets: string[];
}

/** `lora(head, rank: 16, targets: ["q_proj", "v_proj"])` in the field `train`. */
export interface AdapterValue {
  kind: 'adapter';
  part: InstanceValue | ModelValue;
  adapter: Adapter;
}

/** `layers(eyes, 0..12)`, `within(eyes, "embeddings")`: some of a part's weights, in the fields `train` and `freeze`. */
export interface PortionValue {
  kind: 'portion';
  part: InstanceValue | ModelValue;
  /** A path below the part. */
  below?: string;
  /** Numbers of layers, from the end where negative. */
  layers?: number[];
}

/** A share of the stage's rate, or a rate or schedule. */
export type Rate = { share: number } | NumberValue | BoundValue;

/** `at_rate(eyes, 10%)`, `at_rate(eyes, cosine(peak: 2e-6))` in the field `train`. */
export interface RatedValue {
  kind: 'rated';
  of: Value;
  rate: Rate;
}

export interface FunctionValue {
  kind: 'function';
  name: string;
  params: string[];
  body: Expression;
  scope: Scope;
}
export interface BuiltinValue {
  kind: 'builtin';
  name: string;
}
export interface RecordTypeValue {
  kind: 'recordType';
  name: string;
  fields: { name: string; type: TypeRef }[];
}
export interface TokenizerValue {
  kind: 'tokenizer';
  name: string;
  /** A list of words, or the folder of a checkpoint with `tokenizer.json` and a chat template. */
  of: { words: Tokenizer } | { folder: string };
}
export interface NamespaceValue {
  kind: 'namespace';
  module: Module;
}
export interface InitValue {
  kind: 'init';
  init: Init;
}

export type Layout = 'pairs' | 'answers' | 'contrast' | 'classes' | 'patches' | 'tensors';

/** Rows of a declared source with resolved parameters. */
export interface DataValue {
  kind: 'data';
  layout: Layout;
  /** Name in the runtime's registry. */
  source: string;
  params: Record<string, string | number | boolean>;
  count: number;
  /** Whether its rows are drawn, and by which seed: that of the run, or one that the text names. Absent where rows are read. */
  drawn?: 'by the run' | 'by the text';
  /** px; the longest prompt and answer in tokens. */
  image?: number;
  prompt?: number;
  answer?: number;
  patches?: number;
  /** The most pictures of a row, where there may be several. */
  pictures?: number;
  tokenizer?: TokenizerValue;
  /** Path of files that it reads, relative to the text. */
  folder?: string;
  /** Folder of the checkpoint whose image processor prepares its pictures. */
  processor?: string;
  /** The source with its arguments; absent where rows are a mix or an earlier task's. */
  bound?: BoundValue;
  mix?: DataValue[];
  /** Share of pairs whose two answers change places: `preferences.exchanged(50%)`. */
  exchanged?: number;
  /** What a probe's `embed` or `sample` of this name keeps. */
  table?: { name: string; columns: Record<string, { dtype: StoredDtype; shape: number[] }> };
  /** Answers that a stage's model gives to the prompts of `on`; ranked, they are pairs. */
  sampled?: SampledRows;
}

export interface SampledRows {
  /** The binding's name, or the stage's. */
  name: string;
  subject: SubjectValue;
  on: DataValue;
  perPrompt: number;
  temperature: number;
  rank?: string;
  span: Span;
}

/** `eyes -> connector -> head`, or any layer applied to batches. */
export interface ModelValue {
  kind: 'model';
  path: string;
  /** Instances by role. `layer` models have `encoder` where one of their arguments is a declared encoder. */
  form:
    | { kind: 'arrow'; encoder: InstanceValue; connector: InstanceValue; language: InstanceValue }
    | { kind: 'layer'; layer: InstanceValue; encoder?: InstanceValue };
  /** The two answers of a pair are scored as two sequences (`pack separate`), not as one with a shared prefix. */
  separate?: boolean;
}

/** A stage, an arm of a comparison (`post.dpo`), or all of its arms (`post`), perhaps of one seed, perhaps a part (`post.eyes`). */
export interface SubjectValue {
  kind: 'subject';
  module: Module;
  stage: string;
  arm?: string;
  seed?: number;
  part?: InstanceValue | ModelValue;
  /** `tune.head.lora`: the adapter of the part alone. */
  adapterOnly?: boolean;
}

/** A function of the compiler's that a body is handed: `subject.loss` in a probe. */
export interface ClosureValue {
  kind: 'closure';
  name: string;
  call: (ctx: Context, given: Given[], span: Span) => Value;
}

export interface LoadValue {
  kind: 'load';
  file: string;
  span?: Span;
}

export type Value =
  | NumberValue
  | TensorValue
  | StringValue
  | BoolValue
  | NoneValue
  | ListValue
  | RangeValue
  | RecordValue
  | BoundValue
  | InstanceValue
  | FunctionValue
  | BuiltinValue
  | RecordTypeValue
  | TokenizerValue
  | NamespaceValue
  | InitValue
  | DataValue
  | ModelValue
  | SubjectValue
  | ClosureValue
  | AdapterValue
  | PortionValue
  | RatedValue
  | LoadValue;

export const NONE: NoneValue = { kind: 'none' };
export const number = (value: number): NumberValue => ({ kind: 'number', value });
export const bool = (value: boolean): BoolValue => ({ kind: 'bool', value });
export const string = (value: string): StringValue => ({ kind: 'string', value });
export const tensor = (node: Node): TensorValue => ({ kind: 'tensor', node });

/** As a text would write it: `1e300`, not `1e+300`. */
export function formatNumber(value: number): string {
  return String(value).replace('e+', 'e');
}

/** What a value is, in words for messages: `a tensor [32, 36, 64]`, `24px`, `the layer linear`. */
export function describe(value: Value): string {
  switch (value.kind) {
    case 'number':
      return value.schedule !== undefined
        ? 'a number that changes with the step'
        : `${formatNumber(value.value)}${value.unit ? (value.unit.length > 2 ? ` ${value.unit}` : value.unit) : ''}`;
    case 'tensor':
      return `a tensor [${value.node.shape.join(', ')}]${value.node.dtype === 'f32' ? '' : ` of ${value.node.dtype}`}`;
    case 'string':
      return JSON.stringify(value.value);
    case 'bool':
      return String(value.value);
    case 'none':
      return 'none';
    case 'list':
      return `a list of ${value.items.length}`;
    case 'range':
      return `${value.from}..${value.to}`;
    case 'record':
      return `a record ${value.type}`;
    case 'bound':
      return `the ${value.definition.keyword} ${value.definition.name.text}`;
    case 'instance':
      return `the part ${value.path}`;
    case 'function':
      return `the function ${value.name}`;
    case 'builtin':
    case 'closure':
      return `the function ${value.name}`;
    case 'recordType':
      return `the record type ${value.name}`;
    case 'tokenizer':
      return `the tokenizer ${value.name}`;
    case 'namespace':
      return `the module ${value.module.name}`;
    case 'init':
      return 'a way to begin a weight';
    case 'data':
      return `data (${value.layout})`;
    case 'model':
      return `the model ${value.path}`;
    case 'subject':
      return `the stage ${value.stage}${value.arm ? `.${value.arm}` : ''}`;
    case 'adapter':
      return `an adapter of ${describe(value.part)}`;
    case 'portion':
      return `some of ${describe(value.part)}`;
    case 'rated':
      return `${describe(value.of)} at a rate of its own`;
    case 'load':
      return `load(${JSON.stringify(value.file)})`;
  }
}
