/** Mean and spread over seeds, and differences that are paired by seed: the statistics of the runtime, as the report reads them. */
export { deviation, mean, pairedDifference } from '../../core/statistics/statistics.ts';
export type { Difference } from '../../core/statistics/statistics.ts';
