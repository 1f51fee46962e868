/**
 * Decoding in threads, so that a slow picture holds up no step. With no threads it is done here; the pixels are the
 * same. Threads need the compiled package: where this file is TypeScript still, it always decodes here.
 */
import { Worker } from 'node:worker_threads';
import { decodeBytes, decodeFile } from './decode.ts';
import type { Decoded, Fit } from './decode.ts';
import type { DecodeReply, DecodeRequest } from './decode-worker.ts';

export interface Decoder {
  /** Decodes a file, or the bytes of one. Bytes are copied to the thread, not taken from the caller. */
  decode(from: string | Uint8Array, fit?: Fit): Promise<Decoded>;
  close(): Promise<void>;
}

interface Waiting {
  resolve(decoded: Decoded): void;
  reject(error: Error): void;
}

const HERE: Decoder = {
  decode: (from, fit) => (typeof from === 'string' ? decodeFile(from, fit) : decodeBytes(from, { fit })),
  close: async () => undefined,
};

/** A decoder with `threads` threads, started at the first picture. */
export function openDecoder(threads: number): Decoder {
  if (threads <= 0 || import.meta.url.endsWith('.ts')) return HERE;
  let workers: { worker: Worker; waiting: Map<number, Waiting> }[] | undefined;
  let next = 0;
  return {
    decode: (from, fit) => {
      workers ??= Array.from({ length: threads }, start);
      const id = next++;
      // The least busy thread; the order in which pictures come back does not matter.
      const chosen = workers.reduce((a, b) => (b.waiting.size < a.waiting.size ? b : a));
      // A view of a large buffer would be sent with all of that buffer.
      const request: DecodeRequest = { id, from: typeof from === 'string' ? from : Uint8Array.from(from), fit };
      return new Promise<Decoded>((resolve, reject) => {
        // A thread keeps the process alive only while something waits for it.
        if (chosen.waiting.size === 0) chosen.worker.ref();
        chosen.waiting.set(id, { resolve, reject });
        chosen.worker.postMessage(request);
      });
    },
    close: async () => {
      const open = workers ?? [];
      workers = [];
      await Promise.all(open.map(({ worker }) => worker.terminate()));
    },
  };
}

function start(): { worker: Worker; waiting: Map<number, Waiting> } {
  const worker = new Worker(new URL('./decode-worker.js', import.meta.url));
  const waiting = new Map<number, Waiting>();
  worker.unref();
  worker.on('message', (reply: DecodeReply) => {
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (waiting.size === 0) worker.unref();
    if ('decoded' in reply) asked?.resolve(reply.decoded);
    else asked?.reject(new Error(reply.error));
  });
  const fail = (error: Error): void => {
    for (const asked of waiting.values()) asked.reject(error);
    waiting.clear();
  };
  worker.on('error', fail);
  worker.on('exit', (code) => fail(new Error(`the thread that decodes pictures ended (${code})`)));
  return { worker, waiting };
}
