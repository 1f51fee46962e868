/**
 * The software driver that comes with the install: SwiftShader out of the npm package `@sparticuz/chromium`, with the Vulkan
 * loader that Dawn looks for, so that no system package is needed. Unpacked once into a folder of the user's cache, named by the
 * package's version, and moved there in one step, so that two processes may start at once.
 */
import { createRequire } from 'node:module';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { deviceError } from '../../core/device/errors.ts';
import { messageOf } from '../../core/device/info.ts';
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
  const folder = join(cacheRoot(env), `swiftshader-${source.version}`);
  if (!FILES.every((name) => existsSync(join(folder, name)))) unpack(source.archive, folder);
  return { folder, icd: join(folder, 'vk_swiftshader_icd.json'), loader: join(folder, 'libvulkan.so.1') };
}

/** `$XDG_CACHE_HOME/pivot`, else `~/.cache/pivot`, else a folder of this user among the temporary files: the first that can be written. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  const user = process.getuid?.() ?? 'user';
  const home = env.HOME || safeHome();
  const places = [env.XDG_CACHE_HOME, home && join(home, '.cache')].flatMap((base) => (base ? [join(base, 'pivot')] : []));
  const tried: string[] = [];
  for (const place of [...places, join(tmpdir(), `pivot-${user}`)]) {
    try {
      // Private to the user: what lies here is loaded as code.
      makeFolder(place);
      accessSync(place, constants.W_OK | constants.X_OK);
      if (process.getuid && statSync(place).uid !== process.getuid()) throw new Error(`${place} belongs to another user`);
      return place;
    } catch (cause) {
      tried.push(messageOf(cause));
    }
  }
  throw deviceError(
    'R0105',
    `no folder for the cache can be written: ${tried.join('; ')}`,
    'set XDG_CACHE_HOME to a folder that you may write.',
  );
}

/** As `mkdir -p`. Node's own recursive form never returns where a file system answers ENOENT below a folder that exists (/proc). */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have been first.
    if (!existsSync(folder)) throw error;
  }
}

function safeHome(): string | undefined {
  try {
    return homedir();
  } catch {
    // A user without an entry in the system's list of users has no home.
    return undefined;
  }
}

function findPackage(): { archive: string; version: string } {
  try {
    // The package exports only its entry point, so its root is found by walking up from there.
    let folder = dirname(createRequire(import.meta.url).resolve(PACKAGE));
    while (folder !== dirname(folder)) {
      const manifest = join(folder, 'package.json');
      if (existsSync(manifest)) {
        const { name, version } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string; version?: string };
        if (name === PACKAGE && version) return { version, archive: join(folder, 'bin', 'swiftshader.tar.br') };
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

function unpack(archive: string, folder: string): void {
  let temporary: string | undefined;
  try {
    const files = readTar(brotliDecompressSync(readFileSync(archive)));
    temporary = mkdtempSync(`${folder}.new-`);
    for (const name of FILES) {
      const content = files.get(name);
      if (!content) throw new Error(`${name} is not in ${archive}`);
      writeFileSync(join(temporary, name), content, { mode: 0o700 });
    }
    // What may be there is incomplete (a cleaned cache), since a complete one would have been used.
    if (existsSync(folder) && !FILES.every((name) => existsSync(join(folder, name)))) rmSync(folder, { recursive: true, force: true });
    try {
      renameSync(temporary, folder);
    } catch (cause) {
      // Another process was first; its copy is as good as ours.
      if (!FILES.every((name) => existsSync(join(folder, name)))) throw cause;
    }
  } catch (cause) {
    throw deviceError(
      'R0105',
      `the software driver could not be unpacked into ${folder}: ${messageOf(cause)}`,
      'free some disk space, or set XDG_CACHE_HOME to a folder that you may write.',
      cause,
    );
  } finally {
    if (temporary) rmSync(temporary, { recursive: true, force: true });
  }
}
