/**
 * A plan with everything that a report can show: two stages of pretraining, pairs that the model made itself, a comparison of three
 * arms (the last one a control) after a tuning grid, probes of every score, and a reader that a probe trains.
 */
import { hashOf } from '../../plan/hash.ts';
import type {
  Cell,
  DataSource,
  EmbedTask,
  Plan,
  SampleTask,
  ScoreTask,
  SelectTask,
  StateTensor,
  Task,
  TrainTask,
} from '../../plan/plan.ts';
import { SCENES_END, SCENES_PAD, SCENES_WORDS } from '../../runtime/core/data/scenes/words.ts';

export const ARMS = ['sft', 'dpo', 'control'] as const;
export type Arm = (typeof ARMS)[number];

export interface FullOptions {
  seeds: number[];
  steps?: number;
  about?: string;
}

type Sequence = SampleTask['collate'];
const PAIRS: Sequence = { layout: 'pairs', image: 24, imageTokens: 9, prompt: 6, answer: 20 };
const ANSWERS: Sequence = { layout: 'answers', image: 24, imageTokens: 9, prompt: 6, answer: 20 };
/** The tuned values of each arm: unequal grids on purpose, and none for the control. */
export const GRIDS: Partial<Record<Arm, string[]>> = { sft: ['1e-3', '2e-3', '3e-3'], dpo: ['5e-4', '1e-3', '2e-3', '3e-3'] };
export const CELL_SEEDS = [10, 11];

export function fullPlan({
  seeds,
  steps = 60,
  about = 'Same start, same pairs, three arms: which one leaves the sharper eye?',
}: FullOptions): Plan {
  const tasks: Task[] = [];
  for (const seed of seeds) tasks.push(...pretraining(seed, steps));
  // Cells begin where arms of their seed would: pretraining is repeated for them.
  for (const seed of CELL_SEEDS) tasks.push(...pretraining(seed, steps).slice(0, 2));
  for (const arm of ARMS) if (GRIDS[arm] !== undefined) tasks.push(...grid(arm, GRIDS[arm], steps));
  for (const seed of seeds) {
    for (const arm of ARMS) tasks.push(post(arm, seed, steps));
    for (const arm of [undefined, ...ARMS]) tasks.push(...probes(arm, seed));
  }
  tasks.push({
    ...base('report', 0, []),
    kind: 'report',
    title: 'sharper eyes',
    about,
    text: 'pivot 1\n\n/// Same start, same pairs, three arms.\nseeds [0, 1, 2, 3, 4]\n',
    seeds,
  });
  return {
    version: 2,
    name: 'sharper-eyes',
    tasks: tasks.map(drawnBySeed),
    targets: [],
    programs: {},
    kernels: {},
    tokenizers: { words: { kind: 'words', words: [...SCENES_WORDS], pad: SCENES_PAD, end: SCENES_END } },
    files: {},
    asks: [],
    resolved: [
      ...ARMS.flatMap((arm) => [
        { name: `post.${arm}.loss`, value: arm === 'sft' ? 'sft' : 'dpo(beta: 0.2, reference: align)', origin: 'line 33' },
        ...(arm === 'sft' ? [] : [{ name: `post.${arm}.loss.beta`, value: '0.2', origin: 'the text' }]),
        { name: `post.${arm}.on`, value: arm === 'control' ? 'shuffled' : 'drawn', origin: 'line 36' },
        { name: `post.${arm}.train`, value: 'mllm', origin: 'line 35, shared by the arms' },
        {
          name: `post.${arm}.optimize`,
          value: 'adamw(lr: cosine(peak: rate, warmup: 10%), beta2: 0.98)',
          origin: 'line 37, shared by the arms',
        },
      ]),
      { name: 'post.sft.optimize.weight_decay', value: '0', origin: 'default of std.optim.adamw' },
    ],
  };
}

/** Rows follow the seed of the task, as those of the compiler do. */
function drawnBySeed(task: Task): Task {
  const drawn = (source: DataSource): DataSource => ({
    ...source,
    params: { ...source.params, seed: task.seed },
    ...(source.base ? { base: drawn(source.base) } : {}),
  });
  if (task.kind === 'embed' || task.kind === 'sample') return { ...task, data: drawn(task.data) };
  if (task.kind !== 'train') return task;
  const { evaluate } = task;
  return { ...task, data: drawn(task.data), ...(evaluate ? { evaluate: { ...evaluate, data: drawn(evaluate.data) } } : {}) };
}

const base = (id: string, seed: number, needs: string[]) => ({ id, hash: hashOf(id), needs, seed });
const data = (source: string, split: string, count: number, more: Record<string, number> = {}): DataSource => ({
  source,
  params: { split, ...more },
  tokenizer: 'words',
  count,
});
const weight = (name: string, task?: string): StateTensor => ({
  name,
  dtype: 'f32',
  shape: [4],
  source: task === undefined ? { from: 'init', init: { kind: 'normal', std: 0.02 } } : { from: 'task', task, name },
  keep: 'weight',
  trained: true,
});

function train(id: string, seed: number, stage: string, more: Partial<TrainTask>): TrainTask {
  return {
    ...base(id, seed, more.needs ?? []),
    kind: 'train',
    stage,
    loss: 'sft',
    state: [weight('eyes.patches.w')],
    data: data('scenes.captions', 'train', 2000),
    collate: ANSWERS,
    batch: 32,
    micro: 32,
    steps: 60,
    order: { kind: 'permuted', seed },
    programs: {},
    scalars: {},
    schedules: {},
    metrics: ['loss'],
    checkpointEvery: 100,
    ...more,
  };
}

function sample(id: string, seed: number, subject: SampleTask['subject'], more: Partial<SampleTask>): SampleTask {
  return {
    ...base(id, seed, more.needs ?? []),
    kind: 'sample',
    state: [],
    data: data('scenes.questions', 'held-out', 40),
    collate: ANSWERS,
    batch: 32,
    programs: {},
    scalars: {},
    perPrompt: 1,
    temperature: 0,
    subject,
    ...more,
  };
}

function pretraining(seed: number, steps: number): Task[] {
  const see = train(`see@${seed}`, seed, 'see', {
    loss: 'siglip',
    steps,
    data: data('scenes.tags', 'train', 4000),
    collate: { layout: 'contrast', image: 24, answer: 4 },
  });
  const align = train(`align@${seed}`, seed, 'align', {
    steps,
    needs: [see.id],
    state: [weight('eyes.patches.w', see.id), weight('head.out.w')],
  });
  const drawn = sample(
    `drawn@${seed}`,
    seed,
    { stage: 'align' },
    {
      needs: [align.id],
      data: data('scenes.captions', 'pairs', 60, { short: 0, sentence: 0 }),
      perPrompt: 4,
      temperature: 1,
      rank: 'correctness',
    },
  );
  return [see, align, drawn];
}

function post(arm: Arm, seed: number, steps: number): TrainTask {
  const tuned =
    GRIDS[arm] === undefined
      ? {}
      : { tuned: { task: `post.${arm}.rate`, options: GRIDS[arm].map(() => ({ scalars: {}, schedules: {} })) } };
  const drawn: DataSource = {
    source: 'sampled.pairs',
    params: {},
    tokenizer: 'words',
    count: 60,
    task: `drawn@${seed}`,
    base: data('scenes.captions', 'pairs', 60, { short: 0, sentence: 0 }),
  };
  return train(`post.${arm}@${seed}`, seed, 'post', {
    arm,
    needs: [`align@${seed}`, `drawn@${seed}`],
    loss: arm === 'sft' ? 'sft' : 'dpo',
    steps,
    state: [weight('eyes.patches.w', `align@${seed}`), weight('head.out.w', `align@${seed}`)],
    data: arm === 'control' ? data('scenes.preferences', 'train', 2000, { exchanged: 0.5 }) : drawn,
    collate: arm === 'sft' ? ANSWERS : PAIRS,
    evaluate: { every: 20, data: data('scenes.preferences', 'held-out', 256) },
    ...tuned,
  });
}

function grid(arm: Arm, values: readonly string[], steps: number): Task[] {
  const tasks: Task[] = [];
  const cells: SelectTask['cells'] = [];
  values.forEach((text, choice) => {
    for (const seed of CELL_SEEDS) {
      const cell: Cell = { name: 'rate', text, choice };
      const id = `post.${arm}.rate=${text}@${seed}`;
      tasks.push(train(id, seed, 'post', { arm, cell, steps, needs: [`align@${seed}`] }));
      const embed = embedding(`tune.${id}`, seed, [id]);
      const score: ScoreTask = {
        ...scored('objects', 'logistic', arm, seed, { held: embed.id }),
        id: `objects.${id}`,
        hash: hashOf(`objects.${id}`),
        cell,
      };
      tasks.push(embed, score);
      cells.push({ choice, seed, task: score.id });
    }
  });
  const select: SelectTask = {
    ...base(
      `post.${arm}.rate`,
      0,
      cells.map((cell) => cell.task),
    ),
    kind: 'select',
    subject: { stage: 'post', arm },
    name: 'rate',
    values: [...values],
    measure: { probe: 'objects', value: 'top1' },
    better: 'larger',
    cells,
  };
  return [...tasks, select];
}

function embedding(id: string, seed: number, needs: string[], more: Partial<EmbedTask> = {}): EmbedTask {
  return {
    ...base(id, seed, needs),
    kind: 'embed',
    state: [],
    data: data('scenes.preferences', 'held-out', 10),
    collate: PAIRS,
    batch: 32,
    programs: {},
    scalars: {},
    keepInputs: [],
    keepColumns: ['boxes', 'size'],
    ...more,
  };
}

const subjectOf = (arm: Arm | undefined): ScoreTask['subject'] => (arm === undefined ? { stage: 'align' } : { stage: 'post', arm });
const nameOf = (arm: Arm | undefined, seed: number): string => (arm === undefined ? `align@${seed}` : `post.${arm}@${seed}`);

function scored(probe: string, score: string, arm: Arm | undefined, seed: number, tables: Record<string, string>): ScoreTask {
  return {
    ...base(`${probe}.${nameOf(arm, seed)}`, seed, Object.values(tables)),
    kind: 'score',
    score,
    probe,
    subject: subjectOf(arm),
    tables,
    params: {},
  };
}

function probes(arm: Arm | undefined, seed: number): Task[] {
  const of = nameOf(arm, seed);
  const features = embedding(`features.${of}`, seed, [of]);
  const maps = embedding(`focus.maps.${of}`, seed, [of]);
  const said = sample(`said.${of}`, seed, subjectOf(arm), { needs: [of] });
  const reader = train(`fresh.reader.${of}`, seed, 'fresh', { needs: [features.id], probe: { name: 'fresh', subject: subjectOf(arm) } });
  const read = sample(`fresh.said.${of}`, seed, subjectOf(arm), { needs: [reader.id] });
  return [
    features,
    scored('objects', 'logistic', arm, seed, { held: features.id }),
    scored('regions', 'segmentation', arm, seed, { judged: features.id }),
    scored('kernels', 'alignment', arm, seed, { seen: features.id }),
    said,
    scored('asked', 'answering', arm, seed, { said: said.id }),
    reader,
    read,
    scored('fresh', 'answering', arm, seed, { said: read.id }),
    ...(arm === undefined
      ? []
      : [maps, scored('focus', 'focus', arm, seed, { maps: maps.id }), scored('moved', 'drift', arm, seed, { now: features.id })]),
  ];
}
