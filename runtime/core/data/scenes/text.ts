/**
 * Words about scenes: questions with short answers, sentences about one object, captions of all, and the same with
 * one or two attributes made wrong. A wrong text differs from the right one in just those words, so that the two
 * share all else.
 */
import type { Random } from '../../random.ts';
import type { Scene, SceneObject } from './scene.ts';
import { COLOURS, PLACES, SHAPES, SIZES } from './words.ts';

export type Attribute = 'colour' | 'shape' | 'size' | 'place';
export type Kind = 'short' | 'sentence' | 'caption';

/** Something to say about a scene. `say` gives the answer as if the object were as described. */
export interface Exchange {
  kind: Kind;
  prompt: string;
  /** The object spoken of; a caption speaks of all, and this is the one that a wrong caption gets wrong. */
  object: SceneObject;
  /** Attributes that the answer states and that may be made wrong; for a short answer there is one. */
  attributes: Attribute[];
  say(object: SceneObject): string;
}

const looks = (o: SceneObject) => `${o.size} ${o.colour} ${o.shape}`;

/** The seven sentences about an object whose place the prompt names. */
const SENTENCES: readonly ((o: SceneObject) => string)[] = [
  (o) => `there is a ${looks(o)} at ${o.place}`,
  (o) => `the ${o.shape} at ${o.place} is ${o.size} and ${o.colour}`,
  (o) => `at ${o.place} there is a ${looks(o)}`,
  (o) => `a ${looks(o)} is at ${o.place}`,
  (o) => `the object at ${o.place} is a ${looks(o)}`,
  (o) => `${o.place} has a ${o.size} ${o.shape} and it is ${o.colour}`,
  (o) => `the ${o.size} ${o.shape} at ${o.place} is ${o.colour}`,
];

const VALUES = { colour: COLOURS, shape: SHAPES, size: SIZES, place: PLACES } as const;

/** A short question, a sentence or a caption, in the given shares; the rest are captions. */
export function drawExchange(random: Random, scene: Scene, shares: { short: number; sentence: number }): Exchange {
  const u = random.uniform();
  const object = random.pick(scene.objects);
  if (u < shares.short) return drawQuestion(random, scene, object);
  if (u < shares.short + shares.sentence) {
    const say = random.pick(SENTENCES);
    return { kind: 'sentence', prompt: `describe ${object.place}`, object, attributes: ['colour', 'shape', 'size'], say };
  }
  const attributes: Attribute[] = freeCells(scene, object).length > 0 ? ['colour', 'shape', 'size', 'place'] : ['colour', 'shape', 'size'];
  const say = (changed: SceneObject) =>
    scene.objects
      .map((o) => (o === object ? changed : o))
      .map((o) => `${o.place} ${looks(o)}`)
      .join(' ; ');
  return { kind: 'caption', prompt: 'describe', object, attributes, say };
}

/**
 * A question about one attribute of the object. Three of four name the place; the others name an attribute that singles
 * the object out, and those about the place name two (colour and shape together are never shared).
 */
export function drawQuestion(random: Random, scene: Scene, object: SceneObject): Exchange {
  const question = (attribute: Attribute, prompt: string): Exchange => ({
    kind: 'short',
    prompt,
    object,
    attributes: [attribute],
    say: (o) => o[attribute],
  });
  const byLooks = random.below(4) === 0;
  const single = (attribute: Attribute) => scene.objects.filter((o) => o[attribute] === object[attribute]).length === 1;
  if (byLooks) {
    const asked = random.pick(['place', 'size', 'colour', 'shape'] as const);
    if (asked === 'colour' && single('shape')) return question('colour', `what colour is the ${object.shape}`);
    if (asked === 'shape' && single('colour')) return question('shape', `what shape is the ${object.colour} one`);
    if (asked === 'size') return question('size', `what size is the ${object.colour} ${object.shape}`);
    return question('place', `where is the ${object.colour} ${object.shape}`);
  }
  const asked = random.pick(['colour', 'shape', 'size'] as const);
  return question(asked, `what ${asked} is at ${object.place}`);
}

/** The object with one of the attributes made wrong, or two with an even chance where there are two to choose from. */
export function makeWrong(random: Random, scene: Scene, exchange: Exchange): { object: SceneObject; changed: Attribute[] } {
  const { attributes, object } = exchange;
  const count = attributes.length > 1 ? 1 + random.below(2) : 1;
  const changed = random.distinct(attributes.length, count).map((i) => attributes[i]);
  let wrong = object;
  for (const attribute of changed) wrong = { ...wrong, ...wrongValue(random, scene, object, attribute, exchange.kind) };
  return { object: wrong, changed };
}

/** Half of the wrong values are those of another object of the scene: the mistakes that a model makes. */
function wrongValue(random: Random, scene: Scene, object: SceneObject, attribute: Attribute, kind: Kind): Partial<SceneObject> {
  if (attribute === 'place' && kind === 'caption') {
    const cell = random.pick(freeCells(scene, object));
    return { cell, place: PLACES[cell] };
  }
  const here = scene.objects.map((o) => o[attribute]).filter((value) => value !== object[attribute]);
  const others = VALUES[attribute].filter((value) => value !== object[attribute]);
  const near = random.below(2) === 0 && here.length > 0;
  return { [attribute]: random.pick<string>(near ? here : others) };
}

/** Empty cells to which a caption could move the object without changing the order of its words. */
function freeCells(scene: Scene, object: SceneObject): number[] {
  const at = scene.objects.indexOf(object);
  const from = at === 0 ? 0 : scene.objects[at - 1].cell + 1;
  const to = at === scene.objects.length - 1 ? PLACES.length : scene.objects[at + 1].cell;
  return Array.from({ length: to - from }, (_, i) => from + i).filter((cell) => cell !== object.cell);
}
