/** `pivot explain CODE`: what a diagnostic means, with a text that yields it. */
import type { CommandModule } from 'yargs';
import { lookup, registry } from '../../grammar/index.ts';
import { PivotError } from '../../plan/errors.ts';
import { nearest } from '../../plan/nearest.ts';
import { ERROR_CODES } from '../codes.ts';
import { print } from '../output.ts';

export const explain: CommandModule<object, { code: string }> = {
  command: 'explain <code>',
  describe: 'explain a diagnostic, such as P0501',
  builder: (yargs) => yargs.positional('code', { type: 'string', demandOption: true, describe: 'the code of a diagnostic' }),
  handler: ({ code }) => {
    const wanted = code.toUpperCase();
    const entry = lookup(wanted);
    if (entry) return print(`${wanted} (${entry.severity})\n\n${entry.explain}\n\nA text that yields it:\n\n${entry.example}`);
    const found = ERROR_CODES.find((codes) => Object.hasOwn(codes, wanted));
    if (found) return print(`${wanted} (error)\n\n${found[wanted]}`);
    const all = [registry, ...ERROR_CODES].flatMap((codes) => Object.keys(codes)).sort();
    const near = nearest(wanted, all);
    throw new PivotError('C0106', `there is no diagnostic ${code}`, {
      cure: near === undefined ? `codes are ${all.join(', ')}` : `did you mean ${near}? Codes are ${all.join(', ')}`,
    });
  },
};
