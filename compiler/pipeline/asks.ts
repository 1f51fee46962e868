/** The models of a plan that can be asked: programs that answer one row with the weights that a stage or arm leaves. */
import type { Ask, Task, TrainTask } from '../../plan/plan.ts';
import { Fault } from '../elaborate/fault.ts';
import type { Universe } from '../elaborate/names.ts';
import type { Halves } from '../passes/passes.ts';
import { collateFor } from './batch.ts';
import { processorOf, speechOf } from './data-source.ts';
import { camGraph, decodeGraphs, decodingKey } from './decode.ts';
import type { StageSpec } from './stages.ts';
import { halvesOf } from './states.ts';
import type { Programs } from './tasks.ts';

/**
 * One for each stage or arm that trains a model of the arrow form on texts. A model that cannot be decoded has none, and that is
 * no fault of the text. Arms that train the same model share its programs. `tasks`: those of the stages; weights are held as they hold them.
 */
export function buildAsks({ loaded, host }: Universe, specs: readonly StageSpec[], tasks: readonly Task[], programs: Programs): Ask[] {
  const known = new Map<string, Built | undefined>();
  return specs.flatMap((spec): Ask[] => {
    const { train } = spec;
    const tokenizer = train?.data.tokenizer;
    if (!train || !tokenizer || train.model.form.kind !== 'arrow' || !['pairs', 'answers'].includes(train.data.layout)) return [];
    const { image, prompt, answer, pictures } = train.data;
    const task = tasks.find(
      (one): one is TrainTask => one.kind === 'train' && one.stage === spec.stage && one.arm === spec.arm && !one.probe,
    );
    const halves = halvesOf(task?.state ?? []);
    const key = JSON.stringify([decodingKey(train.model), image, prompt, answer, pictures, [...halves]]);
    if (!known.has(key)) known.set(key, build(loaded, spec, halves, programs));
    const built = known.get(key);
    if (!built) return [];
    const words = 'words' in tokenizer.of ? { tokenizer: tokenizer.name } : {};
    const reads = { ...words, ...speechOf(train.data, host), ...processorOf(train.data, host) };
    return [{ stage: spec.stage, ...(spec.arm ? { arm: spec.arm } : {}), ...reads, ...built }];
  });
}

type Built = Pick<Ask, 'state' | 'collate' | 'programs' | 'scalars'>;

function build(loaded: Universe['loaded'], { train, span }: StageSpec, halves: Halves, programs: Programs): Built | undefined {
  if (!train) return undefined;
  const collate = collateFor(train.model, train.data, false, span);
  if (collate.layout !== 'answers') return undefined;
  try {
    const graphs = decodeGraphs(loaded, train.model, collate, 1, span);
    if (!graphs) return undefined;
    const cam = camGraph(loaded, train.model, collate, span);
    const roles = programs({ ...graphs.roles, ...(cam ? { cam: cam.graph } : {}) }, `ask ${train.model.path}`, halves);
    return {
      state: [
        ...graphs.weights.map(({ path, shape }) => ({ name: path, shape, keep: 'weight' as const })),
        ...graphs.cache.map(({ name, shape }) => ({ name, shape: [...shape], keep: 'working' as const })),
      ],
      collate,
      programs: roles,
      scalars: graphs.scalars,
    };
  } catch (error) {
    // A language layer of the text's own may be good for training and not for one token at a time.
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
