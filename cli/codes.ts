/** Codes of the command line's own errors, and the codes of all folders together, for `pivot explain`. */
import { COMPILER_CODES } from '../compiler/codes.ts';
import { CONFIG_CODES } from '../formats/config/config.ts';
import { PLAN_CODES } from '../plan/validate.ts';
import { DATA_CODES } from '../runtime/core/data/codes.ts';
import { DEVICE_CODES } from '../runtime/core/device/errors.ts';
import { SCORE_CODES } from '../runtime/core/score/errors.ts';
import { STATISTICS_CODES } from '../runtime/core/statistics/statistics.ts';
import { RUN_CODES } from '../runtime/core/train/errors.ts';

export const CLI_CODES = {
  C0101: 'The standard library is missing from the install.',
  C0102: 'What is given to --set is no name=value.',
  C0103: 'The text that a command names does not exist.',
  C0104: 'Data, weights or the standard library are not those that the lock file beside the text was written with.',
  C0105: 'The file beside the text is not a lock file of Pivot.',
  C0106: 'There is no diagnostic of that code.',
  C0107: 'The text declares no data of that name.',
  C0108: 'An option has a value that it does not take.',
  C0109: 'An option that takes one value is given several times.',
} as const;

/** What each code means that is not a diagnostic of a text. A code stands in one of these registries only. */
export const ERROR_CODES: readonly Readonly<Record<string, string>>[] = [
  CLI_CODES,
  COMPILER_CODES,
  CONFIG_CODES,
  PLAN_CODES,
  DEVICE_CODES,
  DATA_CODES,
  RUN_CODES,
  SCORE_CODES,
  STATISTICS_CODES,
];
