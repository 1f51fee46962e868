/**
 * Chat templates, rendered as transformers renders them: Jinja2 in its sandbox, with its loop controls, `generation` tags and transformers' own
 * functions. Values and their printing are Python's. What this reader does not reproduce is refused by name, with the line of the template;
 * so is what Jinja2 refuses itself.
 */
import type { Json } from '../../plan/json.ts';
import { bind, textArgument, wholeArgument } from './arguments.ts';
import { TemplateError, unsupported } from './errors.ts';
import { Interpreter, Scope } from './interpret.ts';
import type { Statement } from './nodes.ts';
import { parseTemplate } from './parse.ts';
import { print } from './print.ts';
import { formatTime } from './time.ts';
import { Callable, Dict, fromJson, iterate, Namespace, Undefined, View } from './values.ts';
import type { Given, Value } from './values.ts';

/** Longest range, as Jinja2's sandbox has it. */
const LONGEST_RANGE = 100_000;

/** Whether a template may write today's date, which makes its texts differ from day to day. */
export function readsClock(template: string): boolean {
  return /\bstrftime_now\s*\(/.test(template);
}

export class ChatTemplate {
  private readonly statements: Statement[];
  /** @throws TemplateError with the line of what cannot be parsed or is not supported. */
  constructor(template: string) {
    this.statements = within(() => parseTemplate(template));
  }

  /** The text for these variables. @throws TemplateError: the template's own refusal, or an error of it. */
  render(variables: Readonly<Record<string, Json>>, now: () => Date = () => new Date()): string {
    const scope = new Scope();
    for (const [name, value] of globals(now)) scope.set(name, value);
    for (const [name, value] of Object.entries(variables)) scope.set(name, fromJson(value));
    return within(() => new Interpreter().run(this.statements, new Scope(scope)));
  }
}

/** What is nested too deeply for the stack is refused like anything else. */
function within<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) throw unsupported(/call stack/.test(error.message) ? 'so deep a nesting' : 'so long a text');
    throw error;
  }
}

function globals(now: () => Date): [string, Value][] {
  const functions: [string, (given: Given) => Value][] = [
    ['range', range],
    ['namespace', namespace],
    ['dict', dict],
    [
      'raise_exception',
      (given) => {
        const [message] = bind('raise_exception', given, ['message'], 1);
        throw new TemplateError(print(message as Value));
      },
    ],
    ['strftime_now', (given) => formatTime(now(), textArgument('strftime_now', bind('strftime_now', given, ['format'], 1)[0]))],
    ...['lipsum', 'cycler', 'joiner'].map((name): [string, (given: Given) => Value] => [
      name,
      () => {
        throw unsupported(`the function ${name}`);
      },
    ]),
  ];
  return functions.map(([name, call]) => [name, new Callable(name, call)]);
}

function range(given: Given): Value {
  const numbers = bind('range', given, ['start', 'stop', 'step'], 1).map((one) =>
    one === undefined ? undefined : wholeArgument('range', one),
  );
  if (given.named.size > 0) throw new TemplateError('range takes no named arguments');
  const [first, stop, step = 1] = numbers;
  const [from, to] = stop === undefined ? [0, first ?? 0] : [first ?? 0, stop];
  if (step === 0) throw new TemplateError('the step of a range is 0');
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (count > LONGEST_RANGE) throw new TemplateError(`a range of more than ${LONGEST_RANGE}`);
  return new View('range', Array.from({ length: count }, (_, i) => from + i * step)); // prettier-ignore
}

/** The entries of `dict(..)` and `namespace(..)`. */
function entriesOf(what: string, { positional, named }: Given): [Value, Value][] {
  if (positional.length > 1) throw new TemplateError(`${what} takes one argument at most`);
  const [first] = positional;
  const own: [Value, Value][] =
    first === undefined ? [] : first instanceof Dict ? first.entries() : Array.from(iterate(first), (one) => pairOf(what, one));
  return [...own, ...named];
}

function pairOf(what: string, value: Value): [Value, Value] {
  const pair = value instanceof Undefined ? [] : [...iterate(value)];
  if (pair.length !== 2) throw new TemplateError(`${what} takes pairs of key and value`);
  return [pair[0], pair[1]];
}

function namespace(given: Given): Namespace {
  const made = new Namespace();
  for (const [key, value] of entriesOf('namespace', given)) {
    const name = textArgument('namespace', key);
    if (name.startsWith('_')) throw new TemplateError(`the field ${name} of a namespace begins with _`);
    made.fields.set(name, value);
  }
  return made;
}

function dict(given: Given): Dict {
  return Dict.of(entriesOf('dict', given));
}
