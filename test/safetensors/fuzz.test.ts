/** A sound file with bytes changed, cut or doubled: read, or refused with a sentence; never anything else. */
import { expect, test } from '@jest/globals';
import { PivotError } from '../../plan/errors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../runtime/core/safetensors/format.ts';
import { Random } from '../support/random.ts';

test('damaged files', () => {
  const random = new Random(3);
  const sound = encodeSafetensors(
    [
      { name: 'a.weight', dtype: 'f32', shape: [2, 3], data: new Float32Array(6) },
      { name: '__proto__', dtype: 'i32', shape: [], data: new Int32Array(1) },
    ],
    { format: 'pt' },
  );
  const header = sound.length - 28;
  let refused = 0;
  for (let round = 0; round < 5000; round++) {
    let bytes = sound.slice(0, round % 10 === 0 ? random.below(sound.length) : sound.length);
    for (let edits = round % 3; edits >= 0; edits--) {
      const at = random.below(Math.min(header, bytes.length));
      if (bytes.length > 0) bytes[at] = random.below(4) === 0 ? random.below(256) : 0x20 + random.below(95);
    }
    if (round % 17 === 0) bytes = Uint8Array.from([...bytes, ...bytes.subarray(random.below(bytes.length + 1))]);
    try {
      decodeSafetensors(bytes, 'a.safetensors');
    } catch (error) {
      if (!(error instanceof PivotError)) throw error;
      expect(error.format()).toContain('a.safetensors');
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(3000);
  expect(refused).toBeLessThan(5000);
});
