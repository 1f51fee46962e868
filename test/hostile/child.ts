/**
 * The process that reads. It is told a folder's reader and a path, and says what came of it and how much memory it took at most. Whatever a
 * file makes it do stays in here: the parent ends it when it takes too long or too much.
 */
import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PivotError } from '../../plan/errors.ts';
import type { Outcome, Read } from './result.ts';

export interface Question {
  reader: string;
  path: string;
  asked?: Record<string, unknown>;
}

export interface Answer {
  outcome: Outcome;
  /** Largest resident size of this process so far, in bytes. */
  most: number;
}

const readers = new Map<string, Read | undefined>();

/** The reader of a folder; undefined where there is none yet. */
async function readerOf(name: string): Promise<Read | undefined> {
  if (!readers.has(name)) {
    const url = new URL(`./${name}${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
    const module = existsSync(url) ? ((await import(url.href)) as { read: Read }) : undefined;
    readers.set(name, module?.read);
  }
  return readers.get(name);
}

async function answer({ reader, path, asked }: Question): Promise<Outcome> {
  const read = await readerOf(reader);
  if (read === undefined) return { kind: 'skipped' };
  try {
    return { kind: 'read', result: await read(path, asked) };
  } catch (error) {
    if (error instanceof PivotError) return { kind: 'refused', said: error.format() };
    return { kind: 'failed', said: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

const most = (): number => process.resourceUsage().maxRSS * 1024;

process.on('message', (question: Question | { warm: string[] }) => {
  const reply = async (): Promise<Answer> => {
    if ('warm' in question) {
      for (const name of question.warm) await readerOf(name);
      return { outcome: { kind: 'skipped' }, most: most() };
    }
    return { outcome: await answer(question), most: most() };
  };
  void reply().then((said) => process.send?.(said));
});
