/** `pivot explain CODE`: what a diagnostic means, with a text that yields it. */
import type { CommandModule } from 'yargs';
import { lookup, registry } from '../../grammar/index.ts';
import { PivotError } from '../../plan/errors.ts';
import { print } from '../output.ts';

export const explain: CommandModule<object, { code: string }> = {
  command: 'explain <code>',
  describe: 'explain a diagnostic, such as P0501',
  builder: (yargs) => yargs.positional('code', { type: 'string', demandOption: true, describe: 'the code of a diagnostic' }),
  handler: ({ code }) => {
    const entry = lookup(code.toUpperCase());
    if (!entry)
      throw new PivotError('C0106', `there is no diagnostic ${code}`, { cure: `codes of texts are ${Object.keys(registry).join(', ')}` });
    print(`${code.toUpperCase()} (${entry.severity})\n\n${entry.explain}\n\nA text that yields it:\n\n${entry.example}`);
  },
};
