/**
 * A headless Chromium for tests of pages: the one of the npm package that carries the software driver, or the one that PIVOT_CHROMIUM
 * names. It runs with the arguments of a desktop machine: the package's own are made for cloud functions (browser, renderer and GPU in
 * one process), where any fault of one thread ends the browser.
 */
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { unpackOnce } from '../../runtime/node/device/cache.ts';
import { bundleFits, findPackage } from '../../runtime/node/device/swiftshader.ts';
import { readTar } from '../../runtime/node/device/tar.ts';

/** Shared memory of containers is often too small for a page; `--no-sandbox` since root has none, and pages are the project's own. */
const ARGS = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--font-render-hinting=none'];

/** Libraries that a desktop has and a bare container may not. */
const LIBRARIES = ['libexpat.so.1', 'libnspr4.so', 'libnss3.so', 'libnssutil3.so', 'libplc4.so', 'libplds4.so', 'libsoftokn3.so'];
const FREEBL = ['libfreebl3.so', 'libfreeblpriv3.so', 'libfreebl3.chk', 'libfreeblpriv3.chk', 'libsoftokn3.chk'];
const FONTS = ['Regular', 'Bold', 'Italic'].map((style) => `fonts/Open_Sans/OpenSans-${style}.ttf`);
const FILES = ['chromium', 'fonts.conf', ...FONTS, ...[...LIBRARIES, ...FREEBL].map((name) => `lib/${name}`)];

/** Why this machine can have no browser, or undefined where it has to start. */
export const withoutBrowser: string | undefined =
  bundleFits() || process.env.PIVOT_CHROMIUM !== undefined ? undefined : 'the packaged Chromium is for Linux on x64';

export class TestBrowser {
  private running: Browser | undefined;

  /**
   * Gives `use` a new page, closed afterwards. Where the browser itself ended meanwhile (the system may kill it for memory), a new one is
   * started and `use` is called once more; what fails then, or fails while the browser lives, is thrown.
   */
  async withPage(options: BrowserContextOptions, use: (page: Page) => Promise<void>): Promise<void> {
    const browser = await this.open();
    try {
      return await onPage(browser, options, use);
    } catch (error) {
      if (browser.isConnected()) throw error;
    }
    await onPage(await this.open(), options, use);
  }

  async close(): Promise<void> {
    await this.running?.close();
    this.running = undefined;
  }

  private async open(): Promise<Browser> {
    if (this.running?.isConnected() !== true) this.running = await launch();
    return this.running;
  }
}

async function onPage(browser: Browser, options: BrowserContextOptions, use: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.newPage(options);
  try {
    await use(page);
  } finally {
    // A page of a browser that has ended cannot be closed any more.
    await page.close().catch(() => undefined);
  }
}

async function launch(): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  const named = process.env.PIVOT_CHROMIUM;
  if (named !== undefined) return chromium.launch({ executablePath: named, args: ARGS });
  const folder = unpackChromium();
  const start = (env: Record<string, string>): Promise<Browser> =>
    chromium.launch({
      executablePath: join(folder, 'chromium'),
      args: ARGS,
      env: { ...definedIn(process.env), FONTCONFIG_FILE: join(folder, 'fonts.conf'), XDG_CACHE_HOME: folder, ...env },
    });
  try {
    return await start({});
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('shared libraries')) throw error;
    return start({ LD_LIBRARY_PATH: join(folder, 'lib') });
  }
}

/** The browser, its libraries and its fonts, unpacked into the user's cache; the same fonts on every machine. */
function unpackChromium(): string {
  const { version, read } = findPackage();
  const folder = unpackOnce(`chromium-${version}-fonts`, FILES, () => {
    const files = new Map<string, Uint8Array | string>([
      ['chromium', read('chromium.br')],
      ...readTar(read('fonts.tar.br')),
      ...readTar(read('al2023.tar.br')),
    ]);
    // The archive of the fonts has a configuration too, for the folders of a cloud function.
    files.set('fonts.conf', FONTCONFIG);
    return files;
  });
  return folder;
}

/** Fonts lie beside this file; what fontconfig computes of them goes where `launch` says, else it would be the current folder. */
const FONTCONFIG = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

function definedIn(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
