import { describe, expect, test } from '@jest/globals';
import { parse } from '../../grammar/index.ts';
import type { Field } from '../../grammar/index.ts';
import { declaration, declarations, show } from './show.ts';

const texts = (names: readonly { text: string }[] = []): string[] => names.map((name) => name.text);

/** A field as `name=value every=... on=... ,more=...`. */
function showField({ name, value, every, on, more }: Field): string {
  const parts = [name.text + (value ? `=${show(value)}` : ''), every && `every=${show(every)}`, on && `on=${show(on)}`];
  return [...parts.filter((part) => part !== undefined), ...more.map((m) => `,${m.name.text}=${show(m.value)}`)].join(' ');
}

const fields = (body: string): string[] => declaration('Stage', `stage s { ${body} }`).fields.map(showField);

describe('declarations', () => {
  test('use', () => {
    const plain = declaration('Use', 'use std.data.scenes');
    expect([texts(plain.path), plain.file, plain.names]).toEqual([['std', 'data', 'scenes'], undefined, undefined]);
    expect(texts(declaration('Use', 'use std.loss.{ sft, dpo }').names)).toEqual(['sft', 'dpo']);
    const own = declaration('Use', 'use "own.pivot".{ my_loss, }');
    expect([own.path, own.file?.value, texts(own.names)]).toEqual([[], 'own.pivot', ['my_loss']]);
    expect(declaration('Use', 'use "own.pivot"')).toMatchObject({ file: { value: 'own.pivot' }, names: undefined });
  });

  test('param and seeds', () => {
    expect(declaration('Param', 'param pairs: int = 8k')).toMatchObject({
      name: { text: 'pairs' },
      type: { name: { text: 'int' } },
      value: { value: 8000 },
    });
    expect(declaration('Param', 'param rate = 1e-3').type).toBeUndefined();
    expect(show(declaration('Seeds', 'seeds [0, 1]').values)).toBe('[0, 1]');
  });

  test.each(['encoder', 'language', 'model', 'data', 'tokenizer', 'probe'] as const)('%s binds a name', (keyword) => {
    expect(declaration('Binding', `${keyword} it = f(1) -> g`)).toMatchObject({ keyword, name: { text: 'it' }, value: { kind: 'Arrow' } });
  });

  test('stage, with and without a start', () => {
    expect(declaration('Stage', 'stage a { steps 3 }').from).toBeUndefined();
    expect(declaration('Stage', 'stage a from b { }')).toMatchObject({ from: { name: 'b' }, fields: [] });
  });

  test('compare', () => {
    const compare = declaration(
      'Compare',
      'compare post from align { arm sft { loss sft } train mllm arm dpo { loss dpo(beta: 0.1) steps 4 } steps 3 }',
    );
    expect(texts(compare.arms.map((arm) => arm.name))).toEqual(['sft', 'dpo']);
    expect(compare.arms.map((arm) => arm.fields.map(showField))).toEqual([['loss=sft'], ['loss=dpo(beta: 0.1)', 'steps=4']]);
    expect(compare.fields.map(showField)).toEqual(['train=mllm', 'steps=3']);
  });

  test('export', () => {
    const { value, as } = declaration('Export', 'export post.dpo[seed: 0].eyes as "eyes.safetensors"');
    expect([show(value), as.value]).toEqual(['post.dpo[seed=0].eyes', 'eyes.safetensors']);
  });

  test('record', () => {
    const record = declaration('RecordType', 'record Scored { logp: [N, T], ids: ids [N, T], inner: Pair?, }');
    expect(texts(record.fields.map((f) => f.name))).toEqual(['logp', 'ids', 'inner']);
    expect(record.fields.map((f) => [f.type.name?.text, f.type.shape?.length, f.type.optional])).toEqual([
      [undefined, 2, false],
      ['ids', 2, false],
      ['Pair', undefined, true],
    ]);
  });

  test.each(['layer', 'loss', 'schedule', 'optimizer', 'source', 'probe'] as const)('a definition of a %s', (keyword) => {
    const definition = declaration('Definition', `${keyword} f(x: [.., 2 * D], n: int = 3, flag,) -> Pair { return x }`);
    expect(definition).toMatchObject({
      keyword,
      composite: false,
      name: { text: 'f' },
      result: { name: { text: 'Pair' } },
      body: [{ kind: 'Return' }],
    });
    expect(texts(definition.params.map((p) => p.name))).toEqual(['x', 'n', 'flag']);
    expect(definition.params[0].type?.shape?.map((entry) => entry.kind)).toEqual(['Rest', 'Binary']);
    expect(definition.params[1].default).toMatchObject({ value: 3 });
    expect(definition.params[2]).toMatchObject({ type: undefined, default: undefined });
  });

  test('a named composite, and a definition by an expression', () => {
    expect(declaration('Definition', 'composite layer attention() -> [] { return 1 }')).toMatchObject({
      composite: true,
      result: { shape: [] },
    });
    expect(declaration('Definition', 'source s(count: int) -> pairs = native("x")')).toMatchObject({
      body: undefined,
      value: { kind: 'Call' },
    });
  });
});

describe('fields', () => {
  test.each([
    ['train mllm.connector', ['train=mllm.connector']],
    ['batch 32, micro 16 steps 300', ['batch=32 ,micro=16', 'steps=300']],
    ['steps 2 epochs batch 4', ['steps=2epochs', 'batch=4']],
    ['train a on b loss c', ['train=a', 'on=b', 'loss=c']],
    ['eval every 50 steps on d', ['eval every=50steps on=d']],
    ['eval on d', ['eval on=d']],
    ['checkpoint every 100 steps\n on d', ['checkpoint every=100steps', 'on=d']],
    ['pack separate\n clip 1.0', ['pack=separate', 'clip=1']],
    ['resume\n steps 3', ['resume', 'steps=3']],
    ['optimize adamw(\n lr: 1e-3,\n )\n steps 3', ['optimize=adamw(lr: 0.001)', 'steps=3']],
    ['steps\n 300', ['steps=300']],
    ['loss 0.5 * a\n + b', ['loss=((0.5 * a) + b)']],
  ])('%s', (body, expected) => {
    expect(fields(body)).toEqual(expected);
  });
});

describe('docs', () => {
  const docs = (text: string): [string, ...string[]] => {
    const { tree } = parse(text, 'test');
    return [tree.docs, ...tree.declarations.map((d) => ('docs' in d ? d.docs : '-'))];
  };

  test.each([
    ['of the file, right after its first line', 'pivot 1\n/// About.\n/// More.\nuse std.x\n', ['About.\nMore.', '-']],
    ['of the file, parted by a blank line', 'pivot 1\n\n/// About.\n\nparam a = 1\n', ['About.', '']],
    [
      'of a declaration',
      'pivot 1\n\n/// A.\nparam a = 1\n\n/// B.\n/// b.\nparam b = 2 // not docs\nparam c = 3\n',
      ['', 'A.', 'B.\nb.', ''],
    ],
    ['of both', 'pivot 1\n/// About.\n\n/// A.\nparam a = 1\n', ['About.', 'A.']],
    ['of a text with nothing else', 'pivot 1\n/// About.\n', ['About.']],
    ['of a lone definition', 'pivot 1\n/// Both.\nloss f(x: [N]) { return x }\n', ['Both.', 'Both.']],
  ])('%s', (_, text, expected) => {
    expect(docs(text)).toEqual(expected);
  });
});

test('lines end as on any system', () => {
  const text = 'pivot 1\r\n/// About.\r\n\r\nparam a = 1\r\nstage s {\r\n  steps 3\r\n  on a\r\n}\r\n';
  const { tree, diagnostics } = parse(text, 'test');
  expect([diagnostics, tree.docs, tree.declarations.map((d) => d.span.line)]).toEqual([[], 'About.', [4, 5]]);
});

test('keywords are names wherever a name can stand', () => {
  const found = declarations(
    `param loss = data.stage.on(loss: loss, on: part, from: state.like)
     layer layer(model: [N], weight: int, on: data) { let score = weight part = 3 score = score + part return model.return }
     stage param { every every 3 steps data data.loss }
     record record { probe: [N], use: int }
     data arm = pivot`,
  );
  expect(found.map((d) => d.kind)).toEqual(['Param', 'Definition', 'Stage', 'RecordType', 'Binding']);
});
