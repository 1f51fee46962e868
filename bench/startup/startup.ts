/** How long one waits for a run to begin: the quickstart in a fresh process, with and without the driver's cache of compiled kernels. */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Answer, Start } from './child.ts';

export interface Startup {
  cold: Answer;
  /** The same in another process once more. Drivers without a cache on the disk (SwiftShader) are as cold as before. */
  again: Answer;
}

export async function startup(options: Start, log: (line: string) => void): Promise<Startup> {
  const cache = mkdtempSync(join(tmpdir(), 'pivot-bench-'));
  try {
    const once = async (which: string): Promise<Answer> => {
      const found = await ask(options, cache);
      const arms = found.arms.map(({ task, firstMs, stepMs }) => `${task} first ${seconds(firstMs)}, then ${stepMs.toFixed(0)} ms`);
      log(`${which}: plan ${seconds(found.planMs)}; ${arms.join('; ')}`);
      return found;
    };
    return { cold: await once('first process'), again: await once('second process') };
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

function seconds(ms: number): string {
  return `${(ms / 1e3).toFixed(2)} s`;
}

function ask(start: Start, cache: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./child.js', import.meta.url)), [JSON.stringify(start)], {
      env: { ...process.env, MESA_SHADER_CACHE_DIR: cache },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.once('message', (message) => resolve(message as Answer));
    child.once('exit', (code, signal) => reject(new Error(`the child of the startup benchmark ended with ${signal ?? code}`)));
  });
}
