/** With which values of its params a text was compiled, for run.json, the report and the terminal. */
import type { Plan } from '../../../plan/plan.ts';

const PARAM = 'param ';

/** By name: `60`, or `2 (--set; the text says 60)`. */
export function valuesOf(plan: Pick<Plan, 'resolved'>): Record<string, string> {
  const params = plan.resolved.filter(({ name }) => name.startsWith(PARAM));
  return Object.fromEntries(
    params.map(({ name, value, origin }) => [name.slice(PARAM.length), origin.startsWith('--set') ? `${value} (${origin})` : value]),
  );
}

/** `steps = 2 (--set; the text says 60), rate = 0.001`; undefined where the text has no params. */
export function valuesText(plan: Pick<Plan, 'resolved'>): string | undefined {
  const list = Object.entries(valuesOf(plan)).map(([name, value]) => `${name} = ${value}`);
  return list.length > 0 ? list.join(', ') : undefined;
}
