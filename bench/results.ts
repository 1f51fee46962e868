/** Tables for the terminal, and the file that keeps the numbers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../cli/host.ts';

/** The middle of the sorted values; the mean of the two in the middle where their number is even. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Lines of a table: the first column to the left, numbers to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return [line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

/** What the numbers depend on besides the code. */
export interface Machine {
  cpu: string;
  cores: number;
  node: string;
  /** Processes that wanted to run, on average over the minute before: above the number of cores, times are those of a busy machine. */
  load: number;
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    node: process.version,
    load: Number(loadavg()[0].toFixed(1)),
  };
}

/** Writes `results/<name>.json` beside the sources of the benchmarks; returns its path from the package's root. */
export function keep(name: string, results: object): string {
  const path = join('bench', 'results', `${name}.json`);
  mkdirSync(join(packageRoot(), 'bench', 'results'), { recursive: true });
  writeFileSync(join(packageRoot(), path), `${JSON.stringify(results, (_, value: unknown) => rounded(value), 2)}\n`);
  return path;
}

/** Four digits: more would be noise, and change with every run. Whole numbers stay what they are. */
function rounded(value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
