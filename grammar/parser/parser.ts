/** The one parser of the process: building it analyses the grammar, parsing only resets it. */
import { PivotParser } from './declarations.ts';

export const parser = new PivotParser();
