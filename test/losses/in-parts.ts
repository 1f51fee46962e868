/** Losses of a text on tiny batches, by the oracle: all rows at once, and in parts as a run takes them. */
import { nodeHost, packageRoot } from '../../cli/host.ts';
import { Context } from '../../compiler/elaborate/context.ts';
import { Fault } from '../../compiler/elaborate/fault.ts';
import { evaluateIn, openUniverse } from '../../compiler/elaborate/names.ts';
import type { Universe } from '../../compiler/elaborate/names.ts';
import { tensor } from '../../compiler/elaborate/values.ts';
import type { RecordValue, Value } from '../../compiler/elaborate/values.ts';
import { gradients } from '../../compiler/gradient/gradient.ts';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { evaluateNodes } from '../../compiler/graph/evaluate.ts';
import type { Node } from '../../compiler/graph/graph.ts';
import { loadModules } from '../../compiler/modules/modules.ts';
import { runLoss } from '../../compiler/pipeline/objective.ts';
import { builtFor, partsOf } from '../../compiler/pipeline/row-parts.ts';
import type { Built, Mixture, Parts } from '../../compiler/pipeline/row-parts.ts';
import type { Collate } from '../../plan/plan.ts';
import { formatDiagnostics, parseExpression } from '../../grammar/index.ts';
import { Random } from '../support/random.ts';

export const ROWS = 16;
export const TOKENS = 3;

/** The universe of a text; its losses are then at hand by name. */
export function universeOf(text: string): Universe {
  const host = nodeHost(packageRoot());
  const loaded = loadModules('losses.pivot', { ...host, read: (path) => (path === 'losses.pivot' ? text : host.read(path)) });
  if (loaded.diagnostics.length > 0) throw new Error(formatDiagnostics(loaded.diagnostics, new Map([['losses.pivot', text]])));
  return openUniverse(loaded, host, new Map());
}

/** Inputs of one row, and which kind of numbers they hold. */
const INPUTS: Record<string, { shape: number[]; of: 'number' | 'mask' | 'label' }> = {
  ...Object.fromEntries(
    ['chosen', 'rejected'].flatMap((side): [string, { shape: number[]; of: 'number' | 'mask' }][] => [
      [`${side}.logp`, { shape: [TOKENS], of: 'number' }],
      [`${side}.mask`, { shape: [TOKENS], of: 'mask' }],
      [`reference.${side}.logp`, { shape: [TOKENS], of: 'number' }],
    ]),
  ),
  image: { shape: [4], of: 'number' },
  text: { shape: [4], of: 'number' },
  logits: { shape: [TOKENS], of: 'number' },
  label: { shape: [], of: 'label' },
};

export class Losses {
  private readonly universe: Universe;
  private readonly data: Record<string, Float64Array>;

  constructor(universe: Universe, seed: number) {
    this.universe = universe;
    const random = new Random(seed);
    const draw = { number: () => -0.1 - 1.5 * random.next(), mask: () => (random.chance(0.7) ? 1 : 0), label: () => random.below(TOKENS) };
    this.data = Object.fromEntries(
      Object.entries(INPUTS).map(([name, { shape, of }]) => {
        const width = shape.reduce((n, d) => n * d, 1);
        // Each answer has a first token.
        return [name, Float64Array.from({ length: ROWS * width }, (_, i) => (of === 'mask' && i % TOKENS === 0 ? 1 : draw[of]()))];
      }),
    );
  }

  /** The loss and the gradients of the policy's weights over all rows at once. */
  whole(name: string): number[] {
    const ctx = new Context(new GraphBuilder());
    const loss = this.build(ctx, name, ROWS);
    return this.values(ctx, [loss, ...slopes(ctx, loss)], 0, ROWS, {});
  }

  /** The same in parts of `micro` rows (the last may have fewer), or why it cannot be. Without `training` the loss alone, as an evaluation has it. */
  inParts(name: string, micro: number, training: boolean): number[] | Mixture {
    try {
      return this.sumOfParts(name, micro, training);
    } catch (error) {
      // Such as a slice of more rows than a part has: an error at its place in the text.
      if (error instanceof Fault) return { why: error.message, places: [] };
      throw error;
    }
  }

  private sumOfParts(name: string, micro: number, training: boolean): number[] | Mixture {
    const parts: (Parts & { of: Built })[] = [];
    for (const rows of [micro, ...(ROWS % micro > 0 ? [ROWS % micro] : [])]) {
      const ctx = new Context(new GraphBuilder());
      const part = { ctx, rows, roots: [this.build(ctx, name, rows)] };
      const whole = builtFor(ROWS, part, (of, all) => [this.build(of, name, all)]);
      const found = 'why' in whole ? whole : partsOf(whole, part, COLLATE, training ? 'still' : 'any', 'total:');
      if ('why' in found) return found;
      parts.push({ ...found, of: part });
    }
    const over = (nodesOf: (part: Parts & { of: Built }) => Node[], totals: Record<string, number[]>): number[] => {
      let sums: number[] = [];
      for (let from = 0; from < ROWS; from += micro) {
        const part = parts[ROWS - from >= micro ? 0 : 1];
        const found = this.values(part.of.ctx, nodesOf(part), from, part.of.rows, totals);
        sums = found.map((x, i) => x + (sums[i] ?? 0));
      }
      return sums;
    };
    const totals: Record<string, number[]> = {};
    parts[0].totals.forEach(({ name: total }, i) => (totals[total] = over((part) => [part.totals[i].node], {})));
    return over(({ roots: [loss], of: { ctx } }) => [loss, ...(training ? slopes(ctx, loss) : [])], totals);
  }

  private values({ scalars }: Context, nodes: readonly Node[], from: number, rows: number, totals: Record<string, number[]>): number[] {
    const input = Object.fromEntries(
      Object.entries(this.data).map(([name, values]) => {
        const width = values.length / ROWS;
        return [name, values.subarray(from * width, (from + rows) * width)];
      }),
    );
    const bindings = { input, state: { ...STATE, ...totals }, scalar: { ...Object.fromEntries(scalars), rows: ROWS } };
    return evaluateNodes(nodes, bindings).flatMap((x) => [...x]);
  }

  /** The loss on inputs of `rows` rows. The policy's log-probabilities are products of inputs and weights. */
  private build(ctx: Context, name: string, rows: number): Node {
    const b = ctx.builder;
    const input = (of: string): Node => b.input(of, [rows, ...INPUTS[of].shape], INPUTS[of].of === 'label' ? 'i32' : 'f32');
    const pair = (logp: (side: string, i: number) => Node): RecordValue =>
      record('Pair', {
        chosen: record('Scored', { logp: tensor(logp('chosen', 0)), mask: tensor(input('chosen.mask')) }),
        rejected: record('Scored', { logp: tensor(logp('rejected', 1)), mask: tensor(input('rejected.mask')) }),
      });
    const policy = pair((side, i) => b.mul(input(`${side}.logp`), weightsOf(ctx)[i]));
    const reference = pair((side) => input(`reference.${side}.logp`));
    const bound = evaluateIn(this.universe, this.universe.loaded.main, parseExpression(name, 'loss').tree);
    if (bound.kind !== 'bound') throw new Error(`${name} is no loss`);
    const given = new Map<string, Value>(bound.given);
    for (const { name: parameter, type } of bound.definition.params) {
      const at = parameter.text;
      if (at === 'policy') given.set(at, type?.name?.text === 'Scored' ? (policy.fields.get('chosen') ?? policy) : policy);
      else if (at === 'reference') given.set(at, reference);
      else if (Object.hasOwn(INPUTS, at))
        given.set(
          at,
          tensor(at in TRAINED ? b.mul(input(at), b.slice(b.concat([...weightsOf(ctx)], 0), [0], INPUTS[at].shape)) : input(at)),
        );
    }
    return runLoss(ctx, { ...bound, given }, this.universe.loaded.main.tree.span);
  }
}

const COLLATE: Collate = { layout: 'classes', image: 0 };
const STATE = { w: [0.9, 0.4, 0.7], v: [0.2, 0.8, 0.5], 'siglip.log_temperature': [0.3], 'siglip.bias': [-0.2] };
/** Inputs beside the policy that the weights have a part in. */
const TRAINED: Record<string, true> = { image: true, logits: true };

function weightsOf({ builder }: Context): Node[] {
  return ['w', 'v'].map((name) => builder.state(name, [TOKENS]));
}

/** Gradients of both weights; zeros where none flows. */
function slopes(ctx: Context, loss: Node): Node[] {
  const b = ctx.builder;
  return gradients(b, loss, weightsOf(ctx)).map((node) => node ?? b.full([TOKENS], 0));
}

function record(type: string, fields: Record<string, Value>): RecordValue {
  return { kind: 'record', type, fields: new Map(Object.entries(fields)) };
}
