/** Our own contestant: the step as a graph, lowered for the adapter and run by the executor, as a training task does it. */
import { targetFor } from '../../compiler/lower/choose.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { Executor } from '../../runtime/core/executor/executor.ts';
import type { Pending } from '../../runtime/core/executor/pending.ts';
import { openDevice } from '../../runtime/node/device/open.ts';
import { sleepingWait } from '../../runtime/node/device/wait.ts';
import { PEER_SIZE, transformerStep } from '../transformer-block.ts';
import { serve } from './contestant.ts';
import type { Ask, Contestant, Start } from './contestant.ts';
import { firstBatch, firstWeights, scalarsAt } from './values.ts';

async function begin({ adapter }: Start): Promise<Contestant> {
  const { device, info } = await openDevice({ adapter });
  const start = performance.now();
  const { graph, weights } = transformerStep(PEER_SIZE);
  const { program, kernels } = lower(graph, targetFor(info), { fuse: true, name: 'step' });
  const executor = await Executor.create({ device, wait: sleepingWait, programs: { step: program }, kernels });
  for (const [name, values] of firstWeights(weights)) executor.writeState(name, values);
  const inputs = firstBatch(PEER_SIZE);
  let t = 0;
  const submit = (): Pending => executor.run('step', { inputs, scalars: { ...scalarsAt(++t) } });
  const loss = lossOf(await submit().outputs());
  const firstMs = performance.now() - start;
  return {
    ready: { adapter: info.name, driver: info.driver, firstMs, loss },
    run: async ({ steps }: Ask) => {
      for (let i = 1; i < steps; i += 1) submit().discard();
      return lossOf(await submit().outputs());
    },
  };
}

function lossOf(outputs: Awaited<ReturnType<Pending['outputs']>>): number {
  const loss = outputs.get('loss');
  if (!loss) throw new Error('the step has no output named loss');
  return loss[0];
}

serve(begin);
