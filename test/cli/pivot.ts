/** The command line: in this process for what only reads and prints, in one of its own for what runs. No build is needed. */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { pivot as carryOut } from '../../cli/pivot.ts';

/** The package. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Carries out `pivot ...words` here and catches what it prints. */
export async function pivot(...words: string[]): Promise<Outcome> {
  const printed = { stdout: '', stderr: '' };
  const into = (name: 'stdout' | 'stderr') => (text: string | Uint8Array) => {
    printed[name] += String(text);
    return true;
  };
  const spies = [
    jest.spyOn(process.stdout, 'write').mockImplementation(into('stdout')),
    jest.spyOn(process.stderr, 'write').mockImplementation(into('stderr')),
  ];
  try {
    return { code: (await carryOut(words)) ? 0 : 1, ...printed };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Runs `pivot ...words` as a child; `root` may be a copy of the package. A child that does not start rejects. */
export function pivotChild(words: readonly string[], root = ROOT): Promise<Outcome> {
  const loader = join(ROOT, 'test', 'support', 'typescript.mjs');
  const env = {
    ...process.env,
    NO_COLOR: '1',
    PIVOT_ADAPTER: process.env.PIVOT_ADAPTER || 'swiftshader',
    NODE_OPTIONS: '',
    PIVOT_DEBUG: '',
  };
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--import', loader, join(root, 'cli', 'main.ts'), ...words],
      { env, cwd: ROOT },
      (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number') reject(error);
        else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      },
    );
  });
}
