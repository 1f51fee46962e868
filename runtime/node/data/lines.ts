/** Files of JSON lines that a run wrote. */
import { createReadStream } from 'node:fs';
import { dataError } from '../../core/data/codes.ts';

/** Every line as an object, one after the other. Throws R0504 where the file cannot be read, R0520 where a line is no object. */
export async function* linesOf(path: string): AsyncGenerator<Record<string, unknown>> {
  let count = 0;
  for await (const line of textLines(path)) {
    if (line === '') continue;
    count++;
    const value = parse(line);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw dataError('R0520', `line ${count} of ${path} is no JSON object`, { cure: 'remove the folder of the task, and run again' });
    yield value as Record<string, unknown>;
  }
}

/** All of them at once. Throws as `linesOf` does. */
export async function readLines(path: string): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = [];
  for await (const line of linesOf(path)) lines.push(line);
  return lines;
}

/** Only a line feed ends a line: other separators may stand inside of a JSON text. */
async function* textLines(path: string): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const piece of createReadStream(path, 'utf8') as AsyncIterable<string>) {
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (cause) {
    throw dataError('R0504', `${path} cannot be read`, { cause, cure: 'run the text again' });
  }
  yield rest;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
