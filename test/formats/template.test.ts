/** Chat templates against what transformers' Jinja2 made of them, and what is refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { TemplateError } from '../../formats/template/errors.ts';
import { ChatTemplate, readsClock } from '../../formats/template/template.ts';
import type { Json } from '../../plan/json.ts';

interface Recorded {
  templates: Record<string, string>;
  conversations: Record<string, Json>;
  variables: Record<string, string>;
  /** Name of the template, conversation, whether a prompt is asked for, and the text; null where Jinja2 refuses. */
  results: [name: string, conversation: string, generation: boolean, text: string | null][];
}

const recorded = JSON.parse(readFileSync(join('test', 'fixtures', 'templates', 'recorded.json'), 'utf8')) as Recorded;

function render(template: string, variables: Record<string, Json> = {}): string {
  return new ChatTemplate(template).render(variables);
}

/** The text; the refusal, with its line, where there is none. */
function made(template: string, variables: Record<string, Json> = {}): string | TemplateError {
  try {
    return render(template, variables);
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
}

/** What Jinja2 renders and this reader refuses: each by these words. */
const REFUSED: [template: string, words: string][] = [
  ['.items }}', 'printing a function'],
  ['{{ range(3) }}', 'printing a range'],
  ["'%s' %", 'formatting a text by %'],
  ['.format(', 'the method format of a text'],
  ['center', 'the filter center'],
  ['ΑΣ', 'the small letter of Σ'],
  ['12345678901234567890', 'beyond 2^53'],
  ['m.__class__', 'is undefined'],
  ["''.__class__", '__class__ of a str'],
];

describe('transformers renders', () => {
  const names = Object.keys(recorded.templates);
  test.each(names)('%s the same', (name) => {
    const template = recorded.templates[name];
    for (const [, conversation, generation, text] of recorded.results.filter(([one]) => one === name)) {
      const messages = recorded.conversations[conversation];
      const variables = { ...recorded.variables, messages, tools: null, documents: null, add_generation_prompt: generation };
      const found = made(template, variables);
      if (text === null) expect(found).toBeInstanceOf(TemplateError);
      else if (found instanceof TemplateError) {
        const expected = REFUSED.find(([part]) => template.includes(part));
        expect([template, found.message]).toEqual([template, expect.stringContaining(expected?.[1] ?? 'nothing is refused here')]);
        expect(found.line).toBeGreaterThan(0);
      } else expect([template, conversation, found]).toEqual([template, conversation, text]);
    }
  });
});

describe('what is not reproduced is refused by name, with its line', () => {
  test.each<[string, RegExp, number]>([
    ['\n{{ x | urlize }}', /^the filter urlize is not supported$/, 2],
    ['{{ 1 is sameas 1 }}', /^the test sameas is not supported$/, 1],
    ['a\nb\n{% include "x" %}', /^the tag include is not supported$/, 3],
    ['{% for x in [] recursive %}{% endfor %}', /^a recursive loop is not supported$/, 1],
    ["{% if true %}\n{{ ('<b>' | safe) + 'x' }}{% endif %}", /^\+ with a text that is marked safe/, 2],
    ["{{ 'a'.zfill(3) }}", /^the method zfill of a text is not supported$/, 1],
    ['{{ lipsum() }}', /^the function lipsum is not supported$/, 1],
    ["{{ 'abc' | int(base=16) }}", /^int has a base|int with a base is not supported$/, 1],
    ['{{ 2 ** 60 }}', /beyond 2\^53 is not supported$/, 1],
    ['{{ [1] | select | list | first | round(2) }}', /^round to decimals is not supported$/, 1],
    ["{{ 'a'.startswith('a', 1) }}", /^startswith with a range is not supported$/, 1],
    ['{{ messages.append(1) }}', /^append of a list is not allowed in templates/, 1],
    ['{% set x.y = 1 %}', /^x is no namespace/, 1],
    ['{{ raise_exception("No " ~ none) }}', /^No None$/, 1],
    ['{% if %}{% endif %}', /^expected an expression$/, 1],
    ['{% for x in [1] %}', /^expected endfor or else, found the end of the template$/, 1],
    ['{{ "a }}', /^unexpected "\\""$/, 1],
    ['{{ (1 }}', /./, 1],
    ['{# a', /^a comment does not end$/, 1],
  ])('%j', (template, message, line) => {
    const found = made(template, { messages: [] });
    expect(found).toBeInstanceOf(TemplateError);
    expect(found).toMatchObject({ message: expect.stringMatching(message), line });
  });

  test('deep templates are refused, not run out of', () => {
    expect(made('{% if true %}'.repeat(5000))).toMatchObject({ message: expect.stringMatching(/so deep a nesting/) });
    expect(made('{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}')).toMatchObject({ message: expect.stringMatching(/so many calls/) });
    expect(made(`{{ ${'('.repeat(20000)}1${')'.repeat(20000)} }}`)).toMatchObject({ message: expect.stringMatching(/so deep a nesting/) });
  });
});

test("strftime_now is Python's, and is told", () => {
  const time = new Date(2024, 6, 5, 14, 3, 9);
  const template = new ChatTemplate("{{ strftime_now('%d %b %Y|%A %B %e|%H:%M:%S|%I%p|%y-%m-%d|%%') }}");
  expect(template.render({}, () => time)).toBe('05 Jul 2024|Friday July  5|14:03:09|02PM|24-07-05|%');
  expect(() => new ChatTemplate("{{ strftime_now('%U') }}").render({})).toThrow(/%U in a format of strftime_now is not supported/);
  expect([readsClock('{{ strftime_now("%d") }}'), readsClock('{% if strftime_now is defined %}')]).toEqual([true, false]);
});
