/**
 * From an unknown value to a plan that can be run, or to one error with every fault in it. A plan comes from a file, maybe of
 * another machine or another version, so nothing is believed: the types of all members (`validate/task.ts`, `validate/program.ts`),
 * names that resolve (`validate/references.ts`), and that programs and kernels are what their hashes say.
 *
 * Whether an adapter can run it, and whether the data are there, is found out by the runtime.
 */
import { PivotError } from './errors.ts';
import { hashOf, hashText } from './hash.ts';
import { taskHashes } from './identity.ts';
import { PLAN_VERSION } from './plan.ts';
import type { Plan } from './plan.ts';
import { describe } from './validate/check.ts';
import type { Faults } from './validate/check.ts';
import { checkProgram } from './validate/program.ts';
import { checkReferences } from './validate/references.ts';
import { plan as planCheck } from './validate/task.ts';

export const PLAN_CODES = {
  R0210: 'This is no plan.',
  R0211: 'The plan was written by another version of Pivot.',
  R0212: 'The plan contradicts itself.',
  R0213: 'A file of the plan is missing or damaged.',
  R0214: 'The plan was edited after it was compiled.',
} as const;

/** Faults that are shown; the rest is counted. */
const SHOWN = 20;

/** The plan in `value`. Throws R0210, R0211, or R0212 with the paths of all faults. */
export function validatePlan(value: unknown): Plan {
  if (typeof value !== 'object' || value === null || !('version' in value)) {
    throw new PivotError('R0210', 'this is no plan: it has no version', { cure: 'name the folder that `pivot compile` wrote' });
  }
  if (value.version !== PLAN_VERSION) {
    throw new PivotError('R0211', `the plan has version ${describe(value.version)}, and this runtime reads version ${PLAN_VERSION}`, {
      cure: 'compile the text again with this version of Pivot, or run the plan with the version that wrote it',
    });
  }
  const faults: Faults = [];
  if (!planCheck(value, '', faults)) throw refused(faults);
  checkContents(value, faults);
  // References lean on sound programs.
  if (faults.length === 0) checkReferences(value, faults);
  if (faults.length > 0) throw refused(faults);
  return value;
}

/**
 * Refuses a plan whose tasks are not what their hashes say: it would put its results in the place of another's. For plans from a
 * folder; throws R0214 with the tasks.
 */
export function checkHashes(plan: Plan): void {
  const hashes = taskHashes(plan);
  const edited = plan.tasks.filter((task) => task.decides === undefined || hashes.get(task.id) !== task.hash).map(({ id }) => id);
  if (edited.length === 0) return;
  // What needs an edited task has another hash too; the first in the plan's order is the one that was edited.
  const [first] = edited;
  const more = edited.length > 1 ? ` (and of ${edited.length - 1} more, which may need it)` : '';
  throw new PivotError(
    'R0214',
    `the hash of task ${first} is not that of what the plan says of it${more}: the plan was edited, or is of an earlier version`,
    {
      cure: 'compile the text again; change the text or use --set instead of editing the plan',
    },
  );
}

/** Hash of all of a plan: what `run.json` records and two runs are compared by. */
export function planHash(plan: Plan): string {
  return hashOf({ ...plan, programs: Object.keys(plan.programs).sort(), kernels: Object.keys(plan.kernels).sort() });
}

/** Programs and kernels are named by their content, and programs hold together. */
function checkContents(plan: Plan, faults: Faults): void {
  for (const [hash, text] of Object.entries(plan.kernels)) {
    if (hashText(text) !== hash) faults.push({ path: `kernels["${hash}"]`, text: 'is not the text that its name is the hash of' });
  }
  for (const [hash, program] of Object.entries(plan.programs)) {
    const path = `programs["${hash}"]`;
    if (hashOf(program) !== hash) faults.push({ path, text: 'is not the program that its name is the hash of' });
    checkProgram(program, path, plan.kernels, faults);
  }
}

function refused(faults: Faults): PivotError {
  const shown = faults.slice(0, SHOWN).map(({ path, text }) => `  ${path} ${text}`);
  const more = faults.length > SHOWN ? [`  and ${faults.length - SHOWN} more`] : [];
  return new PivotError('R0212', `the plan contradicts itself:\n${[...shown, ...more].join('\n')}`, {
    cure: 'compile the text again; a plan is not meant to be written by hand',
  });
}
