/**
 * Where scratch tensors lie. In come tensors with the first and last dispatch that uses them; out go a slab and an offset
 * for each. Two tensors that are alive in the same dispatch never overlap, so a dispatch never writes what it reads.
 *
 * The largest tensor is placed first, each in the tightest gap that those alive with it leave (greedy by size, Pisarchyk
 * and Lee 2020, "Efficient memory management for deep neural net inference", algorithm 3).
 */
import { PivotError } from '../../plan/errors.ts';

/** Offsets of storage buffer bindings must be multiples of this on every device. */
export const ALIGNMENT = 256;

export interface Tenant {
  name: string;
  bytes: number;
  /** Numbers of the first and the last dispatch that touch it, both included. */
  first: number;
  last: number;
}

export interface Berth {
  slab: number;
  offset: number;
}

export interface Layout {
  /** One for each tenant, in their order. */
  berths: Berth[];
  /** Bytes of each slab. */
  slabs: number[];
}

/** @throws PivotError M0101 for a tensor larger than `maxSlab` (the bytes that one binding may span). */
export function layout(tenants: readonly Tenant[], maxSlab: number): Layout {
  const berths = new Array<Berth>(tenants.length);
  const slabs: { bytes: number; placed: number[] }[] = [];
  const size = (i: number): number => Math.ceil(Math.max(1, tenants[i].bytes) / ALIGNMENT) * ALIGNMENT;
  const order = tenants.map((_, i) => i).sort((a, b) => size(b) - size(a) || tenants[a].first - tenants[b].first || a - b);
  for (const i of order) {
    if (tenants[i].bytes > maxSlab) throw tooLarge(tenants[i].name, tenants[i].bytes, maxSlab);
    let placed = false;
    for (let slab = 0; slab < slabs.length && !placed; slab++) {
      const alive = slabs[slab].placed.filter((j) => tenants[j].first <= tenants[i].last && tenants[i].first <= tenants[j].last);
      const taken = alive.map((j) => ({ from: berths[j].offset, to: berths[j].offset + size(j) }));
      const offset = tightestGap(taken, size(i), slabs[slab].bytes);
      if (offset + size(i) > Math.max(maxSlab, slabs[slab].bytes)) continue;
      berths[i] = { slab, offset };
      slabs[slab].placed.push(i);
      slabs[slab].bytes = Math.max(slabs[slab].bytes, offset + size(i));
      placed = true;
    }
    if (!placed) {
      berths[i] = { slab: slabs.length, offset: 0 };
      slabs.push({ bytes: size(i), placed: [i] });
    }
  }
  return { berths, slabs: slabs.map((slab) => slab.bytes) };
}

/** Offset of the smallest gap between taken ranges that holds `bytes`; else behind them all. */
function tightestGap(taken: { from: number; to: number }[], bytes: number, end: number): number {
  let best = -1;
  let least = Infinity;
  let free = 0;
  for (const range of taken.sort((a, b) => a.from - b.from)) {
    const gap = range.from - free;
    if (gap >= bytes && gap < least) [best, least] = [free, gap];
    free = Math.max(free, range.to);
  }
  const rest = end - free;
  return best < 0 || (rest >= bytes && rest < least) ? free : best;
}

/** Throws a RangeError naming two tenants that share memory while both are alive, or one that leaves its slab. */
export function verifyLayout(tenants: readonly Tenant[], { berths, slabs }: Layout): void {
  tenants.forEach((tenant, i) => {
    const { slab, offset } = berths[i];
    if (offset % ALIGNMENT !== 0 || offset + tenant.bytes > slabs[slab])
      throw new RangeError(`${tenant.name} lies at ${offset} in a slab of ${slabs[slab]} bytes`);
    for (let j = 0; j < i; j++) {
      const other = tenants[j];
      const together = other.first <= tenant.last && tenant.first <= other.last;
      const overlap = berths[j].slab === slab && berths[j].offset < offset + tenant.bytes && offset < berths[j].offset + other.bytes;
      if (together && overlap) throw new RangeError(`${tenant.name} and ${other.name} share memory while both are alive`);
    }
  });
}

export function tooLarge(name: string, bytes: number, limit: number): PivotError {
  const mebibytes = (n: number): string => `${(n / 2 ** 20).toFixed(n < 2 ** 20 ? 3 : 0)} MiB`;
  return new PivotError('M0101', `tensor ${name} takes ${mebibytes(bytes)}, and the device binds at most ${mebibytes(limit)} at once`, {
    cure: 'Lower the micro-batch (`batch N, micro M`) or the size of the tensor, or use an adapter with a larger binding limit (see `pivot doctor`).',
  });
}
