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

/** Decimals at which the largest of the values shows `digits` digits, a zero before the point included; the same for a whole column. */
export function decimalsFor(values: readonly (number | undefined)[], digits: number): number {
  const largest = Math.max(0, ...values.map((v) => (v !== undefined && Number.isFinite(v) ? Math.abs(v) : 0)));
  if (largest === 0) return 1;
  const power = Math.floor(Math.log10(largest));
  return Math.min(8, Math.max(0, power >= 0 ? digits - 1 - power : digits - 2 - power));
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
  // Rounded before the prefix is chosen, so that 999.7 G reads 1.00 T.
  const rounded = Number(value.toPrecision(3));
  const power = rounded === 0 ? 0 : Math.floor(Math.log10(Math.abs(rounded)));
  const prefix = Math.min(PREFIXES.length - 1, Math.max(0, Math.floor(power / 3)));
  const digits = rounded === 0 ? '0' : (rounded / 1000 ** prefix).toFixed(Math.max(0, 2 - (power - 3 * prefix)));
  return `${digits}${NARROW}${PREFIXES[prefix]}${unit}`;
}

/** Groups of three digits: `12 800`. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, NARROW);
}
