import { describe, expect, test } from '@jest/globals';
import { markup } from '../../runtime/node/report/html.ts';
import { marked, sameWords } from '../../runtime/node/report/words.ts';

const shown = (text: string, other: string): string => markup`${marked(text, other)}`.text;

describe('words', () => {
  test('a word that was exchanged is marked in both texts', () => {
    expect(shown('nw large red ring', 'nw large blue ring')).toBe('nw large <em class="differs">red</em> ring');
    expect(shown('nw large blue ring', 'nw large red ring')).toBe('nw large <em class="differs">blue</em> ring');
  });

  test('neighbours share an element, a missing word marks nothing, and all of a text may differ', () => {
    expect(shown('a x y b', 'a b')).toBe('a <em class="differs">x y</em> b');
    expect(shown('a b', 'a x b')).toBe('a b');
    expect(shown('north', 'a b')).toBe('<em class="differs">north</em>');
    expect(shown('', 'a')).toBe('');
  });

  test('a text stays a text', () => {
    expect(shown('<b> c', 'c')).toBe('<em class="differs">&lt;b&gt;</em> c');
  });

  test('blanks do not make texts differ, letters do', () => {
    expect(sameWords(' red  ring\n', 'red ring')).toBe(true);
    expect(sameWords('red ring', 'Red ring')).toBe(false);
  });
});
