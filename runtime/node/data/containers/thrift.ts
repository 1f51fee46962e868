/**
 * Thrift's compact protocol, as Parquet writes it, read with bounds on depth and lengths: what a damaged or hostile file announces is believed
 * only as far as there are bytes for it. (Apache Thrift, compact protocol specification.)
 */

/** A struct by the numbers of its fields. Lists are arrays; integers beyond 2^53 lose precision and are beyond any bound here. */
export type ThriftStruct = Map<number, ThriftValue>;
export type ThriftValue = boolean | number | Uint8Array | ThriftValue[] | ThriftStruct;

/** Structs and lists within one another; Parquet needs fewer than ten. */
const DEEPEST = 32;

/** What is wrong with the bytes; caught by those who know the file. */
export class ThriftError extends Error {}

/** One struct from `start` on, and where it ends. Throws ThriftError. */
export function readStruct(bytes: Uint8Array, start = 0): { value: ThriftStruct; end: number } {
  const reader = new Reader(bytes, start);
  return { value: reader.struct(0), end: reader.at };
}

class Reader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  struct(depth: number): ThriftStruct {
    if (depth > DEEPEST) throw new ThriftError(`structures nested deeper than ${DEEPEST}`);
    const fields: ThriftStruct = new Map();
    let id = 0;
    for (;;) {
      const byte = this.byte();
      const type = byte & 15;
      if (type === 0) return fields;
      id = byte >> 4 === 0 ? this.zigzag() : id + (byte >> 4);
      fields.set(id, type === 1 ? true : type === 2 ? false : this.value(type, depth));
    }
  }

  private value(type: number, depth: number): ThriftValue {
    switch (type) {
      case 1:
      case 2:
        // In a list a truth value has a byte of its own.
        return this.byte() === 1;
      case 3:
        return (this.byte() << 24) >> 24;
      case 4:
      case 5:
      case 6:
        return this.zigzag();
      case 7:
        return this.double();
      case 8:
        return this.binary();
      case 9:
      case 10:
        return this.list(depth);
      case 12:
        return this.struct(depth + 1);
      default:
        throw new ThriftError(`a value of type ${type}, which Parquet does not use`);
    }
  }

  private list(depth: number): ThriftValue[] {
    if (depth > DEEPEST) throw new ThriftError(`lists nested deeper than ${DEEPEST}`);
    const byte = this.byte();
    const count = byte >> 4 === 15 ? this.varint() : byte >> 4;
    // An element takes a byte at the least.
    if (count > this.bytes.length - this.at)
      throw new ThriftError(`a list of ${count} elements, with ${this.bytes.length - this.at} bytes left`);
    return Array.from({ length: count }, () => this.value(byte & 15, depth + 1));
  }

  private double(): number {
    const value = this.take(8);
    return new DataView(value.buffer, value.byteOffset, 8).getFloat64(0, true);
  }

  private binary(): Uint8Array {
    return this.take(this.varint());
  }

  private take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at)
      throw new ThriftError(`a text of ${length} bytes, with ${this.bytes.length - this.at} bytes left`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  private byte(): number {
    if (this.at >= this.bytes.length) throw new ThriftError('it ends within a structure');
    return this.bytes[this.at++];
  }

  private varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 63; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new ThriftError('a number of more than ten bytes');
  }

  private zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
