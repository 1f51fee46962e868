/**
 * The two faces of a `Log` on Node: a moving bar where a person looks on, plain lines where the output is kept. Names come from plans,
 * which may be others': control characters in them are shown, never sent.
 */
import { SingleBar } from 'cli-progress';
import type { Log, Progress } from '../../core/log.ts';
import { visible } from '../../../plan/visible.ts';
import { duration, rate } from './words.ts';

/** A line at least so often, in seconds and in parts of the whole. */
const EVERY_SECONDS = 10;
const EVERY_PART = 0.1;

/** .. but where parts take long, a line after so many seconds. */
const LONGEST_SILENCE = 30;

/** A bar if the stream, standard output by default, is a terminal, else plain lines. */
export function standardLog(stream: NodeJS.WriteStream = process.stdout): Log {
  return stream.isTTY
    ? terminalLog()
    : plainLog(
        (line) => stream.write(`${visible(line)}\n`),
        () => performance.now(),
      );
}

/**
 * Progress as lines: every 10 s or 10 %, whichever comes later, but at least every 30 s, and at the end of a loop that had any.
 * A loop that is over sooner says nothing: the line of its task is enough.
 */
export function plainLog(write: (line: string) => void, now: () => number): Log {
  let last: { loop: string; done: number; at: number; lines: number } | undefined;
  return {
    line: write,
    progress: (progress) => {
      if (progress === undefined) {
        last = undefined;
        return;
      }
      const { done, total } = progress;
      const loop = `${progress.task} ${progress.doing}`;
      const at = now();
      if (last?.loop !== loop) {
        last = { loop, done, at, lines: 0 };
        return;
      }
      const seconds = (at - last.at) / 1000;
      const due = (seconds >= EVERY_SECONDS && (done - last.done) / Math.max(total, 1) >= EVERY_PART) || seconds >= LONGEST_SILENCE;
      if (!due && !(last.lines > 0 && done >= total)) return;
      last = { loop, done, at, lines: last.lines + 1 };
      write(describe(progress));
    },
  };
}

/** `post.dpo@0: training 120/500 steps, 3.1 steps/s, 99 rows/s, 2 min left (whole run 8 min)`. */
export function describe(progress: Progress): string {
  const { task, doing, done, total, unit } = progress;
  return `${task}: ${doing} ${done}/${total} ${unit}${details(progress)}`;
}

function details(progress: Progress): string {
  const parts: string[] = progress.note === undefined ? [] : [progress.note];
  if (progress.rate !== undefined) parts.push(`${rate(progress.rate)} ${progress.unit}/s`);
  if (progress.rows !== undefined) parts.push(`${rate(progress.rows)} rows/s`);
  if (progress.remaining !== undefined) parts.push(`${duration(progress.remaining)} left`);
  const whole = progress.remainingRun === undefined ? '' : ` (whole run ${duration(progress.remainingRun)})`;
  return parts.length === 0 ? whole : `, ${parts.join(', ')}${whole}`;
}

function terminalLog(): Log {
  let bar: SingleBar | undefined;
  let loop = '';
  const end = (): void => {
    bar?.stop();
    bar = undefined;
    loop = '';
  };
  return {
    line: (text) => {
      end();
      process.stdout.write(`${visible(text)}\n`);
    },
    progress: (progress) => {
      if (progress === undefined) return end();
      const { task, doing, done, total, unit } = progress;
      const now = `${task} ${doing}`;
      if (now !== loop) end();
      const payload = { what: visible(`${task}: ${doing}`), unit, details: visible(details(progress)) };
      if (bar === undefined) {
        bar = new SingleBar({
          format: '{what} {bar} {value}/{total} {unit}{details}',
          barsize: 24,
          hideCursor: true,
          clearOnComplete: true,
          fps: 4,
        });
        bar.start(total, done, payload);
        loop = now;
      } else bar.update(done, payload);
    },
  };
}
