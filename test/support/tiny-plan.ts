/**
 * A plan written by hand: linear regression y = x w by gradient descent with momentum, on a safetensors file, in WGSL that a
 * reader can check. It has what the runner must handle: two training tasks in a row, evaluation with a smaller last batch,
 * an embedding, an export; and variants with accumulated batches and with a cached reference.
 */
import type { DataSource, Plan, StateTensor, TrainTask } from '../../plan/plan.ts';
import type { Program } from '../../plan/program.ts';
import { hashOf, hashText } from '../../plan/hash.ts';
import { identified } from '../../plan/identity.ts';
import { PLAN_VERSION } from '../../plan/plan.ts';
import { Random, keyOf } from '../../runtime/core/random.ts';
import { writeSafetensors } from '../../runtime/node/safetensors/files.ts';
import { kernel, program } from './programs.ts';
import type { Step, Tensors } from './programs.ts';

export const ROWS = 50;
export const WIDTH = 4;
export const BATCH = 8;

/** Rows x [50, 4] and y [50] with y = x . (1, -2, 3, 0.5) + noise. `bad` is the row that holds an infinity. */
export async function writeData(path: string, bad?: number): Promise<void> {
  const random = new Random(keyOf('tiny', 0));
  const truth = [1, -2, 3, 0.5];
  const x = Float32Array.from({ length: ROWS * WIDTH }, () => random.normal());
  const y = Float32Array.from({ length: ROWS }, (_, i) => truth.reduce((sum, t, j) => sum + t * x[i * WIDTH + j], 0.1 * random.normal()));
  if (bad !== undefined) x[bad * WIDTH + 2] = Infinity;
  await writeSafetensors(path, [
    { name: 'x', dtype: 'f32', shape: [ROWS, WIDTH], data: x },
    { name: 'y', dtype: 'f32', shape: [ROWS], data: y },
  ]);
}

/** Predictions of `rows` rows, one thread a row: x, w -> prediction. */
const predict = (rows: number): string =>
  kernel(
    ['f32', 'f32', 'f32'],
    rows,
    `var p = 0.0; for (var j = 0u; j < ${WIDTH}u; j++) { p += b0[i * ${WIDTH}u + j] * b1[j]; } b2[i] = p;`,
  );

/** Gradient of the mean square error: x, y, prediction -> gradient, loss. The scalars are [learning_rate, rows]. */
const slope = (rows: number, add: boolean): string =>
  kernel(
    ['f32', 'f32', 'f32', 'f32', 'f32'],
    1,
    `${add ? '' : `b4[0] = 0.0; for (var j = 0u; j < ${WIDTH}u; j++) { b3[j] = 0.0; }`}
  for (var r = 0u; r < ${rows}u; r++) {
    let e = b2[r] - b1[r];
    b4[0] += e * e / s[0].y;
    for (var j = 0u; j < ${WIDTH}u; j++) { b3[j] += 2.0 * e * b0[r * ${WIDTH}u + j] / s[0].y; }
  }`,
    2,
  );

/** gradient, loss, w, m, halt -> w, m, halt, out loss, out norm, out halt; then the accumulators are cleared. */
const update = kernel(
  ['f32', 'f32', 'f32', 'f32', 'f32', 'f32', 'f32', 'f32'],
  1,
  `var square = 0.0;
  for (var j = 0u; j < ${WIDTH}u; j++) { square += b0[j] * b0[j]; }
  let norm = sqrt(square);
  let bad = (bitcast<u32>(norm) & 0x7f800000u) == 0x7f800000u || (bitcast<u32>(b1[0]) & 0x7f800000u) == 0x7f800000u;
  if (bad) { b4[0] = 1.0; }
  if (b4[0] == 0.0) {
    for (var j = 0u; j < ${WIDTH}u; j++) { b3[j] = 0.9 * b3[j] + b0[j]; b2[j] -= s[0].x * b3[j]; }
  }
  b5[0] = b1[0]; b6[0] = norm; b7[0] = b4[0];
  b1[0] = 0.0; for (var j = 0u; j < ${WIDTH}u; j++) { b0[j] = 0.0; }`,
  2,
);

/** Mean square error of a part: y, prediction -> loss. */
const judge = (rows: number): string =>
  kernel(
    ['f32', 'f32', 'f32'],
    1,
    `var sum = 0.0; for (var r = 0u; r < ${rows}u; r++) { let e = b1[r] - b0[r]; sum += e * e / s[0].y; } b2[0] = sum;`,
    2,
  );

/** Log-probabilities of a made-up reference, [rows, 2]: x, w -> chosen.logp. */
const refer = (rows: number): string =>
  kernel(['f32', 'f32', 'f32'], rows, `b2[2u * i] = b0[${WIDTH}u * i] * b1[0]; b2[2u * i + 1u] = f32(b1[1]);`);

export interface Parts {
  kernels: Record<string, string>;
  programs: Record<string, Program>;
}

const SCALARS = { scalars: ['learning_rate', 'rows'] };

/** Adds a program whose steps name their kernels by text, and returns its hash. */
export function addProgram(parts: Parts, tensors: Tensors, steps: Step[], more: Parameters<typeof program>[2] = SCALARS): string {
  const named = steps.map((step) => {
    const hash = hashText(step.kernel);
    parts.kernels[hash] = step.kernel;
    return { ...step, kernel: hash };
  });
  const made = program(tensors, named, more);
  made.dispatches.forEach((dispatch, i) => (dispatch.label = `dispatch ${i}`));
  const hash = hashOf(made);
  parts.programs[hash] = made;
  return hash;
}

const inputs = (rows: number): Tensors => ({ x: ['input', 'f32', [rows, WIDTH]], y: ['input', 'f32', [rows]] });
const outputs: Tensors = { loss: ['output', 'f32', []], grad_norm: ['output', 'f32', []], halt: ['output', 'f32', []] };
const owned: Tensors = { w: ['state', 'f32', [WIDTH]], m: ['state', 'f32', [WIDTH]], stop: ['state', 'f32', []] };

function stepSteps(rows: number, gradient: string, sum: string): Step[] {
  return [
    { kernel: predict(rows), bind: ['x', 'w', 'prediction'], writes: ['prediction'] },
    { kernel: slope(rows, false), bind: ['x', 'y', 'prediction', gradient, sum], writes: [gradient, sum], scalars: true },
    updateStep(gradient, sum),
  ];
}

function updateStep(gradient: string, sum: string): Step {
  const bind = [gradient, sum, 'w', 'm', 'stop', 'loss', 'grad_norm', 'halt'];
  return { kernel: update, bind, writes: bind, scalars: true };
}

function forward(parts: Parts, rows: number): string {
  return addProgram(parts, { ...inputs(rows), w: owned.w, prediction: ['scratch', 'f32', [rows]], loss: ['output', 'f32', []] }, [
    { kernel: predict(rows), bind: ['x', 'w', 'prediction'], writes: ['prediction'] },
    { kernel: judge(rows), bind: ['y', 'prediction', 'loss'], writes: ['loss'], scalars: true },
  ]);
}

function features(parts: Parts, rows: number): string {
  return addProgram(
    parts,
    { x: ['input', 'f32', [rows, WIDTH]], w: owned.w, prediction: ['output', 'f32', [rows]] },
    [{ kernel: predict(rows), bind: ['x', 'w', 'prediction'], writes: ['prediction'] }],
    {},
  );
}

export interface TinyOptions {
  steps?: number;
  /** Path of the data, relative to the base. */
  data?: string;
  /** Rows in a part; smaller than 8 accumulates. */
  micro?: number;
  /** The learning rate, which is part of the hash of what it changes. */
  rate?: number;
  reference?: boolean;
}

/** Tasks: `first` (training), `second` (training from `first`), `seen` (embedding), `out` (export to out.safetensors). */
export function tinyPlan(options: TinyOptions = {}): Plan {
  const { steps = 30, data: file = 'data.safetensors', micro = BATCH, rate = 0.05, reference = false } = options;
  const parts: Parts = { kernels: {}, programs: {} };
  const rest = ROWS % micro;
  const scratch: Tensors = { prediction: ['scratch', 'f32', [micro]] };
  const training: Record<string, string> =
    micro === BATCH
      ? {
          step: addProgram(
            parts,
            { ...inputs(BATCH), ...owned, ...outputs, ...scratch, gradient: ['scratch', 'f32', [WIDTH]], sum: ['scratch', 'f32', [1]] },
            stepSteps(BATCH, 'gradient', 'sum'),
          ),
        }
      : {
          micro: addProgram(
            parts,
            { ...inputs(micro), w: owned.w, ...scratch, 'grad:w': ['state', 'f32', [WIDTH]], 'sum:loss': ['state', 'f32', [1]] },
            [
              { kernel: predict(micro), bind: ['x', 'w', 'prediction'], writes: ['prediction'] },
              {
                kernel: slope(micro, true),
                bind: ['x', 'y', 'prediction', 'grad:w', 'sum:loss'],
                writes: ['grad:w', 'sum:loss'],
                scalars: true,
              },
            ],
          ),
          update: addProgram(parts, { ...owned, ...outputs, 'grad:w': ['state', 'f32', [WIDTH]], 'sum:loss': ['state', 'f32', [1]] }, [
            updateStep('grad:w', 'sum:loss'),
          ]),
        };
  const roles = { ...training, forward: forward(parts, micro), 'forward.rest': forward(parts, rest) };
  const referenceRole: Record<string, string> = reference
    ? {
        reference: addProgram(
          parts,
          { x: ['input', 'f32', [micro, WIDTH]], w: owned.w, 'chosen.logp': ['output', 'f32', [micro, 2]] },
          [{ kernel: refer(micro), bind: ['x', 'w', 'chosen.logp'], writes: ['chosen.logp'] }],
          {},
        ),
      }
    : {};
  const source: DataSource = { source: 'tensors', params: { file }, count: ROWS };
  const weight = (from: StateTensor['source']): StateTensor => ({
    name: 'w',
    dtype: 'f32',
    shape: [WIDTH],
    source: from,
    keep: 'weight',
    trained: true,
  });
  const zero = (name: string, shape: number[], keep: StateTensor['keep']): StateTensor => ({
    name,
    dtype: 'f32',
    shape,
    source: { from: 'init', init: { kind: 'constant', value: 0 } },
    keep,
    trained: false,
  });
  const working = [
    zero('stop', [], 'working'),
    ...(micro === BATCH ? [] : [zero('grad:w', [WIDTH], 'working'), zero('sum:loss', [1], 'working')]),
  ];
  const train = (id: string, needs: string[], from: StateTensor['source'], own: Partial<TrainTask>): TrainTask => ({
    kind: 'train',
    id,
    hash: hashOf({ id, needs, steps, micro, rate, reference: own.reference !== undefined, file }),
    needs,
    seed: 7,
    stage: id,
    loss: 'square',
    state: [weight(from), zero('m', [WIDTH], 'optimizer'), ...working],
    data: source,
    collate: { layout: 'tensors', columns: { x: 'x', y: 'y' } },
    batch: BATCH,
    micro,
    steps,
    order: { kind: 'permuted', seed: 3 },
    programs: { portable: roles },
    scalars: {},
    schedules: { learning_rate: ['*', rate, ['-', 1, ['/', 'step', 2 * steps]]] },
    metrics: ['loss', 'grad_norm'],
    evaluate: { every: 10, data: source },
    checkpointEvery: 7,
    ...own,
  });
  const first = train('first', [], { from: 'init', init: { kind: 'normal', std: 0.5 } }, {});
  const cached = reference
    ? {
        reference: { state: [weight({ from: 'task', task: 'first', name: 'w' })], hash: hashOf({ reference: first.hash }) },
        programs: { portable: { ...roles, ...referenceRole } },
      }
    : {};
  const second = train('second', ['first'], { from: 'task', task: 'first', name: 'w' }, cached);
  const seen = { forward: features(parts, 16), 'forward.rest': features(parts, ROWS % 16) };
  const plan: Plan = {
    version: PLAN_VERSION,
    name: 'tiny',
    tasks: [
      first,
      second,
      {
        kind: 'embed',
        id: 'seen',
        hash: hashOf({ seen: second.hash }),
        needs: ['second'],
        seed: 7,
        state: [{ ...weight({ from: 'task', task: 'second', name: 'w' }), keep: 'working', trained: false }],
        data: source,
        collate: { layout: 'tensors', columns: { x: 'x', y: 'y' } },
        batch: 16,
        programs: { portable: seen },
        scalars: {},
        keepInputs: ['y'],
        keepColumns: ['label'],
      },
      {
        kind: 'export',
        id: 'out',
        hash: hashOf({ out: second.hash }),
        needs: ['second'],
        seed: 7,
        file: 'out.safetensors',
        tensors: [{ name: 'weight', shape: [WIDTH], source: { from: 'task', task: 'second', name: 'w' } }],
      },
    ],
    targets: [
      {
        name: 'portable',
        features: [],
        limits: {
          maxStorageBuffersPerShaderStage: 8,
          maxComputeWorkgroupStorageSize: 0,
          maxComputeInvocationsPerWorkgroup: 64,
          maxStorageBufferBindingSize: 1024,
        },
      },
    ],
    ...parts,
    tokenizers: {},
    files: {},
    asks: [],
    resolved: [],
  };
  return { ...plan, tasks: identified(plan) };
}
