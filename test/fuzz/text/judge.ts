/** What must hold of every text, however damaged: it is checked without an exception, in time, and all that is told lies within it. */
import { compile } from '../../../compiler/compile.ts';
import { children, formatDiagnostics, parse } from '../../../grammar/index.ts';
import type { Diagnostic, Node, Span } from '../../../grammar/index.ts';
import { sha256 } from '../../../plan/hash.ts';
import { NAME, fuzzHost, libraryParser } from './host.ts';

/** Milliseconds of the processor that a text may take, where this package's SHA-256 hashes so many bytes in one. */
const BOUND = 2_000;
const BYTES_PER_MS = 130_000;

/** Characters that the diagnostics of a text may take in a terminal. */
const LONGEST = 150_000;

export class Judge {
  private text = '';
  private readonly host = fuzzHost(() => this.text);
  private readonly parse = libraryParser();
  private bound = boundNow();

  /**
   * What is wrong with the check of a text; undefined if nothing is. One that took too long is timed again, and so is the processor: the collector
   * ran, code was cold, or other work fills the caches.
   */
  judge(text: string): string | undefined {
    const first = this.once(text);
    if (typeof first === 'string' || first <= this.bound) return this.told(first);
    this.bound = Math.max(this.bound, boundNow());
    return this.told(Math.min(first, Number(this.once(text))));
  }

  private told(found: string | number): string | undefined {
    if (typeof found === 'string') return found;
    return found > this.bound ? `took ${Math.round(found)} ms, more than ${Math.round(this.bound)}` : undefined;
  }

  /** What is wrong, or the milliseconds of the processor that the check took. */
  private once(text: string): string | number {
    this.text = text;
    const began = process.cpuUsage();
    try {
      const { tree } = parse(text, NAME);
      const node = badNode(tree, text.length);
      if (node) return `${node.kind} has the span ${JSON.stringify(node.span)} in a text of ${text.length}`;
      const { diagnostics, texts, plan } = compile(NAME, this.host, { targets: [], parse: this.parse });
      if (!plan && diagnostics.length === 0) return 'neither a plan nor a diagnostic';
      for (const diagnostic of diagnostics) {
        const fault = faultOf(diagnostic, texts);
        if (fault !== undefined) return `${diagnostic.code}: ${fault}`;
      }
      const printed = formatDiagnostics(diagnostics, texts).length;
      if (printed > LONGEST) return `${printed} characters of diagnostics`;
    } catch (error) {
      return `exception: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    }
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1000;
  }
}

function boundNow(): number {
  return BOUND * Math.max(1, BYTES_PER_MS / bytesPerMs());
}

/** How fast this processor is: the best of a few tries, by its own time, so that other work on the machine does not count. */
function bytesPerMs(): number {
  const bytes = new Uint8Array(1 << 20);
  const tries = Array.from({ length: 8 }, () => {
    const began = process.cpuUsage();
    sha256(bytes);
    const { user, system } = process.cpuUsage(began);
    return (bytes.length * 1000) / Math.max(1, user + system);
  });
  return Math.max(...tries);
}

function badNode(root: Node, length: number): Node | undefined {
  const open = [root];
  for (let node = open.pop(); node; node = open.pop()) {
    if (!inside(node.span, length)) return node;
    open.push(...children(node));
  }
  return undefined;
}

function inside({ start, end, line, column, endLine, endColumn }: Span, length: number): boolean {
  const ordered = line < endLine || (line === endLine && column <= endColumn);
  return start >= 0 && start <= end && end <= length && line >= 1 && column >= 1 && ordered;
}

function faultOf({ message, help, span, trace }: Diagnostic, texts: ReadonlyMap<string, string>): string | undefined {
  for (const words of [message, help ?? ''])
    if (/\bundefined\b|\bNaN\b|\[object |RangeError|TypeError/.test(words)) return `says ${JSON.stringify(words.slice(0, 300))}`;
  if (message === '') return 'says nothing';
  for (const place of [...(span ? [span] : []), ...(trace ?? []).map((step) => step.span)]) {
    const text = texts.get(place.file);
    if (text === undefined) return `is in ${place.file}, which nobody read`;
    if (!inside(place, text.length)) return `has the span ${JSON.stringify(place)} in a text of ${text.length}`;
  }
  return undefined;
}
