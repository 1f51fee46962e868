/** What a text says of how parts are trained: `lora`, `layers`, `within`, `at_rate`. They mean something in the fields `train` and `freeze`. */
import type { Span } from '../../grammar/index.ts';
import type { Given } from './calls.ts';
import type { Context } from './context.ts';
import { named, numberOf } from './builtins.ts';
import { fail } from './fault.ts';
import { describe } from './values.ts';
import type { InstanceValue, ModelValue, PortionValue, Rate, Value } from './values.ts';

type Rule = (ctx: Context, given: Given[], span: Span) => Value;

/** `lora(head, rank: 16, alpha: 32, targets: ["q_proj", "v_proj"])`: low-rank changes of the matrices that have these names. */
export const lora: Rule = (_, given, span) => {
  const [part, rank, alpha, targets] = named('lora', given, ['part', 'rank', 'alpha', 'targets'], span, 2);
  const r = numberOf(rank, 'rank', span).value;
  if (!Number.isInteger(r) || r < 1) fail('P0303', { found: String(r), what: 'rank' }, span);
  const items = targets?.kind === 'list' ? targets.items : [];
  const names = items.flatMap((item) => (item.kind === 'string' ? [item.value] : []));
  if (names.length === 0 || names.length < items.length)
    fail(
      'P0301',
      { expected: 'names of parts, such as targets: ["q_proj", "v_proj"]', found: targets ? describe(targets) : 'nothing' },
      span,
    );
  const scale = (alpha ? numberOf(alpha, 'alpha', span).value : r) / r;
  return { kind: 'adapter', part: whole(part, span), adapter: { rank: r, scale, targets: names } };
};

/** `layers(eyes, 0..12)`, `layers(head, -4..0)` (the last four), `layers(eyes, [0, 5])`: some of the layers that a part repeats. */
export const layers: Rule = (_, given, span) => {
  const [part, numbers] = named('layers', given, ['part', 'numbers'], span);
  return { ...portion(part, span), layers: wholeNumbers(numbers, span) };
};

/** `within(eyes, "embeddings")`: what lies at a path below a part. */
export const within: Rule = (_, given, span) => {
  const [part, path] = named('within', given, ['part', 'path'], span);
  if (path?.kind !== 'string' || path.value === '')
    return fail('P0301', { expected: 'a path in quotes, such as "encoder.layers"', found: path ? describe(path) : 'nothing' }, span);
  const from = portion(part, span);
  return { ...from, below: from.below === undefined ? path.value : `${from.below}.${path.value}` };
};

/** `at_rate(eyes, 10%)` of the stage's rate, `at_rate(eyes, 2e-6)`, `at_rate(eyes, cosine(peak: 2e-6))`. */
export const atRate: Rule = (_, given, span) => {
  const [of, rate] = named('at_rate', given, ['part', 'rate'], span);
  if (of?.kind === 'adapter' || of?.kind === 'list') return { kind: 'rated', of, rate: rateOf(rate, span) };
  return { kind: 'rated', of: of?.kind === 'portion' ? of : whole(of, span), rate: rateOf(rate, span) };
};

function rateOf(value: Value | undefined, span: Span): Rate {
  if (value?.kind === 'bound' && value.definition.keyword === 'schedule') return value;
  if (value?.kind === 'number' && value.unit === undefined && value.value >= 0) return value;
  if (value?.kind === 'number' && value.unit === '%' && value.value >= 0) return { share: value.value / 100 };
  return fail(
    'P0301',
    { expected: 'a share of the rate such as 10%, a rate, or a schedule', found: value ? describe(value) : 'nothing' },
    span,
  );
}

function whole(part: Value | undefined, span: Span): InstanceValue | ModelValue {
  return part?.kind === 'instance' || part?.kind === 'model'
    ? part
    : fail('P0301', { expected: 'a part or a model', found: part ? describe(part) : 'nothing' }, span);
}

function portion(part: Value | undefined, span: Span): PortionValue {
  if (part?.kind === 'portion' && !part.layers) return part;
  return { kind: 'portion', part: whole(part, span) };
}

/** More than any model has; a range that names more is a slip, and is not written out. */
const MOST_LAYERS = 10_000;

function wholeNumbers(value: Value | undefined, span: Span): number[] {
  const numbers =
    value?.kind === 'range'
      ? inRange(value.from, value.to)
      : value?.kind === 'list'
        ? value.items.map((item) => numberOf(item, 'a layer', span).value)
        : value?.kind === 'number'
          ? [value.value]
          : [];
  if (numbers.length === 0 || !numbers.every(Number.isInteger))
    return fail('P0301', { expected: 'layers such as 0..12, -4..0 or [0, 5]', found: value ? describe(value) : 'nothing' }, span);
  return numbers;
}

/** None where the range runs from the last layers into the first: `-1..2` hardly means the last and the first two. */
function inRange(from: number, to: number): number[] {
  const length = to - from;
  if (length < 1 || length > MOST_LAYERS || (from < 0 && to > 0)) return [];
  return Array.from({ length }, (_, i) => from + i);
}
