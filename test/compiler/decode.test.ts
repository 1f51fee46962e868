/** `remember`, texts without images, and the programs that a plan has for asking. Values by the oracle. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { nodeHost, packageRoot } from '../../cli/host.ts';
import { compile } from '../../compiler/compile.ts';
import { apply } from '../../compiler/elaborate/calls.ts';
import { Context } from '../../compiler/elaborate/context.ts';
import { gradients } from '../../compiler/gradient/gradient.ts';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { evaluate, evaluateNodes } from '../../compiler/graph/evaluate.ts';
import { elements } from '../../compiler/graph/shape.ts';
import { TARGETS } from '../../compiler/lower/targets.ts';
import { declareInputs, runModel, standardLayer } from '../../compiler/pipeline/batch.ts';
import { decodeGraphs } from '../../compiler/pipeline/decode.ts';
import type { Target } from '../../plan/program.ts';
import { validatePlan } from '../../plan/validate.ts';
import { packIds } from '../../runtime/core/data/collate.ts';
import { normal } from '../../runtime/core/random.ts';
import { camOf, smallModel } from '../support/decoder.ts';

const TINY = readFileSync(join(packageRoot(), 'test', 'cli', 'tiny.pivot'), 'utf8');

function compiled(text: string, targets: Target[] = []) {
  const host = nodeHost(packageRoot());
  return compile('own.pivot', { ...host, read: (path) => (path === 'own.pivot' ? text : host.read(path)) }, { targets });
}

/** A decoder of the text's own, whose layer is `body` of x [N, S, 16]. */
const ownDecoder = (body: string, more = ''): string =>
  TINY.replace('use std.language.decoder', 'use std.nn.linear').replace(
    /^language head = .*$/m,
    `${more}
layer plain(prefix: [N, P, 16], tokens: ids [N, L], positions: ids [N, S], segments: ids [N, S], tokenizer: tokenizer, width: int, context: int) -> [N, S, 16] {
  weight embedding: [tokenizer.size, 16] = normal(0.02)
  let x = concat(prefix, gather(embedding, tokens), axis: 1)
  part map = linear(width: 16)
  x = map(x)
  expose unembedding = embedding
  ${body}
}
language head = plain(tokenizer: scenes.words, width: 16, context: 48)`,
  );

describe('remember', () => {
  test('is nothing but its argument where a model trains', () => {
    const hash = (text: string) => compiled(text).plan?.tasks.find((t) => t.kind === 'train')?.hash;
    expect(hash(ownDecoder('return remember(x)'))).toBe(hash(ownDecoder('return x')));
    expect(hash(ownDecoder('return x'))).toBeDefined();
  });

  test.each([
    ['truth values', 'let y = remember(x < 0)\n  return x', ['P0301']],
    ['what has no places', 'let y = remember(sum(x))\n  return x', ['P0401']],
    ['a fill that ids cannot have', 'let y = remember(tokens, fill: 0.5)\n  return x', ['P0303']],
    ['in a composite', 'return kept(x)', ['P0509']],
  ])('refuses %s', (_, body, codes) => {
    const text = ownDecoder(body, 'composite layer kept(x: [N, S, D]) -> [N, S, D] {\n  return remember(x)\n}');
    expect(compiled(text).diagnostics.map((d) => d.code)).toEqual(codes);
  });

  test('the cache is named by path and number, alike in both programs, and takes in one place', () => {
    const { loaded, model, collate, span } = smallModel();
    const graphs = decodeGraphs(loaded, model, collate, 2, span, '.rest');
    expect(Object.keys(graphs?.roles ?? {})).toEqual(['prefill.rest', 'decode.rest']);
    const capacity = collate.imageTokens + collate.prompt + collate.answer;
    expect(graphs?.cache).toEqual([
      { name: 'cache.rest:head.0', dtype: 'i32', shape: [2, capacity] },
      { name: 'cache.rest:head.1', dtype: 'i32', shape: [2, capacity] },
      ...[0, 1].flatMap((block) =>
        [0, 1].map((i) => ({ name: `cache.rest:head.blocks.${block}.attention.${i}`, dtype: 'f32', shape: [2, capacity, 2, 8] })),
      ),
    ]);
    const positions = graphs?.roles['decode.rest'].outputs.find(({ name }) => name === 'cache.rest:head.0');
    if (!positions) throw new Error('there is no such state');
    const { state } = evaluate(
      { outputs: [positions] },
      {
        input: { position: [40, 41] },
        state: { 'cache.rest:head.0': Array.from({ length: 2 * capacity }, (_, i) => i % capacity) },
        scalar: { slot: 7 },
      },
    );
    const wanted = (own: number) => Array.from({ length: capacity }, (_, i) => (i === 7 ? own : i));
    expect([...state['cache.rest:head.0']]).toEqual([...wanted(40), ...wanted(41)]);
    const segments = graphs?.roles['prefill.rest'].outputs.find(({ name }) => name === 'cache.rest:head.1');
    if (!segments) throw new Error('there is no such state');
    const start = collate.imageTokens + collate.prompt;
    const filled = evaluate({ outputs: [segments] }, { input: { segment: new Array<number>(2 * start).fill(0) } });
    const row = [...new Array<number>(start).fill(0), ...new Array<number>(collate.answer).fill(3)];
    expect([...filled.state['cache.rest:head.1']]).toEqual([...row, ...row]);
  });
});

describe('models that can be asked', () => {
  test('one for each arm, with the same programs, and a sound plan', () => {
    const text = TINY.replace(
      /^stage tune \{/m,
      'compare tune {\n  arm slow { optimize adamw(lr: 1e-4) }\n  arm fast { optimize adamw(lr: 1e-2) }',
    )
      .replace('  optimize adamw(lr: rate)\n', '')
      .replace('tune.eyes', 'tune.fast.eyes');
    const { plan, diagnostics } = compiled(text, [TARGETS.portable]);
    expect(diagnostics.map((d) => d.message)).toEqual([]);
    expect(plan?.asks.map(({ stage, arm, tokenizer }) => [stage, arm, tokenizer])).toEqual([
      ['tune', 'slow', 'words'],
      ['tune', 'fast', 'words'],
    ]);
    expect(plan?.asks[0].programs).toEqual(plan?.asks[1].programs);
    expect(plan?.asks[0].collate).toEqual({ layout: 'answers', image: 24, imageTokens: 9, prompt: 7, answer: 20 });
    if (plan) {
      expect(() => validatePlan(structuredClone(plan))).not.toThrow();
      const strange = structuredClone(plan);
      strange.asks[0] = { ...strange.asks[0], stage: 'other', tokenizer: 'none' };
      delete strange.asks[1].tokenizer;
      expect(() => validatePlan(strange)).toThrow(/asks\[1\] names neither words nor a checkpoint/);
      expect(() => validatePlan(strange)).toThrow(/asks\[0\] asks other\.slow, which no task trains\n.*tokenizer none/);
    }
  });

  test('none where the language model remembers nothing, or cannot run one token; the text is sound', () => {
    for (const body of ['return x', 'let y = remember(x)\n  return x']) {
      const { plan, diagnostics } = compiled(ownDecoder(body));
      expect(diagnostics).toEqual([]);
      expect(plan?.asks).toEqual([]);
    }
  });
});

/** Values for the states of a context, wide enough to matter. */
function weightsOf(ctx: Context): Record<string, ArrayLike<number>> {
  return Object.fromEntries([...ctx.weights.values()].map(({ path, shape }) => [path, normal(path, 1, elements(shape), 0.3)]));
}

describe('a language model by itself', () => {
  const { loaded, model, span, tokenizer } = smallModel();
  if (model.form.kind !== 'arrow') throw new Error('the model is an arrow');
  const { language } = model.form;

  /** What a layer of `std.model.text` gives of one row with so much room. */
  function valueOf(layer: string, room: { prompt: number; answer: number }, ids: { prompt: number[]; answer: number[] }): number[] {
    const ctx = new Context(new GraphBuilder());
    const collate = { layout: 'answers' as const, image: 24, imageTokens: 0, ...room };
    const inputs = declareInputs(ctx, collate, 1);
    const given = ['tokens', 'position', 'segment', 'mask'].map((name) => ({ name, value: inputs.get(name) ?? language, span }));
    const result = apply(ctx, standardLayer(loaded, 'model/text', layer), [...given, { name: 'language', value: language, span }], span);
    const value = result.kind === 'record' ? result.fields.get('logp') : result;
    if (value?.kind !== 'tensor') throw new Error('the layer gives no tensor');
    const input = Object.fromEntries(packIds(collate, tokenizer.pad, [ids.prompt], [[ids.answer]]));
    return [...evaluateNodes([value.node], { input, state: weightsOf(ctx) })[0]];
  }

  const ids = { prompt: [5, 6, 7], answer: [8, 9, tokenizer.end] };

  test.each(['text_only', 'text_mean'])('%s: neither the room of the prompt nor that of the answer matters, the words do', (layer) => {
    const tight = valueOf(layer, { prompt: 3, answer: 3 }, ids);
    const wide = valueOf(layer, { prompt: 6, answer: 5 }, ids);
    tight.forEach((x, i) => expect(wide[i]).toBeCloseTo(x, 12));
    expect(tight.some((x) => Math.abs(x) > 0.1)).toBe(true);
    const other = valueOf(layer, { prompt: 3, answer: 3 }, { ...ids, prompt: [5, 6, 8] });
    expect(other[0]).not.toBeCloseTo(tight[0], 6);
  });
});

test('the map of an answer is Grad-CAM of its log-probability, by hand from features and slope', () => {
  const small = smallModel();
  const { loaded, model, collate, span, tokenizer } = small;
  const ctx = new Context(new GraphBuilder());
  const scored = runModel(ctx, loaded, model, collate, declareInputs(ctx, collate, 1), span);
  const [logp, mask] = ['logp', 'mask'].map((name) => scored.fields.get(name));
  const features = ctx.exposed.get('eyes.features');
  if (logp?.kind !== 'tensor' || mask?.kind !== 'tensor' || features?.kind !== 'tensor') throw new Error('the model scores answers');
  const [slope] = gradients(ctx.builder, ctx.builder.sum(ctx.builder.mul(logp.node, mask.node)), [features.node]);
  if (!slope) throw new Error('there is a gradient');
  const input = {
    image: normal('image', 0, 3 * 24 * 24, 0.5),
    ...Object.fromEntries(packIds(collate, tokenizer.pad, [[5, 6]], [[[7, 8, tokenizer.end]]])),
  };
  const state = weightsOf(ctx);
  const [f, s] = evaluateNodes([features.node, slope], { input, state });
  const { output } = evaluate(camOf(small), { input, state });
  const [places, width] = features.node.shape.slice(1);
  const at = (values: ArrayLike<number>, t: number, d: number): number => values[t * width + d];
  const means = Array.from(
    { length: width },
    (_, d) => Array.from({ length: places }, (_, t) => at(s, t, d)).reduce((a, b) => a + b) / places,
  );
  const scale = Math.max(...output.cam);
  expect(scale).toBeGreaterThan(0);
  expect([...output.cam]).toContain(0);
  for (let t = 0; t < places; t++) {
    const sum = means.reduce((all, mean, d) => all + mean * at(f, t, d), 0);
    expect(output.cam[t] / scale).toBeCloseTo(Math.max(0, sum) / scale, 8);
    expect(output.gradient[t]).toBeCloseTo(Math.hypot(...means.map((_, d) => at(s, t, d))), 8);
  }
});
