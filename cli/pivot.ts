/**
 * The command line: each command is a thin file in commands/, loaded when it is asked for, so that running a compiled plan needs
 * neither grammar nor compiler. Errors become sentences here.
 */
import type { CommandModule } from 'yargs';
import yargs from 'yargs';
import { PivotError } from '../plan/errors.ts';
import { visible } from '../plan/visible.ts';
import { printFailure, Rejected } from './failure.ts';

/** `object`, because each command has arguments of its own. */
const COMMANDS: Record<string, () => Promise<object>> = {
  check: async () => (await import('./commands/check.ts')).check,
  show: async () => (await import('./commands/show.ts')).show,
  compile: async () => (await import('./commands/compile.ts')).compile,
  run: async () => (await import('./commands/run.ts')).run,
  data: async () => (await import('./commands/data.ts')).data,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  ask: async () => (await import('./commands/ask.ts')).ask,
  report: async () => (await import('./commands/report.ts')).report,
  prune: async () => (await import('./commands/prune.ts')).prune,
  explain: async () => (await import('./commands/explain.ts')).explain,
};

/** The command that the first word names; all of them where it names none, for the help and for what is near. */
async function commandsFor(word: string | undefined): Promise<CommandModule[]> {
  const names = word !== undefined && Object.hasOwn(COMMANDS, word) ? [word] : Object.keys(COMMANDS);
  const commands: CommandModule[] = [];
  for (const name of names) commands.push((await COMMANDS[name]()) as CommandModule);
  return commands;
}

/** Options that are lists. */
const LISTS: readonly string[] = ['set', 'target', 'allow'];

/** Two values for what takes one, and words where a number belongs: neither is guessed at. */
function requireOnce(given: Record<string, unknown>): true {
  for (const [name, value] of Object.entries(given)) {
    if (name === '_' || LISTS.includes(name)) continue;
    if (Array.isArray(value))
      throw new PivotError('C0109', `--${name} is given ${value.length} times: ${value.join(', ')}`, { cure: 'give it once' });
    if (typeof value === 'number' && Number.isNaN(value))
      throw new PivotError('C0108', `--${name} takes a number`, { cure: `give one, such as --${name} 1` });
  }
  return true;
}

/** Carries out the words of a command line. False: it failed, and what is wrong has been printed. */
export async function pivot(words: string[]): Promise<boolean> {
  try {
    await yargs(words)
      .scriptName('pivot')
      .usage('$0 <command>\n\nPreference post-training of vision encoders, from a text.')
      .command(await commandsFor(words[0]))
      .demandCommand(1, 'say what to do')
      .recommendCommands()
      .strict()
      .check(requireOnce)
      .fail((message, error, self) => {
        if (error) throw error;
        process.stderr.write(visible(`${self.help()}\n\n${message}\n`));
        throw new Rejected();
      })
      .parseAsync();
    return true;
  } catch (error) {
    printFailure(error);
    return false;
  }
}
