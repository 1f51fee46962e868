/**
 * One training step of a transformer block as a tensor graph: forward, backward and AdamW, written with the formulas of the
 * standard library (norms before attention and perceptron, causal, GELU, mean squared error). The measure of the compiler:
 * its size is fixed, and other systems have been timed on the same step.
 */
import type { Graph, Node, Output } from '../compiler/graph/graph.ts';
import { GraphBuilder } from '../compiler/graph/builder.ts';
import { gradients } from '../compiler/gradient/gradient.ts';
import { runPasses, simplification } from '../compiler/passes/passes.ts';

export interface BlockSize {
  batch: number;
  tokens: number;
  width: number;
  heads: number;
  inner: number;
  /** Blocks in a row. */
  depth?: number;
}

/** The size at which the peers were timed. */
export const PEER_SIZE: BlockSize = { batch: 16, tokens: 64, width: 128, heads: 4, inner: 512 };

export interface TransformerStep {
  /** Inputs `x` and `target` [N, T, D]; scalars `rate`, `root` (of the second bias correction) and `size` (the corrected rate). */
  graph: Graph;
  /** Weights by name with the scale of their first values: 0 for zeros, 1 for ones, else a standard deviation. */
  weights: Map<string, { shape: readonly number[]; kind: 'normal' | 'ones' | 'zeros' }>;
}

/** The step, simplified and ready to be lowered. States: the weights, and `m:` and `v:` of each. */
export function transformerStep(size: BlockSize, options: { optimizer?: boolean } = {}): TransformerStep {
  const maker = new Maker(size);
  return { graph: runPasses(maker.step(options.optimizer ?? true), simplification()), weights: maker.weights };
}

class Maker {
  readonly weights: TransformerStep['weights'] = new Map();
  private readonly b = new GraphBuilder();
  private readonly nodes = new Map<string, Node>();
  private readonly size: BlockSize;

  constructor(size: BlockSize) {
    this.size = size;
  }

  step(optimizer: boolean): Graph {
    const { b, size } = this;
    const shape = [size.batch, size.tokens, size.width];
    const input = b.input('x', shape);
    let x = input;
    for (let i = 0; i < (size.depth ?? 1); i++) x = b.withLabel(`block${i}`, () => this.block(`block${i}`, x));
    const error = b.sub(x, b.input('target', shape));
    const loss = b.withLabel('loss', () => b.mean(b.mul(error, error)));
    const names = [...this.nodes.keys()];
    const slopes = gradients(
      b,
      loss,
      names.map((name) => this.weight(name)),
    );
    const outputs: Output[] = [{ kind: 'output', name: 'loss', node: loss }];
    names.forEach((name, i) => {
      const slope = slopes[i];
      if (!slope) return;
      if (optimizer) outputs.push(...b.withLabel(name, () => this.adamw(name, slope)));
      else outputs.push({ kind: 'output', name: `grad:${name}`, node: slope });
    });
    return { outputs };
  }

  private block(path: string, x: Node): Node {
    const { b } = this;
    const y = b.add(x, this.attention(`${path}.attention`, this.norm(`${path}.norm1`, x)));
    const up = this.linear(`${path}.mlp.up`, this.norm(`${path}.norm2`, y), this.size.inner);
    return b.add(y, this.linear(`${path}.mlp.down`, this.gelu(up), this.size.width));
  }

  private attention(path: string, x: Node): Node {
    const { b } = this;
    const { batch, tokens, width, heads } = this.size;
    const split = (name: string): Node => b.reshape(this.linear(`${path}.${name}`, x, width), [batch, tokens, heads, width / heads]);
    const [q, k, v] = [split('query'), split('key'), split('value')];
    const scores = b.mul(b.einsum('n t h c, n s h c -> n h t s', q, k), 1 / Math.sqrt(width / heads));
    const shape = [batch, heads, tokens, tokens];
    const seen = b.not(b.less(b.iota(shape, 2), b.iota(shape, 3)));
    const weights = this.softmax(b.select(seen, scores, -1e30));
    const mixed = b.reshape(b.einsum('n h t s, n s h c -> n t h c', weights, v), [batch, tokens, width]);
    return this.linear(`${path}.out`, mixed, width);
  }

  private softmax(x: Node): Node {
    const { b } = this;
    const e = b.exp(b.sub(x, b.detach(b.reduceMax(x, [-1], true))));
    return b.div(e, b.sum(e, [-1], true));
  }

  private norm(path: string, x: Node): Node {
    const { b } = this;
    const centred = b.sub(x, b.mean(x, [-1], true));
    const variance = b.mean(b.mul(centred, centred), [-1], true);
    const scaled = b.mul(b.div(centred, b.sqrt(b.add(variance, 1e-6))), this.make(`${path}.scale`, [this.size.width], 'ones'));
    return b.add(scaled, this.make(`${path}.shift`, [this.size.width], 'zeros'));
  }

  private linear(path: string, x: Node, width: number): Node {
    const product = this.b.einsum('n t i, i o -> n t o', x, this.make(`${path}.w`, [x.shape[2], width], 'normal'));
    return this.b.add(product, this.make(`${path}.b`, [width], 'zeros'));
  }

  private gelu(x: Node): Node {
    return this.b.mul(this.b.mul(x, 0.5), this.b.add(this.b.erf(this.b.mul(x, Math.SQRT1_2)), 1));
  }

  /** As stdlib/optim/adamw.pivot has it, with beta 0.9 and 0.999, epsilon 1e-8 and decay 0.01 of matrices. */
  private adamw(name: string, g: Node): Output[] {
    const { b } = this;
    const p = this.weight(name);
    const m = b.add(b.mul(b.state(`m:${name}`, p.shape), 0.9), b.mul(g, 0.1));
    const v = b.add(b.mul(b.state(`v:${name}`, p.shape), 0.999), b.mul(b.mul(g, g), 0.001));
    const kept = p.shape.length > 1 ? b.mul(p, b.sub(1, b.mul(b.scalar('rate'), 0.01))) : p;
    const next = b.sub(kept, b.div(b.mul(m, b.scalar('size')), b.add(b.div(b.sqrt(v), b.scalar('root')), 1e-8)));
    return [
      { kind: 'state', name: `m:${name}`, node: m },
      { kind: 'state', name: `v:${name}`, node: v },
      { kind: 'state', name, node: next },
    ];
  }

  private make(name: string, shape: readonly number[], kind: 'normal' | 'ones' | 'zeros'): Node {
    const node = this.b.state(name, shape);
    this.nodes.set(name, node);
    this.weights.set(name, { shape, kind });
    return node;
  }

  private weight(name: string): Node {
    const node = this.nodes.get(name);
    if (!node) throw new Error(`no weight ${name}`);
    return node;
  }
}
