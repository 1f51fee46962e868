/**
 * The step of ../transformer-block.ts in jax-js: the same formulas with jax-js's own attention, normalisation and GELU where it
 * has them. In jax-js a use of an array is the end of it unless the use says `.ref`; functions here consume their arguments.
 */
import { nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import type { Array as JaxArray } from '@jax-js/jax';
import type { BlockSize } from '../transformer-block.ts';

/** Tensors by the names of ../transformer-block.ts. */
export type Tensors = Record<string, JaxArray>;

export interface State {
  w: Tensors;
  m: Tensors;
  v: Tensors;
}

export interface Scalars {
  rate: JaxArray;
  size: JaxArray;
  root: JaxArray;
}

/** One step; returns the loss before the update, and the new state. To be handed to `jit`. */
export function makeStep(size: BlockSize): (state: State, x: JaxArray, target: JaxArray, scalars: Scalars) => [JaxArray, State] {
  const lossOf = (w: Tensors, x: JaxArray, target: JaxArray): JaxArray => {
    const error = block(w, x, size).sub(target);
    return np.mean(error.ref.mul(error));
  };
  return ({ w, m, v }, x, target, scalars) => {
    const held = Object.fromEntries(Object.entries(w).map(([name, value]) => [name, value.ref]));
    const [loss, slopes] = valueAndGrad(lossOf)(held, x, target) as [JaxArray, Tensors];
    const next: State = { w: {}, m: {}, v: {} };
    for (const name of Object.keys(w)) {
      const [p, m1, v1] = adamw(w[name], slopes[name], m[name], v[name], scalars);
      next.w[name] = p;
      next.m[name] = m1;
      next.v[name] = v1;
    }
    Object.values(scalars as unknown as Tensors).forEach((scalar) => scalar.dispose());
    return [loss, next];
  };
}

function block(w: Tensors, x: JaxArray, { batch, tokens, width, heads }: BlockSize): JaxArray {
  const linear = (path: string, input: JaxArray): JaxArray => np.matmul(input, w[`block0.${path}.w`]).add(w[`block0.${path}.b`]);
  const norm = (path: string, input: JaxArray): JaxArray =>
    nn.standardize(input, -1, { epsilon: 1e-6 }).mul(w[`block0.${path}.scale`]).add(w[`block0.${path}.shift`]);
  const split = (path: string, input: JaxArray): JaxArray => linear(path, input).reshape([batch, tokens, heads, width / heads]);

  const y = norm('norm1', x.ref);
  const query = split('attention.query', y.ref);
  const key = split('attention.key', y.ref);
  const value = split('attention.value', y);
  const mixed = nn.dotProductAttention(query, key, value, { isCausal: true }).reshape([batch, tokens, width]);
  const between = x.add(linear('attention.out', mixed));
  const up = linear('mlp.up', norm('norm2', between.ref));
  return between.add(linear('mlp.down', nn.gelu(up, { approximate: false })));
}

/** Beta 0.9 and 0.999, epsilon 1e-8, decay 0.01 of matrices. */
function adamw(p: JaxArray, g: JaxArray, m: JaxArray, v: JaxArray, { rate, size, root }: Scalars): [JaxArray, JaxArray, JaxArray] {
  const m1 = m.mul(0.9).add(g.ref.mul(0.1));
  const v1 = v.mul(0.999).add(g.ref.mul(g).mul(0.001));
  const kept = p.ndim > 1 ? p.mul(np.subtract(1, rate.ref.mul(0.01))) : p;
  const next = kept.sub(m1.ref.mul(size.ref).div(np.sqrt(v1.ref).div(root.ref).add(1e-8)));
  return [next, m1, v1];
}
