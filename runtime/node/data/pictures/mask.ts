/**
 * Masks: PNGs whose pixels are class indices, as palette indices or as gray of 8 bits. Read by our own decoder, since libraries hand out
 * colours, and two classes may share one.
 */
import { dataError } from '../../../core/data/codes.ts';
import { kindOf } from './inspect.ts';
import { passesOf, readPng, rowBytes, unpackedData } from './png.ts';
import type { PngPass } from './png.ts';

/** Class of each pixel: u8 [height, width]. */
export interface Mask {
  width: number;
  height: number;
  index: Uint8Array;
}

/** Reads the bytes of a mask. Throws R0521 for a file that is no PNG of indices, or is damaged. */
export function readMask(bytes: Uint8Array): Mask {
  if (kindOf(bytes) !== 'PNG') throw unfit('a mask is a PNG; other formats change or lose the indices');
  const header = readPng(bytes);
  const { width, height, depth, colour } = header;
  // Gray of fewer bits is read as indices by some and stretched to 0..255 by others, Pillow among them.
  if (colour !== 3 && !(colour === 0 && depth === 8))
    throw unfit(`a mask is a PNG with a palette, or gray of 8 bits; found colour type ${colour} of ${depth} bits`);
  const data = unpackedData(bytes, header);
  const index = new Uint8Array(width * height);
  let at = 0;
  for (const pass of passesOf(header)) {
    const length = rowBytes(header, pass);
    let above = new Uint8Array(length);
    for (let y = 0; y < pass.height; y++, at += length + 1) {
      const row = unfiltered(data[at], data.subarray(at + 1, at + 1 + length), above);
      spreadRow(row, pass, y, depth, width, index);
      above = row;
    }
  }
  return { width, height, index };
}

/** Undoes the filter of a row; a pixel has at most one byte here. (PNG specification, clause 9.) */
function unfiltered(filter: number, row: Uint8Array, above: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(row.length);
  for (let i = 0; i < row.length; i++) {
    const left = i > 0 ? out[i - 1] : 0;
    const up = above[i];
    const corner = i > 0 ? above[i - 1] : 0;
    const guess = filter === 0 ? 0 : filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : paeth(left, up, corner);
    out[i] = row[i] + guess;
  }
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const p = left + up - corner;
  const [a, b, c] = [Math.abs(p - left), Math.abs(p - up), Math.abs(p - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function spreadRow(row: Uint8Array, pass: PngPass, y: number, depth: number, width: number, index: Uint8Array): void {
  const perByte = 8 / depth;
  const start = (pass.y + y * pass.down) * width + pass.x;
  for (let x = 0; x < pass.width; x++) {
    const shift = 8 - depth * (1 + (x % perByte));
    index[start + x * pass.across] = (row[Math.floor(x / perByte)] >> shift) & (2 ** depth - 1);
  }
}

function unfit(message: string): Error {
  return dataError('R0521', message, { cure: 'store class indices as a palette PNG' });
}
