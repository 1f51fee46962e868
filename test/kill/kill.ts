/**
 * Kills a run of `tiny.pivot` at random moments and lets the same command go on, again and again, until it ends; then compares what it
 * left with what a run left that nobody disturbed, byte by byte. Only times may differ.
 */
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createHash } from 'node:crypto';

const MAIN = resolve('dist/cli/main.js');
const TEXT = resolve('test/kill/tiny.pivot');

export interface Ended {
  /** Undefined where it was killed. */
  code: number | undefined;
  output: string;
  /** Milliseconds from the first task on. */
  worked: number;
}

/** Compiles the text once into `base/plan`; a copy of it there, for a lock is written beside it. */
export async function compileInto(base: string): Promise<void> {
  mkdirSync(base, { recursive: true });
  const text = join(base, 'tiny.pivot');
  copyFileSync(TEXT, text);
  const { code, output } = await child(['compile', text, '-o', join(base, 'plan'), '--target', 'portable']);
  if (code !== 0) throw new Error(output);
}

/** Runs the plan of `base` in `base/NAME`, which exports go to as well; kills it so many milliseconds after its first task began. */
export function run(base: string, name: string, killAfter?: number): Promise<Ended> {
  const folder = join(base, name);
  mkdirSync(folder, { recursive: true });
  return child(['run', join(base, 'plan'), '-o', join(folder, 'run'), '--base', folder], killAfter);
}

function child(args: string[], killAfter?: number): Promise<Ended> {
  return new Promise((done, failed) => {
    const env = { ...process.env, NODE_OPTIONS: '', PIVOT_LOG: '' };
    const process_ = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let began: number | undefined;
    let timer: NodeJS.Timeout | undefined;
    const heard = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      if (began !== undefined || !/tasks to do/.test(output)) return;
      began = performance.now();
      if (killAfter !== undefined) timer = setTimeout(() => process_.kill('SIGKILL'), killAfter);
    };
    process_.stdout.on('data', heard);
    process_.stderr.on('data', heard);
    process_.on('error', failed);
    process_.on('close', (code) => {
      clearTimeout(timer);
      done({ code: code ?? undefined, output, worked: performance.now() - (began ?? performance.now()) });
    });
  });
}

/** What a run left, by path: the digest of each file without what the clock says. */
export function results(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const full = join(folder, path);
    if (!statSync(full).isFile() || !RESULT.test(path)) continue;
    found.set(path, createHash('sha256').update(readFileSync(full)).digest('hex'));
  }
  return found;
}

/** Weights, checkpoints, tables, reference log-probabilities, exports; metrics, answers, pairs; scores. Not times, plan and records. */
const RESULT = /(\.safetensors|(metrics|rows|pairs)\.jsonl|(score|kept|select|failed)\.json)$|\.tmp$|\.parts\/|\.damaged$/;

export interface Campaign {
  kills: number;
  /** Runs that came to their end after kills, and were compared. */
  ends: number;
  /** What differed or went wrong. */
  faults: string[];
}

/** Kills until there were `count` kills and the run that was killed last has come to its end. `random` gives numbers in 0..1. */
export async function campaign(base: string, count: number, random: () => number, say: (text: string) => void): Promise<Campaign> {
  await compileInto(base);
  const whole = await run(base, 'whole');
  if (whole.code !== 0) throw new Error(`the run that nobody disturbs ended with ${whole.code}:\n${whole.output}`);
  const wanted = results(join(base, 'whole'));
  const state: Campaign = { kills: 0, ends: 0, faults: [] };
  // Told at once: a campaign takes long.
  const fault = (text: string): void => {
    state.faults.push(text);
    say(text);
  };
  let longest = whole.worked;
  while (state.kills < count) {
    const name = `cut-${state.ends}`;
    const delays: number[] = [];
    for (;;) {
      // Early and late moments alike; once there were enough kills, the run may end.
      const delay = state.kills < count ? random() * longest : undefined;
      const { code, output, worked } = await run(base, name, delay);
      if (code === undefined) {
        state.kills++;
        delays.push(Math.round(delay ?? 0));
        continue;
      }
      longest = Math.max(longest / 2, worked);
      if (code !== 0) fault(`after kills at ${delays.join(', ')} ms it ended with ${code}: ${output.slice(-2000)}`);
      break;
    }
    const got = results(join(base, name));
    for (const path of new Set([...wanted.keys(), ...got.keys()])) {
      if (wanted.get(path) === got.get(path)) continue;
      const what = !got.has(path) ? 'is missing' : !wanted.has(path) ? 'should not be there' : 'differs';
      fault(`${path} ${what} after kills at ${delays.join(', ')} ms`);
    }
    state.ends++;
    say(`${state.kills} kills, ${state.ends} runs compared (${wanted.size} files each), ${state.faults.length} faults`);
    rmSync(join(base, name), { recursive: true });
  }
  return state;
}
