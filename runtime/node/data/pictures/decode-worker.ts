/** The thread of `decode-pool.ts`: decodes files by `decode.ts` and hands the pixels over. */
import { parentPort } from 'node:worker_threads';
import { decodeBytes, decodeFile } from './decode.ts';
import type { Decoded, Fit } from './decode.ts';

export interface DecodeRequest {
  id: number;
  from: string | Uint8Array;
  fit?: Fit;
}

export type DecodeReply = { id: number; decoded: Decoded } | { id: number; error: string };

parentPort?.on('message', (request: DecodeRequest) => {
  void (async () => {
    const { id, from, fit } = request;
    try {
      const decoded = await (typeof from === 'string' ? decodeFile(from, fit) : decodeBytes(from, { fit }));
      const { rgb } = decoded.picture;
      const reply: DecodeReply = { id, decoded };
      parentPort?.postMessage(reply, rgb.buffer instanceof ArrayBuffer ? [rgb.buffer] : []);
    } catch (error) {
      const reply: DecodeReply = { id, error: error instanceof Error ? error.message : String(error) };
      parentPort?.postMessage(reply);
    }
  })();
});
