/** The report as a reader meets it: opened in a browser, from a file, without a network. */
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { writeReport } from '../../runtime/node/report/report.ts';
import { TestBrowser, withoutBrowser } from '../support/browser.ts';
import { fullRun } from './full-run.ts';

if (withoutBrowser !== undefined) process.stderr.write(`The report is not opened in a browser: ${withoutBrowser}\n`);

(withoutBrowser === undefined ? describe : describe.skip)('the report in a browser', () => {
  const browser = new TestBrowser();
  let path = '';
  let remove = (): void => undefined;
  beforeAll(async () => {
    const run = await fullRun({ seeds: [0, 1] });
    remove = run.remove;
    path = await writeReport(run.dir, run.plan);
  });
  afterAll(async () => {
    remove();
    await browser.close();
  });

  const screen: BrowserContextOptions = { viewport: { width: 1200, height: 900 }, colorScheme: 'light' };
  /** A test with the report on a page of its own. */
  const shown = (name: string, use: (page: Page) => Promise<void>): void =>
    test(name, () =>
      browser.withPage(screen, async (page) => {
        await page.goto(pathToFileURL(path).href);
        await use(page);
      }),
    );
  /** Widths beyond which something sticks out of the page. */
  const overflow = (page: Page): Promise<number> => page.evaluate('document.documentElement.scrollWidth - innerWidth');
  const background = (page: Page): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');

  test('loads with no complaint and asks for nothing but itself', () =>
    browser.withPage(screen, async (page) => {
      const messages: string[] = [];
      const requests: string[] = [];
      page.on('console', (message) => messages.push(message.text()));
      page.on('pageerror', (error) => messages.push(String(error)));
      page.on('request', (request) => requests.push(request.url()));
      await page.goto(pathToFileURL(path).href);
      expect(messages).toEqual([]);
      expect(requests.filter((url) => !url.startsWith('data:image/png'))).toHaveLength(1);
    }));

  test('the committed report of sft-vs-dpo shows its parts', () =>
    browser.withPage(screen, async (page) => {
      await page.goto(pathToFileURL('docs/results/sft-vs-dpo.html').href);
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
      expect(await page.locator('section h2').allTextContents()).toEqual(expect.arrayContaining(parts));
      for (const section of await page.locator('section').all()) expect((await section.boundingBox())?.height).toBeGreaterThan(80);
    }));

  shown('every part, chart and picture is there to be seen', async (page) => {
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

  shown('labels of a dot chart neither overlap nor leave it', async (page) => {
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

  shown('links of the contents lead to their parts', async (page) => {
    const targets: string[] = await page.evaluate(`[...document.querySelectorAll('nav a')].map((a) => a.getAttribute('href'))`);
    expect(targets).toHaveLength(13);
    for (const target of targets) expect(await page.locator(target).count()).toBe(1);
  });

  shown('fits a wide page, a telephone and paper', async (page) => {
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 690, height: 900 });
    await page.emulateMedia({ media: 'print' });
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(await page.locator('nav').isVisible()).toBe(false);
    expect(await background(page)).toBe('rgb(255, 255, 255)');
  });

  shown('is dark where the reader’s system is, with colours of its own in the charts', async (page) => {
    const stroke = (): Promise<string> => page.evaluate(`getComputedStyle(document.querySelector('.charts.small polygon')).fill`);
    const [light, bright] = [await background(page), await stroke()];
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await background(page)).toBe('rgb(25, 25, 23)');
    expect([await background(page), await stroke()]).not.toEqual([light, bright]);
    expect(await stroke()).not.toBe(bright);
  });
});
