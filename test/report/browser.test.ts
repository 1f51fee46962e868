/** The report as a reader meets it: opened in a browser, from a file, without a network. */
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { writeReport } from '../../runtime/node/report/report.ts';
import { openBrowser } from '../support/browser.ts';
import { fullRun } from './full-run.ts';

const browser = await openBrowser();
if (typeof browser === 'string') process.stderr.write(`The report is not opened in a browser: ${browser}\n`);

(typeof browser === 'string' ? describe.skip : describe)('the report in a browser', () => {
  let page: Page;
  let remove = (): void => undefined;
  const messages: string[] = [];
  const requests: string[] = [];
  beforeAll(async () => {
    if (typeof browser === 'string') return;
    const run = await fullRun({ seeds: [0, 1] });
    remove = run.remove;
    const path = await writeReport(run.dir, run.plan);
    page = await browser.newPage({ viewport: { width: 1200, height: 900 }, colorScheme: 'light' });
    page.on('console', (message) => messages.push(message.text()));
    page.on('pageerror', (error) => messages.push(String(error)));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(path).href);
  });
  afterAll(async () => {
    remove();
    if (typeof browser !== 'string') await browser.close();
  });

  /** Widths beyond which something sticks out of the page. */
  const overflow = (): Promise<number> => page.evaluate('document.documentElement.scrollWidth - innerWidth');
  const background = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');

  test('loads with no complaint and asks for nothing but itself', () => {
    expect(messages).toEqual([]);
    expect(requests.filter((url) => !url.startsWith('data:image/png'))).toHaveLength(1);
  });

  test('the committed report of sft-vs-dpo shows its parts', async () => {
    if (typeof browser === 'string') return;
    const own = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    await own.goto(pathToFileURL('docs/results/sft-vs-dpo.html').href);
    const parts = [
      'Summary',
      'Training',
      'Tuning',
      'Probes',
      'Where the losses look',
      'Answers',
      'Training rows',
      'Cost',
      'The text',
      'Identity',
    ];
    const shown = await own.locator('section h2').allTextContents();
    expect(shown).toEqual(expect.arrayContaining(parts));
    for (const section of await own.locator('section').all()) expect((await section.boundingBox())?.height).toBeGreaterThan(80);
  });

  test('every part, chart and picture is there to be seen', async () => {
    const sections = page.locator('section');
    expect(await sections.count()).toBe(13);
    for (const section of await sections.all()) {
      expect(await section.locator('h2').isVisible()).toBe(true);
      expect((await section.boundingBox())?.height).toBeGreaterThan(80);
    }
    for (const chart of await page.locator('svg').all()) expect((await chart.boundingBox())?.height).toBeGreaterThan(50);
    const broken: number = await page.evaluate('[...document.images].filter((image) => image.naturalWidth === 0).length');
    expect(broken).toBe(0);
    expect(await page.locator('img').count()).toBeGreaterThan(80);
  });

  test('labels of a dot chart neither overlap nor leave it', async () => {
    // Boxes of all texts of each chart: [chart, left, right, top, bottom].
    const faults: string[] = await page.evaluate(`[...document.querySelectorAll('.charts.small svg, .beside svg')].flatMap((svg) => {
      const frame = svg.getBoundingClientRect();
      const texts = [...svg.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
      const beyond = texts.filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1).map(([text]) => text + ' leaves');
      const meet = (a, b) => a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom;
      const over = texts.flatMap(([text, a], i) => texts.slice(i + 1).filter(([, b]) => meet(a, b)).map(([other]) => text + ' on ' + other));
      return [...beyond, ...over].map((fault) => svg.getAttribute('aria-label') + ': ' + fault);
    })`);
    expect(faults).toEqual([]);
  });

  test('links of the contents lead to their parts', async () => {
    const targets: string[] = await page.evaluate(`[...document.querySelectorAll('nav a')].map((a) => a.getAttribute('href'))`);
    expect(targets).toHaveLength(13);
    for (const target of targets) expect(await page.locator(target).count()).toBe(1);
  });

  test('fits a wide page, a telephone and paper', async () => {
    expect(await overflow()).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await overflow()).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 690, height: 900 });
    await page.emulateMedia({ media: 'print' });
    expect(await overflow()).toBeLessThanOrEqual(0);
    expect(await page.locator('nav').isVisible()).toBe(false);
    expect(await background()).toBe('rgb(255, 255, 255)');
    await page.emulateMedia({ media: 'screen' });
    await page.setViewportSize({ width: 1200, height: 900 });
  });

  test('is dark where the reader’s system is, with colours of its own in the charts', async () => {
    const stroke = (): Promise<string> => page.evaluate(`getComputedStyle(document.querySelector('.charts.small polygon')).fill`);
    const [light, bright] = [await background(), await stroke()];
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await background()).toBe('rgb(25, 25, 23)');
    expect([await background(), await stroke()]).not.toEqual([light, bright]);
    expect(await stroke()).not.toBe(bright);
  });
});
