/** `encoder eyes = pretrained("NAME")`, run once on symbols: what a text that uses the checkpoint is told of it. */
import { apply } from '../../compiler/elaborate/calls.ts';
import { Context } from '../../compiler/elaborate/context.ts';
import { Fault } from '../../compiler/elaborate/fault.ts';
import { evaluateIn } from '../../compiler/elaborate/names.ts';
import { tensor } from '../../compiler/elaborate/values.ts';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { parseExpression, report } from '../../grammar/index.ts';
import { PivotError } from '../../plan/errors.ts';
import { universeOver } from '../parity/models/recording.ts';

/** Warnings. Refusals are thrown as PivotErrors. `side` is that of the picture. */
export function loadEncoder(folder: string, name: string, side = 64): string[] {
  const universe = universeOver(folder, `pivot 1\nencoder eyes = pretrained("${name}")\n`);
  const { main } = universe.loaded;
  const { span } = main.tree;
  try {
    const ctx = new Context(new GraphBuilder());
    const eyes = evaluateIn(universe, main, parseExpression('eyes', 'text').tree);
    apply(ctx, eyes, [{ value: tensor(ctx.builder.input('image', [1, 3, side, side])), span }], span);
    universe.pretrained.requireSound(span);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new PivotError(error.diagnostic.code, error.diagnostic.message);
  }
  const { pretrained } = universe;
  return [
    ...pretrained.unread().map((one) => report('P0613', one, span)),
    ...pretrained.oddities().map((one) => report('P0614', one, span)),
  ].map(({ message }) => message);
}
