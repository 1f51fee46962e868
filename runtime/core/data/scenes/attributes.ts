/**
 * Reads what a text says about a scene: the attributes of the objects that it speaks of, whatever its grammar. And compares two such
 * readings, so that an answer that a model made up can be judged by the true one.
 */
import type { Attribute } from './text.ts';
import { COLOURS, PLACES, SCENES_WORDS, SHAPES, SIZES } from './words.ts';

const ATTRIBUTES: readonly (readonly [Attribute, readonly string[]])[] = [
  ['place', PLACES],
  ['size', SIZES],
  ['colour', COLOURS],
  ['shape', SHAPES],
];
const ATTRIBUTE_OF = new Map(ATTRIBUTES.flatMap(([attribute, words]) => words.map((word): [string, Attribute] => [word, attribute])));
const KNOWN = new Set(SCENES_WORDS);

/** What one part of a text states: the words of each attribute. Two words of one attribute contradict each other. */
export type Statement = Map<Attribute, Set<string>>;

export interface Reading {
  /** Between the semicolons; those that state nothing are left out. */
  statements: Statement[];
  /** Words that are not of the scenes' language. */
  strange: number;
}

/** Reads any text; words are parted by blanks. */
export function readText(text: string): Reading {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const statements: Statement[] = [];
  let current: Statement = new Map();
  const end = (): void => {
    if (current.size > 0) statements.push(current);
    current = new Map();
  };
  for (const word of words) {
    if (word === ';') end();
    const attribute = ATTRIBUTE_OF.get(word);
    if (attribute !== undefined) current.set(attribute, (current.get(attribute) ?? new Set<string>()).add(word));
  }
  end();
  return { statements, strange: words.filter((word) => !KNOWN.has(word)).length };
}

/** Whether a text is of the scenes' language and states something. */
export function isOfScenes({ statements, strange }: Reading): boolean {
  return strange === 0 && statements.length > 0;
}

/**
 * The share of attributes that `said` states rightly, of those that it or `truth` states; 0..1, and 1 only for all and no other.
 *
 * A truth of several statements is a caption: its objects are matched by their place, each of which has four attributes, place among them; an
 * object that is missing has none right, one that is not there adds four to get wrong. A truth of one statement (a sentence, a short
 * answer) is compared attribute by attribute, with all that was said taken as one statement. An attribute stated twice in two ways is
 * wrong, and a word that is no word of the language counts as an attribute too many.
 */
export function shareOfAttributes(said: Reading, truth: Reading): number {
  const counts =
    truth.statements.length > 1 ? compareObjects(said.statements, truth.statements) : compareStatements(joined(said), joined(truth));
  return counts.right / (counts.of + said.strange);
}

interface Counts {
  right: number;
  of: number;
}

function compareObjects(said: readonly Statement[], truth: readonly Statement[]): Counts {
  const left = [...said];
  let [right, of] = [0, 0];
  for (const object of truth) {
    const at = left.findIndex((statement) => same(statement.get('place'), object.get('place')));
    of += ATTRIBUTES.length;
    if (at < 0) continue;
    const [statement] = left.splice(at, 1);
    right += ATTRIBUTES.filter(([attribute]) => same(statement.get(attribute), object.get(attribute))).length;
  }
  return { right, of: of + left.length * ATTRIBUTES.length };
}

function compareStatements(said: Statement, truth: Statement): Counts {
  const stated = ATTRIBUTES.filter(([attribute]) => truth.has(attribute) || said.has(attribute));
  return { right: stated.filter(([attribute]) => same(said.get(attribute), truth.get(attribute))).length, of: stated.length };
}

function joined({ statements }: Reading): Statement {
  const all: Statement = new Map();
  for (const statement of statements) {
    for (const [attribute, words] of statement) all.set(attribute, new Set([...(all.get(attribute) ?? []), ...words]));
  }
  return all;
}

/** Whether both state one and the same word. */
function same(a: ReadonlySet<string> | undefined, b: ReadonlySet<string> | undefined): boolean {
  if (a?.size !== 1 || b?.size !== 1) return false;
  const [word] = a;
  return b.has(word);
}
