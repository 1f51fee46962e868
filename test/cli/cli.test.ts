import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PLAN_VERSION } from '../../plan/plan.ts';
import { ROOT, pivot, pivotChild } from './pivot.ts';

const text = (name: string): string => join(ROOT, 'test', 'cli', name);
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pivot-cli-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A copy of the tiny text in a folder of its own, so that locks and runs lie there. */
async function tiny(name: string): Promise<string> {
  await mkdir(join(folder, name), { recursive: true });
  const path = join(folder, name, 'tiny.pivot');
  await writeFile(path, await readFile(text('tiny.pivot')));
  return path;
}

describe('check', () => {
  test('says that a sound text is sound', async () => {
    const { code, stdout, stderr } = await pivot('check', text('tiny.pivot'));
    expect(stderr).toBe('');
    expect(stdout).toMatch(/tiny\.pivot: sound \(3 tasks\)/);
    expect(code).toBe(0);
  });

  test('tells all faults of a text at once, each with its line, and fails', async () => {
    const { code, stdout, stderr } = await pivot('check', text('faults.pivot'));
    expect(code).toBe(1);
    expect(stdout).toBe('');
    for (const [fault, line] of [
      ['P0209', 10],
      ['P0206', 13],
      ['P0508', 21],
    ]) {
      expect(stderr).toMatch(new RegExp(`error ${fault}: [^\\n]*\\n *--> faults\\.pivot:${line}:`));
    }
    expect(stderr).toContain('did you mean `width`?');
    expect(stderr).toContain('did you mean `preferences`?');
    expect(stderr).toContain('did you mean `steps`?');
    expect(stderr.match(/^error /gm)).toHaveLength(3);
  });

  test('names a file that is not there', async () => {
    const { code, stderr } = await pivot('check', 'nowhere.pivot');
    expect(code).toBe(1);
    expect(stderr).toBe('error C0103: there is no file nowhere.pivot\n  help: name a .pivot text\n');
  });

  test('refuses a --set of a param that the text does not have', async () => {
    const { code, stderr } = await pivot('check', text('tiny.pivot'), '--set', 'coutn=32');
    expect(code).toBe(1);
    expect(stderr).toContain('--set coutn: the text has no `param coutn`');
  });

  test('refuses a --set that is no name=value', async () => {
    const { code, stderr } = await pivot('check', text('tiny.pivot'), '--set', 'count');
    expect(code).toBe(1);
    expect(stderr).toContain('error C0102');
  });

  test('checks the text with the params that were set', async () => {
    const { code, stderr } = await pivot('check', text('tiny.pivot'), '--set', 'count=4');
    expect(code).toBe(1);
    expect(stderr).toContain('error P0506: a batch of 8 needs more rows than the 4 of the data');
  });
});

describe('show', () => {
  test('prints values with their origin, parameters by part, and costs', async () => {
    const { code, stdout } = await pivot('show', text('tiny.pivot'), '--set', 'rate=2e-3');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}batch +8 +\(line 24\)$/m);
    expect(stdout).toMatch(/^ {2}eyes\.patch +[\d,]+ +gradient, trained$/m);
    expect(stdout).toMatch(/^ {2}all +[\d,]+ +gradient, trained$/m);
    expect(stdout).toMatch(/a step +[\d.]+ GFLOP/);
    expect(stdout).toMatch(/all steps +[\d.]+ MFLOP/);
  });

  test('a model has as many parameters whatever is trained of it', async () => {
    const path = await tiny('frozen');
    await writeFile(path, (await readFile(path, 'utf8')).replace('train    mllm', 'train    eyes'));
    const whole = await pivot('show', text('tiny.pivot'));
    const part = await pivot('show', path);
    const all = ({ stdout }: { stdout: string }): string | undefined => /^ {2}all +([\d,]+) /m.exec(stdout)?.[1];
    expect(all(part)).toBe(all(whole));
    expect(part.stdout).toMatch(/^ {2}head\.norm +32 +frozen$/m);
  });

  test('layers that are trained, adapters, rates of parts, and memory', async () => {
    const path = await tiny('layers');
    const fields =
      'train    [at_rate(mllm, 20%), lora(head, rank: 2, targets: ["query"])]\n  freeze   [layers(eyes, 0..2), layers(eyes, [4])]';
    const before = await readFile(path, 'utf8');
    const deep = before.replace('width: 16, depth: 1, heads: 2)\nlanguage', 'width: 16, depth: 7, heads: 2)\nlanguage');
    await writeFile(path, deep.replace('train    mllm', fields).replace('on       pairs', 'model    mllm\n  on       pairs'));
    const { stdout, stderr } = await pivot('show', path, '--no-time');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^ {2}eyes\.blocks +[\d,]+ +gradient in [\d,]+: layers 2-3, 5-6$/m);
    expect(stdout).toMatch(/^ {2}train\.eyes\.rate +20% of the stage's +\(the text\)$/m);
    expect(stdout).toMatch(/^ {2}memory {2}.* of trained weights, .* of activations\)$/m);
    expect(stdout).toMatch(/^all \d+ tasks: [\d.]+ \w+, at most [\d.]+ MB at once$/m);
  });
});

test('PIVOT_DEBUG is a ladder: sizes, graphs, dispatches', async () => {
  const before = process.env.PIVOT_DEBUG;
  process.env.PIVOT_DEBUG = '3';
  try {
    const { code, stderr } = await pivot('show', text('tiny.pivot'), '--target', 'portable');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^\[pivot\] .*tune.* step: \d+ nodes$/m);
    expect(stderr).toMatch(/^ *%\d+ .*contract/m);
    expect(stderr).toMatch(/^\[pivot\] program [0-9a-f]{32} for portable: \d+ kernels, /m);
    expect(stderr).toMatch(/^ {2}0 .* \d+x\d+x\d+ wgsl\/[0-9a-f]{32}: .*>/m);
  } finally {
    if (before === undefined) delete process.env.PIVOT_DEBUG;
    else process.env.PIVOT_DEBUG = before;
  }
});

describe('explain', () => {
  test('explains a diagnostic, with a text that yields it', async () => {
    const { code, stdout } = await pivot('explain', 'p0501');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^P0501 \(error\)\n/);
    expect(stdout).toContain('A text that yields it:\n\npivot 1\n');
  });

  test('lists the codes where it knows none', async () => {
    const { code, stderr } = await pivot('explain', 'P9999');
    expect(code).toBe(1);
    expect(stderr).toMatch(/error C0106: .*P9999\n {2}help: .*P0101, /);
  });
});

test('an unknown command prints the help and fails', async () => {
  const { code, stdout, stderr } = await pivot('chekc', 'x.pivot');
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain('pivot check <file>');
  expect(stderr).toContain('Did you mean check?');
});

test('an unknown option fails', async () => {
  const { code, stderr } = await pivot('check', text('tiny.pivot'), '--quick');
  expect(code).toBe(1);
  expect(stderr).toContain('Unknown argument: quick');
});

describe('compile', () => {
  test('writes a plan, and a lock beside the text', async () => {
    const path = await tiny('compile');
    const plan = join(folder, 'compile', 'plan');
    const { code, stdout, stderr } = await pivot('compile', path, '-o', plan, '--target', 'software-4');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/3 tasks, 4 programs, \d+ kernels for software-4/);
    expect(code).toBe(0);
    const { version, tasks, programs } = JSON.parse(await readFile(join(plan, 'plan.json'), 'utf8')) as {
      version: number;
      tasks: unknown[];
      programs: string[];
    };
    expect(version).toBe(PLAN_VERSION);
    expect(tasks).toHaveLength(3);
    expect(await readdir(join(plan, 'programs'))).toEqual(programs.map((hash) => `${hash}.json`).sort());
    const lock = JSON.parse(await readFile(join(folder, 'compile', 'pivot.lock'), 'utf8')) as Record<string, Record<string, string>>;
    expect(Object.keys(lock['tiny.pivot']).sort()).toEqual(['stdlib', expect.stringMatching(/^tokenizer /)]);
  });

  test('stops where something is not what the lock says, until that is accepted', async () => {
    const path = await tiny('lock');
    const compile = ['compile', path, '-o', join(folder, 'lock', 'plan'), '--target', 'software-4'];
    await writeFile(join(folder, 'lock', 'pivot.lock'), JSON.stringify({ 'tiny.pivot': { stdlib: 'of another day' } }));
    const refused = await pivot(...compile);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/error C0104: stdlib is not what .*pivot\.lock says/);
    expect(await pivot(...compile, '--update-lock')).toMatchObject({ code: 0 });
  });

  test('a plan of another version is refused by run', async () => {
    const plan = join(folder, 'version', 'plan');
    expect(await pivot('compile', await tiny('version'), '-o', plan, '--target', 'software-4')).toMatchObject({ code: 0 });
    const file = join(plan, 'plan.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/"version": \d+/, '"version": 99'));
    const { code, stderr } = await pivotChild(['run', plan, '-o', join(folder, 'version', 'run')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/error R0\d+: .*version 99/);
  });
});

test('run of a folder that holds no plan fails with a sentence', async () => {
  const { code, stderr } = await pivotChild(['run', folder, '-o', join(folder, 'none')]);
  expect(code).toBe(1);
  expect(stderr).toContain('error R0213');
});

test('data export writes rows and pictures, and knows the names of the text', async () => {
  const out = join(folder, 'rows');
  const { code } = await pivot('data', 'export', text('tiny.pivot'), 'pairs', '-o', out, '--set', 'count=8');
  expect(code).toBe(0);
  expect((await readdir(out)).some((name) => name.endsWith('.jsonl'))).toBe(true);
  const unknown = await pivot('data', 'export', text('tiny.pivot'), 'rows', '-o', out);
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain('it declares pairs');
});

describe('options', () => {
  test('are given once, and numbers are numbers', async () => {
    for (const [words, said] of [
      [['run', text('tiny.pivot'), '--adapter', 'gpu', '--adapter', 'lavapipe'], /C0109: --adapter is given 2 times: gpu, lavapipe/],
      [['data', 'show', folder, '--tokenizer', 'a', '--tokenizer', 'b'], /C0109: --tokenizer is given 2 times: a, b/],
      [['data', 'show', folder, '--row', 'two'], /C0108: --row takes a number/],
    ] as const) {
      const { code, stderr } = await pivot(...words);
      expect(stderr).toMatch(said);
      expect(code).toBe(1);
    }
    expect((await pivot('check', text('tiny.pivot'), '--set', 'count=32', '--set', 'rate=2e-3')).code).toBe(0);
  });
});
