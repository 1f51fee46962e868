/** The tree of a Jinja template. */
export type Expression =
  | { kind: 'constant'; value: string | number | boolean | null; line: number }
  | { kind: 'float'; value: number; line: number }
  | { kind: 'name'; name: string; line: number }
  | { kind: 'list' | 'tuple'; items: Expression[]; line: number }
  | { kind: 'dict'; items: [Expression, Expression][]; line: number }
  | { kind: 'condition'; test: Expression; then: Expression; otherwise: Expression | undefined; line: number }
  | { kind: 'and' | 'or'; left: Expression; right: Expression; line: number }
  | { kind: 'not' | 'minus' | 'plus'; operand: Expression; line: number }
  | { kind: 'compare'; first: Expression; rest: { operator: string; operand: Expression }[]; line: number }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression; line: number }
  | { kind: 'concat'; parts: Expression[]; line: number }
  | { kind: 'attribute'; object: Expression; name: string; line: number }
  | { kind: 'item'; object: Expression; index: Expression; line: number }
  | {
      kind: 'slice';
      object: Expression;
      from: Expression | undefined;
      to: Expression | undefined;
      step: Expression | undefined;
      line: number;
    }
  | { kind: 'call'; callee: Expression; args: Arguments; line: number }
  | { kind: 'filter'; operand: Expression | undefined; name: string; args: Arguments; line: number }
  | { kind: 'test'; operand: Expression; name: string; args: Arguments; line: number };

export interface Arguments {
  positional: Expression[];
  named: [string, Expression][];
  /** `*args` and `**kwargs` of a call. */
  list?: Expression;
  dict?: Expression;
}

/** What can be assigned to. */
export type Target = { kind: 'name'; name: string } | { kind: 'field'; object: string; name: string } | { kind: 'tuple'; items: Target[] };

export interface Parameter {
  name: string;
  fallback: Expression | undefined;
}

export type Statement =
  | { kind: 'text'; text: string; line: number }
  | { kind: 'output'; value: Expression; line: number }
  | {
      kind: 'for';
      target: Target;
      over: Expression;
      test: Expression | undefined;
      body: Statement[];
      otherwise: Statement[];
      usesLoop: boolean;
      line: number;
    }
  | { kind: 'if'; branches: { test: Expression; body: Statement[] }[]; otherwise: Statement[]; line: number }
  | { kind: 'set'; target: Target; value: Expression; line: number }
  | { kind: 'set_block'; target: Target; filter: Expression | undefined; body: Statement[]; line: number }
  | { kind: 'with'; values: [Target, Expression][]; body: Statement[]; line: number }
  | { kind: 'macro'; name: string; macro: MacroNode; line: number }
  | { kind: 'call_block'; call: Extract<Expression, { kind: 'call' }>; macro: MacroNode; line: number }
  | { kind: 'filter_block'; filter: Expression; body: Statement[]; line: number }
  | { kind: 'scope'; body: Statement[]; line: number }
  | { kind: 'break' | 'continue'; line: number };

export interface MacroNode {
  parameters: Parameter[];
  body: Statement[];
  /** Which of `varargs`, `kwargs` and `caller` it reads. */
  reads: ReadonlySet<string>;
}
