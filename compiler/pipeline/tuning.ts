/**
 * `tune lr in [3e-4, 1e-3] by objects.top1 on seeds [100, 101]`: a grid of cells, each the stage with one value on one seed, judged by a
 * probe; a select task takes the best; the stage itself then waits for that choice. A tuned name may stand wherever a
 * number stays out of programs (rates, beta, decay), so that all cells and the stage share their programs.
 */
import { LIMITS, report } from '../../grammar/index.ts';
import type { Binding, Diagnostic, Expression, Span, Tune } from '../../grammar/index.ts';
import { hashOf } from '../../plan/hash.ts';
import type { SelectTask, TrainTask } from '../../plan/plan.ts';
import { measureOf, SCORES } from '../../plan/scores.ts';
import { fail } from '../elaborate/fault.ts';
import type { Universe } from '../elaborate/names.ts';
import { describe } from '../elaborate/values.ts';
import type { NumberValue, SubjectValue, Value } from '../elaborate/values.ts';
import type { Assembly } from './assembly.ts';
import { Place } from './place.ts';
import { buildProbe, probeTarget } from './probes.ts';
import type { StageResult } from './sources.ts';
import { filesOf, wholeNumbers } from './seeds.ts';
import { rowsOf } from './seen-rows.ts';
import { resolveStage, tunesOf } from './stages.ts';
import type { StageDeclaration } from './stages.ts';

/** The stage with its grid: cells and choice are added to the plan, and the result waits for the choice. */
export function tuneStage(assembly: Assembly, stage: StageDeclaration, tune: Tune): StageResult {
  const { universe, maker } = assembly;
  const place = new Place(universe);
  const seeds = wholeNumbers(place.evaluate(tune.seeds), 'a seed', tune.seeds.span);
  const shared = seeds.filter((seed) => assembly.seeds.includes(seed));
  if (shared.length > 0) fail('P0540', { name: tune.name.text, seeds: shared.join(', '), free: freeSeed(assembly.seeds) }, tune.seeds.span);
  const { values, texts } = grid(universe, place.evaluate(tune.values), tune.values);
  const { probe, value } = measure(universe, tune.by);

  const options = values.map((given, choice): StageResult => {
    const text = texts[choice];
    const cell = { ...stage, id: `${stage.id}:${tune.name.text}=${text}` };
    const spec = resolveStage(place.with(tune.name.text, given), cell, assembly.diagnostics);
    return { ...assembly.build(spec), cell: { name: tune.name.text, text, choice } };
  });
  const [first] = options;
  const { graphs } = first;
  if (!graphs) return fail('P0521', { what: `\`${stage.id}\` trains nothing, so there is nothing to tune` }, tune.span);
  for (const other of options) requireSamePrograms(assembly, first, other, tune);

  const { bound, subject, parameter } = probeTarget(universe, probe);
  if (subject.stage !== first.spec.stage || (subject.arm !== undefined && subject.arm !== first.spec.arm))
    fail('P0522', { probe: probe.name.text, judges: describe(subject), stage: stage.id }, tune.by.span);
  const cells: SelectTask['cells'] = [];
  // The cells differ in numbers that no program holds, so one probe judges them all.
  const stageOf = (other: SubjectValue): StageResult['spec'] => assembly.sources.stage(other, probe.value.span).spec;
  const spec = buildProbe(universe, probe, bound, parameter, subject.part, first.spec, stageOf);
  const { score } = spec;
  const files = rowsOf(spec).flatMap(filesOf);
  if (files.length > 0) assembly.choosing.set(spec.name, { tuned: tune.name.text, files });
  for (const option of options) {
    for (const seed of seeds) {
      maker.stage(option, seed);
      cells.push({ choice: option.cell?.choice ?? 0, seed, task: assembly.judge(spec, option, seed, option.cell) });
    }
  }
  const wanted = value ?? Object.entries(SCORES[score]).find(([, m]) => m.better !== 'neither')?.[0] ?? '';
  const better = measureOf(score, wanted)?.better;
  if (better === undefined || better === 'neither')
    return fail('P0523', { score, value: wanted, known: judgedMeasures(score).join(', ') }, tune.by.span);
  const task: SelectTask = {
    kind: 'select',
    id: `${stage.id}.${tune.name.text}`,
    hash: hashOf({ kind: 'select', value: wanted, better, cells: cells.map((c) => [c.choice, c.seed, maker.hashOfTask(c.task)]) }),
    needs: cells.map((c) => c.task),
    seed: seeds[0],
    place: { file: tune.span.file, line: tune.span.line },
    subject: { stage: first.spec.stage, ...(first.spec.arm ? { arm: first.spec.arm } : {}) },
    name: tune.name.text,
    values: texts,
    measure: { probe: probe.name.text, value: wanted },
    better,
    cells,
  };
  maker.add(task);
  const tuned: TrainTask['tuned'] = {
    task: task.id,
    options: options.map((o) => ({ scalars: o.graphs?.scalars ?? {}, schedules: o.graphs?.schedules ?? {} })),
  };
  const { cell: _, ...whole } = first;
  return { ...whole, spec: { ...first.spec, id: stage.id, origins: renamed(first, stage.id) }, tuned };
}

/** A seed far from those of the text, so that more of them can be run later. */
function freeSeed(seeds: readonly number[]): number {
  return 100 * (1 + Math.floor(Math.max(...seeds) / 100));
}

/** Origins of the first cell under the stage's own name. */
function renamed(cell: StageResult, id: string): StageResult['spec']['origins'] {
  return cell.spec.origins.map((o) => ({ ...o, name: o.name.replace(cell.spec.id, id) }));
}

/** Arms of one comparison that are tuned by grids of different sizes had unequal chances. */
export function warnAboutUnequalGrids(universe: Universe, stages: readonly StageDeclaration[], diagnostics: Diagnostic[]): void {
  const place = new Place(universe);
  const sizes = new Map<StageDeclaration['declaration'], { id: string; size: number; span: Span }[]>();
  for (const stage of stages) {
    const [tune] = tunesOf(stage);
    const values = tune && place.evaluate(tune.values);
    const size = values?.kind === 'list' ? values.items.length : 1;
    const known = sizes.get(stage.declaration) ?? [];
    sizes.set(stage.declaration, [...known, { id: stage.id, size, span: tune?.span ?? stage.arm?.span ?? stage.declaration.span }]);
  }
  for (const arms of sizes.values()) {
    const least = arms.reduce((a, b) => (b.size < a.size ? b : a));
    const most = arms.reduce((a, b) => (b.size > a.size ? b : a));
    if (most.size > least.size)
      diagnostics.push(report('P0524', { least: least.id, fewer: least.size, most: most.id, more: most.size }, most.span));
  }
}

/** All but the values of scalars and schedules must be equal, or the cells would not be the same training. */
function requireSamePrograms(assembly: Assembly, first: StageResult, other: StageResult, tune: Tune): void {
  const decides = ({ graphs, collate, spec: { train } }: StageResult): string =>
    hashOf({
      roles: assembly.maker.canonicalRoles(graphs?.roles ?? {}),
      collate,
      lengths: [train?.batch, train?.micro, train?.steps, train?.data.count],
      data: train && hashOf(plain(train.data)),
    });
  if (decides(first) !== decides(other)) fail('P0525', { name: tune.name.text }, tune.span);
}

function plain(data: NonNullable<StageResult['spec']['train']>['data']): unknown {
  const { source, params, count, exchanged, mix } = data;
  return { source, params, count, exchanged, mix: mix?.map(plain) };
}

/** `objects` or `objects.top1`: a probe of the text, and which of its measures. */
function measure(universe: Universe, by: Expression): { probe: Binding; value?: string } {
  const name = by.kind === 'Member' ? by.object : by;
  const declaration = name.kind === 'Identifier' ? universe.loaded.main.declarations.get(name.name) : undefined;
  if (declaration?.kind !== 'Binding' || declaration.keyword !== 'probe')
    return fail('P0301', { expected: 'a probe of this text, such as objects or objects.top1', found: 'something else' }, by.span);
  return { probe: declaration, ...(by.kind === 'Member' ? { value: by.name.text } : {}) };
}

function judgedMeasures(score: string): string[] {
  return Object.entries(SCORES[score] ?? {}).flatMap(([name, m]) => (m.better === 'neither' ? [] : [name]));
}

function grid(universe: Universe, value: Value, at: Expression): { values: NumberValue[]; texts: string[] } {
  if (value.kind !== 'list' || at.kind !== 'ListLiteral' || value.items.length < 2)
    return fail('P0301', { expected: 'a list of at least two values, such as [3e-4, 1e-3]', found: describe(value) }, at.span);
  const values = value.items.map((item, i) =>
    item.kind === 'number' ? item : fail('P0301', { expected: 'a number', found: describe(item) }, at.items[i].span),
  );
  if (values.length > LIMITS.cells.most) fail('P0701', { limit: 'cells', found: values.length, where: 'this list' }, at.span);
  const texts = at.items.map((item) => universe.loaded.main.text.slice(item.span.start, item.span.end));
  if (new Set(texts).size !== texts.length) fail('P0521', { what: 'the values of a grid must be different' }, at.span);
  return { values, texts };
}
