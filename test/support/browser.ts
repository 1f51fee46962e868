/** A headless Chromium for tests of pages: the one of the npm package that carries the software driver, or the one that PIVOT_CHROMIUM names. */
import type { Browser } from 'playwright-core';

/** A browser, or in words why there is none on this machine. A busy machine may fail to start it once. */
export async function openBrowser(): Promise<Browser | string> {
  const first = await launched();
  return typeof first === 'string' ? launched() : first;
}

async function launched(): Promise<Browser | string> {
  try {
    const { chromium } = await import('playwright-core');
    const named = process.env.PIVOT_CHROMIUM;
    if (named !== undefined) return await chromium.launch({ executablePath: named, args: ['--no-sandbox'] });
    if (process.platform !== 'linux' || process.arch !== 'x64') return 'the packaged Chromium is for Linux on x64';
    const { default: packaged } = await import('@sparticuz/chromium');
    return await chromium.launch({ executablePath: await packaged.executablePath(), args: packaged.args });
  } catch (error) {
    // Its shared libraries may be missing, or the folder for temporary files may not allow programs.
    return error instanceof Error ? error.message.split('\n')[0] : String(error);
  }
}
