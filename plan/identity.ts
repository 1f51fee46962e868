/**
 * The hash of a task, by which its results are known: of what decides them. The compiler knows part of that and leaves its hash in the
 * plan (`decides`: the graphs before they are lowered); the rest stands in the task itself, and earlier tasks count by their own hashes. So
 * the hash can be computed again from the plan, and one whose steps or rates were edited is found out.
 *
 * What only names a task (ids, stages, places in the text), and what differs between adapters (programs), is left out.
 */
import { hashOf } from './hash.ts';
import type { Plan, Task } from './plan.ts';

type Named = Pick<Plan, 'tasks' | 'files'>;

const LABELS: readonly string[] = [
  'id',
  'hash',
  'decides',
  'needs',
  'place',
  'stage',
  'arm',
  'loss',
  'subject',
  'cell',
  'probe',
  'programs',
  'checkpointEvery',
];

/** Members that only name something, or that count as far as `decides` says. */
const LABELS_OF: Partial<Record<Task['kind'], readonly string[]>> = {
  select: ['name', 'values', 'measure'],
  // What is not drawn is the same for every seed, and is done once.
  embed: ['seed'],
  sample: ['seed'],
};

/** Hashes of all tasks, by id. Each has a `decides`; needs form no circle. */
export function taskHashes({ tasks, files }: Named): Map<string, string> {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const hashes = new Map<string, string>();
  const hashOfTask = (id: string): string => {
    const known = hashes.get(id);
    if (known !== undefined) return known;
    const task = byId.get(id);
    if (task === undefined) return id;
    // A plan that was edited may have a circle, which is told elsewhere.
    hashes.set(id, id);
    const hash = hashOf([task.decides ?? null, contentOf(task, hashOfTask, files)]);
    hashes.set(id, hash);
    return hash;
  };
  for (const { id } of tasks) hashOfTask(id);
  return hashes;
}

/** The tasks with the hashes that their contents have; the hashes that they come with become `decides`. */
export function identified({ tasks, files }: Named): Task[] {
  const decided = tasks.map((task): Task => ({ ...task, decides: task.hash }));
  const hashes = taskHashes({ tasks: decided, files });
  return decided.map((task) => ({ ...task, hash: hashes.get(task.id) ?? task.hash }));
}

function contentOf(task: Task, hashOfTask: (id: string) => string, files: Plan['files']): unknown {
  const labels = [...LABELS, ...(LABELS_OF[task.kind] ?? [])];
  const resolve = (value: unknown): unknown => {
    // Tables are long arrays of numbers, which name nothing.
    if (Array.isArray(value)) return typeof value[0] === 'number' ? value : value.map(resolve);
    if (typeof value !== 'object' || value === null) return value;
    const { from, file } = value as { from?: unknown; file?: unknown };
    const members = Object.entries(value).map(([name, member]: [string, unknown]): [string, unknown] => {
      if (name === 'half') return [name, undefined];
      if (name === 'task' && typeof member === 'string') return [name, hashOfTask(member)];
      if (name === 'file' && from === 'file' && typeof file === 'string' && Object.hasOwn(files, file)) return [name, files[file].hash];
      return [name, resolve(member)];
    });
    return Object.fromEntries(members);
  };
  const own = Object.fromEntries(Object.entries(task).filter(([name]) => !labels.includes(name)));
  const tables = task.kind === 'score' ? Object.entries(task.tables).map(([name, id]) => [name, hashOfTask(id)]) : undefined;
  const needs = task.kind === 'report' ? task.needs.map(hashOfTask).sort() : undefined;
  return { ...(resolve(own) as object), ...(tables ? { tables } : {}), ...(needs ? { needs } : {}) };
}
