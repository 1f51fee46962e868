/** Gradients of composites that know better than their definition, by name. */
import type { GraphBuilder } from '../graph/builder.ts';
import type { Node } from '../graph/graph.ts';

export interface CompositeGradientArguments {
  builder: GraphBuilder;
  node: Node;
  /** Gradient of the node. */
  dy: Node;
  /** Whether the gradient of this operand is needed. */
  wanted(input: number): boolean;
}

/** One entry an operand; undefined where no gradient flows. */
export type CompositeGradient = (args: CompositeGradientArguments) => (Node | undefined)[];

export type CompositeGradients = Readonly<Record<string, CompositeGradient>>;
