/**
 * `npm run bench [-- --adapter NAME]`: the numbers that the project is measured by, in one run on one adapter.
 *
 * 1. One training step of a transformer block, ours against jax-js, in turns (peers/). Ends with an error if their losses differ.
 * 2. Operations of a step of preference optimisation, packed and with a cached reference, as a share of the usual way (dpo-cost.ts).
 * 3. The quickstart from its text to its first and its later steps (startup/).
 *
 * Tables go to stdout, progress to stderr, numbers to `bench/results/<adapter>.json`. Other files here measure parts: products.ts and
 * streams.ts single kernels, profile.ts the kernels of one step.
 */
import yargs from 'yargs';
import { targetFor } from '../compiler/lower/choose.ts';
import { installedDrivers, isLavapipe } from '../runtime/node/device/drivers.ts';
import { openDevice } from '../runtime/node/device/open.ts';
import { dpoCosts, EPOCHS } from './dpo-cost.ts';
import type { DpoCost } from './dpo-cost.ts';
import { contest } from './peers/contest.ts';
import type { Contest } from './peers/contest.ts';
import { keep, machine, table } from './results.ts';
import { startup } from './startup/startup.ts';
import type { Startup } from './startup/startup.ts';

const PARTS = ['block', 'dpo', 'startup'] as const;

const args = await yargs(process.argv.slice(2))
  .scriptName('npm run bench --')
  .option('adapter', {
    type: 'string',
    describe: 'as `pivot run` takes it (default: PIVOT_ADAPTER, else lavapipe if installed, else the best there is)',
  })
  .option('only', { choices: PARTS, array: true, default: [...PARTS], describe: 'parts to run' })
  .option('rounds', { type: 'number', default: 7, describe: 'turns of each contestant' })
  .option('steps', { type: 'number', default: 5, describe: 'steps in a turn' })
  .option('save', { type: 'boolean', default: true, describe: 'write bench/results/<adapter>.json' })
  .strict()
  .parse();

const log = (line: string): void => void process.stderr.write(`${line}\n`);
const adapter = args.adapter ?? process.env.PIVOT_ADAPTER ?? (installedDrivers().some(isLavapipe) ? 'lavapipe' : '');
const open = await openDevice({ adapter });
const { info } = open;
const target = targetFor(info);
// The contest runs in other processes; this device would only hold memory.
open.close();
const about = { adapter: info.name, driver: info.driver, target: target.name, machine: machine() };
console.log(
  `${about.adapter}\n${about.driver}\n${about.machine.cpu}, ${about.machine.cores} cores, load ${about.machine.load}, Node ${about.machine.node}`,
);
if (about.machine.load > 0.5) console.log('The machine was busy when this began: trust ratios rather than times.');

const results: { block?: Contest; dpo?: DpoCost[]; startup?: Startup } = {};
if (args.only.includes('block')) printBlock((results.block = await contest({ adapter, rounds: args.rounds, steps: args.steps, log })));
if (args.only.includes('dpo')) printDpo((results.dpo = dpoCosts(target)));
if (args.only.includes('startup')) printStartup((results.startup = await startup({ adapter, steps: 20 }, log)));
if (args.save && args.only.length === PARTS.length)
  console.log(`\nwritten to ${keep(/^[\w-]+$/.test(adapter) ? adapter : info.name.replace(/[^\w]+/g, '-'), { ...about, ...results })}`);
process.exit(0);

function printBlock({ ours, theirs, theirsSleeping, ratio, ratioToBetter }: Contest): void {
  console.log('\nTransformer block: batch 16, 64 tokens, width 128, 4 heads, MLP 512, causal; forward, backward, AdamW, f32; ms a step');
  const rows = [ours, theirs, theirsSleeping].map((e) => [
    e.name,
    e.leastMs.toFixed(1),
    e.medianMs.toFixed(1),
    `${(e.firstMs / 1e3).toFixed(2)} s`,
    e.firstLoss.toFixed(6),
    e.lastLoss.toFixed(6),
  ]);
  console.log(table(['', 'least', 'median', 'first step', 'first loss', 'last loss'], rows));
  console.log(`ours / theirs, least by least: ${ratio.toFixed(3)}; by theirs with the better wait: ${ratioToBetter.toFixed(3)}`);
}

function printDpo(costs: DpoCost[]): void {
  console.log('\nOne DPO step, GFLOP of compiled programs; usual: two sequences, live reference');
  const giga = (flops: number): string => (flops / 1e9).toFixed(2);
  const rows = costs.map((c) => [
    `${c.name}, ${c.pairs} pairs`,
    giga(c.usual),
    giga(c.separateLive),
    giga(c.packedCached),
    c.share.toFixed(3),
    giga(c.reference),
    c.shareSpread.toFixed(3),
    c.shareOneEpoch.toFixed(3),
  ]);
  const spread = `share, ${EPOCHS} epochs`;
  console.log(table(['', 'usual', 'separate, live', 'packed, cached', 'share', 'reference, once', spread, 'share, 1 epoch'], rows));
}

function printStartup({ cold, again }: Startup): void {
  console.log('\nQuickstart, in a fresh process');
  const rows = [
    { which: 'nothing cached', found: cold },
    { which: 'second process', found: again },
  ].flatMap(({ which, found }) =>
    found.arms.map((arm) => [
      `${which}, ${arm.task}`,
      `${(found.planMs / 1e3).toFixed(2)} s`,
      `${arm.dispatches} / ${arm.kernels}`,
      `${(arm.pipelinesMs / 1e3).toFixed(2)} s`,
      `${(arm.firstMs / 1e3).toFixed(2)} s`,
      `${arm.stepMs.toFixed(1)} ms`,
    ]),
  );
  console.log(table(['', 'text to plan', 'dispatches / kernels', 'pipelines', 'first step', 'a step'], rows));
}
