/** Reads the parameters of a data source with their defaults, and refuses values that the source cannot use (R0512). */
import type { DataSource } from '../../../plan/plan.ts';
import { dataError } from './codes.ts';

function wrong(spec: DataSource, name: string, expected: string): Error {
  const value = JSON.stringify(spec.params[name]);
  return dataError('R0512', `${name} of ${spec.source} is ${value ?? 'missing'}, and must be ${expected}`, {
    cure: `give ${name}: ${expected}`,
  });
}

export function textParam(spec: DataSource, name: string, otherwise?: string): string {
  const value = spec.params[name] ?? otherwise;
  if (typeof value !== 'string' || value === '') throw wrong(spec, name, 'a text');
  return value;
}

export function choiceParam<T extends string>(spec: DataSource, name: string, choices: readonly T[], otherwise: T): T {
  const value = spec.params[name] ?? otherwise;
  const found = choices.find((c) => c === value);
  if (found === undefined) throw wrong(spec, name, `one of ${choices.map((c) => `"${c}"`).join(', ')}`);
  return found;
}

export function wholeParam(spec: DataSource, name: string, otherwise?: number): number {
  const value = spec.params[name] ?? otherwise;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw wrong(spec, name, 'a whole number, 0 or more');
  return value;
}

/** A share from 0 to 1. */
export function shareParam(spec: DataSource, name: string, otherwise: number): number {
  const value = spec.params[name] ?? otherwise;
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) throw wrong(spec, name, 'a share from 0 to 1');
  return value;
}
