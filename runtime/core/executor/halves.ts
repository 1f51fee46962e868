/**
 * f32 values as the 16-bit floats that a checkpoint has, and back. They were read from 16 bits, so nothing is rounded; a value that 16 bits
 * cannot say is an error, since it would change the model unseen.
 */
import type { Half, TypedArrayOf } from '../../../plan/dtypes.ts';
import { deviceError } from '../device/errors.ts';

/** Two a u32, the first in its low bits. Throws R0129 for a value that `half` does not have. */
export function packHalves(data: TypedArrayOf, half: Half, name: string): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  // Whole words are written to the device.
  const packed = new Uint16Array(Math.ceil(data.length / 2) * 2);
  for (let i = 0; i < bits.length; i++) {
    const value = half === 'bf16' ? toBfloat(bits[i]) : toFloat16(bits[i]);
    if (value === undefined) {
      throw deviceError(
        'R0129',
        `${name} holds ${data[i]} at element ${i}, and is held as ${half}, which has no such number`,
        'compile again: its file has changed.',
      );
    }
    packed[i] = value;
  }
  return packed;
}

export function unpackHalves(packed: Uint16Array, half: Half): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(packed.length);
  for (let i = 0; i < packed.length; i++) bits[i] = half === 'bf16' ? packed[i] << 16 : ofFloat16(packed[i]);
  return new Float32Array(bits.buffer);
}

function toBfloat(bits: number): number | undefined {
  return (bits & 0xffff) === 0 ? bits >>> 16 : undefined;
}

/** Bits of an f32 to those of a binary16 (IEEE 754), where it has the number. */
function toFloat16(bits: number): number | undefined {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exponent === 0) return fraction === 0 ? sign : undefined;
  // Subnormals: multiples of 2^-24 below 2^-14.
  const shift = exponent >= 113 ? 13 : 126 - exponent;
  if (exponent > 142 || shift > 23) return undefined;
  const whole = fraction | (exponent >= 113 ? 0 : 0x800000);
  if ((whole & ((1 << shift) - 1)) !== 0) return undefined;
  return sign | (exponent >= 113 ? (exponent - 112) << 10 : 0) | (whole >>> shift);
}

function ofFloat16(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const up = Math.clz32(fraction) - 21;
  return sign | ((113 - up) << 23) | (((fraction << up) & 0x3ff) << 13);
}
