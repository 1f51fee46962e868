/**
 * Content hashes. Everything that a plan names by content (programs, kernels, tasks) goes through here: a value is
 * written as canonical JSON (keys sorted, no spaces), and the text is hashed with SHA-256 (FIPS 180-4), shortened to 128
 * bits. Pure TypeScript, so that a browser and Node agree without a platform's crypto.
 */

/** Hash of a JSON value, independent of the order of keys: 32 hexadecimal characters. */
export function hashOf(value: unknown): string {
  return hashText(canonicalJson(value));
}

/** Hash of a text as UTF-8: 32 hexadecimal characters. */
export function hashText(text: string): string {
  return sha256(new TextEncoder().encode(text)).slice(0, 32);
}

/**
 * JSON with sorted keys and no spaces. Absent and `undefined` members are the same; `undefined` in an array, functions and
 * numbers that are not finite have no JSON and throw a TypeError.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`a number that is not finite has no canonical JSON: ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    // Lists of numbers may be long, and numbers have one form.
    if (areFinite(value)) return JSON.stringify(value);
    return `[${value.map(canonicalJson).join(',')}]`;
  }
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  throw new TypeError(`no canonical JSON for a value of type ${typeof value}`);
}

function areFinite(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'number' && Number.isFinite(value));
}

/** SHA-256 of bytes as 64 hexadecimal characters. */
export function sha256(bytes: Uint8Array): string {
  const state = Uint32Array.from(INITIAL);
  const schedule = new Uint32Array(64);
  // Padding: a one bit, zeros, and the length in bits as a 64-bit big-endian number.
  const padded = new Uint8Array(((bytes.length + 9 + 63) >> 6) << 6);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 0x20000000));
  view.setUint32(padded.length - 4, (bytes.length << 3) >>> 0);
  for (let at = 0; at < padded.length; at += 64) {
    for (let i = 0; i < 16; i++) schedule[i] = view.getUint32(at + 4 * i);
    compress(state, schedule);
  }
  return Array.from(state, (word) => word.toString(16).padStart(8, '0')).join('');
}

/** One block of SHA-256: the first 16 words of `w` are given, the rest are expanded here. */
function compress(state: Uint32Array, w: Uint32Array): void {
  for (let i = 16; i < 64; i++) {
    const s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >>> 3);
    const s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >>> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  // One by one: the iterators of typed arrays are slow, and this runs for every 64 bytes.
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[i] + w[i]) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

function rotate(x: number, n: number): number {
  return (x >>> n) | (x << (32 - n));
}

/** First 32 bits of the fractional parts of the square roots (initial) and cube roots (round) of the first primes. */
const PRIMES = firstPrimes(64);
const INITIAL = PRIMES.slice(0, 8).map((p) => fraction(Math.sqrt(p)));
const ROUND = Uint32Array.from(PRIMES, (p) => fraction(cubeRoot(p)));

function fraction(x: number): number {
  return Math.floor((x - Math.floor(x)) * 0x100000000) >>> 0;
}

/** Newton's method: `Math.cbrt` and `**` need not be correctly rounded, and the last bits decide the constants. */
function cubeRoot(p: number): number {
  let x = Math.cbrt(p);
  x -= (x * x * x - p) / (3 * x * x);
  return x;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((p) => n % p !== 0)) primes.push(n);
  return primes;
}
