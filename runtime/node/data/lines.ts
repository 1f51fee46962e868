/** Files of JSON lines that a run wrote. */
import { readFile } from 'node:fs/promises';
import { dataError } from '../../core/data/codes.ts';

/** Every line as an object. Throws R0504 where the file cannot be read, R0520 where a line is no object. */
export async function readLines(path: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw dataError('R0504', `${path} cannot be read`, { cause, cure: 'run the text again' });
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, i) => {
      const value = parse(line);
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
      throw dataError('R0520', `line ${i + 1} of ${path} is no JSON object`, { cure: 'remove the folder of the task, and run again' });
    });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
