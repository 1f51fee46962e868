/** Each part of the report of a run that has everything, by its heading and by a value that can be computed by hand. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Plan } from '../../plan/plan.ts';
import { writeReport } from '../../runtime/node/report/report.ts';
import { formatSummary } from '../../runtime/node/report/terminal.ts';
import { fullRun } from './full-run.ts';
import { folderOf } from '../support/run-folder.ts';

const made: (() => void)[] = [];
afterAll(() => made.forEach((remove) => remove()));

/** What a reader sees of the page: no markup, one blank between words. */
function visible(page: string): string {
  return page
    .replace(/<style>[\s\S]*?<\/style>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&nbsp;/g, ' ')
    .replace(/\s+/g, ' ');
}

/** The sections by heading. */
function sectionsOf(page: string): Record<string, string> {
  return Object.fromEntries([...page.matchAll(/<h2>([^<]*)<\/h2>([\s\S]*?)<\/section>/g)].map(([, title, body]) => [title, visible(body)]));
}

describe('a run with five seeds', () => {
  let dir = '';
  let plan: Plan;
  let page = '';
  let parts: Record<string, string> = {};
  beforeAll(async () => {
    const run = await fullRun({ seeds: [0, 1, 2, 3, 4] });
    made.push(run.remove);
    ({ dir, plan } = run);
    page = readFileSync(await writeReport(dir, plan), 'utf8');
    parts = sectionsOf(page);
  });

  test('has all parts, in order', () => {
    expect(Object.keys(parts)).toEqual([
      'Summary',
      'Training',
      'Tuning',
      'Probes',
      'Where the losses look',
      'Answers',
      'Pairs from the model itself',
      'Training rows',
      'Cost',
      'The text',
      'Resolved values',
      'Data',
      'Identity',
    ]);
    for (const title of Object.keys(parts)) expect(visible(page)).toContain(title);
  });

  test('what differs between the arms, what was tuned, and what they share', () => {
    expect(parts.Summary).toContain('loss sft dpo(beta: 0.2, reference: align) dpo(beta: 0.2, reference: align)');
    expect(parts.Summary).toContain('on drawn drawn shuffled');
    expect(parts.Summary).toContain('tuned rate 2e-3 of 1e-3, 2e-3, 3e-3 3e-3 of 5e-4, 1e-3, 2e-3, 3e-3 –');
    expect(parts.Summary).toMatch(/The same in all arms of post: .*train mllm.*steps 60/);
    // `loss` says it already, and only two arms have it.
    expect(parts.Summary).not.toContain('loss.beta');
  });

  test('a difference with its interval, seeds in favour, adjusted p and verdict', () => {
    // Differences 3, 4, 5, 4, 4 points: mean 4, deviation 0.7071, t(4) = 2.776, so 4 ± 0.878. With t = 12.65 p is 0.00022; Holm over
    // eleven measures, of which those of the map come before, leaves it below 0.05.
    expect(parts.Summary).toMatch(/objects top-1 accuracy , % 44\.3 ± 1\.2 48\.3 ± 1\.3 \+4\.0 \+3\.1 to \+4\.9 5 of 5 0\.00\d ▲ ahead/);
    // The same with the sign turned.
    expect(parts.Summary).toMatch(
      /regions mean recall of patch classes , % 36\.3 ± 1\.2 32\.3 ± 1\.5 −4\.0 −4\.9 to −3\.1 0 of 5 0\.00\d ▼ behind/,
    );
    // Differences 1, -2, 1.5, -0.5, 0: mean 0.
    expect(parts.Summary).toMatch(
      /control against sft .*objects top-1 accuracy , % 44\.3 ± 1\.2 44\.3 ± 2\.2 0\.0 −1\.7 to \+1\.7 2 of 5 1\.00 cannot tell/,
    );
  });

  test('what was found, in a sentence each', () => {
    const verdicts = [...parts.Summary.matchAll(/▲ ahead|▼ behind/g)].map(([word]) => word);
    const ahead = verdicts.filter((word) => word.includes('ahead')).length;
    expect(parts.Summary).toContain(`dpo is ahead of sft in ${ahead} of 11 measures and behind in ${verdicts.length - ahead}`);
    expect(parts.Summary).toContain('control against sft: in none of 11 measures can one tell which is ahead.');
  });

  test('drift and reference values are told and not judged', () => {
    expect(parts.Summary).toContain('moved change of the weights 0.100 ± 0.000 0.140 ± 0.007 +0.040 +0.031 to +0.049 CKA with the start');
    expect(parts.Summary).toContain('Told and not judged');
    expect(page.match(/<strong>change of the weights<\/strong>/g)).toHaveLength(7);
  });

  test('neither cells of a grid nor readers of a probe are arms', () => {
    expect(parts.Training).not.toMatch(/fresh|rate=/);
    expect(parts['Training rows']).not.toContain('fresh');
    expect(parts.Training).toContain('This may fall while the margin grows, and that is no failure');
    expect(parts.Training).toMatch(/Reward of chosen answers .*Log-probability of rejected answers/);
  });

  test('every cell of a grid, the choice, and what makes it doubtful', () => {
    expect(parts.Tuning).toContain('sft 1e-3 43.5 42.5 43.0 ± 0.7 2e-3 ◉ chosen 45.5 44.5 45.0 ± 0.7 3e-3 43.5 42.5 43.0 ± 0.7 dpo 5e-4');
    expect(parts.Tuning).toContain('The best rate of dpo, 3e-3, stands at the edge of its grid');
    expect(parts.Tuning).not.toContain('best rate of sft');
    expect(parts.Tuning).toContain('The grids of post are unequal (sft 3, dpo 4 values)');
    expect(parts.Tuning).toContain('Not tuned: control.');
  });

  test('a chart a measure, with what it is read against', () => {
    expect(parts.Probes).toContain('Chance is 5.0 % (10 neighbours among 201 rows).');
    expect(parts.Probes).toMatch(/Area of the objects \([789]\.\d %\) is what a map that looks nowhere in particular would get\./);
    expect(page).toMatch(/aria-label="top-1 accuracy: align 42\.3, sft 44\.3, dpo 48\.3, control 44\.3"/);
    expect(parts.Probes).toContain('objects top-1 accuracy , % 42.3 ± 1.2 43.0 · 40.8 · 42.4 · 43.7 · 41.4');
  });

  test('within each seed, intervals over rows', () => {
    // 45 and 48 of 100 rows.
    const [, , low, high] =
      /Within each seed: dpo against sft .*? top-1 accuracy , % \+(3\.0) (−\d+\.\d) to \+(\d+\.\d)/
        .exec(parts.Probes)
        ?.map((s) => s.replace('−', '-')) ?? [];
    expect(Number(low)).toBeLessThan(0);
    expect(Number(high)).toBeGreaterThan(3);
    expect(parts.Probes).toContain('nothing about other seeds');
  });

  test('the gallery has the maps of three arms, prompt and both answers', () => {
    expect(parts['Where the losses look']).toMatch(/row 1 sft \d+ % gradient dpo \d+ % gradient control \d+ % gradient sft \d+ % Grad-CAM/);
    expect(parts['Where the losses look']).toMatch(/prompt describe chosen [a-z ;]+ rejected [a-z ;]+ row 2/);
  });

  test('answers of each arm with a sign beside them, and the kinds of question', () => {
    const lines = readFileSync(join(folderOf(dir, 'said.post.dpo@0'), 'rows.jsonl'), 'utf8').split('\n');
    const first = JSON.parse(lines[0]) as { prompt: string; answer: string; said: string };
    expect(parts.Answers).toContain(`${first.prompt} ${first.answer}`);
    expect(parts.Answers).toContain(`${first.said === first.answer ? '✓' : '✗'} ${first.said}`);
    expect(parts.Answers.match(/[✓✗] /g)?.length).toBe(2 * (12 * 4 + 2));
    expect(parts.Answers).toMatch(
      /answers right, colour , % [\d.]+ ± [\d.]+ [\d.]+ ± [\d.]+ [\d.]+ ± [\d.]+ [\d.]+ ± [\d.]+ [+−]?[\d.]+ [+−]?[\d.]+ to [+−]?[\d.]+/,
    );
    expect(parts.Answers).toContain('Kinds are told and not judged');
  });

  test('the pairs that the model made', () => {
    expect(parts['Pairs from the model itself']).toContain('drawn@0 60 48 8 4 0 80.0 1.000 0.750');
    expect(parts['Pairs from the model itself']).toContain('drawn: 4 answers to each prompt at temperature 1, ranked by correctness.');
    expect(parts['Pairs from the model itself']).toContain('The first 6 of 48 pairs of drawn@0');
  });

  test('training rows of pairs that were made on the way', () => {
    const lines = readFileSync(join(folderOf(dir, 'drawn@0'), 'pairs.jsonl'), 'utf8').split('\n');
    const { chosen, rejected } = JSON.parse(lines[0]) as { chosen: string; rejected: string };
    expect(parts['Training rows']).toContain(`9 places of the picture prompt 5 × pad describe chosen ${chosen} end`);
    expect(parts['Training rows']).toContain(`rejected ${rejected} end`);
  });

  test('cost by purpose, and a stage beside what it went on from', () => {
    // 0.6 + 0.4 TFLOP a seed before it, 0.1 of its own.
    expect(parts.Cost).toContain('post.dpo took 10 % of the work that see and align took.');
    expect(parts.Cost).toContain('align took 67 % of the work that see took.');
    expect(parts.Cost).toMatch(/ see 60 steps × 32 rows × 5 seeds /);
    expect(parts.Cost).toMatch(/post dpo 60 steps × 32 rows × 5 seeds \S+ s 500 GFLOP/);
    expect(parts.Cost).toMatch(
      /pairs from the model 5 samplings .*tuning rate 18 trainings, 14 embeddings, 14 scores .*readers of fresh 20 trainings/,
    );
  });

  test('the terminal has the verdicts, no wider than 120 columns', () => {
    const lines = formatSummary(dir, plan).split('\n');
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(120);
    expect(lines.find((line) => /^objects: top-1.*ahead$/.test(line))).toMatch(
      /44\.3 ± 1\.2 +48\.3 ± 1\.3 +\+4\.0 \[\+3\.1, \+4\.9\] +5 of 5 +0\.00\d +ahead$/,
    );
    expect(lines).toContain('control against sft: in none of 11 measures can one tell which is ahead.');
    expect(lines).toContain(`Report: ${join(dir, 'report.html')}`);
  });
});

test('one seed gives no verdict, and says so once', async () => {
  const { dir, plan, remove } = await fullRun({ seeds: [0] });
  made.push(remove);
  const text = visible(readFileSync(await writeReport(dir, plan), 'utf8'));
  expect(text.match(/no verdict/g)).toHaveLength(1);
  expect(text).not.toMatch(/▲|▼|cannot tell|p, adjusted|Within each seed/);
  expect(text).toMatch(/95 % over the rows objects top-1 accuracy , % 45\.0 48\.0 \+3\.0 −\d+\.\d to \+\d+\.\d/);
  expect(formatSummary(dir, plan)).not.toMatch(/ahead|behind|cannot tell/);
});

test('a run without its later results shows the earlier ones', async () => {
  const { dir, plan, remove } = await fullRun({ seeds: [0, 1], missing: (task) => task.kind === 'select' || /post|drawn@1/.test(task.id) });
  made.push(remove);
  const parts = sectionsOf(readFileSync(await writeReport(dir, plan), 'utf8'));
  expect(parts.Summary).toContain('nothing is compared');
  expect(parts.Summary).toContain('not chosen yet of 1e-3, 2e-3, 3e-3');
  expect(parts.Tuning).toContain('Not tuned: control.');
  expect(parts['Pairs from the model itself']).not.toContain('drawn@1');
  expect(parts.Answers).toContain('align');
  expect(parts.Cost).toContain('not finished');
});

test('names, prompts and answers of a stranger stay texts', async () => {
  const { dir, plan, remove } = await fullRun({ seeds: [0, 1], about: '"><img src=x onerror=alert(0)>' });
  made.push(remove);
  const hostile = `"><img src=x onerror=alert(1)></td><script>alert(2)</script>`;
  const line = (more: object): string =>
    `${JSON.stringify({ row: 0, sample: 0, prompt: hostile, answer: hostile, said: `${hostile} x`, ended: false, ...more })}\n`;
  for (const task of plan.tasks) {
    if (task.kind !== 'sample') continue;
    const folder = folderOf(dir, task.id);
    writeFileSync(join(folder, 'rows.jsonl'), line({}));
    if (task.rank !== undefined) writeFileSync(join(folder, 'pairs.jsonl'), line({ chosen: hostile, rejected: 'y', ranks: [1, 0] }));
  }
  for (const task of plan.tasks) {
    if (task.kind === 'select') {
      task.values = task.values.map((value) => `${value}${hostile}`);
      task.name = hostile;
    }
    if (task.kind === 'score' && task.score === 'alignment') task.probe = hostile;
    if (task.kind === 'sample' && task.rank !== undefined) task.rank = hostile;
    if (task.kind === 'train' && task.stage === 'see') task.stage = hostile;
  }
  for (const value of plan.resolved) value.value = hostile;
  plan.name = hostile;
  for (const [i] of plan.tokenizers.words.words.entries()) if (i > 20) plan.tokenizers.words.words[i] += hostile;
  const page = readFileSync(await writeReport(dir, plan), 'utf8');
  expect(page).not.toMatch(/<script|<img src=x|<img[^>]* onerror/i);
  expect(page.match(/&lt;script&gt;alert\(2\)/g)?.length).toBeGreaterThan(20);
  expect(sectionsOf(page).Answers).toContain('(no end)');
});
