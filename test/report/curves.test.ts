import { describe, expect, test } from '@jest/globals';
import { chart } from '../../runtime/node/report/charts.ts';
import { panelsOf } from '../../runtime/node/report/curves.ts';
import type { MetricLine, TaskRecord } from '../../runtime/node/report/read-run.ts';
import type { Subject } from '../../runtime/node/report/subjects.ts';
import { fakePlan } from './fake-run.ts';

const trains = fakePlan({ seeds: [0], steps: 10 }).tasks.filter((task) => task.kind === 'train');

function subject(arm: 0 | 1, ...seeds: MetricLine[][]): Subject {
  const record = (metrics: MetricLine[]): TaskRecord => ({ task: trains[arm], folder: '', finished: true, metrics });
  return {
    stage: 'post',
    arm: arm === 0 ? 'sft' : 'dpo',
    label: arm === 0 ? 'sft' : 'dpo',
    colour: arm,
    runs: new Map(seeds.map((lines, seed) => [seed, record(lines)])),
  };
}

const line = (step: number, values: Record<string, number>): MetricLine => ({ step, ...values });

describe('panelsOf', () => {
  test('losses of different functions get a chart each, other metrics share one', () => {
    const subjects = [subject(0, [line(1, { loss: 2, grad_norm: 1 })]), subject(1, [line(1, { loss: 0.69, grad_norm: 3 })])];
    expect(panelsOf('loss', subjects).map((panel) => [panel.loss, panel.series.length])).toEqual([
      ['sft', 1],
      ['dpo(beta: 0.1)', 1],
    ]);
    const [norm, ...others] = panelsOf('grad_norm', subjects);
    expect(others).toEqual([]);
    expect(norm.series.map((series) => series.points)).toEqual([[{ step: 1, value: 1 }], [{ step: 1, value: 3 }]]);
  });

  test('a metric that nobody wrote has no chart', () => {
    expect(panelsOf('rewards/margins', [subject(0, [line(1, { loss: 2 })])])).toEqual([]);
  });

  test('held-out values of several seeds get their mean, where all seeds have one', () => {
    const [panel] = panelsOf('loss', [subject(1, [line(0, { eval_loss: 1 }), line(20, { eval_loss: 0.5 })], [line(0, { eval_loss: 3 })])]);
    expect(panel.series.filter((series) => series.kind === 'held')).toHaveLength(2);
    expect(panel.series.find((series) => series.kind === 'mean')?.points).toEqual([{ step: 0, value: 2 }]);
  });

  test('long series are averaged over equal numbers of steps', () => {
    const lines = Array.from({ length: 1000 }, (_, i) => line(i + 1, { loss: i }));
    const [panel] = panelsOf('loss', [subject(0, lines)]);
    expect(panel.bucket).toBe(9);
    expect(panel.series[0].points[1]).toEqual({ step: 14, value: 13 });
    expect(panel.series[0].points).toHaveLength(112);
  });
});

describe('chart', () => {
  test('is an SVG without names, scripts or sizes of its own, and has the axes that its values need', async () => {
    const [panel] = panelsOf('rewards/accuracies', [
      subject(1, [line(0, { 'eval_rewards/accuracies': 0.5 }), line(30, { 'eval_rewards/accuracies': 0.9 })]),
    ]);
    const { text } = await chart(panel);
    expect(text).toContain('<strong>Preference accuracy</strong> <span class="unit">%</span>');
    const svg = text.slice(text.indexOf('<svg'), text.indexOf('</svg>'));
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 [\d.]+ [\d.]+">/);
    expect(svg).not.toMatch(/<script| id=|url\(|href/);
    const labels = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]);
    expect(labels).toEqual(expect.arrayContaining(['50', '90', '0', '30', 'step']));
  });

  test('one point is enough', async () => {
    const [panel] = panelsOf('loss', [subject(0, [line(1, { loss: 2 })])]);
    expect((await chart(panel)).text).toContain('</svg>');
  });
});
