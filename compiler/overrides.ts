/** `--set NAME=VALUE`: values that stand in for those of a text's params. */
import { parseExpression, report } from '../grammar/index.ts';
import type { Diagnostic, Expression } from '../grammar/index.ts';
import type { Loaded } from './modules/modules.ts';

export interface Overrides {
  values: Map<string, Expression>;
  /** The texts by the names that diagnostics use for them. */
  texts: Map<string, string>;
  diagnostics: Diagnostic[];
}

/** Values are expressions of the language. Of a param of type string or path, a text without quotes is meant as it is. */
export function overridesOf(set: Record<string, string>, loaded: Loaded): Overrides {
  const found: Overrides = { values: new Map(), texts: new Map(), diagnostics: [] };
  for (const [name, given] of Object.entries(set)) {
    const declared = loaded.main.declarations.get(name);
    if (declared?.kind !== 'Param') {
      found.diagnostics.push(report('P0521', { what: `--set ${name}: the text has no \`param ${name}\`` }));
      continue;
    }
    const isText = ['string', 'path'].includes(declared.type?.name?.text ?? '');
    const text = isText && !given.startsWith('"') ? JSON.stringify(given) : given;
    const parsed = parseExpression(text, `--set ${name}`);
    found.texts.set(`--set ${name}`, text);
    found.diagnostics.push(...parsed.diagnostics);
    found.values.set(name, parsed.tree);
  }
  return found;
}
