import { readFileSync } from 'node:fs';

/** A file of `test/fixtures/statistics`; the caller says what is in it. */
export function recorded<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/statistics/${name}.json`, import.meta.url), 'utf8')) as T;
}
