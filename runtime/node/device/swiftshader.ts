/**
 * The software driver that comes with the install: SwiftShader out of the npm package `@sparticuz/chromium`, with the Vulkan
 * loader that Dawn looks for, so that no system package is needed. Unpacked once into the user's cache (`cache.ts`).
 */
import { createRequire } from 'node:module';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { deviceError } from '../../core/device/errors.ts';
import { messageOf } from '../../core/device/info.ts';
import { unpackOnce } from './cache.ts';
import { readTar } from './tar.ts';

const PACKAGE = '@sparticuz/chromium';
const FILES = ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'];

export interface Bundle {
  /** The driver's manifest, for VK_ICD_FILENAMES. */
  icd: string;
  /** The folder, which also holds the loader `libvulkan.so.1`. */
  folder: string;
  loader: string;
}

/** Whether the package's binary runs on this machine. */
export function bundleFits(): boolean {
  return process.platform === 'linux' && process.arch === 'x64';
}

/** Finds the unpacked driver, or unpacks it. Throws R0105. */
export function unpackSwiftShader(env: NodeJS.ProcessEnv = process.env): Bundle {
  const source = findPackage();
  const folder = unpackOnce(`swiftshader-${source.version}`, FILES, () => readTar(source.read('swiftshader.tar.br')), env);
  return { folder, icd: join(folder, 'vk_swiftshader_icd.json'), loader: join(folder, 'libvulkan.so.1') };
}

/** The installed package: its version, and its brotli archives by name. Throws R0105. */
export function findPackage(): { version: string; read: (archive: string) => Buffer } {
  try {
    // The package exports only its entry point, so its root is found by walking up from there.
    let folder = dirname(createRequire(import.meta.url).resolve(PACKAGE));
    while (folder !== dirname(folder)) {
      const manifest = join(folder, 'package.json');
      if (existsSync(manifest)) {
        const { name, version } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string; version?: string };
        if (name === PACKAGE && version) {
          const bin = join(folder, 'bin');
          return { version, read: (archive) => brotliDecompressSync(readFileSync(join(bin, archive))) };
        }
      }
      folder = dirname(folder);
    }
    throw new Error('its package.json is missing');
  } catch (cause) {
    throw deviceError(
      'R0105',
      `the package ${PACKAGE}, which carries the software driver, is not installed: ${messageOf(cause)}`,
      'install the dependencies again.',
      cause,
    );
  }
}
