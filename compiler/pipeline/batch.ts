/**
 * What a batch is to a graph: inputs named and shaped as the plan's schema says at `Collate`, and what a model makes of
 * them. Here the text's world (a model, data, a loss) meets the shapes that the runtime will fill.
 */
import type { Span } from '../../grammar/index.ts';
import type { Dtype } from '../../plan/dtypes.ts';
import type { Collate } from '../../plan/plan.ts';
import type { Loaded } from '../modules/modules.ts';
import { apply, tensorParameters } from '../elaborate/calls.ts';
import type { Given } from '../elaborate/calls.ts';
import { Context } from '../elaborate/context.ts';
import { fail } from '../elaborate/fault.ts';
import { moduleScope } from '../elaborate/names.ts';
import { describe, tensor } from '../elaborate/values.ts';
import type { BoundValue, DataValue, InstanceValue, ModelValue, RecordValue, TokenizerValue, Value } from '../elaborate/values.ts';

/** An input of one row: its shape without the batch axis. */
interface InputShape {
  name: string;
  dtype: Dtype;
  shape: number[];
  /** Its values number entries of the whole batch from 1, of which each row has so many, and 0 is no entry. A row's values name its own alone. */
  numbers?: number;
}

const F32 = 'f32',
  I32 = 'i32';

/** Inputs by layout, in the order of the schema's comment. */
export function inputsOf(collate: Collate): InputShape[] {
  if (collate.layout === 'tensors') return Object.entries(collate.inputs ?? {}).map(([name, input]) => ({ name, ...input }));
  const image: InputShape = { name: 'image', dtype: F32, shape: [3, collate.image, collate.image] };
  switch (collate.layout) {
    case 'pairs':
    case 'answers': {
      const answers = collate.layout === 'pairs' ? 2 : 1;
      const { pictures } = collate;
      const sequence = (pictures ?? 1) * collate.imageTokens + collate.prompt + answers * collate.answer;
      const tokens = pictures === undefined ? sequence - collate.imageTokens : sequence;
      const masks = answers === 2 ? ['chosen.mask', 'rejected.mask'] : ['mask'];
      const seen: InputShape[] =
        pictures === undefined ? [] : [{ name: 'seen', dtype: I32, shape: [tokens], numbers: pictures * collate.imageTokens }];
      return [
        pictures === undefined || pictures === 1 ? image : { ...image, shape: [pictures, ...image.shape] },
        ...seen,
        { name: 'tokens', dtype: I32, shape: [tokens] },
        { name: 'position', dtype: I32, shape: [sequence] },
        { name: 'segment', dtype: I32, shape: [sequence] },
        ...masks.map((name): InputShape => ({ name, dtype: F32, shape: [collate.answer] })),
      ];
    }
    case 'contrast':
      return [image, { name: 'tokens', dtype: I32, shape: [collate.answer] }, { name: 'mask', dtype: F32, shape: [collate.answer] }];
    case 'classes':
      return [image, { name: 'label', dtype: I32, shape: [] }];
    case 'patches':
      return [image, { name: 'label', dtype: I32, shape: [collate.patches] }];
  }
}

/** The batch's inputs as nodes, by name. */
export function declareInputs(ctx: Context, collate: Collate, rows: number): Map<string, Value> {
  ctx.batch = rows;
  return new Map(inputsOf(collate).map(({ name, dtype, shape }) => [name, tensor(ctx.builder.input(name, [rows, ...shape], dtype))]));
}

/** Names of the model layers' parameters for the inputs of the schema. */
const PARAMETER: Record<string, string> = {
  position: 'positions',
  segment: 'segments',
  'chosen.mask': 'chosen_mask',
  'rejected.mask': 'rejected_mask',
};

/** What the model returns on a batch: `Scored` or `Pair` of an arrow, a layer's own record else. */
export function runModel(
  ctx: Context,
  loaded: Loaded,
  model: ModelValue,
  collate: Collate,
  inputs: Map<string, Value>,
  span: Span,
): RecordValue {
  const given: Given[] = [];
  const { form } = model;
  let layer: InstanceValue | BoundValue;
  if (form.kind === 'arrow') {
    if (collate.layout !== 'pairs' && collate.layout !== 'answers') return fail('P0514', { layout: collate.layout }, span);
    layer = standardLayer(
      loaded,
      'model/vision_language',
      collate.layout === 'answers' ? 'score_answer' : model.separate ? 'score_pair_separately' : 'score_pair',
    );
    for (const role of ['encoder', 'connector', 'language'] as const) given.push({ name: role, value: form[role], span });
    for (const [name, value] of inputs)
      given.push({ name: PARAMETER[name] ?? name, value: name === 'image' ? flatPictures(ctx, value) : value, span });
  } else {
    layer = form.layer;
    const wanted = tensorParameters(layer.bound.definition).map((p) => p.name.text);
    for (const name of wanted) {
      const value = inputs.get(name);
      if (!value) fail('P0515', { name, known: [...inputs.keys()].join(', ') }, span);
      given.push({ name, value, span });
    }
  }
  const result = apply(ctx, layer, given, span);
  return result.kind === 'record'
    ? result
    : fail('P0301', { expected: `a record from the model ${model.path}`, found: describe(result) }, span);
}

/** Pictures of all rows in one list, as an encoder takes them. */
function flatPictures(ctx: Context, image: Value): Value {
  if (image.kind !== 'tensor' || image.node.shape.length < 5) return image;
  const [rows, pictures, ...one] = image.node.shape;
  return tensor(ctx.builder.reshape(image.node, [rows * pictures, ...one]));
}

/** Whether a language model takes image tokens among its own: a chat template says where. */
function takesPlaces(model: ModelValue): boolean {
  return model.form.kind === 'arrow' && model.form.language.bound.definition.params.some((p) => p.name.text === 'places');
}

/** A layer of the standard library that the compiler itself calls. */
export function standardLayer(loaded: Loaded, file: string, name: string): BoundValue {
  const module = loaded.modules.get(`std:${file}.pivot`);
  const value = module && moduleScope(module).lookup(name);
  if (value?.kind !== 'bound') throw new Error(`the standard library has no ${name} in ${file}`);
  return value;
}

/** Image tokens of the models that were asked for, by the size of the image. */
const TOKENS = new WeakMap<ModelValue, Map<number, number>>();

/** Tokens that an image takes in the language model's sequence: found by running encoder and connector on symbols, once a model. */
export function imageTokens(model: ModelValue, image: number, span: Span): number {
  const known = TOKENS.get(model) ?? new Map<number, number>();
  const tokens = known.get(image) ?? countTokens(model, image, span);
  TOKENS.set(model, known.set(image, tokens));
  return tokens;
}

function countTokens(model: ModelValue, image: number, span: Span): number {
  if (model.form.kind !== 'arrow') return 0;
  const ctx = new Context();
  const pixels = tensor(ctx.builder.input('image', [1, 3, image, image]));
  const features = apply(ctx, model.form.encoder, [{ value: pixels, span }], span);
  const seen = apply(ctx, model.form.connector, [{ value: features, span }], span);
  return seen.kind === 'tensor' && seen.node.shape.length === 3
    ? seen.node.shape[1]
    : fail('P0301', { expected: 'a tensor [N, T, D] from the connector', found: describe(seen) }, span);
}

/** The layout in which data is collated for a model and a loss; the sequence must fit the language model's context. */
export function collateFor(model: ModelValue | undefined, data: DataValue, wantsPairs: boolean, span: Span): Collate {
  const image = data.image ?? 0;
  switch (data.layout) {
    case 'pairs':
    case 'answers': {
      if (wantsPairs && data.layout !== 'pairs') return fail('P0504', { what: 'the loss', layout: data.layout }, span);
      const prompt = data.prompt ?? 0;
      const answer = data.answer ?? 0;
      const tokens = model ? imageTokens(model, image, span) : 0;
      if (model?.form.kind === 'arrow') {
        const context = model.form.language.bound.given.get('context');
        const needed = tokens + prompt + answer;
        if (context?.kind === 'number' && context.value < needed)
          fail('P0502', { image: tokens, prompt, answer, needed, context: context.value }, span);
      }
      const pictures = model && takesPlaces(model) ? { pictures: data.pictures ?? 1 } : {};
      return { layout: wantsPairs ? 'pairs' : 'answers', image, imageTokens: tokens, prompt, answer, ...pictures };
    }
    case 'contrast':
      return { layout: 'contrast', image, answer: data.answer ?? 0 };
    case 'classes':
      return { layout: 'classes', image };
    case 'patches':
      return { layout: 'patches', image, patches: data.patches ?? 0 };
    case 'tensors': {
      if (!data.table) return fail('P0514', { layout: 'tensors' }, span);
      const inputs = data.table.columns;
      return { layout: 'tensors', columns: Object.fromEntries(Object.keys(inputs).map((name) => [name, name])), inputs };
    }
  }
}

/** Pictures must have the size that the encoder was declared for, and words its language model's vocabulary. */
export function requireImage(model: ModelValue, data: DataValue, span: Span): void {
  const image = model.form.encoder?.bound.given.get('image');
  if (image?.kind === 'number' && data.image !== undefined && image.value !== data.image)
    fail('P0602', { data: data.image, encoder: image.value }, span);
  if (model.form.kind !== 'arrow' || !data.tokenizer) return;
  const tokenizer = model.form.language.bound.given.get('tokenizer');
  const own: TokenizerValue['of'] | undefined =
    tokenizer?.kind === 'tokenizer' ? tokenizer.of : model.form.language.stored && { folder: model.form.language.stored.checkpoint.folder };
  if (own && JSON.stringify(own) !== JSON.stringify(data.tokenizer.of))
    fail(
      'P0603',
      { expected: 'folder' in own ? `of ${own.folder}` : (tokenizer as TokenizerValue).name, found: data.tokenizer.name },
      span,
    );
}
