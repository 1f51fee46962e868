import { describe, expect, test } from '@jest/globals';
import { readJson } from '../../plan/json.ts';
import { Random } from '../support/random.ts';

const read = (text: string | Uint8Array) =>
  readJson(typeof text === 'string' ? new TextEncoder().encode(text) : text, 'a.json', { code: 'R0501', cure: 'mend it' });

describe('JSON', () => {
  test('values, places and sources of values', () => {
    const json = read('{\n  "a": [1, {"b": 9007199254740993}],\n  "__proto__": {"c\\n": "x"}\n}');
    expect(json.value).toEqual(JSON.parse('{"a": [1, {"b": 9007199254740993}], "__proto__": {"c\\n": "x"}}'));
    expect(json.place(['a', 1, 'b'])).toEqual({ file: 'a.json', line: 2, column: 18 });
    expect(json.source(['a', 1, 'b'])).toBe('9007199254740993');
    expect(json.source(['__proto__', 'c\n'])).toBe('"x"');
    expect(json.source(['a', 2])).toBeUndefined();
    expect(json.place(['a', 2])).toEqual({ file: 'a.json', line: 2, column: 8 });
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    ['an empty file', '', /is empty/],
    ['an object cut off', '{"a": {"b": 1', /line 1, column 14.*ends at its byte 13/],
    ['a text cut off', '{"a": "abc', /no closing quote; the file ends/],
    ['a key twice', '{"a": 1,\n "b": {"a": 2}, "\\u0061": 3}', /line 2, column 17: the key "a" stands twice/],
    ['NaN', '{"a": NaN}', /column 7: found NaN/],
    ['a comma too many', '[1, 2,]', /expected a value, found "]"/],
    ['single quotes', "{'a': 1}", /expected a key in quotes/],
    ['two values', '{} {}', /expected the end/],
    ['HTML', '<!DOCTYPE html><html></html>', /expected JSON, found HTML/],
    ['a pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n', /LFS pointer of 12 bytes; run git lfs pull/],
    ['other encodings', Uint8Array.of(0x22, 0xff, 0x22), /UTF-8/],
  ])('%s is refused', (_, text, message) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'R0501', message: expect.stringMatching(message) }));
  });

  test('deep nesting and long texts do not overflow the stack', () => {
    expect(() => read('['.repeat(200_000))).toThrow(/cut off/);
    expect(read('['.repeat(20_000) + ']'.repeat(20_000)).source([0, 0])).toMatch(/^\[{57}\.\.\.$/);
    expect(read(`"${'\\n'.repeat(200_000)}"`).value).toHaveLength(200_000);
  });

  /** What the scanner takes is what `JSON.parse` takes, but for keys that stand twice: random edits of a sound text. */
  test('agrees with JSON.parse on damaged texts', () => {
    const random = new Random(7);
    const next = (): number => random.next();
    const sound = '{"a": [1, -2.5e3, "x\\"y\\u00e9", true, null, {}], "b": {"c": [], "d": [[0]]} }';
    const letters = '{}[]",:0-1.e\\u tfn';
    let taken = 0;
    for (let round = 0; round < 5000; round++) {
      let text = sound;
      for (let edits = 1 + (round % 2); edits > 0; edits--) {
        const at = Math.floor(next() * text.length);
        const put = letters[Math.floor(next() * letters.length)];
        text = text.slice(0, at) + (next() < 0.5 ? put : '') + text.slice(at + Math.floor(next() * 2));
      }
      const ours = outcome(() => read(text).value);
      const theirs = outcome(() => JSON.parse(text));
      if (ours === theirs) taken += ours.startsWith('{') ? 1 : 0;
      else if (!/stands twice/.test(ours) && !(theirs.startsWith('SyntaxError') && /not valid JSON/.test(ours))) {
        throw new Error(`${text}: ${ours} against ${theirs}`);
      }
    }
    expect(taken).toBeGreaterThan(100);
  });
});

function outcome(parse: () => unknown): string {
  try {
    return JSON.stringify(parse());
  } catch (error) {
    return String(error);
  }
}
