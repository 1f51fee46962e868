/** The table of the tasks at the end of a run. */
import type { Task } from '../../../plan/plan.ts';
import { duration } from './words.ts';

export interface TaskLine {
  task: Task;
  how: 'done' | 'reused';
  seconds: number;
}

/** One line a task: what it was, what it did, how long it took. */
export function taskTable(lines: readonly TaskLine[]): string[] {
  const cells = lines.map(({ task, how, seconds }) => [
    task.id,
    task.kind,
    workOf(task),
    how === 'reused' ? `finished before (${duration(seconds)})` : duration(seconds),
  ]);
  const all = [['task', 'kind', 'work', 'time'], ...cells];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
}

function workOf(task: Task): string {
  switch (task.kind) {
    case 'train':
      return `${task.steps} steps of ${task.batch} rows`;
    case 'embed':
      return `${task.data.count} rows`;
    case 'sample':
      return `${task.data.count * task.perPrompt} answers`;
    case 'score':
      return task.score;
    case 'select':
      return `${task.name} of ${task.values.join(', ')}`;
    case 'export':
      return task.file;
    case 'report':
      return task.title;
  }
}
