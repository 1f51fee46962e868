/**
 * The child of `doctor`: opens one adapter, measures it, and sends what it found to the parent. A driver that crashes takes only this
 * process along. Started with one argument, a `Question` as JSON.
 */
import { PivotError } from '../../../plan/errors.ts';
import type { AdapterInfo } from '../../core/device/info.ts';
import { measure, type Speed } from './measure.ts';
import { openDevice } from './open.ts';
import { sleepingWait } from './wait.ts';

export interface Question {
  /** As `openDevice` takes it; empty for the best there is. */
  adapter: string;
  measure: boolean;
}

export type Answer = { adapter: AdapterInfo; speed?: Speed } | { refused: string };

async function answer(question: Question): Promise<Answer> {
  try {
    const open = await openDevice({ adapter: question.adapter });
    const speed = question.measure ? await measure(open.device, sleepingWait) : undefined;
    open.close();
    return { adapter: open.info, speed };
  } catch (error) {
    return { refused: error instanceof PivotError ? error.message : String(error) };
  }
}

const found = await answer(JSON.parse(process.argv[2]) as Question);
process.send?.(found, () => process.disconnect());
