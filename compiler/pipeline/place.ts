/** Where the expressions of a stage are evaluated: the text's own names, and perhaps a tuned name or those of a probe's body. */
import type { Expression } from '../../grammar/index.ts';
import { evaluate } from '../elaborate/expressions.ts';
import { moduleScope } from '../elaborate/names.ts';
import type { Universe } from '../elaborate/names.ts';
import { Scope } from '../elaborate/scope.ts';
import type { Value } from '../elaborate/values.ts';

export class Place {
  readonly universe: Universe;
  readonly scope: Scope;

  constructor(universe: Universe, scope: Scope = moduleScope(universe.loaded.main)) {
    this.universe = universe;
    this.scope = scope;
  }

  evaluate(e: Expression): Value {
    return evaluate(this.universe.context, e, this.scope);
  }

  /** The same place with one more name. */
  with(name: string, value: Value): Place {
    const scope = new Scope(this.scope);
    scope.define(name, value);
    return new Place(this.universe, scope);
  }
}
