/** The Vulkan drivers installed on this machine, by the manifests that the loader's specification places in known folders. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

const FOLDERS = ['/etc/vulkan/icd.d', '/usr/local/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/usr/share/vulkan/icd.d'];

export interface InstalledDriver {
  /** Path of the manifest. */
  icd: string;
  /** `lvp`, `radeon`, `nvidia`: the manifest's name without its ending. */
  name: string;
  /** From the manifest; undefined where it cannot be read. */
  apiVersion?: string;
}

/** Every installed driver, those named by VK_ICD_FILENAMES (or VK_DRIVER_FILES) first. */
export function installedDrivers(env: NodeJS.ProcessEnv = process.env, folders: readonly string[] = FOLDERS): InstalledDriver[] {
  const named = [env.VK_DRIVER_FILES, env.VK_ICD_FILENAMES].flatMap((list) => (list ? list.split(':') : []));
  const found = folders.flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter((file) => file.endsWith('.json'))
          .sort()
          .map((file) => join(folder, file))
      : [],
  );
  return [...new Set([...named, ...found])].filter((icd) => existsSync(icd)).map(describeDriver);
}

export function describeDriver(icd: string): InstalledDriver {
  const name = basename(icd, '.json').replace(/[._-]?icd([._-].*)?$/, '');
  return { icd, name: name || basename(icd), apiVersion: apiVersionOf(icd) };
}

/** Mesa's lavapipe, whose manifest is `lvp_icd.json` or `lvp_icd.x86_64.json`. */
export function isLavapipe(driver: InstalledDriver): boolean {
  return /^(lvp|lavapipe)/.test(driver.name);
}

function apiVersionOf(icd: string): string | undefined {
  try {
    const manifest = JSON.parse(readFileSync(icd, 'utf8')) as { ICD?: { api_version?: unknown } };
    const version = manifest.ICD?.api_version;
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}
