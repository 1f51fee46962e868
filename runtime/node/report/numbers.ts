/** Numbers as people read them: a true minus sign, as many digits as carry meaning, units with a prefix. */

/** What is shown where there is no number. */
export const NONE = '–';

const MINUS = '\u2212';
const NARROW = '\u202f';

/** `value` with that many decimals; `signed` puts a plus before positive values. */
export function fixed(value: number | undefined, decimals: number, signed = false): string {
  if (value === undefined) return NONE;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : `${MINUS}∞`;
  const digits = Math.abs(value).toFixed(decimals);
  if (Number(digits) === 0) return digits;
  return (value < 0 ? MINUS : signed ? '+' : '') + digits;
}

/** Decimals at which the largest of the values shows about `digits` significant digits; the same for a whole column. */
export function decimalsFor(values: readonly (number | undefined)[], digits: number): number {
  const largest = Math.max(0, ...values.map((v) => (v !== undefined && Number.isFinite(v) ? Math.abs(v) : 0)));
  if (largest === 0) return 1;
  return Math.min(8, Math.max(0, digits - 1 - Math.floor(Math.log10(largest))));
}

/** `8.2 s`, `3 min 05 s`, `2 h 07 min`. */
export function duration(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return NONE;
  if (seconds < 59.95) return `${seconds.toFixed(1)}${NARROW}s`;
  const whole = Math.round(seconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)}${NARROW}min ${two(whole % 60)}${NARROW}s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)}${NARROW}h ${two(minutes % 60)}${NARROW}min`;
}

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z'];

/** Three significant digits with a decimal prefix: `12.4 GFLOP`. */
export function withPrefix(value: number | undefined, unit: string): string {
  if (value === undefined || !Number.isFinite(value)) return NONE;
  let scaled = value;
  let prefix = 0;
  while (Math.abs(scaled) >= 999.5 && prefix + 1 < PREFIXES.length) {
    scaled /= 1000;
    prefix++;
  }
  const digits = scaled === 0 ? '0' : scaled.toFixed(Math.max(0, 2 - Math.floor(Math.log10(Math.abs(scaled)))));
  return `${digits}${NARROW}${PREFIXES[prefix]}${unit}`;
}

/** Groups of three digits: `12 800`. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, NARROW);
}
