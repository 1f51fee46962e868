/**
 * Algebra: rules that replace a node by an equal one with less to do, tried until none fires. The rules stand in four
 * lists by family (`rules-*.ts`), each named by what it does.
 *
 * Kept to the last bit, the sign of zero included: all of movement, and of arithmetic what IEEE 754 says is equal. Not
 * exact, and allowed all the same: folding of constants (float64, rounded once); the sum of a repeated value becomes a
 * product; two sums in a row become one; the sign of a sum that is 0. Never done: x * 0 (it hides NaN), x - x, x / x,
 * reassociation of sums.
 */
import type { GraphBuilder } from '../graph/builder.ts';
import type { Graph, Node, OpKind } from '../graph/graph.ts';
import { NodeMap } from '../graph/node-map.ts';
import { LARGEST_BINDING } from '../graph/parts.ts';
import { PRIMITIVES } from '../graph/primitives/table.ts';
import { useCounts } from '../graph/walk.ts';
import { rebuild } from './rebuild.ts';
import { arithmeticRules } from './rules-arithmetic.ts';
import { movementRules } from './rules-movement.ts';
import { partRules } from './rules-parts.ts';
import { reductionRules } from './rules-reduction.ts';

export interface RuleContext {
  b: GraphBuilder;
  /** Whether nothing but the node at hand reads this operand, so that its work is saved if it is bypassed. */
  single(input: Node): boolean;
  /** Bytes that one binding holds; what is larger is never made. */
  largest: number;
}

/** Gives the equal node, or undefined where it does not apply. */
export type Rule = (c: RuleContext, node: Node) => Node | undefined;

/** The families of rules, and the kinds of nodes that each has something to say about. */
const FAMILIES: readonly { rules: Record<string, Rule>; kinds: readonly OpKind[] }[] = [
  { rules: arithmeticRules, kinds: ['unary', 'binary', 'select', 'cast'] },
  { rules: movementRules, kinds: ['reshape', 'expand', 'permute', 'slice', 'pad', 'concat'] },
  { rules: partRules, kinds: ['unary', 'binary', 'select', 'cast', 'gather', 'contract', 'slice', 'reduce', 'reshape'] },
  { rules: reductionRules, kinds: ['reduce', 'contract', 'permute'] },
];

/** All rules in order, and of these the ones for each kind. */
const RULES = FAMILIES.flatMap(({ rules, kinds }) => Object.values(rules).map((rule) => ({ rule, kinds })));
const rulesFor = (kind: OpKind) => RULES.flatMap(({ rule, kinds }, at) => (kinds.includes(kind) ? [{ rule, at }] : []));
const BY_KIND = new Map((Object.keys(PRIMITIVES) as OpKind[]).map((kind) => [kind, rulesFor(kind)]));
/** Each round works on the whole graph; a rule's result may open the way for another. */
const ROUNDS = 8;

/** `largest`: bytes that one binding holds. */
export function simplifyAlgebra(graph: Graph, largest = LARGEST_BINDING): Graph {
  let current = graph;
  for (let round = 0; round < ROUNDS; round++) {
    const { graph: next, changed } = oneRound(current, largest);
    if (!changed) return next;
    current = next;
  }
  return current;
}

function oneRound(graph: Graph, largest: number): { graph: Graph; changed: boolean } {
  let changed = false;
  const oldUses = useCounts(graph);
  const uses = new NodeMap<number>();
  const next = rebuild(graph, (b, node, inputs) => {
    const context: RuleContext = { b, single: (input) => (uses.get(input) ?? 1) <= 1, largest };
    let image = b.node(node.op, inputs, node);
    for (let again = true; again;) {
      again = false;
      let rules = BY_KIND.get(image.op.kind) ?? [];
      for (let i = 0; i < rules.length; i++) {
        const { rule, at } = rules[i];
        const better = rule(context, image);
        if (better && better !== image) {
          image = better;
          again = true;
          changed = true;
          // On with the rules that come after this one.
          rules = BY_KIND.get(image.op.kind) ?? [];
          i = rules.findLastIndex((one) => one.at <= at);
        }
      }
    }
    uses.set(image, (uses.get(image) ?? 0) + (oldUses.get(node) ?? 0));
    return image;
  });
  return { graph: next, changed };
}
