/** Where checks run: a device, and the target whose programs run on it. */
import type { Target } from '../../plan/program.ts';
import type { OpenDevice } from '../../runtime/node/device/open.ts';

export interface Bench {
  open: OpenDevice;
  target: Target;
}
