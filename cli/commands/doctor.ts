/** `pivot doctor`: which adapters there are, why others were refused, and how fast they are. */
import type { CommandModule } from 'yargs';
import { examine, formatDoctor } from '../../runtime/node/device/doctor.ts';
import { print } from '../output.ts';

export const doctor: CommandModule<object, { measure: boolean }> = {
  command: 'doctor',
  describe: 'find and measure the adapters of this machine',
  builder: (yargs) => yargs.option('measure', { type: 'boolean', default: true, describe: 'measure GFLOP/s and GB/s' }),
  handler: async (args) => {
    print(formatDoctor(await examine({ measure: args.measure })));
  },
};
