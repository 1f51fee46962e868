/** Versions of what a result rests on, for `run.json`. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function versions(): Record<string, string> {
  return {
    pivot: versionAbove(fileURLToPath(import.meta.url)),
    node: process.versions.node,
    webgpu: versionAbove(createRequire(import.meta.url).resolve('webgpu')),
    platform: `${process.platform}-${process.arch}`,
  };
}

/** The version in the nearest package.json above a file. */
function versionAbove(file: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const version = versionIn(join(folder, 'package.json'));
    if (version !== undefined) return version;
  }
  return 'unknown';
}

function versionIn(path: string): string | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const version: unknown = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}
