import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { Plan } from '../../plan/plan.ts';
import { writeReport } from '../../runtime/node/report/report.ts';
import { formatSummary } from '../../runtime/node/report/terminal.ts';
import { fakeRun } from './fake-run.ts';
import type { FakeOptions } from './fake-run.ts';
import { folderOf } from '../support/run-folder.ts';

const made: (() => void)[] = [];
afterAll(() => made.forEach((remove) => remove()));

async function run(options: FakeOptions): Promise<{ dir: string; plan: Plan }> {
  const { dir, plan, remove } = await fakeRun(options);
  made.push(remove);
  return { dir, plan };
}

async function report(dir: string, plan: Plan): Promise<string> {
  const path = await writeReport(dir, plan);
  expect(path).toBe(join(dir, 'report.html'));
  return readFileSync(path, 'utf8');
}

/** What a reader sees of the page: no markup, one blank between words. */
function visible(page: string): string {
  return page
    .replace(/<style>[\s\S]*?<\/style>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
}

describe('writeReport', () => {
  test('shows each part of a finished run, in one file', async () => {
    const { dir, plan } = await run({ seeds: [0], steps: 40 });
    const page = await report(dir, plan);
    const headings = [...page.matchAll(/<h2>([^<]*)<\/h2>/g)].map((match) => match[1]);
    expect(headings).toEqual([
      'Summary',
      'Training',
      'Probes',
      'Where the losses look',
      'Training rows',
      'Cost',
      'The text',
      'Resolved values',
      'Data',
      'Identity',
    ]);
    const text = visible(page);
    expect(text).toContain('Same start, same pairs, two losses: which one leaves the sharper eye?');
    expect(text).toContain('One seed was run: a difference between arms may be chance, and no verdict follows from it.');
    expect(text).not.toContain('not complete');
    expect(text).toContain('This may fall while training goes well');
    expect(text).toContain('llvmpipe (LLVM 19, 256 bits)');
    expect(text).toContain('post.optimize.weight_decay 0 default of std.optim.adamw');
    // Two losses, eight other metrics, and two judged measures of either probe.
    expect(page.match(/<svg /g)).toHaveLength(10 + 4);
    // Eight examples with an image and two maps of two arms; four training rows.
    expect(page.match(/<img [^>]*src="data:image\/png;base64,/g)).toHaveLength(8 * 5 + 4);
    expect(page).not.toMatch(/<script|<link|@import|(?:src|href)="(?!data:image\/png|#)/);
  });

  test('the outcome holds the numbers of the run', async () => {
    const { dir, plan } = await run({ seeds: [0], steps: 40 });
    const score = JSON.parse(readFileSync(join(folderOf(dir, 'objects.post.dpo@0'), 'score.json'), 'utf8'));
    const text = visible(await report(dir, plan));
    const [, sft, dpo, difference] = /objects top-1 accuracy , % ([\d.]+) ([\d.]+) ([+−\d.]+) –/.exec(text) ?? [];
    expect(dpo).toBe((100 * score.values.top1).toFixed(1));
    expect(Number(difference)).toBeCloseTo(Number(dpo) - Number(sft), 0);
    const [, align, ...others] = /All values.* objects top-1 accuracy , % ([\d.]+) ([\d.]+) ([\d.]+) /.exec(text) ?? [];
    expect(others).toEqual([sft, dpo]);
    expect(Number(align)).toBeLessThan(Number(sft));
    expect(text).toContain('Always naming the commonest class would be right in 4.1 %');
    expect(text).not.toMatch(/ahead|behind|cannot tell|p, adjusted/);
  });

  test('several seeds: spread, each seed’s value, paired difference with its interval', async () => {
    const { dir, plan } = await run({ seeds: [0, 1, 2], steps: 40 });
    const text = visible(await report(dir, plan));
    expect(text).toContain('3 seeds were run.');
    expect(text).not.toContain('no verdict');
    expect(text).toMatch(/top-1 accuracy , % [\d.]+ ± [\d.]+ [\d.]+ · [\d.]+ · [\d.]+ /);
    expect(text).toMatch(/[+−][\d.]+ to [+−][\d.]+/);
    expect(text).toContain('post sft 40 steps × 32 rows × 3 seeds');
  });

  test('names and texts of a stranger stay texts', async () => {
    const hostile = `</code></pre><script>alert(1)</script><img src=x onerror=alert(2)>`;
    const { dir, plan } = await run({
      seeds: [0],
      steps: 20,
      title: hostile,
      about: hostile,
      text: hostile,
      arms: [`a"${hostile}`, 'dpo'],
    });
    plan.resolved.push({ name: hostile, value: hostile, origin: hostile });
    const maps = folderOf(dir, `focus.maps.post.dpo@0`);
    const row = JSON.stringify({
      boxes: [{ x: 0, y: 0, w: 4, h: 4 }],
      size: 24,
      prompt: hostile,
      chosen: hostile,
      rejected: `javascript:${hostile}`,
    });
    writeFileSync(join(maps, 'rows.jsonl'), `${row}\n`);
    writeFileSync(join(folderOf(dir, plan.tasks.find((t) => t.id.startsWith('focus.maps'))?.id ?? ''), 'rows.jsonl'), `${row}\n`);
    writeFileSync(join(dir, 'run.json'), JSON.stringify({ adapter: hostile, [hostile]: hostile }));
    const page = await report(dir, plan);
    expect(page).not.toMatch(/<script|<img src=x/i);
    expect(page.match(/&lt;script&gt;alert\(1\)/g)?.length).toBeGreaterThan(10);
    expect(page).toContain(`<dt>chosen</dt><dd>&lt;/code&gt;`);
    expect(page).toContain(`default-src 'none'`);
  });

  test('a run that is not finished says so and shows the rest', async () => {
    const { dir, plan } = await run({ seeds: [0], steps: 20, missing: (task) => task.id.includes('dpo') });
    const text = visible(await report(dir, plan));
    expect(text).toContain(
      'This run is not complete: 4 of 9 tasks have no result yet (post.dpo@0, focus.maps.post.dpo@0, focus.post.dpo@0, objects.post.dpo@0).',
    );
    expect(text).toContain('Held-out loss');
    expect(text).toContain('Where the losses look');
  });

  test('an empty folder gives a page too', async () => {
    const { dir, plan } = await run({ seeds: [0], steps: 20, missing: () => true });
    rmSync(join(dir, 'run.json'));
    const text = visible(await report(dir, plan));
    expect(text).toContain('There are no results yet.');
    expect(text).toContain('9 of 9 tasks have no result yet');
  });

  test('results of another text are not shown', async () => {
    const { dir, plan } = await run({ seeds: [0], steps: 20 });
    const changed = structuredClone(plan);
    for (const task of changed.tasks) if (task.id.includes('dpo')) task.hash = 'another';
    expect(visible(await report(dir, changed))).toContain('4 of 9 tasks have no result yet');
  });

  test('damaged files are passed over', async () => {
    const { dir, plan } = await run({ seeds: [0], steps: 20 });
    writeFileSync(join(folderOf(dir, 'objects.post.dpo@0'), 'score.json'), '{"values": {"top1": ');
    writeFileSync(join(folderOf(dir, 'post.sft@0'), 'metrics.jsonl'), 'not json\n[1]\n{"step": 1, "loss": null}\n');
    writeFileSync(join(dir, 'run.json'), '[]');
    writeFileSync(join(folderOf(dir, 'focus.maps.post.sft@0'), 'table.safetensors'), 'xx');
    const text = visible(await report(dir, plan));
    expect(text).toMatch(/top-1 accuracy , % [\d.]+ [\d.]+ –/);
    expect(text).toMatch(/Missing: \S+table.safetensors is not a whole safetensors file/);
    expect(text).toContain('dpo Grad-CAM');
  });

  test('pictures whose data has gone are named as missing, and the maps are shown', async () => {
    const { dir, plan } = await run({ seeds: [0], steps: 20, maps: 3 });
    for (const task of plan.tasks) if (task.kind === 'embed') task.data = { ...task.data, source: 'files.preferences' };
    const page = await report(dir, plan);
    expect(visible(page)).toContain('Missing: no pictures: there is no data source files.preferences here.');
    expect(visible(page)).toContain('All rows, seed 0');
    // Maps without images, and the training rows, whose data is there.
    expect(page.match(/<img /g)).toHaveLength(3 * 4 + 4);
  });
});

describe('formatSummary', () => {
  test('one line an arm, one a probe value, the sentence on one seed, the path', async () => {
    const { dir, plan } = await run({ seeds: [0], steps: 40 });
    const lines = formatSummary(dir, plan).split('\n');
    const row = (start: string): string => lines.find((line) => line.startsWith(start)) ?? '';
    expect(row('training')).toMatch(/held-out loss +held-out preference accuracy, % +held-out reward margin +time$/);
    expect(row('sft')).toMatch(/^sft +1\.\d{3} → 0\.\d{3} +– +– +1\u202fmin \d\d\u202fs$/u);
    expect(row('dpo')).toMatch(/^dpo +0\.\d{3} → 0\.\d{3} +\d\d\.\d → \d\d\.\d +0\.\d{3} → 0\.\d{3} +1\u202fmin \d\d\u202fs$/u);
    expect(row('probe')).toMatch(/^probe +align +sft +dpo$/);
    expect(row('objects: top-1 accuracy, %')).toMatch(/^objects: top-1 accuracy, % +\d+\.\d +\d+\.\d +\d+\.\d$/);
    const verdicts = lines.slice(lines.findIndex((line) => line.startsWith('dpo against sft')));
    expect(verdicts[0]).toMatch(/^dpo against sft +sft +dpo +difference, 95 % over rows$/);
    expect(verdicts.find((line) => line.startsWith('focus: gradient'))).toMatch(/ [+−]\d+\.\d \[[+−\d.]+, [+−\d.]+\]$/);
    expect(lines.join()).not.toMatch(/ahead|behind|cannot tell/);
    expect(lines.at(-1)).toBe('One seed was run: a difference between arms may be chance, and no verdict follows from it.');
    expect(lines).toContain(`Report: ${join(dir, 'report.html')}`);
    expect(new Set(lines.slice(0, 4).map((line) => line.length)).size).toBe(1);
  });

  test('control characters of names do not reach the terminal', async () => {
    const { dir, plan } = await run({
      seeds: [0, 1],
      steps: 20,
      arms: ['a\u001b[2J', 'b\nc'],
      missing: (task) => task.kind === 'embed' || (task.kind === 'score' && task.score === 'focus'),
    });
    const text = formatSummary(dir, plan);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(text).toContain('Not finished: focus.maps.post.a [2J@0, focus.post.a [2J@0');
    expect(text).toContain('2 seeds were run.');
  });
});
