/**
 * The contestant `@jax-js/jax` on WebGPU with `jit`. It is written for browsers and asks `navigator.gpu` for an adapter; here it is
 * given one whose device is the very device that we would run on: same driver, limits and features.
 */
import { blockUntilReady, defaultDevice, init, jit, numpy as np } from '@jax-js/jax';
import type { Array as JaxArray } from '@jax-js/jax';
import { globals } from 'webgpu';
import { openDevice } from '../../runtime/node/device/open.ts';
import { sleepingWait } from '../../runtime/node/device/wait.ts';
import { PEER_SIZE, transformerStep } from '../transformer-block.ts';
import { serve } from './contestant.ts';
import type { Ask, Contestant, Start } from './contestant.ts';
import { makeStep } from './jax-block.ts';
import type { Scalars, State } from './jax-block.ts';
import { firstBatch, firstWeights, scalarsAt } from './values.ts';

/** jax-js maps and filters iterators, which Node learns in version 22. */
function teachIterators(): void {
  const prototype: object = Object.getPrototypeOf(Object.getPrototypeOf([].values())) as object;
  if ('map' in prototype) return;
  Object.defineProperties(prototype, {
    map: {
      value: function* map<T, U>(this: Iterable<T>, change: (item: T) => U): Generator<U> {
        for (const item of this) yield change(item);
      },
    },
    filter: {
      value: function* filter<T>(this: Iterable<T>, keep: (item: T) => boolean): Generator<T> {
        for (const item of this) if (keep(item)) yield item;
      },
    },
  });
}

async function begin({ adapter }: Start): Promise<Contestant> {
  const { device, info } = await openDevice({ adapter });
  teachIterators();
  Object.assign(globalThis, globals);
  const requestAdapter = async () => ({ limits: device.limits, features: device.features, requestDevice: async () => device });
  Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'node', gpu: { requestAdapter } }, configurable: true });
  if (!(await init('webgpu')).includes('webgpu')) throw new Error('jax-js did not take the WebGPU device');
  defaultDevice('webgpu');

  const { weights } = transformerStep(PEER_SIZE);
  const values = firstWeights(weights);
  const batch = firstBatch(PEER_SIZE);
  const start = performance.now();
  const shape = [PEER_SIZE.batch, PEER_SIZE.tokens, PEER_SIZE.width];
  const [x, target] = (['x', 'target'] as const).map((name) => np.array(required(batch.get(name)), { shape }));
  const tensors = (make: (name: string, shape: number[]) => JaxArray): Record<string, JaxArray> =>
    Object.fromEntries([...weights].map(([name, { shape: extents }]) => [name, make(name, [...extents])]));
  const zeros = () => tensors((_, extents) => np.zeros(extents));
  let state: State = {
    w: tensors((name, extents) => np.array(Float32Array.from(required(values.get(name))), { shape: extents })),
    m: zeros(),
    v: zeros(),
  };
  const step = jit(makeStep(PEER_SIZE) as never) as unknown as ReturnType<typeof makeStep>;
  let t = 0;
  const submit = (): JaxArray => {
    const scalars = Object.fromEntries(Object.entries(scalarsAt(++t)).map(([name, value]) => [name, np.array(value)]));
    const [loss, next] = step(state, x.ref, target.ref, scalars as unknown as Scalars);
    state = next;
    return loss;
  };
  const finish = async (last: JaxArray): Promise<number> => {
    await blockUntilReady(state.w);
    return (await last.data())[0];
  };
  const loss = await finish(submit());
  return {
    ready: { adapter: info.name, driver: info.driver, firstMs: performance.now() - start, loss },
    run: async ({ steps, sleeping }: Ask) => {
      const wait = sleeping ? sleepingWait : <T>(promise: Promise<T>) => promise;
      for (let i = 1; i < steps; i += 1) {
        submit().dispose();
      }
      return wait(finish(submit()));
    },
  };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a tensor of the step has no values');
  return value;
}

serve(begin);
