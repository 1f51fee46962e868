/**
 * PIVOT_DEBUG, a ladder: 1 prints phases and, for every program, its size; 2 adds the simplified graph; 3 adds the time of each
 * kernel while a run is under way. Everything goes to stderr.
 */
export function debugLevel(): number {
  const level = Number(process.env.PIVOT_DEBUG ?? 0);
  return Number.isFinite(level) ? level : 0;
}
