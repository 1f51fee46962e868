/**
 * `score logistic(fit: fitting, held: judged)` at the end of a probe: tables by the names of embeds, weights by parts, the rest are parameters.
 * All of it is compared with the score's signature, and the data with what the score reads of their rows, before anything is trained.
 */
import { nearest } from '../../grammar/index.ts';
import type { Expression, Span, Statement } from '../../grammar/index.ts';
import { SCORES, SIGNATURES } from '../../plan/scores.ts';
import type { Signature, TableArgument } from '../../plan/scores.ts';
import { fail } from '../elaborate/fault.ts';
import { describe } from '../elaborate/values.ts';
import type { DataValue, Value } from '../elaborate/values.ts';
import type { Host } from '../host.ts';
import type { ProbePart, ProbeSpec } from './probes.ts';

export type ScoreCall = Pick<ProbeSpec, 'score' | 'tables' | 'params' | 'weights'>;

interface Where {
  host: Host;
  parts: readonly ProbePart[];
  /** The probe's declaration in the text. */
  probe: Span;
  evaluate: (e: Expression) => Value;
}

/** The arguments of a `score` statement, each as its score takes it. */
export function scoreCall({ value: e }: Extract<Statement, { kind: 'Score' }>, where: Where): ScoreCall {
  const name = e.kind === 'Call' && e.callee.kind === 'Identifier' ? e.callee.name : undefined;
  if (e.kind !== 'Call' || name === undefined || !Object.hasOwn(SCORES, name))
    return fail(
      'P0301',
      { expected: `a score, one of ${Object.keys(SCORES).join(', ')}`, found: name ? `\`${name}\`` : 'something else' },
      e.span,
    );
  const signature = SIGNATURES[name];
  const known = argumentsOf(signature);
  const of = `the score ${name}`;
  const call: ScoreCall = { score: name, tables: {}, params: {}, weights: {} };
  const given = new Set<string>();
  for (const { name: at, value: expression, span } of e.arguments) {
    const argument = at?.text ?? '';
    if (!known.includes(argument))
      fail('P0209', { name: argument, of, nearest: nearest(argument, known) ?? '', known: known.join(', ') }, at?.span ?? span);
    if (given.has(argument)) fail('P0212', { name: argument, of }, span);
    given.add(argument);
    const value = where.evaluate(expression);
    const wrong = (expected: string): never =>
      fail('P0301', { expected: `${expected} for \`${argument}\` of ${of}`, found: describe(value) }, expression.span);
    if (Object.hasOwn(signature.tables, argument)) {
      if (value.kind !== 'data' || !value.table) return wrong('what an `embed` keeps');
      requireColumns(argument, signature.tables[argument], value.table.name, of, expression.span, where);
      call.tables[argument] = value.table.name;
    } else if (signature.weights?.includes(argument)) {
      if (value.kind !== 'instance') return wrong('a part');
      call.weights[argument] = [value.path];
    } else if (value.kind === 'number') call.params[argument] = value.value;
    else return wrong('a number');
  }
  const missing = Object.keys(signature.tables).filter((table) => !given.has(table));
  if (missing.length > 0) fail('P0210', { names: missing, of }, e.span);
  return call;
}

function argumentsOf({ tables, weights = [], params = [] }: Signature): string[] {
  return [...Object.keys(tables), ...weights, ...params];
}

function requireColumns(argument: string, table: TableArgument, name: string, of: string, span: Span, { parts, host, probe }: Where): void {
  const part = parts.find((one) => one.name === name);
  if (part?.kind === 'answers' || table.answers) {
    if (part?.kind === 'answers' && table.answers) return;
    fail(
      'P0301',
      {
        expected: `${table.answers ? 'answers of `subject.sample(..)`' : 'what an `embed` keeps'} for \`${argument}\` of ${of}`,
        found: `\`${name}\``,
      },
      span,
    );
  }
  if (part?.kind !== 'embed') return;
  const kept = [...part.roles.forward.outputs.map((output) => output.name), ...part.keepInputs];
  const lacking = table.tensors.find((names) => !names.some((one) => kept.includes(one)));
  if (lacking) fail('P0539', { of, argument, wanted: lacking, kept, nearest: nearest(lacking[0], kept) ?? '' }, span);
  for (const column of table.rows ?? [])
    if (!mayHave(host, part.data, column)) fail('P0543', { of, column, data: part.data.folder ?? part.data.source }, probe);
}

/** Whether rows may have a column that is no tensor. Scenes have boxes; of own rows the files that are text are looked into. */
function mayHave(host: Host, data: DataValue, column: string): boolean {
  return (data.mix ?? [data]).every(({ source, folder }) => {
    if (!source.startsWith('files.') || folder === undefined) return true;
    const inside = host.list(folder)?.map((name) => `${folder.replace(/\/+$/, '')}/${name}`) ?? [folder];
    const texts = inside.filter((path) => /\.jsonl?$/.test(path));
    return texts.length === 0 || texts.some((path) => textOf(host, path)?.includes(`"${column}"`) ?? true);
  });
}

/** A file's text; nothing where it is too long to be one string. */
function textOf(host: Host, path: string): string | undefined {
  try {
    return host.read(path);
  } catch {
    return undefined;
  }
}
