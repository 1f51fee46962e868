/** Rates by step under the standard library's schedules, against those of transformers. */
import { Context } from '../../compiler/elaborate/context.ts';
import type { Universe } from '../../compiler/elaborate/names.ts';
import { scheduleOf } from '../../compiler/elaborate/operators.ts';
import { valueAt } from '../../plan/schedule.ts';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { evaluateSchedule } from '../../compiler/pipeline/schedule.ts';
import { check } from './check.ts';
import type { Check } from './check.ts';
import { valueOf } from './forward.ts';
import type { Recording } from './recording.ts';

/** Recorded names whose text differs from the name; the peak is 1 in all. */
const TEXTS: Record<string, string> = {
  constant: 'constant(peak: 1)',
  'linear(warmup: 4)': 'linear(peak: 1, warmup: 4 steps)',
  'cosine(warmup: 4)': 'cosine(peak: 1, warmup: 4 steps)',
  'warmup_stable_decay(warmup: 4, decay: 10, linear)': 'warmup_stable_decay(peak: 1, warmup: 4 steps, decay: 10 steps)',
};

export function checkSchedules(recording: Recording, universe: Universe): Check[] {
  return Object.entries(recording.schedules).map(([name, wanted]) => {
    const text = TEXTS[name];
    if (text === undefined) throw new Error(`there is no text for the recorded schedule ${name}`);
    const length = { steps: wanted.length, stepsPerEpoch: wanted.length };
    const rate = evaluateSchedule(new Context(new GraphBuilder()), valueOf(universe, text), length, 'rate', universe.loaded.main.tree.span);
    return check(
      `schedule ${name}`,
      1e-6,
      'of the largest',
      wanted.map((w, i) => ({ name: `step ${i}`, found: [valueAt(scheduleOf(rate), i)], wanted: [w] })),
    );
  });
}
