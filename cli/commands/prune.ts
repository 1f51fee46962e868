/** `pivot prune RUN`: removes the results of a run folder that its present plan does not use. */
import type { CommandModule } from 'yargs';
import { prune as clear } from '../../runtime/node/run/prune.ts';
import { bytes } from '../../runtime/node/run/words.ts';

export const prune: CommandModule<object, { run: string; 'dry-run': boolean }> = {
  command: 'prune <run>',
  describe: 'remove the results of a run folder that belong to other values of its text than the last ones',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'a run folder' })
      .option('dry-run', { type: 'boolean', default: false, describe: 'only say what would be removed' }),
  handler: async ({ run, 'dry-run': dryRun }) => {
    const pruned = await clear(run, dryRun);
    const sum = pruned.reduce((all, one) => all + one.bytes, 0);
    for (const { name, bytes: size } of pruned) process.stdout.write(`${name}  ${bytes(size)}\n`);
    process.stdout.write(
      `${run}: ${dryRun ? 'would remove' : 'removed'} ${pruned.length} ${pruned.length === 1 ? 'item' : 'items'}, ${bytes(sum)}\n`,
    );
  },
};
