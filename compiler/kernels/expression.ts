/**
 * The value of a graph node at symbolic coordinates, as WGSL. Elementwise nodes recurse with the same coordinates, movement
 * changes them, realised nodes are loaded. Where a coordinate contains the lane, a value has four lanes (vec4); where none
 * does, one value serves all four. Whatever was computed before at the same coordinates is not computed again.
 */
import { GraphFault } from '../graph/errors.ts';
import type { Dtype } from '../../plan/dtypes.ts';
import type { BinaryFn, Node } from '../graph/graph.ts';
import { BINARY } from '../graph/primitives/binary.ts';
import { textsOf } from '../graph/primitives/functions/helper.ts';
import type { Helper, Width } from '../graph/primitives/functions/helper.ts';
import { castHelpers, castWgsl, selectWgsl } from '../graph/primitives/select.ts';
import { UNARY } from '../graph/primitives/unary.ts';
import type { Bindings, Slot } from './bindings.ts';
import { widenFour, widening, widenOne } from './half.ts';
import { atLane, quad } from './index/access.ts';
import { flatten, moveBack } from './index/coordinates.ts';
import type { Coordinates, Guard } from './index/coordinates.ts';
import { emitIndex, emitLanes } from './index/emit.ts';
import { confine, constant, inRange, plus, variable } from './index/expression.ts';
import type { Index } from './index/expression.ts';
import type { Binding } from './kernel.ts';
import { repeats } from './repeats.ts';
import { hidden, literal, opaque, typeName } from './wgsl.ts';
import type { Writer } from './writer.ts';

export interface Value {
  /** A name or a literal. */
  text: string;
  width: Width;
  dtype: Dtype;
  /** Depth of the scope where it is known. */
  depth: number;
}

export interface Surroundings {
  writer: Writer;
  bindings: Bindings;
  isRealised(node: Node): boolean;
  /** Whether the driver may be a software driver, which unrolls loops that it should not. */
  unrolls: boolean;
  /** Text of a scalar of the uniform block. */
  scalar(name: string): string;
  /** Adds a WGSL function to the module. */
  helper(text: string): void;
}

export class Emitter {
  readonly writer: Writer;
  private readonly around: Surroundings;

  constructor(around: Surroundings) {
    this.around = around;
    this.writer = around.writer;
  }

  value(node: Node, coordinates: Coordinates): Value {
    if (this.around.isRealised(node)) return this.load(node, flatten(coordinates, node.shape));
    return this.writer.once(keyOf(node, coordinates), () => {
      const value = this.compute(node, coordinates);
      return { value, depth: value.depth };
    });
  }

  /** Makes the value of a node at these coordinates known, until the innermost scope closes. */
  know(node: Node, coordinates: Coordinates, value: Value): void {
    this.writer.remember(keyOf(node, coordinates), value);
  }

  /** Loads from a tensor at a flat position. */
  load(binding: Binding, at: Index): Value {
    const slot = this.around.bindings.slot(binding);
    slot.loads.add(at.key);
    return this.writer.once(`l:${slot.name}:${at.key}`, () => {
      const text = this.writer.define(this.loadText(slot, at), at.depth);
      return { value: { text, width: at.lanes ? 4 : 1, dtype: slot.dtype, depth: at.depth }, depth: at.depth };
    });
  }

  /**
   * Stores at a flat position, in the innermost scope. `own`: no other thread loads from this position, so that the output
   * may take the place of an input that is loaded there.
   */
  store(binding: Binding, at: Index, value: Value, own = true): void {
    const slot = this.around.bindings.slot(binding);
    if (slot.half) throw new GraphFault(`${slot.name} is held as 16-bit floats, which kernels only read`);
    slot.written = true;
    if (own) slot.stores.add(at.key);
    const whole = at.lanes ? quad(at) : undefined;
    if (whole && slot.vector) {
      this.writer.line(`${slot.name}[${emitIndex(whole, this.writer)}] = ${this.widened(value, 4)};`);
      return;
    }
    this.around.bindings.refuse(slot);
    const target = (index: Index) => `${slot.name}[${emitIndex(index, this.writer)}]`;
    if (!at.lanes) this.writer.line(`${target(at)} = ${value.text};`);
    else
      [...'xyzw'].forEach((lane, i) =>
        this.writer.line(`${target(atLane(at, i))} = ${value.width === 4 ? `${value.text}.${lane}` : value.text};`),
      );
  }

  /** Stores one lane of a vector; the position is that of all four. */
  storeLane(binding: Binding, at: Index, value: Value, lane: number): void {
    const text = value.width === 4 ? `${value.text}.${'xyzw'[lane]}` : value.text;
    this.store(binding, atLane(at, lane), { ...value, text, width: 1 });
    this.around.bindings.slot(binding).stores.add(at.key);
  }

  /** Stores a node's value at its coordinates. */
  storeAt(node: Node, coordinates: Coordinates, value: Value): void {
    this.store(node, flatten(coordinates, node.shape), value);
  }

  /** Names an expression over values; its depth is the deepest of theirs. */
  define(expression: string, dtype: Dtype, width: Width, of: readonly { depth: number }[]): Value {
    const depth = Math.max(0, ...of.map((value) => value.depth));
    return { text: this.writer.define(expression, depth), width, dtype, depth };
  }

  /**
   * Opens a loop and gives its counter, 0 to count - 1. Close it with `writer.close()`. Software drivers unroll loops of up to
   * some thirty rounds and then compile for seconds, so theirs begin at a number that they cannot know: the grid has no
   * third dimension, and `wg.z` is zero.
   */
  loop(name: string, count: number): Index {
    this.writer.open(count === 1 ? '' : `for (var ${name} = ${this.around.unrolls ? 'wg.z' : '0u'}; ${name} < ${count}u; ${name}++)`);
    return variable(name, count - 1, this.writer.depth);
  }

  /** A position as WGSL. */
  position(index: Index): string {
    return emitIndex(index, this.writer);
  }

  /** The text of a value as a vector or a single value. */
  widened(value: Value, width: Width): string {
    return value.width === width ? value.text : `${typeName(value.dtype, width)}(${value.text})`;
  }

  /** A test as WGSL, of one bool or of four. */
  test({ index, extent }: Guard): Value {
    const { writer } = this;
    return writer.once(`t:${extent}:${index.key}`, () => {
      const width: Width = index.lanes ? 4 : 1;
      const left = index.lanes
        ? emitLanes(
            [0, 1, 2, 3].map((i) => atLane(index, i)),
            writer,
          )
        : emitIndex(index, writer);
      const value = this.define(`${left} < ${width === 4 ? `vec4<u32>(${extent}u)` : `${extent}u`}`, 'bool', width, [index]);
      return { value, depth: value.depth };
    });
  }

  private loadText(slot: Slot, at: Index): string {
    const { writer } = this;
    const { half, name } = slot;
    const whole = at.lanes ? quad(at) : undefined;
    const vector = whole !== undefined && slot.vector;
    if (half) this.around.helper(widening(half, vector));
    if (vector) return half ? widenFour(half, `${name}[${emitIndex(whole, writer)}]`) : `${name}[${emitIndex(whole, writer)}]`;
    this.around.bindings.refuse(slot);
    const single = (index: Index) => (half ? widenOne(half, name, emitIndex(index, writer)) : `${name}[${emitIndex(index, writer)}]`);
    return at.lanes ? `vec4<${slot.dtype}>(${[0, 1, 2, 3].map((i) => single(atLane(at, i))).join(', ')})` : single(at);
  }

  private compute(node: Node, coordinates: Coordinates): Value {
    const { op, inputs } = node;
    switch (op.kind) {
      case 'constant':
        return { text: this.constant(op.value, node.dtype), width: 1, dtype: node.dtype, depth: 0 };
      case 'scalar':
        return { text: this.around.scalar(op.name), width: 1, dtype: 'f32', depth: 0 };
      case 'iota':
        return this.integer(coordinates[op.axis]);
      case 'unary': {
        const [x] = inputs.map((input) => this.value(input, coordinates));
        const rule = UNARY[op.fn];
        this.helpers(rule.helpers, x.width);
        return this.define(rule.wgsl(x.text, x.width), node.dtype, x.width, [x]);
      }
      case 'binary':
        return this.together(node, coordinates, ([x, y], width) => this.binary(node, op.fn, x, y, width));
      case 'select':
        return this.together(node, coordinates, ([condition, then, otherwise]) => selectWgsl(condition, then, otherwise));
      case 'cast':
        return this.together(node, coordinates, ([x], width) => {
          this.helpers(castHelpers(inputs[0].dtype, node.dtype), width);
          return castWgsl(x, inputs[0].dtype, node.dtype, width);
        });
      case 'reshape':
      case 'permute':
      case 'expand':
      case 'slice':
      case 'pad':
        return this.moved(node, coordinates);
      case 'concat':
        return this.concatenated(node, op.axis, coordinates);
      case 'gather':
        return this.gathered(node, coordinates);
      default:
        throw new GraphFault(`node ${node.id} (${op.kind}) is neither realised nor computed before it is used in this kernel`);
    }
  }

  /** Adds a WGSL function to the module. */
  helper(text: string): void {
    this.around.helper(text);
  }

  private helpers(helpers: readonly Helper[] = [], width: Width): void {
    for (const text of textsOf(helpers, width)) this.helper(text);
  }

  private constant(value: number, dtype: Dtype): string {
    if (dtype !== 'f32') return literal(value, dtype);
    const text = hidden(value);
    return this.writer.once(`c:${text}`, () => ({ value: this.writer.define(text, 0, 'k'), depth: 0 }));
  }

  private binary(node: Node, fn: BinaryFn, x: string, y: string, width: Width): string {
    const rule = BINARY[fn];
    const [{ dtype }] = node.inputs;
    if (dtype === 'f32') this.helpers(rule.helpers, width);
    return rule.wgsl(x, repeats(node, this.around.isRealised) ? opaque(y, width) : y, width, dtype);
  }

  private together(node: Node, coordinates: Coordinates, wgsl: (texts: string[], width: Width) => string): Value {
    const values = node.inputs.map((input) => this.value(input, coordinates));
    const width: Width = values.some((value) => value.width === 4) ? 4 : 1;
    return this.define(
      wgsl(
        values.map((value) => this.widened(value, width)),
        width,
      ),
      node.dtype,
      width,
      values,
    );
  }

  private moved(node: Node, coordinates: Coordinates): Value {
    const { coordinates: from, guards, outside } = moveBack(node, coordinates);
    const zero: Value = { text: literal(0, node.dtype), width: 1, dtype: node.dtype, depth: 0 };
    if (outside) return zero;
    return guards.reduce((value, guard) => this.choose(this.test(guard), value, zero), this.value(node.inputs[0], from));
  }

  private concatenated(node: Node, axis: number, coordinates: Coordinates): Value {
    let chosen: Value | undefined;
    let end = node.shape[axis];
    // From the last piece to the first, each taking the place of what lies behind its end.
    for (const input of [...node.inputs].reverse()) {
      const begin = end - input.shape[axis];
      const here = plus(coordinates[axis], -begin);
      const before = inRange(coordinates[axis], end);
      const reached = inRange(here, node.shape[axis] - begin);
      end = begin;
      if (before === false || reached === false) continue;
      const value = this.value(input, coordinates.with(axis, confine(here, input.shape[axis] - 1)));
      chosen = chosen && before !== true ? this.choose(this.test(before), value, chosen) : value;
    }
    if (!chosen) throw new GraphFault(`node ${node.id}: no piece of the concatenation is reached`);
    return chosen;
  }

  private gathered(node: Node, coordinates: Coordinates): Value {
    const [table, index] = node.inputs;
    const lead = index.shape.length;
    const found = this.value(index, coordinates.slice(0, lead));
    const last = table.shape[0] - 1;
    const row = this.row(found, last);
    return this.value(table, [row, ...coordinates.slice(lead)]);
  }

  /** An i32 value as an index from 0 to `last`; positions outside are moved to the nearest end. */
  row(value: Value, last: number): Index {
    if (last === 0) return constant(0);
    const number = (n: number) => (value.width === 4 ? `vec4<i32>(${n})` : `${n}`);
    const type = value.width === 4 ? 'vec4<u32>' : 'u32';
    const { writer } = this;
    return writer.once(`r:${last}:${value.text}`, () => {
      const name = writer.define(
        `${type}(clamp(${castWgsl(value.text, value.dtype, 'i32', value.width)}, ${number(0)}, ${number(last)}))`,
        value.depth,
        'r',
      );
      return { value: variable(name, last, value.depth, value.width === 4), depth: value.depth };
    });
  }

  private integer(index: Index): Value {
    const text = index.lanes
      ? emitLanes(
          [0, 1, 2, 3].map((i) => atLane(index, i)),
          this.writer,
        )
      : emitIndex(index, this.writer);
    const width: Width = index.lanes ? 4 : 1;
    return this.define(`${typeName('i32', width)}(${text})`, 'i32', width, [index]);
  }

  private choose(condition: Value, then: Value, otherwise: Value): Value {
    const width: Width = [condition, then, otherwise].some((value) => value.width === 4) ? 4 : 1;
    const [c, t, o] = [condition, then, otherwise].map((value) => this.widened(value, width));
    return this.define(selectWgsl(c, t, o), then.dtype, width, [condition, then, otherwise]);
  }
}

function keyOf(node: Node, coordinates: Coordinates): string {
  return `n:${node.id}:${coordinates.map((coordinate) => coordinate.key).join(',')}`;
}
