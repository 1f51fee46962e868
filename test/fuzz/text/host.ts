/** The compiler's host of a campaign: the standard library and the rows of the examples from memory, and nothing else. */
import { nodeHost, packageRoot } from '../../../cli/host.ts';
import type { Host } from '../../../compiler/host.ts';
import { parse } from '../../../grammar/index.ts';

/** The name of the text that is checked. */
export const NAME = 'fuzz.pivot';

/** A host that finds `text()` under `NAME`; answers about other files are asked of the disk once. */
export function fuzzHost(text: () => string): Host {
  const disk = nodeHost(`${packageRoot()}/examples`);
  const read = remember(disk.read);
  const list = remember(disk.list);
  const tensors = remember(disk.tensors);
  const hash = remember(disk.hash);
  return { read: (path) => (path === NAME ? text() : read(path)), list, tensors, sameTensor: () => false, hash };
}

/** At most so many answers are kept: damaged texts ask for many names. */
const KEPT = 500;

function remember<T>(ask: (path: string) => T): (path: string) => T {
  const known = new Map<string, T>();
  return (path) => {
    // what a damaged text names is never looked for outside of the examples
    const inside = path.startsWith('std:') || /^[\w.-]+(\/[\w.-]+)*$/.test(path);
    const key = inside && !path.includes('..') ? path : 'nothing-of-this-name';
    const found = known.get(key);
    if (found !== undefined) return found;
    const answer = ask(key);
    if (known.size < KEPT) known.set(key, answer);
    return answer;
  };
}

/** `parse`, with the trees of the standard library kept. */
export function libraryParser(): typeof parse {
  const known = new Map<string, ReturnType<typeof parse>>();
  return (text, file) => {
    if (!file.startsWith('std:')) return parse(text, file);
    const tree = known.get(file) ?? parse(text, file);
    known.set(file, tree);
    return tree;
  };
}
