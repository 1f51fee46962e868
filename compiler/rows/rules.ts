/**
 * What each primitive makes of facts about its operands. One rule for each kind of operation: a kind without one does not compile. A rule says
 * `mixed` wherever it does not know better; functions of a kind are by default neither linear nor sums, so that a new one cannot be wrong here.
 */
import type { BinaryFn, Node, OpKind, ReduceFn } from '../graph/graph.ts';
import type { OpOf } from '../graph/primitives/primitive.ts';
import type { Shape } from '../graph/shape.ts';
import { NONE, SUM, mixed, rowAxis } from './facts.ts';
import type { IndexFact, KnownFact, RowFact, Rows, RowsFact, Shapes } from './facts.ts';

/** One operation in both graphs. Where one of them leaves out movement that moves nothing there, `same` stands in for it. */
export interface Site<K extends OpKind = OpKind> {
  whole: OpOf<K>;
  part: OpOf<K> | 'same';
  /** Operands, in both graphs. */
  inputs: Shapes[];
  out: Shapes;
  facts: KnownFact[];
  rows: Rows;
  /** The operands in the graph of the part, for rules that ask for a constant. */
  nodes: readonly Node[];
}

type Rule<K extends OpKind> = (site: Site<K>) => RowFact;

const EACH_ROW_MEETS_OTHERS = 'each row meets every other row in a product or a table over rows and rows';

/** Facts that are about one axis, of one value a row. */
type ByRow = RowsFact | IndexFact;

function isByRow(fact: KnownFact): fact is ByRow {
  return fact.kind === 'rows' || fact.kind === 'index';
}

/** Of a value with one operand more or less moved: `axis` in its place, or all of it as it was. */
function moved(fact: KnownFact, axis: (fact: ByRow) => number): KnownFact {
  return isByRow(fact) ? { ...fact, axis: axis(fact) } : fact;
}

/** What the walk itself knows: leaves by what the program is given, composites by their definitions. */
const byWalk = (): RowFact => mixed('a value of unknown origin');

/** Operands of elementwise operations have one shape, so all of them have rows along one axis, or none has. */
function elementwise({ facts }: Pick<Site, 'facts'>, linear: boolean, what: string): RowFact {
  if (facts.some((f) => f.kind === 'index'))
    return mixed(`${what} is computed from numbers of image tokens, which count those of all rows`);
  const [row] = facts.filter((f) => f.kind === 'rows');
  if (row) {
    if (!facts.every((f) => f.kind === 'rows')) return mixed(`${what} joins single rows with what is a sum over rows`);
    return { ...row, loose: facts.some((f) => f.kind === 'rows' && f.loose) };
  }
  if (facts.every((f) => f.kind === 'none')) return NONE;
  return linear ? SUM : mixed(`${what} is taken of a sum over rows, which is not linear`);
}

/** A slice, pad or expand that one graph does without. */
const startOf = (site: Site<'slice'>): { whole: number[]; part: number[] } => ({
  whole: site.whole.start,
  part: site.part === 'same' ? site.whole.start.map(() => 0) : site.part.start,
});

const NAMES: Partial<Record<BinaryFn, string>> = {
  mul: 'a product',
  div: 'a quotient',
  max: '`max`',
  min: '`min`',
  pow: 'a power',
  less: 'a comparison',
  equal: 'a comparison',
};

const binary: Rule<'binary'> = (site) => {
  const { fn } = site.whole;
  const [a, b] = site.facts;
  const what = NAMES[fn] ?? `\`${fn}\``;
  const none = (fact: KnownFact): boolean => fact.kind === 'none';
  // Rows that name no entry do so in every part.
  const index = [a, b].find((f) => f.kind === 'index');
  if (index) {
    const zero = site.nodes.some(isZero);
    const asked = (fn === 'equal' && zero) || (fn === 'less' && isZero(site.nodes[0]));
    if (asked) return { kind: 'rows', axis: index.axis, per: 1, head: 0, loose: false };
  }
  const linear =
    fn === 'add' || fn === 'sub'
      ? a.kind === 'sum' && b.kind === 'sum'
      : fn === 'mul'
        ? none(a) !== none(b)
        : fn === 'div' && a.kind === 'sum' && none(b);
  return elementwise(site, linear, what);
};

function isZero({ op, inputs }: Node): boolean {
  if (op.kind === 'constant') return op.value === 0;
  return (op.kind === 'expand' || op.kind === 'reshape' || op.kind === 'cast') && isZero(inputs[0]);
}

const select: Rule<'select'> = (site) => {
  const [condition, then, otherwise] = site.facts;
  const linear = condition.kind === 'none' && then.kind === 'sum' && otherwise.kind === 'sum';
  return elementwise(site, linear, 'a choice by `where`');
};

const REDUCE_NAMES: Partial<Record<ReduceFn, string>> = { max: 'the largest' };

const reduce: Rule<'reduce'> = ({ whole: { fn, axes }, facts: [x] }) => {
  const name = REDUCE_NAMES[fn] ?? `the ${fn}`;
  switch (x.kind) {
    case 'none':
      return NONE;
    case 'sum':
      return fn === 'sum' ? SUM : mixed(`${name} is taken of sums over rows`);
    case 'index':
      return mixed(`${name} is taken of numbers of image tokens, which count those of all rows`);
    case 'rows':
      if (!axes.includes(x.axis)) return { ...x, axis: x.axis - axes.filter((axis) => axis < x.axis).length };
      if (fn !== 'sum') return mixed(`${name} is taken over rows`);
      return x.head === 0 ? SUM : mixed('a sum over rows has terms that belong to no row');
  }
};

const contract: Rule<'contract'> = ({ whole: op, facts: [a, b] }) => {
  if (a.kind === 'index' || b.kind === 'index') return mixed('a product is taken of numbers of image tokens');
  if (a.kind === 'none' && b.kind === 'none') return NONE;
  if (a.kind === 'sum' || b.kind === 'sum')
    return a.kind === 'none' || b.kind === 'none' ? SUM : mixed('a product is taken of a sum over rows and what depends on rows too');
  const labels = [a.kind === 'rows' ? op.a[a.axis] : undefined, b.kind === 'rows' ? op.b[b.axis] : undefined];
  const label = labels[0] ?? labels[1];
  if (label === undefined || labels.some((l) => l !== undefined && l !== label)) return mixed(EACH_ROW_MEETS_OTHERS);
  const [row] = [a, b].filter((f) => f.kind === 'rows');
  const axis = op.out.indexOf(label);
  if (axis >= 0) return { ...row, axis, loose: [a, b].some((f) => f.kind === 'rows' && f.loose) };
  return row.head === 0 ? SUM : mixed('a sum over rows has terms that belong to no row');
};

/** Entries of a row stay together where as many lie before the axis of the rows as before. */
const reshape: Rule<'reshape'> = ({ facts: [x], inputs: [from], out, rows }) => {
  if (!isByRow(x)) return x;
  const to = rowAxis(out, rows);
  if (to === undefined || to === 'none') return mixed('a reshape puts several rows into one');
  const before = (shape: Shape, axis: number): number => shape.slice(0, axis).reduce((n, d) => n * d, 1);
  if (before(from.part, x.axis) !== before(out.part, to.axis)) return mixed('a reshape takes the rows apart');
  if (x.kind === 'index') return to.per === 1 && to.head === 0 ? { ...x, axis: to.axis } : mixed('a reshape joins the tokens of all rows');
  return { ...x, ...to };
};

const expand: Rule<'expand'> = ({ facts: [x], inputs: [from], out, rows }) => {
  const to = rowAxis(out, rows);
  if (to === undefined) return mixed(EACH_ROW_MEETS_OTHERS);
  if (isByRow(x)) {
    const kept = to !== 'none' && to.axis === x.axis && from.whole[x.axis] === out.whole[x.axis] && from.part[x.axis] === out.part[x.axis];
    return kept ? x : mixed(EACH_ROW_MEETS_OTHERS);
  }
  if (to === 'none') return x;
  return x.kind === 'none' ? { kind: 'rows', ...to, loose: false } : mixed('a sum over rows is joined with single rows');
};

const slice: Rule<'slice'> = (site) => {
  const {
    facts: [x],
    inputs: [from],
    out,
  } = site;
  const start = startOf(site);
  const axis = isByRow(x) ? x.axis : -1;
  if (start.whole.some((at, i) => at !== start.part[i])) return mixed('a slice begins at another place for another number of rows');
  if (!isByRow(x)) return x;
  const at = start.whole[axis];
  const toEnd = (['whole', 'part'] as const).every((of) => at + out[of][axis] === from[of][axis]);
  if (x.kind === 'index') return toEnd && at === 0 ? x : mixed('a slice takes some of the rows');
  if (toEnd && at <= x.head) return { ...x, head: x.head - at, loose: x.loose && at < x.head };
  const inHead = at + out.whole[axis] <= x.head && out.whole[axis] === out.part[axis];
  return inHead && !x.loose ? NONE : mixed('a slice takes some of the rows');
};

const pad: Rule<'pad'> = ({ whole, part, facts: [x], inputs: [from], out }) => {
  const before = part === 'same' ? whole.before.map(() => 0) : part.before;
  if (whole.before.some((n, i) => n !== before[i])) return mixed('padding differs with the number of rows');
  if (!isByRow(x)) return x;
  const n = before[x.axis];
  if (x.kind === 'index' && n > 0) return mixed('numbers of image tokens are padded along the rows');
  if (n + from.whole[x.axis] !== out.whole[x.axis] || n + from.part[x.axis] !== out.part[x.axis])
    return mixed('padding stands behind the rows');
  return x.kind === 'rows' ? { ...x, head: x.head + n } : x;
};

const concat: Rule<'concat'> = ({ whole: { axis }, facts, inputs }) => {
  const [first] = facts;
  if (facts.every((f) => f.kind === first.kind && !isByRow(f))) return first;
  const along = facts.every((f) => isByRow(f) && f.axis !== axis && f.kind === first.kind);
  if (along) {
    if (first.kind === 'index')
      return facts.every((f) => f.kind === 'index' && f.each === first.each) ? first : mixed('tokens are numbered in two ways');
    return { ...(first as RowsFact), loose: facts.some((f) => f.kind === 'rows' && f.loose) };
  }
  const last = facts[facts.length - 1];
  const before = facts.slice(0, -1);
  if (last.kind === 'rows' && last.axis === axis && before.every((f) => f.kind === 'none')) {
    const head = inputs.slice(0, -1).reduce((n, { part }) => n + part[axis], 0);
    return { ...last, head: head + last.head };
  }
  return mixed('`concat` joins the rows with others along their own axis');
};

const gather: Rule<'gather'> = ({ facts: [table, index], inputs }) => {
  if (index.kind === 'index') {
    const own = table.kind === 'rows' && table.axis === 0 && table.head === 1 && !table.loose && table.per === index.each;
    return own ? { kind: 'rows', axis: index.axis, per: 1, head: 0, loose: false } : mixed('`gather` reads entries of other rows');
  }
  if (index.kind === 'sum') return mixed('`gather` reads at a sum over rows');
  if (index.kind === 'none') {
    if (!isByRow(table)) return table;
    return table.axis > 0 ? { ...table, axis: table.axis - 1 + inputs[1].part.length } : mixed('`gather` reads some of the rows');
  }
  return table.kind === 'none' ? index : mixed('`gather` reads entries of other rows, or of sums over rows, a row at a time');
};

const scatterAdd: Rule<'scatter_add'> = ({ facts: [values, index], inputs, out, rows }) => {
  const lead = inputs[1].part.length;
  if (values.kind === 'index') return mixed('numbers of image tokens are added up');
  if (index.kind === 'index') {
    const to = rowAxis(out, rows);
    const own = values.kind === 'rows' && values.axis === index.axis && to !== undefined && to !== 'none';
    // Entry 0 takes what all rows give to no entry.
    if (own && to.axis === 0 && to.head === 1 && to.per === index.each) return { kind: 'rows', ...to, loose: true };
    return mixed('values are added up by numbers of image tokens');
  }
  if (index.kind === 'sum') return mixed('values are added up by a sum over rows');
  if (index.kind === 'none') {
    if (values.kind !== 'rows') return values;
    return values.axis >= lead ? { ...values, axis: values.axis - lead + 1 } : mixed('values of all rows are added up by their place');
  }
  const summed = values.kind === 'rows' && values.axis === index.axis && values.head === 0 && rowAxis(out, rows) === 'none';
  return summed ? SUM : mixed('values of all rows are added up by an index of rows');
};

export const RULES: { [K in OpKind]: Rule<K> } = {
  input: byWalk,
  state: byWalk,
  scalar: byWalk,
  constant: byWalk,
  composite: byWalk,
  iota: ({ whole: { axis }, out, rows }) => {
    const to = rowAxis(out, rows);
    if (to === undefined) return mixed(EACH_ROW_MEETS_OTHERS);
    if (to === 'none') return NONE;
    return to.axis === axis ? mixed('`iota` numbers the rows, and each part begins at 0') : { kind: 'rows', ...to, loose: false };
  },
  unary: (site) => elementwise(site, site.whole.fn === 'neg', `\`${site.whole.fn}\``),
  binary,
  select,
  // Whole numbers become f32 exactly enough; a fraction that is cut off is not linear.
  cast: (site) => elementwise(site, false, 'a conversion'),
  reduce,
  contract,
  reshape,
  permute: ({ whole: { order }, facts: [x] }) => moved(x, (fact) => order.indexOf(fact.axis)),
  expand,
  slice,
  pad,
  concat,
  gather,
  scatter_add: scatterAdd,
};
