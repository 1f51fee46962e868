/**
 * `rows`: reductions over the trailing axes, with elementwise work before, between and after. Some threads share a row:
 * each takes every n-th unit of it (four elements where the length allows). A row that fits is kept in named values from
 * one reduction to the next; a longer one is computed again from memory for each.
 */
import { elements } from '../../plan/dtypes.ts';
import { GraphFault } from '../graph/errors.ts';
import type { Group } from '../fuse/group.ts';
import type { Node } from '../graph/graph.ts';
import { loweringOf } from '../graph/primitives/table.ts';
import type { Width } from '../graph/primitives/functions/helper.ts';
import { elementwiseFlops, labelOf } from './cost.ts';
import type { Emitter, Value } from './expression.ts';
import { line } from './grid.ts';
import { unflatten } from './index/coordinates.ts';
import type { Coordinates, Guard } from './index/coordinates.ts';
import { add, confine, constant, inRange, lane, scale, variable } from './index/expression.ts';
import type { Index } from './index/expression.ts';
import type { Kernel } from './kernel.ts';
import { build } from './module.ts';
import type { Job } from './module.ts';
import { acrossSubgroup, combine, horizontal, identity } from './reduction.ts';
import { typeName } from './wgsl.ts';

/** Values of a row that one thread may keep. */
const KEPT = 96;

/** Statements that the kept values may cost, since compiling them takes longer than in proportion. LLVM, in lavapipe, is the slowest. */
const STATEMENTS = { lavapipe: 250, others: 800 };

interface Sharing {
  /** Threads that share a row, and rows of a workgroup. */
  threads: number;
  rows: number;
  /** How the threads of a row bring their parts together. */
  by: 'subgroup' | 'tree' | 'alone';
}

export function rows(job: Job): Kernel[] {
  const { group, target } = job;
  const kept = group.space.slice(0, group.space.length - group.reduced);
  const trailing = group.space.slice(kept.length);
  const [count, length] = [elements(kept), elements(trailing)];
  const width: Width = length % 4 === 0 ? 4 : 1;
  const units = length / width;
  const sharing = share(job, count, length);
  const grid = line(Math.ceil(count / sharing.rows), target);
  const threads = sharing.threads * sharing.rows;
  const frame = {
    threads,
    workgroups: grid.workgroups,
    subgroup: sharing.by === 'subgroup',
    shared:
      sharing.by === 'tree'
        ? [...new Set(group.reduces.map((node) => node.dtype))].map((t) => `var<workgroup> tree_${t}: array<${t}, ${threads}>;`)
        : [],
    label: labelOf(group),
    flops: elementwiseFlops(group),
  };
  const steps = Math.ceil(units / sharing.threads);
  const keep =
    steps * width <= KEPT && steps * statements(group) <= ((target.subgroup ?? 0) >= 8 ? STATEMENTS.lavapipe : STATEMENTS.others);
  const kernel = build(job, frame, (e) => {
    const { writer } = e;
    const whole = grid.exact && count % sharing.rows === 0;
    const first =
      sharing.rows === 1
        ? grid.number
        : `${grid.number} * ${sharing.rows}u + ${sharing.by === 'alone' ? 'lid' : `lid / ${sharing.threads}u`}`;
    // Threads beyond the last row work on it too, since all have to reach the barriers; they store nothing.
    writer.line(whole ? `let row = ${first};` : `let row = min(${first}, ${count - 1}u);`);
    if (sharing.by === 'tree' && sharing.rows > 1) writer.line(`let part = lid % ${sharing.threads}u;`);
    const part =
      sharing.by === 'alone' ? constant(0) : variable(sharing.by === 'tree' && sharing.rows > 1 ? 'part' : 'lid', sharing.threads - 1, 0);
    const row = unflatten(variable('row', count - 1, 0), kept);
    const walk = columnWalk(e, { units, width, trailing, row, part, threads: sharing.threads, steps, keep });

    for (const level of levels(group)) {
      const sums = level.map((node) => {
        const name = writer.name('a');
        const { fn } = reduceOf(node);
        writer.line(`var ${name} = ${typeName(node.dtype, width)}(${identity(fn, node.dtype)});`);
        return { node, name, fn };
      });
      walk((coordinates, guard) => {
        for (const { node, name, fn } of sums) {
          const value = e.value(node.inputs[0], coordinates);
          const text = guard ? masked(e, value, guard, identity(fn, node.dtype), width) : e.widened(value, width);
          writer.line(`${name} = ${combine(e, fn, node.dtype, width, name, text)};`);
        }
      });
      for (const { node, name, fn } of sums) {
        const own = width === 4 ? horizontal(e, fn, node.dtype, name) : name;
        const text = join(e, sharing, fn, node, own);
        e.know(node, row, { text, width: 1, dtype: node.dtype, depth: 0 });
      }
    }

    const wide = group.outputs.filter((node) => sameShape(node, group.space));
    const narrow = group.outputs.filter((node) => !wide.includes(node));
    const narrowValues = narrow.map((node) => e.value(node, unflatten(variable('row', count - 1, 0), node.shape)));
    const valid = whole ? [] : [`${first} < ${count}u`];
    if (wide.length > 0) {
      walk((coordinates, guard, at) => {
        const values = wide.map((node) => e.value(node, coordinates));
        const conditions = [...valid, ...(guard ? [e.test(guard).text] : [])];
        if (conditions.length > 0) writer.open(`if (${conditions.join(' && ')})`);
        wide.forEach((node, i) => e.store(node, at(node), values[i]));
        if (conditions.length > 0) writer.close();
      });
    }
    if (narrow.length > 0) {
      const one = sharing.by === 'alone' ? [] : [`${sharing.by === 'tree' && sharing.rows > 1 ? 'part' : 'lid'} == 0u`];
      const conditions = [...valid, ...one];
      if (conditions.length > 0) writer.open(`if (${conditions.join(' && ')})`);
      // Where threads share a row, one may store before another has loaded: such a store is no place to work in.
      narrow.forEach((node, i) => e.store(node, variable('row', count - 1, 0), narrowValues[i], sharing.by === 'alone'));
      if (conditions.length > 0) writer.close();
    }
  });
  return [kernel];
}

interface Walk {
  units: number;
  width: Width;
  trailing: readonly number[];
  row: Coordinates;
  part: Index;
  threads: number;
  /** Units of a thread, and whether each has its own place in the text. */
  steps: number;
  keep: boolean;
}

type Visit = (coordinates: Coordinates, guard: Guard | undefined, at: (node: Node) => Index) => void;

/** Visits the columns of a thread: one after the other in the text if they fit, else in a loop. */
function columnWalk(e: Emitter, { units, width, trailing, row, part, threads, steps, keep }: Walk): (visit: Visit) => void {
  const length = units * width;
  const rowFlat = (count: number) => variable('row', count - 1, 0);
  const at = (step: Index, exact: boolean, visit: Visit) => {
    const unit = add(step, part);
    const test = exact ? true : inRange(unit, units);
    const safe = confine(unit, units - 1);
    const column = width === 4 ? add(scale(safe, 4), lane) : safe;
    visit([...row, ...unflatten(column, trailing)], typeof test === 'object' ? test : undefined, (node) => {
      const count = elements(node.shape) / length;
      return add(scale(rowFlat(count), length), column);
    });
  };
  return (visit) => {
    if (keep) {
      for (let step = 0; step < steps; step++) at(constant(step * threads), (step + 1) * threads <= units, visit);
      return;
    }
    at(scale(e.loop('j', steps), threads), steps * threads === units, visit);
    e.writer.close();
  };
}

/** About how many statements one unit of a row takes. */
function statements({ inside, reads, outputs, space }: Group): number {
  const computed = [...inside].filter((node) => elements(node.shape) === elements(space) && loweringOf(node) === 'elementwise');
  return computed.length + 2 * (reads.length + outputs.length);
}

function share({ group, target }: Job, count: number, length: number): Sharing {
  // One pass over each row, and little to write: nothing is gained by keeping a row.
  const once = levels(group).length === 1 && !group.outputs.some((node) => sameShape(node, group.space));
  const short = length <= 64;
  if (target.name === 'software') {
    const lanes = target.subgroup ?? 8;
    // A software driver loads lane by lane either way, so such rows go one to a lane.
    if ((short || once) && count >= 8 * lanes) return { threads: 1, rows: count >= 256 * lanes ? 4 * lanes : lanes, by: 'alone' };
    return { threads: lanes, rows: 1, by: 'subgroup' };
  }
  if (target.name === 'portable') {
    return (short && count >= 64) || count >= 512 ? { threads: 1, rows: 64, by: 'alone' } : { threads: 64, rows: 1, by: 'tree' };
  }
  const threads = Math.min(256, Math.max(8, powerOfTwo(Math.ceil(length / 16))));
  const together = count >= 2048 ? Math.max(1, 128 / threads) : 1;
  return { threads, rows: together, by: 'tree' };
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, least)));
}

/** Reductions in order of dependence: each list needs only those before it. */
function levels({ reduces, inside }: Pick<Group, 'reduces' | 'inside'>): Node[][] {
  const level = new Map<Node, number>();
  const depthOf = new Map<Node, number>();
  const depth = (node: Node): number => {
    const known = depthOf.get(node);
    if (known !== undefined) return known;
    const own = level.get(node);
    // What the group reads was computed before it, however deep.
    const found = own !== undefined ? own + 1 : inside.has(node) ? Math.max(0, ...node.inputs.map(depth)) : 0;
    depthOf.set(node, found);
    return found;
  };
  const lists: Node[][] = [];
  for (const node of reduces) {
    const at = Math.max(0, ...node.inputs.map(depth));
    level.set(node, at);
    depthOf.set(node, at + 1);
    (lists[at] ??= []).push(node);
  }
  return lists;
}

export function reduceOf(node: Node): { fn: 'sum' | 'max' } {
  if (node.op.kind !== 'reduce') throw new GraphFault(`node ${node.id} (${node.op.kind}) is no reduction`);
  return node.op;
}

function masked(e: Emitter, value: Value, guard: Guard, neutral: string, width: Width): string {
  const test = e.test(guard);
  const none = `${typeName(value.dtype, width)}(${neutral})`;
  return `select(${none}, ${e.widened(value, width)}, ${test.width === width ? test.text : `vec4<bool>(${test.text})`})`;
}

/** Brings the parts of the threads of a row together; every thread gets the result. */
function join(e: Emitter, sharing: Sharing, fn: 'sum' | 'max', node: Node, own: string): string {
  const { writer } = e;
  if (sharing.by === 'alone') return writer.define(own, 0, 'r');
  if (sharing.by === 'subgroup') return writer.define(acrossSubgroup(e, fn, node.dtype, writer.define(own, 0, 'o')), 0, 'r');
  const tree = `tree_${node.dtype}`;
  const part = sharing.rows > 1 ? 'part' : 'lid';
  writer.line(`${tree}[lid] = ${own};`, 'workgroupBarrier();');
  writer.line(
    `for (var half = ${sharing.threads / 2}u + wg.z; half > 0u; half /= 2u) {`,
    `  if (${part} < half) { ${tree}[lid] = ${combine(e, fn, node.dtype, 1, `${tree}[lid]`, `${tree}[lid + half]`)}; }`,
    '  workgroupBarrier();',
    '}',
  );
  const result = writer.define(`${tree}[${sharing.rows > 1 ? 'lid - part' : '0'}]`, 0, 'r');
  writer.line('workgroupBarrier();');
  return result;
}

function sameShape(node: Node, shape: readonly number[]): boolean {
  return node.shape.length === shape.length && node.shape.every((extent, axis) => extent === shape[axis]);
}
