#!/usr/bin/env node
/** The command line: each command is a thin file in commands/. Errors become sentences and exit codes here. */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { PivotError } from '../plan/errors.ts';
import { check } from './commands/check.ts';
import { compile } from './commands/compile.ts';
import { data } from './commands/data.ts';
import { doctor } from './commands/doctor.ts';
import { explain } from './commands/explain.ts';
import { report } from './commands/report.ts';
import { run } from './commands/run.ts';
import { show } from './commands/show.ts';
import { TextRejected } from './compile-text.ts';
import { debugLevel } from './debug.ts';

/** A command whose result is not 0 although nothing was thrown (an interrupted run). */
function fail(error: unknown): void {
  if (error instanceof PivotError) process.stderr.write(`${error.format()}\n`);
  else if (!(error instanceof TextRejected)) process.stderr.write(`this is a fault of Pivot, please report it:\n${error instanceof Error ? error.stack : String(error)}\n`);
  if (error instanceof PivotError && debugLevel() > 0) process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
}

try {
  await yargs(hideBin(process.argv))
    .scriptName('pivot')
    .usage('$0 <command>\n\nPreference post-training of vision encoders, from a text.')
    .command(check)
    .command(show)
    .command(compile)
    .command(run)
    .command(data)
    .command(doctor)
    .command(report)
    .command(explain)
    .demandCommand(1, 'say what to do')
    .recommendCommands()
    .strict()
    .fail((message, error, self) => {
      if (error) throw error;
      process.stderr.write(`${self.help()}\n\n${message}\n`);
      throw new TextRejected();
    })
    .parseAsync();
} catch (error) {
  fail(error);
}
// Dawn keeps the process alive while its instance is; everything that matters has been written by now.
if (process.exitCode !== undefined || process.argv[2] === 'run') process.exit(process.exitCode ?? 0);
