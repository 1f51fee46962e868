/** Filters and tests that are reproduced. What is not here is refused when a template is read. */
import { FILTER_NAMES } from './filters.ts';
import { TEST_NAMES } from './tests.ts';

export const FILTERS: ReadonlySet<string> = new Set(FILTER_NAMES);
export const TESTS: ReadonlySet<string> = new Set(TEST_NAMES);
