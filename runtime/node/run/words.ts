/** Numbers as people read them. */

/** `45 s`, `12 min`, `3 h 20 min`, `41 days`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown';
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 100 ? `${hours} h ${minutes % 60} min` : `${grouped(Math.round(hours / 24))} days`;
}

/** `1 task`, `3 tasks`. */
export function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

/** `812 kB`, `3.4 GB`. */
export function bytes(count: number): string {
  return scaled(count, ['B', 'kB', 'MB', 'GB', 'TB']);
}

/** `1.2 TFLOP`. */
export function flops(count: number): string {
  return scaled(count, ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP', 'PFLOP', 'EFLOP']);
}

function scaled(count: number, units: readonly string[]): string {
  let value = count;
  let at = 0;
  while (value >= 999.5 && at < units.length - 1) {
    value /= 1000;
    at++;
  }
  return `${value >= 99.5 || at === 0 ? Math.round(value) : value.toPrecision(2)} ${units[at]}`;
}

/** A rate with three digits. */
export function rate(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

/** `12,345` */
function grouped(n: number): string {
  return n.toLocaleString('en-US');
}
