/**
 * A number that changes with the step, as a formula of the step: `['*', 3e-4, ['/', 'step', 100]]`. So a plan of a million steps is as small
 * as one of a hundred. All arithmetic is float64.
 */
export type Schedule = number | 'step' | readonly [Operator, ...Schedule[]];

type Numeric = (a: number, b: number) => number;

/** What the arithmetic and comparisons of texts do with plain numbers; a comparison gives 1 or 0. */
const BINARY = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  /** The sign of the divisor, as in Python. */
  '%': (a, b) => ((a % b) + b) % b,
  '^': (a, b) => a ** b,
  min: Math.min,
  max: Math.max,
  '<': (a, b) => Number(a < b),
  '<=': (a, b) => Number(a <= b),
  '>': (a, b) => Number(a > b),
  '>=': (a, b) => Number(a >= b),
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
} satisfies Record<string, Numeric>;

/** Functions of one plain number. */
const UNARY = {
  neg: (x) => -x,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  sin: Math.sin,
  cos: Math.cos,
  abs: Math.abs,
  floor: Math.floor,
  ceil: Math.ceil,
  round: Math.round,
  isqrt: (x) => Math.floor(Math.sqrt(x)),
} satisfies Record<string, (x: number) => number>;

export type Binary = keyof typeof BINARY;
export type Unary = keyof typeof UNARY;

/** `if`: condition, then, otherwise. `listed`: one value a step, where no formula is known. */
export type Operator = Binary | Unary | 'if' | 'listed';

/** The function of an operator on plain numbers. */
export function operation(operator: Binary | Unary): (...xs: number[]) => number {
  return (BINARY as Partial<Record<Operator, Numeric>>)[operator] ?? UNARY[operator as Unary];
}

/** How many operands an operator takes, or undefined where it is none; `listed` takes any number. */
export function operandsOf(operator: unknown): number | undefined {
  if (typeof operator !== 'string') return undefined;
  if (Object.hasOwn(BINARY, operator)) return 2;
  if (Object.hasOwn(UNARY, operator)) return 1;
  return operator === 'if' ? 3 : operator === 'listed' ? Infinity : undefined;
}

/** The value at a step, which counts from 0. */
export function valueAt(schedule: Schedule, step: number): number {
  return asFunction(schedule)(step);
}

/** Functions that were made: the step loop asks for the same schedules at every step. */
const MADE = new WeakMap<object, (step: number) => number>();

/** The schedule as a function of the step. */
export function asFunction(schedule: Schedule): (step: number) => number {
  if (typeof schedule === 'number') return () => schedule;
  if (schedule === 'step') return (step) => step;
  const made = MADE.get(schedule) ?? make(schedule);
  MADE.set(schedule, made);
  return made;
}

function make(schedule: Schedule & object): (step: number) => number {
  const [operator] = schedule;
  if (operator === 'listed') return (step) => schedule[step + 1] as number;
  const [a, b, c] = (schedule.slice(1) as Schedule[]).map(asFunction);
  if (operator === 'if') return (step) => (a(step) !== 0 ? b(step) : c(step));
  const apply = operation(operator);
  return schedule.length === 2 ? (step) => apply(a(step)) : (step) => apply(a(step), b(step));
}

const LARGEST_F32 = 3.4028234663852886e38;

/** The first of `steps` steps at which the value is not finite as a 32-bit float, or undefined. */
export function firstNotFinite(schedule: Schedule, steps: number): number | undefined {
  const at = asFunction(schedule);
  // x - x is 0 for finite numbers alone.
  for (let step = 0; step < steps; step++) {
    const value = at(step);
    if (!(value <= LARGEST_F32 && value >= -LARGEST_F32)) return step;
  }
  return undefined;
}

/** For how many steps a schedule has a value: as many as its shortest list has, without end where it lists none. */
export function fewestListed(schedule: Schedule): number {
  if (typeof schedule === 'number' || schedule === 'step') return Infinity;
  const [operator, ...operands] = schedule;
  return operator === 'listed' ? operands.length : Math.min(...operands.map(fewestListed));
}
