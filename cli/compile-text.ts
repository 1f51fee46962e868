/** What the commands that begin with a text share: reading it, compiling it, and saying what is wrong with it. */
import type { Argv } from 'yargs';
import { compile } from '../compiler/compile.ts';
import type { Host } from '../compiler/host.ts';
import type { Compiled } from '../compiler/compile.ts';
import { formatDiagnostics } from '../grammar/index.ts';
import { PivotError } from '../plan/errors.ts';
import type { Plan } from '../plan/plan.ts';
import type { Target } from '../plan/program.ts';
import { Rejected } from './failure.ts';
import { hostOf } from './host.ts';
import type { Knows } from './host.ts';
import { debugObserver, debugPrograms } from './observer.ts';

export interface TextArguments {
  file: string;
  set?: string[];
}

/** The arguments of every command that takes a text. */
export function textArguments<T>(yargs: Argv<T>): Argv<T & TextArguments> {
  return yargs
    .positional('file', { type: 'string', demandOption: true, describe: 'a .pivot text' })
    .option('set', { type: 'string', array: true, nargs: 1, describe: 'override a param of the text: --set steps=100' });
}

export function settings(set: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    set.map((one) => {
      const at = one.indexOf('=');
      if (at < 1)
        throw new PivotError('C0102', `--set takes name=value, not ${JSON.stringify(one)}`, {
          cure: 'write, for instance, --set steps=100',
        });
      return [one.slice(0, at), one.slice(at + 1)];
    }),
  );
}

/** Of what a text only describes, rows need not be there: memory and work follow from the text. */
function withoutRows(host: Host): Host {
  return { ...host, hash: (path) => host.hash(path) ?? '' };
}

/** Compiles a text; prints its diagnostics to stderr and throws `Rejected` if one is an error. With `described`, rows may be missing, and so is what no task needs. */
export function compileText(
  args: TextArguments,
  targets: Target[],
  { fuse = true, described = false, knows }: { fuse?: boolean; described?: boolean; knows?: Knows } = {},
): Compiled & { plan: Plan } {
  const { path, host: real } = hostOf(args.file, knows);
  const host = described ? withoutRows(real) : real;
  const compiled = compile(path, host, { targets, fuse, asks: !described, set: settings(args.set), observe: debugObserver() });
  if (compiled.diagnostics.length > 0) {
    const color = process.stderr.isTTY === true && !process.env.NO_COLOR;
    process.stderr.write(`${formatDiagnostics(compiled.diagnostics, compiled.texts, { color })}\n`);
  }
  const { plan } = compiled;
  if (!plan) throw new Rejected();
  debugPrograms(plan);
  return { ...compiled, plan };
}
