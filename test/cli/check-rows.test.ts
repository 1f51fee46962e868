/** `pivot check` looks at rows, and `pivot check --data` reads all of them. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkRows } from '../../runtime/node/run/check-rows.ts';
import { silent } from '../../runtime/core/log.ts';
import { compileText } from '../../cli/compile-text.ts';
import { lines, png } from '../support/rows-folder.ts';
import { pivot } from './pivot.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'pivot-check-'));
  await writeFile(join(root, 'p.png'), png);
  // Sound headers, and no pixels.
  await writeFile(join(root, 'broken.png'), Buffer.concat([png.subarray(0, png.length - 30), Buffer.alloc(30)]));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const good = { image: 'p.png', question: 'what colour is the circle', chosen: 'red', rejected: 'blue' };
let files = 0;

async function text(rows: object[], count = rows.length): Promise<string> {
  const name = `rows-${files++}`;
  await writeFile(join(root, `${name}.jsonl`), lines(rows));
  const file = join(root, `${name}.pivot`);
  await writeFile(
    file,
    `pivot 1
use std.vision.vit
use std.language.decoder
use std.connector.mlp.merge
use std.data.files
use std.data.scenes
use std.loss.dpo
use std.optim.adamw

encoder  eyes = vit(image: 24px, patch: 12px, width: 8, depth: 1, heads: 1)
language head = decoder(tokenizer: scenes.words, width: 8, depth: 1, heads: 1, context: 64)
model    mllm = eyes -> merge() -> head
data     rows = files.preferences(folder: "${name}.jsonl", tokenizer: scenes.words, count: ${count}, size: 24px, prompt: 6, answer: 4)

stage s {
  model    mllm
  train    mllm
  on       rows
  loss     dpo(beta: 0.1)
  optimize adamw(lr: 1e-3)
  batch    1
  steps    1
}
`,
  );
  return file;
}

describe('faults of rows', () => {
  const FAULTS: [object, RegExp][] = [
    [{ ...good, chosen: 'vermilion' }, /chosen of row 2 \(.*line 2\) has the word "vermilion", which the tokenizer does not know/],
    [{ ...good, chosen: 'red red red red red' }, /chosen of row 3 \(.*line 3\) has 6 tokens with its end token, and answer is 4/],
    [{ ...good, image: 'none.png' }, /jsonl:4: image: none.png does not exist/],
    [{ ...good, image: 'broken.png' }, /jsonl:5: image: broken.png cannot be decoded/],
    [{ ...good, question: '' }, /prompt of row 6 \(.*line 6\) has no word/],
    [{ ...good, rejected: 7 }, /jsonl:7: rejected: expected text, found 7/],
    [{ ...good, weight: 0.5 }, /jsonl:8: weight: it is given \(0.5\)/],
  ];

  test.each([[['--data']], [[]]])('of all kinds at once, each with its row: check %j', async (options) => {
    const file = await text([good, ...FAULTS.map(([row]) => row)]);
    const { code, stderr, stdout } = await pivot('check', file, ...options);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error R0520: 7 faults in the rows of rows-\d+.jsonl:/);
    for (const [, message] of FAULTS) expect(stderr).toMatch(message);
    expect(stdout).not.toContain('sound');
  });

  test('are bounded', async () => {
    const file = await text(Array.from({ length: 100 }, (_, i) => ({ ...good, chosen: `word${i}` })));
    const { code, stderr } = await pivot('check', '--data', file);
    expect(code).toBe(1);
    expect(stderr.split('\n').length).toBeLessThan(20);
    expect(stderr).toContain('and 90 more');
  });

  test('of a whole file: there is none, or it has too few rows', async () => {
    const file = await text([good, good], 3);
    expect((await pivot('check', file)).stderr).toMatch(/error R0513: .*has 2 rows, and the text counts 3/);
  });
});

test('sound rows', async () => {
  const file = await text([good, { ...good, id: 3, source: 'web' }]);
  for (const options of [[], ['--data']]) {
    const { code, stdout, stderr } = await pivot('check', file, ...options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^note: rows-\d+.jsonl: columns not used: id, source\n.*: sound \(2 tasks.*\)\n$/);
  }
});

describe('a look that ends early', () => {
  const COUNT = 400;

  async function look(rows: object[], within: number | undefined, perCall: number) {
    const file = await text(rows);
    const { plan } = compileText({ file }, [], { knows: 'stamps' });
    let clock = 0;
    const [report] = await checkRows(plan, {
      base: dirname(file),
      ...(within === undefined ? {} : { within }),
      log: silent,
      now: () => (clock += perCall),
    });
    return report;
  }

  test('tells of the faults that it has seen, and how far it came', async () => {
    const rows = Array.from({ length: COUNT }, (_, i) =>
      i === 3 ? { ...good, chosen: 'vermilion' } : i === COUNT - 1 ? { ...good, chosen: 7 } : good,
    );
    const early = await look(rows, 500, 1);
    expect(early.count).toBe(COUNT);
    expect(early.read).toBeGreaterThan(100);
    expect(early.read).toBeLessThan(COUNT);
    expect(early.decoded).toBeLessThan(COUNT);
    expect(early.error?.message).toMatch(/^1 fault in[^]*row 4 .*"vermilion"/);
    const whole = await look(rows, undefined, 1);
    expect(whole).toMatchObject({ read: COUNT, decoded: COUNT });
    expect(whole.error?.message).toMatch(/^2 faults in[^]*"vermilion"/);
    expect(whole.error?.message).toContain(`:${COUNT}: chosen: expected text, found 7`);
  });

  test('reads the first rows even without any time', async () => {
    expect((await look([good, good], 0, 1000)).read).toBe(2);
  });
});
