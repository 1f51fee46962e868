/**
 * Scenes: small generated pictures with exact knowledge of what is in them. They show within minutes, on any machine,
 * what preference training does to an encoder; they say nothing about photographs.
 *
 * In comes a `DataSource` (split, seed, size, shares), out come rows, each a function of (seed, split, index) by keyed hashing: rows of other seeds
 * and of other splits are independent draws. `seed` is that of the run; with `fixed` it is one that the text names, whose rows
 * are drawn by keys of their own, so that they are no run's. All sources of a split and seed show the same pictures (but `scenes.objects`, whose scenes have a main object), so what differs
 * between them is the text. The picture is drawn by `scene.ts` and `render.ts`, the words by `text.ts`, labels by `labels.ts`.
 */
import type { DataSource } from '../../../../plan/plan.ts';
import { Random } from '../../random.ts';
import { dataError } from '../codes.ts';
import { choiceParam, shareParam, textParam, wholeParam } from '../params.ts';
import type { Json, Row, RowSource, SourceOpener } from '../row.ts';
import { CLASS_ATTRIBUTES, classOf, mainObject, patchClasses } from './labels.ts';
import { renderScene } from './render.ts';
import type { Scene, SceneSet } from './scene.ts';
import { boxOf, drawScene, sceneKey } from './scene.ts';
import { drawExchange, drawQuestion, makeWrong } from './text.ts';
import type { Exchange } from './text.ts';

/** What a row says about scene `index`; `random` is this row's own. */
type Describe = (scene: Scene, random: Random, size: number) => Row;

function scenes(spec: DataSource, describe: Describe, more: { main?: boolean; split?: string } = {}): RowSource {
  const size = wholeParam(spec, 'size', 24);
  if (size < 24 || size % 12 !== 0) {
    throw dataError('R0512', `size of ${spec.source} is ${size}, and must be a multiple of 12 from 24 on`, {
      cure: 'use 24px, 36px or 48px',
    });
  }
  const set: SceneSet = {
    seed: wholeParam(spec, 'seed', 0),
    fixed: spec.params.fixed === true,
    split: textParam(spec, 'split', more.split ?? 'train'),
    main: more.main,
  };
  const keys = { objects: sceneKey(set, 'objects'), noise: sceneKey(set, 'noise'), text: sceneKey(set, spec.source) };
  const describeRow = (scene: Scene, index: number) => describe(scene, new Random(keys.text, index), size);
  return {
    name: `${spec.source}(${set.split})`,
    count: spec.count,
    row: (index) => {
      const scene = drawScene(set, keys.objects, index);
      return { image: renderScene(scene, size, keys.noise, index), ...describeRow(scene, index) };
    },
    text: (index) => describeRow(drawScene(set, keys.objects, index), index),
  };
}

function shares(spec: DataSource): { short: number; sentence: number } {
  const short = shareParam(spec, 'short', 0.4);
  const sentence = shareParam(spec, 'sentence', 0.1);
  if (short + sentence > 1 + 1e-9)
    throw dataError('R0512', `short and sentence of ${spec.source} add up to ${short + sentence}`, {
      cure: 'captions take the rest: keep the sum at or below 1',
    });
  return { short, sentence };
}

/** What is asked for: `domain` is the attribute of a short question, else the kind of answer. Accuracies are told by it. */
function domainOf({ kind, attributes }: Exchange): Record<string, Json> {
  return { kind, domain: kind === 'short' ? attributes[0] : kind };
}

const captions: SourceOpener = (spec) => {
  const mix = shares(spec);
  return scenes(spec, (scene, random, size) => {
    const exchange = drawExchange(random, scene, mix);
    const about = exchange.kind === 'caption' ? scene.objects : [exchange.object];
    return {
      prompt: exchange.prompt,
      answer: exchange.say(exchange.object),
      boxes: about.map((o) => boxOf(o, size)),
      extra: domainOf(exchange),
    };
  });
};

const preferences: SourceOpener = (spec) => {
  const mix = shares(spec);
  return scenes(spec, (scene, random, size) => {
    const exchange = drawExchange(random, scene, mix);
    const wrong = makeWrong(random, scene, exchange);
    return {
      prompt: exchange.prompt,
      chosen: exchange.say(exchange.object),
      rejected: exchange.say(wrong.object),
      boxes: [boxOf(exchange.object, size)],
      extra: { ...domainOf(exchange), changed: wrong.changed },
    };
  });
};

const questions: SourceOpener = (spec) =>
  scenes(
    spec,
    (scene, random, size) => {
      const object = random.pick(scene.objects);
      const question = drawQuestion(random, scene, object);
      return { prompt: question.prompt, answer: question.say(object), boxes: [boxOf(object, size)], extra: domainOf(question) };
    },
    { split: 'held-out' },
  );

/** Colour and shape words of two of the objects, shuffled: who has which colour cannot be told from the words. */
const tags: SourceOpener = (spec) =>
  scenes(spec, (scene, random, size) => {
    const objects = random.distinct(scene.objects.length, 2).map((i) => scene.objects[i]);
    const words = [...new Set(objects.flatMap((o) => [o.colour, o.shape]))];
    const answer = random.distinct(words.length, words.length).map((i) => words[i]);
    return { answer: answer.join(' '), boxes: objects.map((o) => boxOf(o, size)) };
  });

const objects: SourceOpener = (spec) => {
  const attribute = choiceParam(spec, 'attribute', CLASS_ATTRIBUTES, 'shape-colour');
  return scenes(
    spec,
    (scene, _, size) => {
      const main = mainObject(scene);
      return { label: classOf(main, attribute), boxes: [boxOf(main, size)] };
    },
    { main: true, split: 'probe' },
  );
};

const masks: SourceOpener = (spec) => {
  const attribute = choiceParam(spec, 'attribute', CLASS_ATTRIBUTES, 'shape');
  const patch = wholeParam(spec, 'patch', 4);
  const size = wholeParam(spec, 'size', 24);
  if (patch === 0 || size % patch !== 0)
    throw dataError('R0512', `patches of ${patch} pixels do not divide a picture of ${size}`, {
      cure: 'use the patch size of the encoder',
    });
  return scenes(spec, (scene) => ({ patchLabels: patchClasses(scene, size, patch, attribute) }), { split: 'probe' });
};

export const SCENE_SOURCES: Record<string, SourceOpener> = {
  'scenes.captions': captions,
  'scenes.preferences': preferences,
  'scenes.questions': questions,
  'scenes.tags': tags,
  'scenes.objects': objects,
  'scenes.masks': masks,
};
