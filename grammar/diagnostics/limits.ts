/** P07: a text, or what it describes, is larger than the language allows. */
import { LIMITS } from '../limits.ts';
import type { LimitName } from '../limits.ts';
import { entry } from './entry.ts';

const grouped = (value: number): string => value.toLocaleString('en-US');

export const limits = {
  P0701: entry<{ limit: LimitName; found?: number; where?: string }>({
    message: ({ limit, found, where = 'here' }) =>
      `${where}: ${found === undefined ? 'too many' : grouped(found)} ${LIMITS[limit].what}, the limit is ${grouped(LIMITS[limit].most)}`,
    help: ({ limit }) => LIMITS[limit].help,
    explain: `Sizes are limited, so that every text is checked within seconds. The limits are ${Object.values(LIMITS)
      .map(({ most, what }) => `${grouped(most)} ${what}`)
      .join(', ')}.`,
    example: `pivot 1\nparam deep = ${'('.repeat(LIMITS.nesting.most + 1)}1${')'.repeat(LIMITS.nesting.most + 1)}\n`,
  }),
};
