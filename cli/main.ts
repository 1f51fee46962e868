#!/usr/bin/env node
/** The program: the words of the command line in, an exit code out. */
import { hideBin } from 'yargs/helpers';
import { guardOutput } from './output.ts';
import { pivot } from './pivot.ts';

guardOutput(process.argv[2] === 'run');

if (!(await pivot(hideBin(process.argv)))) process.exitCode = 1;
// Dawn keeps the process alive while its instance is; everything that matters has been written by now.
if (process.exitCode !== undefined || ['run', 'ask'].includes(process.argv[2])) process.exit(process.exitCode ?? 0);
