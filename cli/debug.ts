/**
 * PIVOT_DEBUG, a ladder, to stderr: 1 prints which adapters were tried, the size of every program, and the stack of an error; 2 adds
 * the simplified graph of every program; 3 adds its dispatches: kernels, grids, tensors.
 */
export function debugLevel(): number {
  const level = Number(process.env.PIVOT_DEBUG ?? 0);
  return Number.isFinite(level) ? level : 0;
}
