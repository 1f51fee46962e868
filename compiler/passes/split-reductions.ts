/**
 * Splits long reductions to few results into two stages. A kernel gives one workgroup to a row; a row of a million
 * elements would leave the rest of the device idle. The first stage reduces chunks, the second their results.
 *
 * Only reductions over the last axes are split (a chunk is then a run of memory). Sums over the first axes are cut into
 * chunks by their kernel. The order of summation changes, and with it the last bits.
 */
import type { Graph } from '../graph/graph.ts';
import { elements } from '../graph/shape.ts';
import { rebuild } from './rebuild.ts';

/** Rows longer than this are split... */
const LONG = 16_384;
/** ...if there are at most so many of them; more keep a device busy as they are. */
const FEW = 64;
/** Chunk lengths: the ideal, and the range in which a divisor of the row is good enough. */
const CHUNK = 1024;
const LEAST = 256;
const MOST = 4096;

export function splitReductions(graph: Graph): Graph {
  return rebuild(graph, (b, node, [x]) => {
    if (node.op.kind !== 'reduce') return undefined;
    const { axes, fn } = node.op;
    const rank = x.shape.length;
    const trailing = axes.every((axis, i) => axis === rank - axes.length + i);
    const rows = elements(node.shape);
    const length = elements(x.shape) / rows;
    if (!trailing || rows > FEW || length <= LONG) return undefined;
    const chunk = divisorNear(length);
    // Zeros change no sum; a maximum they would.
    if (chunk === undefined && fn === 'max') return undefined;
    const size = chunk ?? CHUNK;
    const chunks = Math.ceil(length / size);
    const kept = node.shape;
    const padded = chunk === undefined ? b.pad(b.reshape(x, [...kept, length]), kept.map(() => 0).concat(0), [...kept, chunks * size]) : x;
    return b.reduce(fn, b.reduce(fn, b.reshape(padded, [...kept, chunks, size]), [-1]), [-1]);
  });
}

/** The divisor of `length` nearest to the ideal chunk (by ratio) within the range; undefined if there is none. */
function divisorNear(length: number): number | undefined {
  let best: number | undefined;
  const distance = (chunk: number) => Math.abs(Math.log(chunk / CHUNK));
  for (let chunk = LEAST; chunk <= MOST; chunk++) {
    if (length % chunk === 0 && (best === undefined || distance(chunk) < distance(best))) best = chunk;
  }
  return best;
}
