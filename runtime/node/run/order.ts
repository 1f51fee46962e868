/** The order in which tasks are done: each after those that it needs, reports last, else as the plan lists them. */
import type { Task } from '../../../plan/plan.ts';

/** `tasks` have no circle of needs; `validatePlan` has seen to that. */
export function inOrder(tasks: readonly Task[]): Task[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const ordered = new Set<Task>();
  const add = (task: Task): void => {
    if (ordered.has(task)) return;
    for (const id of task.needs) {
      const needed = byId.get(id);
      if (needed !== undefined) add(needed);
    }
    ordered.add(task);
  };
  for (const task of tasks) if (task.kind !== 'report') add(task);
  for (const task of tasks) add(task);
  return [...ordered];
}
