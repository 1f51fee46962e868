/** `pivot run FILE|DIR`: runs a text, or a compiled plan; goes on where an earlier run of the same folder stopped. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { openDevice } from '../../runtime/node/device/open.ts';
import { runPlan } from '../../runtime/node/run/run.ts';
import { standardLog } from '../../runtime/node/run/log.ts';
import { formatSummary } from '../../runtime/node/report/terminal.ts';
import { writeReport } from '../../runtime/node/report/report.ts';
import type { Plan } from '../../plan/plan.ts';
import type { AdapterInfo } from '../../runtime/core/device/info.ts';

interface Arguments {
  file: string;
  out?: string;
  adapter?: string;
  set?: string[];
  fresh: boolean;
  'other-adapter'?: boolean;
  base?: string;
  allow?: string[];
  target?: string;
  'update-lock'?: boolean;
}

export const run: CommandModule<object, Arguments> = {
  command: 'run <file>',
  describe: 'run a text or a compiled plan; a run that was stopped goes on',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'a .pivot text, or the folder of a plan' })
      .option('out', { alias: 'o', type: 'string', describe: 'run folder (default: runs/NAME)' })
      .option('adapter', { type: 'string', describe: "gpu, lavapipe, swiftshader, a driver manifest, or part of an adapter's name" })
      .option('set', { type: 'string', array: true, nargs: 1, describe: 'override a param of the text: --set steps=100' })
      .option('target', { type: 'string', describe: 'compile for this target instead of the one that suits the adapter' })
      .option('base', { type: 'string', describe: 'folder that the files of a compiled plan are relative to (default: here)' })
      .option('allow', {
        type: 'string',
        array: true,
        nargs: 1,
        describe: 'a folder outside of the base that a compiled plan may read and write (a text may name any)',
      })
      .option('fresh', { type: 'boolean', default: false, describe: 'throw away what the run folder holds' })
      .option('other-adapter', { type: 'boolean', describe: 'go on although the folder was begun on another adapter' })
      .option('update-lock', { type: 'boolean', describe: 'accept that data, weights or the standard library have changed' }),
  handler: async (args) => {
    const compiled = existsSync(args.file) && statSync(args.file).isDirectory();
    const name = basename(args.file).replace(/\.pivot$/, '');
    const out = args.out ?? join('runs', name);
    const controller = new AbortController();
    const stop = (): void => controller.abort();
    process.once('SIGINT', stop).once('SIGTERM', stop).once('SIGHUP', stop);
    const log = standardLog();
    const device = await openDevice({
      ...(args.adapter ? { adapter: args.adapter } : {}),
      log: (line) => (process.env.PIVOT_DEBUG ? process.stderr.write(`[pivot] ${line}\n`) : undefined),
    });
    const plan = compiled ? args.file : await compileFor(args, device.info);
    const base = args.base ?? (compiled ? '.' : dirname(resolve(args.file)));
    const result = await runPlan(plan, {
      out,
      base,
      allow: compiled ? (args.allow ?? []) : 'anywhere',
      device,
      log,
      signal: controller.signal,
      fresh: args.fresh,
      otherAdapter: args['other-adapter'] ?? false,
      report: writeReport,
      summary: formatSummary,
    });
    process.exitCode = result.exitCode;
  },
};

/** Only here does running a text need the compiler, so that plans run where it is absent. */
async function compileFor(args: Arguments, info: AdapterInfo): Promise<Plan> {
  const { compileText } = await import('../compile-text.ts');
  const { targetFor } = await import('../../compiler/lower/choose.ts');
  const { targetNamed } = await import('../../compiler/lower/targets.ts');
  const { holdLock } = await import('../lock.ts');
  const target = args.target ? targetNamed(args.target) : targetFor(info);
  const { plan, texts } = compileText(args, [target]);
  holdLock(args.file, plan, texts, args['update-lock'] ?? false);
  return plan;
}
