/**
 * What a run may touch beside its own folder. A plan may come from elsewhere, and its paths with it: what it reads and writes stays within
 * the base of the run and the folders that the user allows, links followed. A text that is run names its paths in sight of its user,
 * and may lead anywhere. Nothing is ever written or deleted through a link that lies below these folders.
 */
import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { runError } from '../../core/train/errors.ts';

export class Access {
  /** Folder that the plan's paths are relative to. */
  readonly base: string;
  private readonly roots: readonly string[];
  private readonly confined: boolean;

  /**
   * `allow`: folders and files beside `base` that the plan may name, relative to the working folder, or `anywhere`.
   */
  constructor(base: string, allow: readonly string[] | 'anywhere') {
    this.base = resolve(base);
    this.confined = allow !== 'anywhere';
    this.roots = [this.base, ...(allow === 'anywhere' ? [] : allow.map((path) => resolve(path)))];
  }

  /** The path to read. @throws PivotError R0643 where it leads out of what is allowed, by its steps or by a link. */
  reading(path: string): string {
    const full = resolve(this.base, path);
    if (this.confined) {
      const real = realOf(full);
      const inside = this.roots.some((root) => within(root, full)) && this.roots.some((root) => within(realOf(root), real));
      if (!inside) throw outside(path, full, 'read');
    }
    return full;
  }

  /** The path to write or delete. @throws PivotError R0643 as `reading` does, R0644 where a link lies on the way to it. */
  writing(path: string): string {
    const full = resolve(this.base, path);
    const root = this.roots.find((one) => within(one, full));
    if (root === undefined && this.confined) throw outside(path, full, 'write');
    refuseLinks(root ?? dirname(full), full);
    return full;
  }
}

/** Refuses links between `root`, which may be one itself, and `path`. @throws PivotError R0644 */
export function refuseLinks(root: string, path: string): void {
  let at = root;
  for (const step of relative(root, path).split(sep)) {
    if (step === '') continue;
    at = join(at, step);
    if (!isLink(at)) continue;
    throw runError(
      'R0644',
      `${at} is a link, and nothing is written or deleted through one`,
      'name the folder that it leads to, or put a folder in its place',
    );
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function within(root: string, path: string): boolean {
  const inside = relative(root, path);
  return inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}

/** The path with its links followed, as far as it exists. */
function realOf(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const parent = dirname(path);
  return parent === path ? path : join(realOf(parent), relative(parent, path));
}

function outside(path: string, full: string, verb: 'read' | 'write'): Error {
  return runError(
    'R0643',
    `the plan would ${verb} ${JSON.stringify(path)}, which lies outside of the folder of the run`,
    `if you trust the plan, allow it with --allow ${JSON.stringify(dirname(full))}`,
  );
}
