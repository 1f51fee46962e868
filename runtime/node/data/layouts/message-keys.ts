/**
 * What a message says beside role and content. Marks of what is learnt are read here: `loss` (ms-swift), `weight` (OpenAI, axolotl), `train` and
 * `training` (axolotl). All else is for the chat template, as TRL hands whole messages to it.
 */
import type { Role } from '../../../core/data/conversation.ts';
import type { Json } from '../../../core/data/row.ts';
import { describe, fieldOf, isFields, plain } from '../containers/table.ts';
import type { Fields, Value } from '../containers/table.ts';
import type { Complain, Turn } from './layout.ts';

const MARKS = ['loss', 'weight', 'train', 'training'];

/** Keys that say of parts of a message, or in degrees, what is learnt. */
const FINER: ReadonlySet<string> = new Set(['train_detail', 'loss_scale', 'loss_mask', 'loss_weight', 'mask']);

/** Nesting of a value that is kept: what is deeper is no one's data, and would overflow the stack of those who write it. */
const DEEPEST = 32;

/** Everything but the keys of `taken`. Nulls count as absent: tables write them where another message has the key. Undefined after a fault. */
export function besides(
  message: Fields,
  taken: readonly string[],
  role: Role,
  field: string,
  complain: Complain,
): Pick<Turn, 'more' | 'mark'> | undefined {
  const more: Record<string, Json> = {};
  let mark: Turn['mark'];
  for (const key of Object.keys(message)) {
    const value = fieldOf(message, key);
    if (taken.includes(key) || value === null || value === undefined) continue;
    const at = `${field}.${plain(key)}`;
    if (FINER.has(key)) return complain(at, 'it is not read; an answer is learnt whole, or left out by `loss: false` or `weight: 0`');
    if (MARKS.includes(key)) {
      const learn = learnOf(value);
      if (learn === undefined) return complain(at, `expected true or false (or 1 or 0), found ${describe(value)}`);
      if (learn && role !== 'assistant') return complain(at, `the message is of the ${role}; only those of the assistant are learnt`);
      if (mark !== undefined && mark.learn !== learn) return complain(at, `it contradicts ${mark.key}`);
      mark = { key, learn };
      continue;
    }
    if (!isJson(value))
      return complain(at, 'expected text, numbers, lists or objects, found bytes, or too many of them inside one another');
    Object.defineProperty(more, key, { value: withoutNulls(value), enumerable: true, configurable: true });
  }
  return { ...(Object.keys(more).length === 0 ? {} : { more }), ...(mark === undefined ? {} : { mark }) };
}

/** A column of tools: a list, or its JSON. Undefined after a fault. */
export function toolsOf(given: Value | undefined, column: string, complain: Complain): Json[] | undefined {
  let value: Value = given ?? [];
  if (typeof value === 'string') {
    try {
      value = value === '' ? [] : (JSON.parse(value) as Value);
    } catch {
      return complain(column, 'expected a list of tools, or its JSON, found a text that is none');
    }
  }
  if (!Array.isArray(value) || !isJson(value)) return complain(column, `expected a list of tools, or its JSON, found ${describe(value)}`);
  return withoutNulls(value) as Json[];
}

function learnOf(value: Value): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return value === 0 || value === 1 ? value === 1 : undefined;
}

/** Whether a value is JSON, without bytes in it, and not absurdly deep. */
export function isJson(value: Value, depth = 0): value is Json {
  if (value instanceof Uint8Array || depth > DEEPEST) return false;
  if (Array.isArray(value)) return value.every((one) => isJson(one, depth + 1));
  return !isFields(value) || Object.values(value).every((one) => isJson(one, depth + 1));
}

/** TRL takes them out as well: tables write them where another row has the key. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.filter((one) => one !== null).map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== null)
      .map(([key, one]) => [key, withoutNulls(one)]),
  );
}
