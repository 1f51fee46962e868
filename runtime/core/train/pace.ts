/**
 * How fast a loop goes: units a second over the last stretch, and the seconds that are left at that rate. The first unit is not
 * counted, since drivers compile kernels when they are first run.
 */

/** The stretch, in seconds: long enough to be calm, short enough to follow a change. */
const STRETCH = 30;

export class Pace {
  private readonly now: () => number;
  private readonly marks: { done: number; at: number }[] = [];
  /** Milliseconds that were spent on something else. */
  private leftOut = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  /** Takes note that `done` of `total` units are done. No rate before the second call. */
  at(done: number, total: number): { rate?: number; remaining?: number } {
    const at = this.now() - this.leftOut;
    this.marks.push({ done, at });
    while (this.marks.length > 2 && this.marks[1].at < at - STRETCH * 1000) this.marks.shift();
    const first = this.marks[0];
    if (done <= first.done || at <= first.at) return {};
    const rate = (1000 * (done - first.done)) / (at - first.at);
    return { rate, remaining: (total - done) / rate };
  }

  /** Leaves `milliseconds` out of the rate: an evaluation between two steps. */
  leaveOut(milliseconds: number): void {
    this.leftOut += milliseconds;
  }
}
