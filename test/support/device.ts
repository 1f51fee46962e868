/**
 * The device of a test file: opened once, closed after the file's last test. PIVOT_ADAPTER chooses it; without it, SwiftShader out of
 * the install, so that a test means the same on every machine.
 */
import { afterAll, beforeAll } from '@jest/globals';
import { openDevice, type OpenDevice } from '../../runtime/node/device/open.ts';

/** Call at the top of a test file; the returned function gives the open device within tests. */
export function testDevice(): () => OpenDevice {
  let open: OpenDevice | undefined;
  beforeAll(async () => {
    open = await openDevice({ adapter: process.env.PIVOT_ADAPTER || 'swiftshader' });
  });
  afterAll(() => open?.close());
  return () => {
    if (!open) throw new Error('the device is opened before the first test, not while the file is read');
    return open;
  };
}
