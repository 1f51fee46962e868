import { describe, expect, test } from '@jest/globals';
import { declaration, show, statement } from './show.ts';

describe('statements', () => {
  test('let: a value, a function, a checked shape', () => {
    expect(statement('Let', 'let y = x + 1')).toMatchObject({
      name: { text: 'y' },
      params: undefined,
      shape: undefined,
      value: { kind: 'Binary' },
    });
    expect(statement('Let', 'let gain(p, r) = p - r').params?.map((p) => p.text)).toEqual(['p', 'r']);
    expect(statement('Let', 'let z: [N, T, 2 * D] = f(x)').shape?.shape?.map((e) => (e.kind === 'Rest' ? '..' : show(e)))).toEqual([
      'N',
      'T',
      '(2 * D)',
    ]);
  });

  test('assign', () => {
    expect(statement('Assign', 'y = y * 2')).toMatchObject({ name: { text: 'y' }, value: { operator: '*' } });
  });

  test('weight', () => {
    const weight = statement('Weight', 'weight w: [In, width] = normal(0.02), decay: false, note: 1');
    expect([weight.name.text, weight.shape.shape?.length, show(weight.init)]).toEqual(['w', 2, 'normal(0.02)']);
    expect(weight.options.map((o) => `${o.name.text}=${show(o.value)}`)).toEqual(['decay=false', 'note=1']);
    expect(statement('Weight', 'weight b: [] = zeros()')).toMatchObject({ shape: { shape: [] }, options: [] });
  });

  test('part, plain and indexed', () => {
    expect(statement('Part', 'part up = linear(width: 4 * D)').index).toBeUndefined();
    expect(statement('Part', 'part blocks[i] = block(heads: 3)')).toMatchObject({ name: { text: 'blocks' }, index: { name: 'i' } });
  });

  test('repeat', () => {
    const repeat = statement('Repeat', 'repeat i in 0..depth { x = f(x) repeat j in [1, 2] { y = x } }');
    expect([repeat.variable.text, show(repeat.over), repeat.body.map((s) => s.kind)]).toEqual(['i', '(0..depth)', ['Assign', 'Repeat']]);
  });

  test('if, else if, else', () => {
    const first = statement('If', 'if a { x = 1 } else if b { x = 2 y = 3 } else { x = 4 }');
    expect([show(first.condition), first.then.length]).toEqual(['a', 1]);
    const [second] = first.otherwise ?? [];
    if (second?.kind !== 'If') throw new Error('no second condition');
    expect([show(second.condition), second.then.length, second.otherwise?.length]).toEqual(['b', 2, 1]);
    expect(statement('If', 'if a { x = 1 }').otherwise).toBeUndefined();
  });

  test('return, expose, require, state', () => {
    expect(statement('Return', 'return x').value).toMatchObject({ name: 'x' });
    expect(statement('Expose', 'expose features = x')).toMatchObject({ name: { text: 'features' }, value: { name: 'x' } });
    expect(statement('Require', 'require D % heads == 0, "no"')).toMatchObject({ condition: { operator: '==' }, message: { value: 'no' } });
    expect(statement('StateLike', 'state m like p')).toMatchObject({ name: { text: 'm' }, like: { text: 'p' } });
  });

  test('embed, keep, score', () => {
    const embed = statement('Embed', 'embed fit from on(split: "probe") { keep features = eyes(image) keep label = label }');
    expect([embed.name.text, show(embed.from), embed.body.map((s) => s.kind)]).toEqual(['fit', 'on(split: "probe")', ['Keep', 'Keep']]);
    expect(show(statement('Score', 'score logistic(fit, l2: 1e-3)').value)).toBe('logistic(fit, l2: 0.001)');
  });
});

test('statements need no separator', () => {
  const { body = [] } = declaration(
    'Definition',
    'layer f(x: [N]) { let a = x b = a(1) part p = q expose e = if c then d else e return -b }',
  );
  expect(body.map((s) => s.kind)).toEqual(['Let', 'Assign', 'Part', 'Expose', 'Return']);
});
