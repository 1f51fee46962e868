/**
 * Student's t distribution for any degrees of freedom, whole or not, without tables. Its tails are a regularised incomplete
 * beta function of which one parameter is 1/2; that is evaluated by its continued fraction (Abramowitz and Stegun, Handbook of
 * Mathematical Functions, 26.5.8 and 26.7.1). Relative errors are about 1e-14, from some hundred degrees of freedom on 1e-16 df.
 */
import { statisticsError } from './errors.ts';

/** From here on the normal distribution is as near as float64 lets anyone tell (the quantiles' ratio is 1 + (z^2 + 1) / (4 df)). */
const MOST_DEGREES = 1e9;
/** The fraction needs some multiple of sqrt(df) terms. */
const MOST_TERMS = 1_000_000;
const PRECISION = 1e-16;
const TINY = 1e-300;

/** P(T <= t) with `df` degrees of freedom. R0711 where df is not above 0. */
export function studentCdf(t: number, df: number): number {
  const { inside, outside } = shares(t, degreesOf(df));
  if (t < 0) return outside / 2;
  return inside < 0.5 ? 0.5 + inside / 2 : 1 - outside / 2;
}

/** P(|T| >= |t|): the two-sided p of a statistic t; its relative error stays small far out in the tails. */
export function twoSidedP(t: number, df: number): number {
  return shares(t, degreesOf(df)).outside;
}

/** The t that a share `p` of the distribution lies below, 0 < p < 1. R0711 for other p and where df is not above 0. */
export function studentQuantile(p: number, df: number): number {
  const degrees = degreesOf(df);
  if (!(p > 0 && p < 1)) throw statisticsError('R0711', `there is no quantile of ${p}`, 'give a probability between 0 and 1');
  const outside = 2 * Math.min(p, 1 - p);
  const inside = Math.abs(1 - 2 * p);
  // How much of the distribution lies between |t| and the root, from the smaller share, which is the exact one.
  const missing = (t: number): number => {
    const at = shares(t, degrees);
    return inside < 0.5 ? inside - at.inside : at.outside - outside;
  };
  let t = 0;
  for (let next = 1; Number.isFinite(next) && missing(next) > 0; next *= 2) t = next;
  // The tail is convex in t > 0, so that Newton's steps from below never pass the root.
  for (let step = 0; step < 100; step++) {
    const change = missing(t) / (2 * density(t, degrees));
    if (!(change > PRECISION * t)) break;
    t += change;
  }
  return p < 0.5 ? -t : t;
}

/** P(|T| < |t|) and P(|T| >= |t|), the smaller of the two to full relative precision. */
function shares(t: number, df: number): { inside: number; outside: number } {
  if (Number.isNaN(t)) throw statisticsError('R0711', 't is not a number', 'leave out what could not be measured');
  if (t === 0) return { inside: 0, outside: 1 };
  const ratio = Math.abs(t) / Math.sqrt(df);
  if (ratio > 1e150) return { inside: 1, outside: tailBeyond(ratio, df) };
  const square = ratio * ratio;
  // x^(df/2) and (1 - x)^(1/2) for x = df / (df + t^2).
  const [x, y] = [1 / (1 + square), square / (1 + square)];
  const front = Math.exp((-df / 2) * Math.log1p(square) - logBetaWithHalf(df / 2)) * Math.sqrt(y);
  if (x < (df / 2 + 1) / (df / 2 + 2.5)) {
    const outside = Math.min(1, (front / (df / 2)) * betaFraction(df / 2, 0.5, x));
    return { inside: 1 - outside, outside };
  }
  const inside = Math.min(1, (front / 0.5) * betaFraction(0.5, df / 2, y));
  return { inside, outside: 1 - inside };
}

/** The density at t. */
function density(t: number, df: number): number {
  return Math.exp((-(df + 1) / 2) * Math.log1p((t * t) / df) - logBetaWithHalf(df / 2)) / Math.sqrt(df);
}

/** Where the square of t / sqrt(df) overflows: the leading term of the tail, of which the rest is 1e-300 and less. */
function tailBeyond(ratio: number, df: number): number {
  return ratio === Infinity ? 0 : Math.exp(-df * Math.log(ratio) - logBetaWithHalf(df / 2)) / (df / 2);
}

function degreesOf(df: number): number {
  if (!(df > 0)) throw statisticsError('R0711', `${df} is no number of degrees of freedom`, 'two values or more give one');
  return Math.min(df, MOST_DEGREES);
}

/**
 * ln B(a, 1/2) = ln sqrt(pi) - ln(Gamma(a + 1/2) / Gamma(a)). The quotient as such, not as a difference of two large logarithms: its
 * asymptotic series where a is large (Abramowitz and Stegun 6.1.40, once at a + 1/2 and once at a), and a recurrence that leads there.
 */
function logBetaWithHalf(a: number): number {
  let quotient = 1;
  while (a < 20) {
    quotient *= a / (a + 0.5);
    a++;
  }
  const s = 1 / (a * a);
  const series = (-1 / 8 + s * (1 / 192 + s * (-1 / 640 + s * (17 / 14336 + s * (-31 / 18432))))) / a;
  return Math.log(Math.PI) / 2 - Math.log(quotient) - Math.log(a) / 2 - series;
}

/** The continued fraction of the incomplete beta function at x, by Lentz's method; it converges fast for x < (a + 1) / (a + b + 2). */
function betaFraction(a: number, b: number, x: number): number {
  let numerator = 1;
  let denominator = 1 / away(1 - ((a + b) * x) / (a + 1));
  let value = denominator;
  for (let m = 1; m < MOST_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    denominator = 1 / away(1 + even * denominator);
    numerator = away(1 + even / numerator);
    value *= denominator * numerator;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    denominator = 1 / away(1 + odd * denominator);
    numerator = away(1 + odd / numerator);
    const factor = denominator * numerator;
    value *= factor;
    if (Math.abs(factor - 1) <= 2 * PRECISION) break;
  }
  return value;
}

/** Keeps a number that will be divided by off zero. */
function away(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}
