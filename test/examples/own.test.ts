/** The examples of a loss and rows of one's own. */
import { testRuns } from './run-example.ts';

testRuns(['own-loss.pivot', 'from-files.pivot', 'own-pairs.pivot']);
