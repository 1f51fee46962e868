/** Schedules become formulas that hold at every step, or are run for each step where no formula says what they do. */
import { describe, expect, test } from '@jest/globals';
import { example } from '../../grammar/diagnostics/example.ts';
import { asFunction } from '../../plan/schedule.ts';
import type { Schedule } from '../../plan/schedule.ts';
import { compileText } from '../support/compile-text.ts';

const USES = [
  'vision.vit',
  'language.decoder',
  'connector.mlp.merge',
  'data.scenes',
  'loss.sft',
  'optim.adamw',
  'schedule.{ constant, linear, cosine, warmup_stable_decay }',
].map((path) => `use std.${path}`);

interface Case {
  /** The body of the schedule `mine(step, steps, peak, warmup)`. */
  body?: string;
  lr?: string;
  steps?: number;
  optimize?: string;
  more?: string;
}

function compiled({
  body = 'return peak',
  lr = 'mine(peak: 0.5)',
  steps = 60,
  optimize = `adamw(lr: ${lr})`,
  more = '',
}: Case): ReturnType<typeof compileText> {
  const mine = `schedule mine(step: int, steps: int, peak: float, warmup: duration = 0) {\n${body}\n}`;
  const text = example({
    uses: USES.join('\n'),
    optimize: `optimize ${optimize}`,
    rest: `batch 8\n  steps ${steps}`,
    more: `${mine}\n${more}`,
  });
  return compileText(text);
}

function schedulesOf(one: Case): Record<string, Schedule> {
  const { plan, diagnostics } = compiled(one);
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  const task = plan?.tasks[0];
  if (task?.kind !== 'train') throw new Error('the first task trains');
  return task.schedules;
}

/** The rate of every step, as a plan that was written and read again has it. */
function rates(one: Case): number[] {
  const { learning_rate: rate } = JSON.parse(JSON.stringify(schedulesOf(one))) as Record<string, Schedule>;
  return Array.from({ length: one.steps ?? 60 }, (_, step) => asFunction(rate)(step));
}

const wanted = (of: (step: number) => number, steps = 60): number[] => Array.from({ length: steps }, (_, step) => of(step));

describe('a formula', () => {
  test('of each schedule of the standard library', () => {
    const named = ['constant', 'linear', 'cosine', 'warmup_stable_decay'];
    for (const name of named) {
      const rate = schedulesOf({ lr: `${name}(peak: 1e-3, warmup: 10%)` }).learning_rate;
      expect(JSON.stringify(rate)).not.toContain('listed');
      expect(JSON.stringify(rate)).toContain('["<","step",6]');
    }
  });

  test('of a schedule with cases, with the bits of its own arithmetic', () => {
    const body = `
      if step < warmup { return peak * step / warmup }
      let left = (steps - step) / (steps - warmup)
      if step % 3 == 0 and left > 0.5 { return peak * left }
      return if step >= 50 then max(0.1, left) ^ 2 else sqrt(left) * exp(-1)`;
    const lr = 'mine(peak: 0.5, warmup: 10)';
    expect(JSON.stringify(schedulesOf({ body, lr }).learning_rate)).not.toContain('listed');
    expect(rates({ body, lr })).toEqual(
      wanted((step) => {
        if (step < 10) return (0.5 * step) / 10;
        const left = (60 - step) / 50;
        if (step % 3 === 0 && left > 0.5) return 0.5 * left;
        return step >= 50 ? Math.max(0.1, left) ** 2 : Math.sqrt(left) * Math.exp(-1);
      }),
    );
  });

  test('of a part that has a share of the rate', () => {
    const plain = schedulesOf({ lr: 'linear(peak: 1e-3)' });
    expect(plain.learning_rate).toEqual(['*', 1e-3, ['max', 0, ['/', ['-', 60, 'step'], 60]]]);
  });

  test('with numbers that JSON does not have', () => {
    expect(rates({ body: 'return min(1 / 0, peak * step) + max(-1 / 0, 1)' })).toEqual(wanted((step) => 0.5 * step + 1));
  });

  test('is as small for many steps as for few', () => {
    const text = (steps: number): string => JSON.stringify(schedulesOf({ lr: 'cosine(peak: 1e-3, warmup: 5%)', steps }));
    expect(text(200_000).length).toBeLessThan(text(100).length + 100);
    const last = asFunction(schedulesOf({ lr: 'cosine(peak: 1e-3)', steps: 200_000 }).learning_rate)(199_999);
    expect(last).toBe(1e-3 * (0 + (1 - 0) * 0.5 * (1 + Math.cos(Math.PI * (199_999 / 200_000)))));
  });
});

describe('a schedule without a formula is run for each step', () => {
  test.each<[string, string, (step: number) => number]>([
    ['it chooses from a list', 'return peak * [1, 0.5, 0.25][floor(step / 30)]', (step) => 0.5 * [1, 0.5, 0.25][Math.floor(step / 30)]],
    [
      'it counts to the step',
      'let rate = peak\nrepeat i in 0..step { rate = rate * 0.9 }\nreturn rate',
      (step) => {
        let rate = 0.5;
        for (let i = 0; i < step; i++) rate *= 0.9;
        return rate;
      },
    ],
    ['it is looked for', 'return if 7 in [step] then 1 else peak', (step) => (step === 7 ? 1 : 0.5)],
    ['it looks for the step', 'return if step in [3, 5] then 1 else peak', (step) => ([3, 5].includes(step) ? 1 : 0.5)],
    [
      'it has more cases than pieces',
      `${wanted((i) => i, 80)
        .map((i) => `if step == ${i} { return ${i + 1} }`)
        .join('\n')}\nreturn 1`,
      (step) => step + 1,
    ],
    [
      'it doubles what it does with the step',
      `let x = 1 + step / 1000\n${'x = x * x - x + 1\n'.repeat(20)}\nreturn x`,
      (step) => {
        let x = 1 + step / 1000;
        for (let i = 0; i < 20; i++) x = x * x - x + 1;
        return x;
      },
    ],
  ])('because %s', (_, body, of) => {
    const steps = 80;
    expect(JSON.stringify(schedulesOf({ body, steps }).learning_rate)).toContain('listed');
    expect(rates({ body, steps })).toEqual(wanted(of, steps));
  });
});

describe('what is wrong at one step', () => {
  const faults = (one: Case): [string, string][] => compiled(one).diagnostics.map(({ code, message }) => [code, message]);

  test('of a rate', () => {
    expect(faults({ body: 'return peak / (40 - step)' })).toEqual([
      ['P0301', 'expected a finite rate from the schedule mine at step 40, found Infinity'],
    ]);
    expect(faults({ body: 'return if step == 7 then sqrt(-1) else peak' })).toEqual([
      ['P0301', 'expected a finite rate from the schedule mine at step 7, found NaN'],
    ]);
    expect(faults({ body: 'if step < 59 { return peak }' })).toEqual([
      ['P0301', 'expected a finite rate from the schedule mine at step 59, found nothing'],
    ]);
    expect(faults({ body: 'require step < 30, "it ends at 30"\nreturn peak' }).map(([, message]) => message)).toEqual([
      expect.stringContaining('it ends at 30'),
    ]);
  });

  test('of a rate outside the domain of its parameter; 0 is no rate yet', () => {
    expect(faults({ body: 'return peak * step' })).toEqual([]);
    expect(faults({ body: 'return peak - 0.1 * step' })).toEqual([
      ['P0320', expect.stringMatching(/^`lr` of optimizer adamw must be above 0, found -0\.0\d+ at step 6$|found -0.1\S* at step 6$/)],
    ]);
    expect(faults({ body: 'return if step == 3 then 5e39 else peak' })).toEqual([
      ['P0301', expect.stringContaining('at step 3, found 5e39')],
    ]);
  });

  test('of an argument that may not change with the step, or of a question that the step answers', () => {
    const own = (body: string): string[] =>
      faults({
        optimize: 'own(lr: 1e-3)',
        more: `layer times(g: [..], t: float <= 3) -> [..] { return g * t }\noptimizer own(p: [..], g: [..], lr: schedule > 0) {\n${body}\n}`,
      }).map(([code]) => code);
    expect(own('p = p - lr * times(g, t: 2)')).toEqual([]);
    expect(own('p = p - lr * times(g, t: step)')).toEqual(['P0320']);
    expect(own('if 0 in [step] { p = p - lr * g }')).toEqual(['P0306']);
    expect(own('if step < 3 { p = p - lr * g }')).toEqual(['P0306']);
  });

  test('of one that asks for too much work', () => {
    const body = 'let r = peak\nrepeat i in 0..200 { if step > 10 * i { r = r * 0.99 } }\nreturn r';
    expect(faults({ body, steps: 20_000 }).map(([code]) => code)).toEqual(['P0701']);
  });

  test('of a number that an optimizer computes', () => {
    const own = (factor: string): Case => ({
      optimize: 'own(lr: 1e-3)',
      more: `optimizer own(p: [..], g: [..], lr: schedule > 0) {\n  p = p - g * (${factor})\n}`,
    });
    expect(faults(own('lr / (1 - 0.9 ^ (step + 1))'))).toEqual([]);
    expect(faults(own('lr / (1 - 0.9 ^ step)'))).toEqual([
      ['P0322', '(own.lr / (1 - (0.9 ^ step))) is Infinity at step 0, and programs take finite 32-bit floats'],
    ]);
    expect(faults(own('lr * sqrt(5 - step)'))[0][1]).toContain('is NaN at step 6');
    expect(faults(own(`${'('.repeat(3)}lr${' + 1) ^ 2'.repeat(3)}`))).toEqual([]);
  });
});
