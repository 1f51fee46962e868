/**
 * One contestant of the contest: a process of its own, so that drivers, caches and garbage of one do not disturb the other. It makes
 * itself ready, runs its first step, and then as many steps as the parent asks for, each answer with the time that they took.
 */

/** What a contestant is started with, as JSON in its first argument. */
export interface Start {
  adapter: string;
}

/** The first message to the parent. */
export interface Ready {
  kind: 'ready';
  adapter: string;
  driver: string;
  /** Milliseconds from the open device to the loss of the first step: tracing, compiling, pipelines, upload and the step itself. */
  firstMs: number;
  /** Loss of the first step, before any update. */
  loss: number;
}

/** Asks for `steps` more steps. `sleeping`: wait for them without polling in a busy loop. */
export interface Ask {
  steps: number;
  sleeping: boolean;
}

export interface Round {
  kind: 'round';
  /** Milliseconds a step. */
  ms: number;
  /** Loss of the last step. */
  loss: number;
}

export interface Failed {
  kind: 'failed';
  message: string;
}

export type Message = Ready | Round | Failed;

export interface Contestant {
  ready: Omit<Ready, 'kind'>;
  /** Submits `steps` steps, waits for the last, and returns its loss. */
  run(ask: Ask): Promise<number>;
}

/** Answers the parent until it disconnects. */
export function serve(begin: (start: Start) => Promise<Contestant>): void {
  const send = (message: Message): void => void process.send?.(message);
  const fail = (error: unknown): void => {
    send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    process.disconnect();
  };
  begin(JSON.parse(process.argv[2]) as Start)
    .then((contestant) => {
      process.on('message', (ask: Ask) => {
        const start = performance.now();
        contestant
          .run(ask)
          .then((loss) => send({ kind: 'round', ms: (performance.now() - start) / ask.steps, loss }))
          .catch(fail);
      });
      // Drivers keep threads of their own, which would outlive the last message.
      process.once('disconnect', () => process.exit(0));
      send({ kind: 'ready', ...contestant.ready });
    })
    .catch(fail);
}
