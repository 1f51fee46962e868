/** Rows of a declared source: `scenes.preferences(split: "train", count: 8k)` with every parameter resolved. */
import type { Span } from '../../grammar/index.ts';
import { requireComplete } from './arguments.ts';
import { bindParameters } from './calls.ts';
import type { Given } from './calls.ts';
import type { Context } from './context.ts';
import { evaluate } from './expressions.ts';
import { fail } from './fault.ts';
import { describe } from './values.ts';
import type { DataValue, Layout, RecordValue, SampledRows, Value } from './values.ts';
import { named, numberOf } from './builtins.ts';

const LAYOUTS: readonly string[] = ['pairs', 'answers', 'contrast', 'classes', 'patches', 'tensors'];

/** A source with its arguments, or data already made; anything else is an error. */
export function makeData(ctx: Context, value: Value, span: Span): DataValue {
  if (value.kind === 'data') return value;
  if (value.kind !== 'bound' || value.definition.keyword !== 'source' || !value.definition.value)
    return fail('P0301', { expected: 'data, such as scenes.preferences(count: 8k)', found: describe(value) }, span);
  const { definition } = value;
  const layout = definition.result?.name?.text ?? '';
  if (!LAYOUTS.includes(layout))
    return fail('P0311', { name: definition.name.text, layout, known: LAYOUTS.join(', ') }, definition.name.span);
  requireComplete(value, span);
  const scope = bindParameters(ctx, value, value.module, span);
  const native = evaluate(ctx, definition.value as NonNullable<typeof definition.value>, scope);
  if (native.kind !== 'record' || native.type !== 'native')
    return fail('P0301', { expected: 'native("...")', found: describe(native) }, definition.name.span);
  const params: DataValue['params'] = {};
  const paths = new Map<string, string>();
  let count: number | undefined;
  for (const p of definition.params) {
    const given = scope.lookup(p.name.text);
    if (given?.kind === 'number') {
      if (p.name.text === 'count') count = given.value;
      else params[p.name.text] = given.value;
    } else if (given?.kind === 'string' || given?.kind === 'bool') {
      if (p.type?.name?.text === 'path' && given.value !== '') paths.set(p.name.text, String(given.value));
      if (p.name.text !== 'processor') params[p.name.text] = given.value;
    }
  }
  if (count === undefined) return fail('P0210', { names: ['count'], of: `source ${definition.name.text}` }, span);
  if (!Number.isInteger(count) || count < 1)
    return fail('P0301', { expected: 'a `count` of at least one row', found: String(count) }, span);
  const field = (name: string): number | undefined => {
    const v = native.fields.get(name);
    return v?.kind === 'number' ? v.value : undefined;
  };
  const processor = paths.get('processor');
  const folder = [...paths].find(([name]) => name !== 'processor')?.[1];
  const tokenizer = native.fields.get('tokenizer');
  // A source without a path draws its rows.
  const reads = definition.params.some((p) => p.type?.name?.text === 'path' && p.name.text !== 'processor');
  const source = native.fields.get('source');
  return {
    kind: 'data',
    layout: layout as Layout,
    source: source?.kind === 'string' ? source.value : '',
    params,
    count,
    ...(reads ? {} : { drawn: params.seed === undefined ? 'by the run' : 'by the text' }),
    image: field('image'),
    prompt: field('prompt'),
    answer: field('answer'),
    patches: field('patches'),
    pictures: field('pictures'),
    ...(tokenizer?.kind === 'tokenizer' ? { tokenizer } : {}),
    ...(folder !== undefined ? { folder } : {}),
    ...(processor !== undefined ? { processor } : {}),
    bound: value,
  };
}

const FACTS = ['image', 'prompt', 'answer', 'patches', 'pictures', 'tokenizer'];

/** `native("scenes.pairs", image: size, ...)`: what the runtime calls the source, and the facts that shapes depend on. */
export function makeNative(given: Given[], span: Span): RecordValue {
  const [source, ...facts] = given;
  if (source?.value.kind !== 'string')
    return fail('P0301', { expected: 'the name of a source in quotes', found: source ? describe(source.value) : 'nothing' }, span);
  const fields = new Map<string, Value>([['source', source.value]]);
  for (const fact of facts) {
    if (!fact.name || !FACTS.includes(fact.name))
      fail('P0209', { name: fact.name ?? '', of: 'native', nearest: '', known: FACTS.join(', ') }, fact.span);
    fields.set(fact.name, fact.value);
  }
  return { kind: 'record', type: 'native', fields };
}

/** `mix(a, b)`: the rows of all, one source after the other; they must agree in layout, image, lengths and tokenizer. */
export function mixData(ctx: Context, given: Given[], span: Span): DataValue {
  const all = given.map((g) => makeData(ctx, g.value, g.span));
  const [first] = all;
  if (!first) return fail('P0210', { names: ['a'], of: 'mix' }, span);
  all.forEach((part, i) => {
    for (const key of ['layout', 'image', 'prompt', 'answer', 'patches', 'pictures'] as const) {
      if (part[key] !== first[key]) fail('P0601', { what: key, first: String(first[key]), second: String(part[key]) }, given[i].span);
    }
    if (wordsOf(part) !== wordsOf(first))
      fail('P0601', { what: 'tokenizer', first: first.tokenizer?.name ?? 'none', second: part.tokenizer?.name ?? 'none' }, given[i].span);
  });
  // A mix that is exchanged as a whole stays one part.
  const parts = all.flatMap((part) => (part.mix && part.exchanged === undefined ? part.mix : [part]));
  const { bound: _, exchanged: _exchanged, drawn: _drawn, ...shared } = first;
  return { ...shared, source: 'mix', params: {}, folder: undefined, count: parts.reduce((n, p) => n + p.count, 0), mix: parts };
}

/** `preferences.exchanged(50%)`: the same pairs, in that share of which the two answers change places. */
export function exchange(data: DataValue, given: Given[], span: Span): DataValue {
  if (data.layout !== 'pairs') fail('P0504', { what: '`exchanged`', layout: data.layout }, span);
  const [share] = given;
  const value = share?.value;
  const part = value?.kind === 'number' ? (value.unit === '%' ? value.value / 100 : value.value) : NaN;
  if (value?.kind !== 'number' || (value.unit !== undefined && value.unit !== '%') || !(part >= 0 && part <= 1))
    return fail('P0301', { expected: 'a share, such as 50%', found: value ? describe(value) : 'nothing' }, share?.span ?? span);
  if (data.exchanged !== undefined) fail('P0521', { what: 'these pairs are exchanged already' }, span);
  return { ...data, exchanged: part };
}

/**
 * `sample(align, on: captions, per_prompt: 2, temperature: 1.0, rank: "correctness")`: answers of a stage's model to the prompts of
 * other data. With `rank` the best and the worst answer of each prompt become a pair; how many pairs there will be is known when
 * they have been sampled, so `count` is a bound.
 */
export function sampleData(ctx: Context, given: Given[], span: Span): DataValue {
  const names = ['subject', 'on', 'per_prompt', 'temperature', 'rank'];
  const [who, on, perPrompt, temperature, rank] = named('sample', given, names, span, 2);
  if (who?.kind !== 'subject')
    return fail('P0301', { expected: 'a stage, such as align or post.dpo', found: who ? describe(who) : 'nothing' }, span);
  const rows = makeData(ctx, on as Value, given.find((g) => g.value === on)?.span ?? span);
  if (rows.layout !== 'answers' && rows.layout !== 'pairs')
    return fail('P0301', { expected: 'data with prompts (answers or pairs)', found: describe(rows) }, span);
  const amount = (value: Value | undefined, what: string, otherwise: number): number =>
    value === undefined ? otherwise : numberOf(value, what, span).value;
  const sampled: SampledRows = {
    name: `sample.${who.arm ? `${who.stage}.${who.arm}` : who.stage}`,
    subject: who,
    on: rows,
    perPrompt: amount(perPrompt, 'per_prompt', rank === undefined ? 1 : 2),
    temperature: amount(temperature, 'temperature', rank === undefined ? 0 : 1),
    span,
  };
  if (!Number.isInteger(sampled.perPrompt) || sampled.perPrompt < 1)
    fail('P0303', { found: String(sampled.perPrompt), what: 'per_prompt' }, span);
  if (sampled.temperature < 0) fail('P0521', { what: 'a temperature is 0 (the likeliest token) or above' }, span);
  if (rank !== undefined) {
    if (rank.kind !== 'string' || !RANKS.some((name) => name === rank.value))
      return fail('P0301', { expected: `one of the ranks ${RANKS.map((name) => `"${name}"`).join(', ')}`, found: describe(rank) }, span);
    if (sampled.perPrompt < 2 || sampled.temperature === 0)
      fail('P0521', { what: 'a pair needs two answers that can differ: `per_prompt` of at least 2 and a temperature above 0' }, span);
    sampled.rank = rank.value;
  }
  const { bound: _, mix: _mix, folder: _folder, exchanged: _exchanged, drawn: _drawn, ...shared } = rows;
  return { ...shared, layout: rank === undefined ? 'answers' : 'pairs', source: 'sampled.pairs', params: {}, sampled };
}

/** How answers may be ranked (`runtime/core/score/rank.ts`; a test holds the two together). */
export const RANKS = ['correctness', 'overlap', 'exact'] as const;

function wordsOf(data: DataValue): string {
  return JSON.stringify(data.tokenizer?.of ?? null);
}
