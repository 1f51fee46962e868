/** Compiles a text that is no file, as if it stood in a folder. */
import { nodeHost } from '../../cli/host.ts';
import { compile } from '../../compiler/compile.ts';
import type { Compiled, CompileOptions } from '../../compiler/compile.ts';

/** Without targets everything is done but kernels. */
export function compileText(text: string, options: Partial<CompileOptions> = {}, folder = '.'): Compiled {
  const host = nodeHost(folder);
  return compile('run.pivot', { ...host, read: (path) => (path === 'run.pivot' ? text : host.read(path)) }, { targets: [], ...options });
}

/** A stage after that of `example(..)`, which trains something else. */
export function laterStage(train: string): string {
  const fields = [`train ${train}`, 'model mllm', 'on pairs', 'loss sft', 'optimize adamw(lr: 1e-3)', 'batch 8', 'steps 4'];
  return ['stage later from tune {', ...fields.map((field) => `  ${field}`), '}', ''].join('\n');
}
