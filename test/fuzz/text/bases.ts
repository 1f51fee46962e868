/** The texts that a campaign begins with, by how often they are taken: many small ones, few large ones. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../cli/host.ts';
import { registry } from '../../../grammar/index.ts';
import { pick } from './mutate.ts';
import type { Random } from './mutate.ts';

export interface Bases {
  small: string[];
  library: string[];
  large: string[];
}

/** Texts whose check takes more than some hundred milliseconds even undamaged. */
const LARGE = 2_500;

export function readBases(): Bases {
  const root = packageRoot();
  const texts = (folder: string): string[] =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.pivot'))
      .sort()
      .map((name) => readFileSync(join(root, folder, name), 'utf8'));
  const own = [...texts('examples'), ...texts('test')];
  return {
    small: [...Object.values(registry).map(({ example }) => example), ...own.filter((text) => text.length <= LARGE)],
    library: texts('stdlib'),
    // with one seed each: more of them take time and show nothing else
    large: own.filter((text) => text.length > LARGE).map((text) => text.replace(/^(param (?:tuning_)?runs: int = ).*/gm, '$11')),
  };
}

export function pickBase({ small, library, large }: Bases, random: Random): string {
  const at = random();
  return pick(random, at < 0.8 ? small : at < 0.98 ? library : large);
}
