/** The formulas of schedules as checks. */
import type { Schedule } from '../schedule.ts';
import { operandsOf } from '../schedule.ts';
import { describe, number } from './check.ts';
import type { Check, Faults } from './check.ts';

/** Deeper than any schedule that the compiler writes, and shallow enough for the stack. */
const DEEPEST = 2_000;

export const schedule: Check<Schedule> = (value, path, faults): value is Schedule => checked(value, path, faults, 0);

function checked(value: unknown, path: string, faults: Faults, depth: number): boolean {
  const fault = (text: string): false => {
    faults.push({ path, text });
    return false;
  };
  if (value === 'step') return true;
  if (typeof value === 'number') return number(value, path, faults);
  if (!Array.isArray(value)) return fault(`should be a formula of the step and is ${describe(value)}`);
  if (depth >= DEEPEST) return fault(`is a formula of more than ${DEEPEST} levels`);
  const [operator, ...operands] = value as unknown[];
  const wanted = operandsOf(operator);
  if (wanted === undefined) return fault(`should begin with an operator and begins with ${describe(operator)}`);
  if (operator === 'listed') return operands.length > 0 && operands.every((one) => number(one, path, faults));
  if (operands.length !== wanted) return fault(`has ${operands.length} operands for ${String(operator)}, which takes ${wanted}`);
  return operands.every((one, i) => checked(one, `${path}[${i + 1}]`, faults, depth + 1));
}
