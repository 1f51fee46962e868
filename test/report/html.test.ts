import { describe, expect, test } from '@jest/globals';
import { markup, raw } from '../../runtime/node/report/html.ts';

describe('markup', () => {
  test('a text cannot become an element or leave an attribute', () => {
    const hostile = `"><script>alert('x')</script>&amp;`;
    expect(markup`<p title="${hostile}">${hostile}</p>`.text).toBe(
      '<p title="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;">&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;</p>',
    );
  });

  test('markup is kept, lists are joined, nothing is left out but what is absent', () => {
    expect(markup`<ul>${['a', 'b'].map((x) => markup`<li>${x}</li>`)}</ul>${undefined}${false}${0}${raw('<hr>')}`.text).toBe(
      '<ul><li>a</li><li>b</li></ul>0<hr>',
    );
  });

  test('an object that only looks like markup is not one', () => {
    const parsed: string = JSON.parse('"<b>"');
    expect(markup`${parsed}`.text).toBe('&lt;b&gt;');
  });

  test('control characters become visible', () => {
    expect(markup`${'a\u0000b\u001bc\nd'}`.text).toBe('a\ufffdb\ufffdc\nd');
  });
});
