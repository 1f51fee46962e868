/**
 * `fuzz:numbers --seed S --count N [--from I] [--adapter A]`: random programs with extreme values, forward and gradient, fused and unfused. Each
 * value that the device gives must lie in the range that accuracy allows (`range.ts`). A miss prints the program cut down to the first node that
 * is wrong, with its inputs, and how to run it alone; the exit code is 1 then.
 */
import { parseArgs } from 'node:util';
import { GraphBuilder } from '../../../compiler/graph/builder.ts';
import type { Node, Output } from '../../../compiler/graph/graph.ts';
import { printGraph } from '../../../compiler/graph/print.ts';
import { ancestors } from '../../../compiler/graph/walk.ts';
import { PivotError } from '../../../plan/errors.ts';
import { openDevice } from '../../../runtime/node/device/open.ts';
import type { OpenDevice } from '../../../runtime/node/device/open.ts';
import { runGraph } from '../../support/run-graph.ts';
import { draw } from './program.ts';
import type { Drawn } from './program.ts';
import { contains } from './range.ts';
import type { Range } from './range.ts';
import { rangesOf } from './ranges.ts';

const USAGE = 'npm run fuzz:numbers -- --seed S --count N [--from I] [--adapter swiftshader|lavapipe|gpu]';
/** Programs that are lowered together. */
const BATCH = 100;

interface Miss {
  output: string;
  lane: number;
  found: number;
  range: Range;
  way: string;
}

async function missesOf(
  open: OpenDevice,
  outputs: readonly Output[],
  inputs: Drawn['inputs'],
): Promise<{ misses: Miss[]; sharp: number; all: number }> {
  const ranges = rangesOf(
    outputs.map(({ node }) => node),
    inputs,
  );
  const misses: Miss[] = [];
  let [sharp, all] = [0, 0];
  for (const fuse of [true, false]) {
    const { output } = await runGraph(open, { outputs: [...outputs] }, { input: inputs }, { fuse });
    for (const { name, node } of outputs) {
      ranges.get(node)?.forEach((range, lane) => {
        const found = output[name][lane];
        all++;
        if (range.lo > range.hi || range.hi - range.lo <= 1e-3 * Math.abs(range.hi) || range.lo === range.hi) sharp++;
        if (!contains(range, found)) misses.push({ output: name, lane, found, range, way: fuse ? 'fused' : 'unfused' });
      });
    }
  }
  return { misses, sharp, all };
}

/** The first node of a program whose value alone is wrong already. */
async function shrunk(open: OpenDevice, { outputs, inputs }: Drawn): Promise<{ node: Node; miss: Miss } | undefined> {
  for (const node of ancestors(outputs.map((output) => output.node))) {
    if (node.inputs.length === 0 || node.dtype !== 'f32') continue;
    const { misses } = await missesOf(open, [{ kind: 'output', name: 'y', node }], needed(node, inputs));
    if (misses.length > 0) return { node, miss: misses[0] };
  }
  return undefined;
}

function needed(node: Node, inputs: Drawn['inputs']): Drawn['inputs'] {
  const names = ancestors([node]).flatMap(({ op }) => (op.kind === 'input' ? [op.name] : []));
  return Object.fromEntries(names.map((name) => [name, inputs[name]]));
}

const text = ({ lo, hi, nan }: Range): string => (lo > hi ? 'NaN' : `[${lo}, ${hi}]${nan ? ' or NaN' : ''}`);

async function report(open: OpenDevice, seed: number, index: number, miss: Miss): Promise<void> {
  const drawn = draw(new GraphBuilder(), seed, index);
  const small = await shrunk(open, drawn);
  const { output, lane, found, range, way } = small?.miss ?? miss;
  const outputs: Output[] = small ? [{ kind: 'output', name: output, node: small.node }] : drawn.outputs;
  console.log(`program ${index}, ${way}: ${output}[${lane}] is ${found}, not in ${text(range)}`);
  console.log(printGraph({ outputs }));
  const used = small ? needed(small.node, drawn.inputs) : drawn.inputs;
  for (const [name, values] of Object.entries(used)) console.log(`${name} = ${[...values].join(', ')}`);
  console.log(`again: npm run fuzz:numbers -- --seed ${seed} --from ${index} --count 1\n`);
}

function readArguments(): { seed: number; count: number; start: number; adapter?: string } {
  try {
    const { values } = parseArgs({
      options: { seed: { type: 'string' }, count: { type: 'string' }, from: { type: 'string' }, adapter: { type: 'string' } },
    });
    const [seed, count, start] = [values.seed ?? '1', values.count ?? '200', values.from ?? '0'].map(Number);
    if ([seed, count, start].every((n) => Number.isSafeInteger(n) && n >= 0)) return { seed, count, start, adapter: values.adapter };
  } catch (cause) {
    throw new PivotError('T0104', cause instanceof Error ? cause.message : String(cause), { cure: USAGE });
  }
  throw new PivotError('T0104', 'a seed and a count are whole numbers', { cure: USAGE });
}

async function main(): Promise<number> {
  const { seed, count, start, adapter } = readArguments();
  const open = await openDevice({ adapter: adapter ?? process.env.PIVOT_ADAPTER ?? 'swiftshader' });
  let failed = 0;
  let [sharp, all] = [0, 0];
  try {
    for (let first = start; first < start + count; first += BATCH) {
      const b = new GraphBuilder();
      const last = Math.min(first + BATCH, start + count);
      const programs = Array.from({ length: last - first }, (_, i) => draw(b, seed, first + i));
      const found = await missesOf(
        open,
        programs.flatMap(({ outputs }) => outputs),
        Object.assign({}, ...programs.map(({ inputs }) => inputs)) as Drawn['inputs'],
      );
      sharp += found.sharp;
      all += found.all;
      const wrong = new Map(found.misses.map((miss) => [Number(/^p(\d+)\./.exec(miss.output)?.[1]), miss]));
      for (const [index, miss] of wrong) {
        // All are counted, some are shown.
        if (failed++ < 10) await report(open, seed, index, miss);
      }
    }
  } finally {
    open.close();
  }
  console.log(
    `${count} programs of seed ${seed}, ${failed} wrong; ${((100 * sharp) / all).toFixed(0)} % of ${all} values were known to 1e-3 or better`,
  );
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof PivotError)) throw error;
  console.error(`${error.code}: ${error.message}${error.cure ? `\n${error.cure}` : ''}`);
  process.exitCode = 2;
}
