/**
 * A run in a process of its own, for tests that kill it: `run-child.ts PLAN OUT BASE [KILL]`. KILL is `write PATTERN`, `written
 * PATTERN` or `append PATTERN`: the process kills itself within, or right after, its first such call on a path that matches, as
 * if the power had gone. `append PATTERN N` is the N-th call.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { diskFiles } from '../../runtime/node/run/files.ts';
import type { Files } from '../../runtime/node/run/files.ts';
import { runPlan } from '../../runtime/node/run/run.ts';

const [plan, out, base, kill = ''] = process.argv.slice(2);
const [what, pattern, nth = '1'] = kill.split(' ');
let left = Number(nth);

function now(call: string, path: string): boolean {
  if (call !== what || !new RegExp(pattern).test(path)) return false;
  left -= 1;
  return left === 0;
}

const die = (): void => void process.kill(process.pid, 'SIGKILL');

const files: Files = {
  ...diskFiles,
  write: async (path, parts) => {
    if (now('write', path)) {
      mkdirSync(dirname(path), { recursive: true });
      for await (const first of parts) {
        writeFileSync(
          join(dirname(path), `.${basename(path)}.1.aa.tmp`),
          typeof first === 'string' ? first.slice(0, 7) : first.subarray(0, 7),
        );
        die();
      }
    }
    await diskFiles.write(path, parts);
    if (now('written', path)) die();
  },
  openAppend: async (path) => {
    const file = await diskFiles.openAppend(path);
    return {
      ...file,
      append: async (bytes) => {
        if (now('append', path)) {
          appendFileSync(path, bytes.subarray(0, bytes.length >> 1));
          die();
        }
        await file.append(bytes);
      },
    };
  },
};

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const log = {
  line: (text: string): void => console.log(text),
  progress: (p?: { done: number }): void => (p ? console.log(`step ${p.done}`) : undefined),
};
const { exitCode } = await runPlan(plan, { out, base, log, files, signal: stop.signal });
process.exitCode = exitCode;
