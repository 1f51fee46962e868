/** The experiments among the examples. */
import { testRuns } from './run-example.ts';

testRuns(['sft-vs-dpo.pivot', 'pivot-recipe.pivot', 'pretrain.pivot']);
