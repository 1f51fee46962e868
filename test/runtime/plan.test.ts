/** Plans from files: what is refused, and with which words. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PivotError } from '../../plan/errors.ts';
import { identified } from '../../plan/identity.ts';
import { PLAN_VERSION } from '../../plan/plan.ts';
import type { Plan, TrainTask } from '../../plan/plan.ts';
import { planHash, validatePlan } from '../../plan/validate.ts';
import { readPlan, writePlan } from '../../runtime/node/run/plan-folder.ts';
import { tinyPlan } from '../support/tiny-plan.ts';

function refusal(value: unknown): PivotError {
  try {
    validatePlan(value);
  } catch (error) {
    if (error instanceof PivotError) return error;
    throw error;
  }
  throw new Error('it should have been refused');
}

/** The lines of faults of a plan that was changed. */
function faults(change: (plan: Plan, first: TrainTask, second: TrainTask) => void): string {
  const plan = structuredClone(tinyPlan({ reference: true }));
  const [first, second] = plan.tasks;
  if (first.kind !== 'train' || second.kind !== 'train') throw new Error('the first two tasks train');
  change(plan, first, second);
  const error = refusal(plan);
  expect(error.code).toBe('R0212');
  return error.message;
}

function nested(depth: number): unknown {
  return depth === 0 ? 'step' : ['neg', nested(depth - 1)];
}

test('a sound plan passes as it is', () => {
  const plan = tinyPlan({ reference: true });
  expect(validatePlan(structuredClone(plan))).toEqual(plan);
  expect(validatePlan(structuredClone(tinyPlan({ micro: 4 }))).tasks).toHaveLength(4);
});

test('what is no plan, and plans of other versions', () => {
  for (const value of [undefined, null, 3, [], {}, 'plan']) expect(refusal(value)).toMatchObject({ code: 'R0210' });
  const error = refusal({ ...tinyPlan(), version: 7 });
  expect(error).toMatchObject({ code: 'R0211', cure: expect.stringContaining('compile the text again') });
  expect(error.message).toBe(`the plan has version 7, and this runtime reads version ${PLAN_VERSION}`);
});

test('faults of types come all at once, with their paths', () => {
  const message = faults((plan, first) => {
    Object.assign(plan, { name: 3, colour: 'red' });
    Object.assign(first, { steps: 1.5, order: { kind: 'sorted' }, batch: '8', scalars: { a: null } });
    Object.assign(first, {
      schedules: { a: ['*', 1, 'stop'], b: ['+', 1], c: ['power', 'step', 2], d: ['listed', 1, '2'], e: { step: 1 }, f: nested(2100) },
    });
    Object.assign(first.state[0], { shape: [4, -1], keep: undefined });
    Object.assign(first.collate, { layout: 'triples' });
    Object.assign(plan.targets[0].limits, { maxStorageBuffersPerShaderStage: NaN });
  });
  for (const line of [
    'name should be a text and is 3',
    'has the unknown member colour',
    'tasks[0].steps should be an integer of at least 1 and is 1.5',
    'tasks[0].order.kind should be one of permuted, given and is "sorted"',
    'tasks[0].batch should be an integer of at least 1 and is "8"',
    'tasks[0].scalars["a"] should be a finite number and is null',
    'tasks[0].schedules["a"][2] should be a formula of the step and is "stop"',
    'tasks[0].schedules["b"] has 1 operands for +, which takes 2',
    'tasks[0].schedules["c"] should begin with an operator and begins with "power"',
    'tasks[0].schedules["d"] should be a finite number and is "2"',
    'tasks[0].schedules["e"] should be a formula of the step and is an object',
    'is a formula of more than 2000 levels',
    'tasks[0].state[0].shape[1] should be an integer of at least 0 and is -1',
    'tasks[0].state[0].keep should be one of weight, optimizer, working and is missing',
    'tasks[0].collate.layout should be one of pairs, answers, contrast, classes, patches, tensors and is "triples"',
    'targets[0].limits.maxStorageBuffersPerShaderStage should be an integer of at least 0',
  ]) {
    expect(message).toContain(line);
  }
});

test('many faults are counted', () => {
  const message = faults((_, first) => {
    first.metrics = Array.from({ length: 30 }, () => 3 as unknown as string);
  });
  expect(message.split('\n')).toHaveLength(22);
  expect(message).toContain('and 10 more');
});

describe('references', () => {
  test.each<[string, (plan: Plan, first: TrainTask, second: TrainTask) => void]>([
    ['needs nothing, which is not in the plan', (_, first) => first.needs.push('nothing')],
    ['has the id of another task', (plan) => (plan.tasks[3].id = 'seen')],
    ['need each other in a circle: first -> second -> first', (_, first) => first.needs.push('second')],
    ['starts from first and does not list it under needs', (_, __, second) => (second.needs = [])],
    [
      'starts from the weight v of first, which keeps none of that name',
      (_, __, second) => (second.state[0].source = { from: 'task', task: 'first', name: 'v' }),
    ],
    [
      'starts from the weight m of first, which keeps none of that name',
      (_, __, second) => (second.state[0].source = { from: 'task', task: 'first', name: 'm' }),
    ],
    [
      'starts from the file start, which the plan does not have',
      (_, first) => (first.state[0].source = { from: 'file', file: 'start', name: 'w' }),
    ],
    ['has two state tensors w', (_, first) => first.state.push(first.state[0])],
    ['has no state m, which its program step uses', (_, first) => first.state.splice(1, 1)],
    ['declares m as f32 [5], and its program step as f32 [4]', (_, first) => (first.state[1].shape = [5])],
    ['has batches of 8, which parts of 3 do not fill', (_, first) => (first.micro = 3)],
    ['has no loss as its first metric', (_, first) => first.metrics.reverse()],
    [
      'has 30 values of learning_rate for 31 steps',
      (_, first) => Object.assign(first, { steps: 31, schedules: { learning_rate: ['listed', ...Array<number>(30).fill(0.1)] } }),
    ],
    ['has 5 rows, which do not fill a batch of 8', (_, first) => (first.data.count = 5)],
    ['lists the rows of 1 steps and has 30', (_, first) => (first.order = { kind: 'given', rows: [[0]] })],
    [
      'lists a step that does not have 8 rows below 50',
      (_, first) => (first.order = { kind: 'given', rows: Array.from({ length: 30 }, () => [50]) }),
    ],
    ['has no program forward.rest for the target portable', (_, first) => delete first.programs.portable['forward.rest']],
    ['has no program reference for the target portable', (_, __, second) => delete second.programs.portable.reference],
    ['has no programs for the target portable', (_, first) => (first.programs = { gpu: first.programs.portable })],
    ['has programs for the target gpu, which the plan does not have', (_, first) => (first.programs.gpu = first.programs.portable)],
    ['runs the program 00 as step, which the plan does not have', (_, first) => (first.programs.portable.step = '00')],
    ['has no value for the scalar learning_rate of its program step', (_, first) => (first.schedules = {})],
    ['reads with the tokenizer words, which the plan does not have', (_, first) => (first.data.tokenizer = 'words')],
    [
      'reads text from tensors and names no tokenizer',
      (_, first) => (first.collate = { layout: 'answers', image: 8, imageTokens: 4, prompt: 2, answer: 2 }),
    ],
    [
      'mixes data whose rows do not add up to 50',
      (_, first) => (first.data.mix = [structuredClone(first.data), structuredClone(first.data)]),
    ],
    ['exports first, which is no train task but embed', (plan, first) => (plan.tasks[0] = { ...plan.tasks[2], id: first.id })],
  ])('%s', (text, change) => {
    if (text.startsWith('exports')) {
      const message = faults((plan, first, second) => {
        change(plan, first, second);
        const last = plan.tasks[3];
        if (last.kind === 'export') last.tensors[0].source = { from: 'task', task: 'first', name: 'w' };
      });
      expect(message).toContain(text);
    } else expect(faults(change)).toContain(text);
  });
});

describe('contents', () => {
  const changed = (change: (program: Plan['programs'][string]) => void): string =>
    faults((plan) => {
      const program = Object.values(plan.programs)[0];
      change(program);
    });

  test('that are not what their names say', () => {
    expect(faults((plan) => (plan.kernels[Object.keys(plan.kernels)[0]] += ' '))).toContain('is not the text that its name is the hash of');
    expect(changed((program) => (program.flops = 1))).toContain('is not the program that its name is the hash of');
  });

  test.each<[string, (program: Plan['programs'][string]) => void]>([
    ['lies in slab 9, and there are 1', (p) => p.tensors.forEach(({ memory }) => memory.kind === 'scratch' && (memory.slab = 9))],
    ['ends at byte', (p) => (p.slabs[0] = 16)],
    ['which is no multiple of 256', (p) => p.tensors.forEach(({ memory }) => memory.kind === 'scratch' && (memory.offset += 4))],
    ['is the input x, which the program does not declare', (p) => (p.inputs = p.inputs.filter(({ name }) => name !== 'x'))],
    ['is f32 [8, 4], and the input x is f32 [8, 5]', (p) => p.inputs.forEach((input) => input.name === 'x' && (input.shape = [8, 5]))],
    [
      'is derived from the input z, which is not declared',
      (p) => (p.inputs[1].derive = { kind: 'group', of: 'z', rows: 3, part: 'order' }),
    ],
    ['binds tensor 99 of 11', (p) => p.dispatches[0].bindings.push(99)],
    ['writes binding 7 of 3', (p) => p.dispatches[0].writes.push(7)],
    ['has 70000 x 1 x 1 workgroups; 65535 is the most', (p) => (p.dispatches[0].workgroups = [70000, 1, 1])],
    ['runs the kernel 00, which the plan does not have', (p) => (p.dispatches[0].kernel = '00')],
  ])('%s', (text, change) => {
    expect(changed(change)).toContain(text);
  });
});

describe('a plan in a folder', () => {
  const base = mkdtempSync(join(tmpdir(), 'pivot-plan-'));
  const dir = join(base, 'plan');
  const plan = tinyPlan();
  beforeAll(() => writePlan(dir, plan));
  afterAll(() => rmSync(base, { recursive: true }));

  const refused = async (): Promise<PivotError> => {
    const error: unknown = await readPlan(dir).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error instanceof PivotError) return error;
    throw new Error('it should have been refused with a PivotError', { cause: error });
  };

  test('is read back as it was, and its hash is that of its contents', async () => {
    const again = await readPlan(dir);
    expect(again).toEqual(plan);
    expect(planHash(again)).toBe(planHash(plan));
    expect(planHash(tinyPlan({ rate: 0.1 }))).not.toBe(planHash(plan));
  });

  test('loses the parts of the plan that was there before', async () => {
    const before = readdirSync(join(dir, 'wgsl')).length;
    await writePlan(dir, tinyPlan({ micro: 4, reference: true }));
    expect(readdirSync(join(dir, 'wgsl'))).toHaveLength(Object.keys(tinyPlan({ micro: 4, reference: true }).kernels).length);
    await writePlan(dir, plan);
    expect(readdirSync(join(dir, 'wgsl'))).toHaveLength(before);
  });

  test('is refused where something is missing or damaged', async () => {
    const [kernel] = readdirSync(join(dir, 'wgsl'));
    const [program] = readdirSync(join(dir, 'programs'));
    const break_ = async (path: string, text: string | undefined, code: string, words: string): Promise<void> => {
      const good = readFileSync(path);
      if (text === undefined) rmSync(path);
      else writeFileSync(path, text);
      const error = await refused();
      expect([error.code, error.message]).toEqual([code, expect.stringContaining(words)]);
      writeFileSync(path, good);
    };
    await break_(join(dir, 'wgsl', kernel), undefined, 'R0213', `there is no ${join(dir, 'wgsl', kernel)}`);
    await break_(join(dir, 'wgsl', kernel), 'fn main() {}', 'R0212', 'is not the text that its name is the hash of');
    await break_(join(dir, 'programs', program), '{"target":', 'R0213', 'is no JSON');
    await break_(join(dir, 'plan.json'), undefined, 'R0213', 'holds no whole plan');
    await break_(join(dir, 'plan.json'), '[1]', 'R0210', 'no version');
    await break_(join(dir, 'plan.json'), '{"version":7,"programs":[],"kernels":[]}', 'R0211', 'version 7');
    const evil = JSON.stringify({ ...plan, programs: ['../../../etc/passwd'], kernels: [] });
    await break_(join(dir, 'plan.json'), evil, 'R0212', 'should be an object and is a list');
    expect(await readPlan(dir)).toEqual(plan);
  });

  /** As an editor changes plan.json, without more. */
  async function edited(
    edit: (body: Plan & { seal?: string }, task: (id: string) => Record<string, unknown>) => void,
  ): Promise<PivotError> {
    const path = join(dir, 'plan.json');
    const good = readFileSync(path, 'utf8');
    const body = JSON.parse(good) as Plan & { seal?: string };
    edit(body, (id) => body.tasks.find((task) => task.id === id) as unknown as Record<string, unknown>);
    expect(JSON.stringify(body)).not.toBe(JSON.stringify(JSON.parse(good)));
    writeFileSync(path, JSON.stringify(body));
    const error = await refused();
    writeFileSync(path, good);
    return error;
  }

  test.each<[string, string, (task: Record<string, unknown>) => void]>([
    ['steps', 'first', (task) => (task.steps = 29)],
    ['a rate', 'first', (task) => ((task.schedules as { learning_rate: unknown[] }).learning_rate[1] = 0.1)],
    ['the seed', 'second', (task) => (task.seed = 8)],
    ['the order', 'second', (task) => (task.order = { kind: 'permuted', seed: 4 })],
    ['the rows', 'first', (task) => ((task.data as { params: { file: string } }).params.file = 'other.safetensors')],
    ['the count of rows', 'seen', (task) => ((task.data as { count: number }).count -= 1)],
    ['the hash of the rows', 'first', (task) => ((task.data as { content?: string }).content = 'a'.repeat(32))],
    [
      'how weights begin',
      'first',
      (task) => ((task.state as { source: unknown }[])[0].source = { from: 'init', init: { kind: 'normal', std: 1 } }),
    ],
    ['what is exported', 'out', (task) => ((task.tensors as { name: string }[])[0].name = 'w')],
    ['where an export goes', 'out', (task) => (task.file = 'elsewhere.safetensors')],
    ['the hash', 'seen', (task) => (task.hash = 'f'.repeat(32))],
    ['what decided it', 'second', (task) => delete task.decides],
  ])('is refused by the name of its task where %s was edited', async (_, id, edit) => {
    const error = await edited((_body, task) => edit(task(id)));
    expect([error.code, error.message]).toEqual(['R0214', expect.stringContaining(`the hash of task ${id} is not`)]);
  });

  test.each<[string, (body: Plan & { seal?: string }) => void]>([
    [
      'the programs of a task',
      (body) => {
        const [first, second] = body.tasks;
        if (first.kind === 'train' && second.kind === 'train') second.programs.portable.step = first.programs.portable.forward;
      },
    ],
    ['a name', (body) => (body.name = 'other')],
    ['a resolved value', (body) => body.resolved.push({ name: 'param steps', value: '3', origin: '--set' })],
    ['the seal', (body) => delete body.seal],
  ])('is refused where %s was edited', async (_, edit) => {
    expect((await edited(edit)).code).toMatch(/^R021[24]$/);
  });

  test('keeps the hashes of tasks that were only renamed, and those of what was not edited', () => {
    const renamed = structuredClone(tinyPlan({ reference: true }));
    const hashes = renamed.tasks.map(({ hash }) => hash);
    const text = JSON.stringify(renamed.tasks.map((task) => ({ ...task, hash: task.decides }))).replaceAll('"first"', '"begin"');
    expect(identified({ tasks: JSON.parse(text) as Plan['tasks'], files: {} }).map(({ hash }) => hash)).toEqual(hashes);
    const other = tinyPlan({ reference: true, rate: 0.1 }).tasks.map(({ hash }) => hash);
    expect(new Set([...hashes, ...other]).size).toBe(hashes.length + other.length);
  });
});
