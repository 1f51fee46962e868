/**
 * The syntax tree as a table: each node's kind, the parser rule it is built from, and its fields, which are labels of that rule.
 * `generate.ts` writes the interfaces, the builders and the visitor from it, and refuses a label that the parser does not have or
 * a label of the parser that no field takes.
 *
 * A field's type is the name of a node or union, with `?` (may be absent), `[]` (any number) or `[]?`; or
 *   `Name`    a token as a name                  `docs`   the `///` lines before the node, as text
 *   `flag`    whether the label is there         `a|b`    one of these words, from a token
 * A node without a rule is built by hand in `build/`; its fields may be `ts:` and a TypeScript type.
 */

export interface NodeRule {
  rule?: string;
  fields: Readonly<Record<string, string>>;
}

const declarations = {
  Use: { rule: 'use', fields: { path: 'Name[]', file: 'StringLiteral?', names: 'Name[]?' } },
  Param: { rule: 'param', fields: { name: 'Name', type: 'TypeRef?', domain: 'Domain?', value: 'Expression', docs: 'docs' } },
  Seeds: { rule: 'seeds', fields: { values: 'Expression' } },
  Binding: {
    rule: 'binding',
    fields: { keyword: 'encoder|language|model|data|tokenizer|probe|architecture', name: 'Name', value: 'Expression', docs: 'docs' },
  },
  Stage: { rule: 'stage', fields: { name: 'Name', from: 'Expression?', tunes: 'Tune[]', fields: 'Field[]', docs: 'docs' } },
  Compare: {
    rule: 'compare',
    fields: { name: 'Name', from: 'Expression?', arms: 'Arm[]', tunes: 'Tune[]', fields: 'Field[]', docs: 'docs' },
  },
  Export: { rule: 'exportDeclaration', fields: { value: 'Expression', as: 'StringLiteral' } },
  RecordType: { rule: 'recordType', fields: { name: 'Name', fields: 'RecordField[]', docs: 'docs' } },
  Definition: {
    rule: 'definition',
    fields: {
      keyword: 'layer|loss|schedule|optimizer|source|probe',
      composite: 'flag',
      name: 'Name',
      params: 'Parameter[]',
      result: 'TypeRef?',
      body: 'Statement[]?',
      value: 'Expression?',
      docs: 'docs',
    },
  },
} satisfies Record<string, NodeRule>;

const statements = {
  Let: { rule: 'letStatement', fields: { name: 'Name', params: 'Name[]?', shape: 'TypeRef?', value: 'Expression' } },
  Assign: { rule: 'assign', fields: { name: 'Name', value: 'Expression' } },
  Weight: { rule: 'weight', fields: { name: 'Name', shape: 'TypeRef', init: 'Expression', options: 'NamedArgument[]' } },
  Part: { rule: 'part', fields: { name: 'Name', index: 'Expression?', value: 'Expression' } },
  Repeat: { rule: 'repeat', fields: { variable: 'Name', over: 'Expression', body: 'Statement[]' } },
  If: { rule: 'ifStatement', fields: { condition: 'Expression', then: 'Statement[]', otherwise: 'Statement[]?' } },
  Return: { rule: 'returnStatement', fields: { value: 'Expression' } },
  Expose: { rule: 'expose', fields: { name: 'Name', value: 'Expression' } },
  Require: { rule: 'require', fields: { condition: 'Expression', message: 'Expression' } },
  StateLike: { rule: 'stateLike', fields: { name: 'Name', like: 'Name' } },
  Embed: { rule: 'embed', fields: { name: 'Name', from: 'Expression', body: 'Statement[]' } },
  Train: { rule: 'trainStatement', fields: { name: 'Name', fields: 'Field[]' } },
  Keep: { rule: 'keep', fields: { name: 'Name', value: 'Expression' } },
  Score: { rule: 'score', fields: { value: 'Expression' } },
} satisfies Record<string, NodeRule>;

const expressions = {
  NumberLiteral: {
    fields: {
      value: 'ts:number',
      magnitude: "ts?:'k' | 'M' | 'B'",
      unit: "ts?:'px' | '%' | 'h' | 'steps' | 'epochs' | 'tokens' | 'rows'",
      text: 'ts:string',
    },
  },
  StringLiteral: { fields: { value: 'ts:string' } },
  BoolLiteral: { fields: { value: 'ts:boolean' } },
  NoneLiteral: { fields: {} },
  ListLiteral: { rule: 'listLiteral', fields: { items: 'Expression[]' } },
  Identifier: { fields: { name: 'ts:string' } },
  Member: { fields: { object: 'Expression', name: 'Name' } },
  Call: { fields: { callee: 'Expression', arguments: 'Argument[]' } },
  Index: { fields: { object: 'Expression', entries: 'IndexEntry[]' } },
  Unary: { fields: { operator: "ts:'-' | 'not'", operand: 'Expression' } },
  Binary: {
    fields: {
      operator: "ts:'or' | 'and' | '<' | '<=' | '>' | '>=' | '==' | '!=' | 'in' | '+' | '-' | '*' | '/' | '%' | '^'",
      left: 'Expression',
      right: 'Expression',
    },
  },
  Range: { fields: { from: 'Expression', to: 'Expression' } },
  Conditional: { fields: { condition: 'Expression', then: 'Expression', otherwise: 'Expression' } },
  Arrow: { fields: { steps: 'Expression[]' } },
  /** Stands where the text has no expression although one is due: a syntax error has been reported there, so say nothing about it. */
  Missing: { fields: {} },
} satisfies Record<string, NodeRule>;

const indexEntries = {
  IndexAt: { fields: { value: 'Expression' } },
  Slice: { fields: { from: 'Expression?', to: 'Expression?' } },
  Rest: { rule: 'rest', fields: {} },
  IndexNamed: { rule: 'indexNamed', fields: { name: 'Name', value: 'Expression' } },
} satisfies Record<string, NodeRule>;

const others = {
  File: { rule: 'file', fields: { version: 'NumberLiteral?', docs: 'docs', declarations: 'Declaration[]' } },
  Name: { fields: { text: 'ts:string' } },
  Arm: { rule: 'arm', fields: { name: 'Name', tunes: 'Tune[]', fields: 'Field[]' } },
  Tune: { rule: 'tune', fields: { name: 'Name', values: 'Expression', by: 'Expression', seeds: 'Expression' } },
  Field: { rule: 'field', fields: { name: 'Name', value: 'Expression?', every: 'Expression?', on: 'Expression?', more: 'FieldMore[]' } },
  FieldMore: { rule: 'fieldMore', fields: { name: 'Name', value: 'Expression' } },
  RecordField: { rule: 'recordField', fields: { name: 'Name', type: 'TypeRef' } },
  Parameter: { rule: 'parameter', fields: { name: 'Name', type: 'TypeRef?', domain: 'Domain?', default: 'Expression?' } },
  Domain: { rule: 'domain', fields: { bounds: 'Bound[]', words: 'Expression?' } },
  Bound: { rule: 'bound', fields: { operator: '<|<=|>|>=', negative: 'flag', value: 'NumberLiteral' } },
  TypeRef: { fields: { name: 'Name?', shape: 'ShapeEntry[]?', optional: 'ts:boolean' } },
  NamedArgument: { rule: 'namedArgument', fields: { name: 'Name', value: 'Expression' } },
  Argument: { rule: 'argument', fields: { name: 'Name?', value: 'Expression' } },
} satisfies Record<string, NodeRule>;

export const nodes: Readonly<Record<string, NodeRule>> = { ...others, ...declarations, ...statements, ...expressions, ...indexEntries };

/** The unions, by their members; a union with a rule is built by unwrapping that rule's one child. */
export const unions: Readonly<Record<string, { rule?: string; members: readonly string[] }>> = {
  Declaration: { rule: 'declaration', members: Object.keys(declarations) },
  Statement: { rule: 'statement', members: Object.keys(statements) },
  Expression: { members: Object.keys(expressions) },
  IndexEntry: { members: Object.keys(indexEntries) },
  ShapeEntry: { members: ['Expression', 'Rest'] },
};

/** Labels that only the hand-written builders read, by rule. */
export const handLabels: Readonly<Record<string, readonly string[]>> = {
  file: ['pivot'],
};
