/** LLaMA-Factory's `dataset_info.json`: which file an entry names, and how its columns and roles are called. */
import { readFile } from 'node:fs/promises';
import { dataError } from '../../../core/data/codes.ts';
import type { Role } from '../../../core/data/conversation.ts';
import { damaged, describe, fieldOf, isFields } from '../containers/table.ts';
import type { Fields, Value } from '../containers/table.ts';
import { foundIn } from '../foreign.ts';
import type { Layout, Wanted } from './layout.ts';
import { FACTORY_COLUMNS, factoryLayout } from './llamafactory.ts';
import type { FactoryColumns } from './llamafactory.ts';
import { SHAREGPT } from './turns.ts';
import type { Speech } from './turns.ts';

export interface FactoryEntry {
  entry: string;
  /** As the entry names it, relative to the folder. */
  file: string;
  wanted: Wanted;
  layout: Layout;
}

/**
 * Reads an entry; without a name there must be one that fits. Throws R0532 for a broken file, R0533 for an entry that is missing, lies on
 * a hub, is in another format, or holds no pairs where such are wanted.
 */
export async function readFactoryEntry(path: string, file: string, entry?: string, wish?: Wanted): Promise<FactoryEntry> {
  const info = await readInfo(path, file);
  const names = Object.keys(info);
  const chosen = entry ?? (names.length === 1 ? names[0] : undefined);
  const found = chosen === undefined ? undefined : fieldOf(info, chosen);
  if (chosen === undefined || !isFields(found)) {
    const what = chosen === undefined ? `it has ${names.length} entries` : `there is no entry ${chosen}`;
    throw dataError('R0533', `${what}; choose one of ${names.join(', ') || 'none'}`, { cure: 'name the entry', place: { file } });
  }
  const wrong = (field: string, what: string): Error =>
    dataError('R0533', `entry ${chosen}: ${field}: ${what}`, { cure: 'mend the entry', place: { file } });
  for (const hub of ['hf_hub_url', 'ms_hub_url', 'om_hub_url', 'script_url', 'cloud_file_name'])
    if (Object.hasOwn(found, hub)) throw wrong(hub, 'the rows lie on a hub, and nothing is fetched; put the files into the folder');
  const rows = fieldOf(found, 'file_name');
  if (typeof rows !== 'string' || rows === '') throw wrong('file_name', `expected the name of a file, found ${describe(rows)}`);
  if (fieldOf(found, 'formatting') !== 'sharegpt')
    throw wrong('formatting', `expected sharegpt, found ${describe(fieldOf(found, 'formatting') ?? 'alpaca')}`);
  const ranking = fieldOf(found, 'ranking') === true;
  if (wish === 'preferences' && !ranking) throw wrong('ranking', 'expected true, since preferences are wanted, found no such word');
  const wanted = wish ?? (ranking ? 'preferences' : 'supervised');
  return { entry: chosen, file: rows, wanted, layout: factoryLayout(columnsOf(found, wrong), speechOf(found, wrong)) };
}

async function readInfo(path: string, file: string): Promise<Fields> {
  const bytes = await readFile(path);
  let value: Value;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Value;
  } catch (cause) {
    throw damaged(file, `not valid JSON: expected JSON, found ${foundIn(bytes)}`, { cause });
  }
  if (!isFields(value)) throw damaged(file, `expected an object of entries, found ${describe(value)}`);
  return value;
}

type Wrong = (field: string, what: string) => Error;

function textsOf(entry: Fields, field: string, wrong: Wrong): Record<string, string> {
  const value = fieldOf(entry, field);
  if (value === undefined) return {};
  if (!isFields(value)) throw wrong(field, `expected an object of names, found ${describe(value)}`);
  for (const [name, text] of Object.entries(value))
    if (typeof text !== 'string') throw wrong(`${field}.${name}`, `expected a name, found ${describe(text)}`);
  return value as Record<string, string>;
}

/** Where an entry names columns, only those are read; the messages have a default. */
function columnsOf(entry: Fields, wrong: Wrong): FactoryColumns {
  const given = textsOf(entry, 'columns', wrong);
  if (Object.keys(given).length === 0) return FACTORY_COLUMNS;
  const { messages = FACTORY_COLUMNS.messages, chosen, rejected, images, system, tools } = given;
  return { messages, chosen, rejected, images, system, tools };
}

function speechOf(entry: Fields, wrong: Wrong): Speech {
  const tags = textsOf(entry, 'tags', wrong);
  const roles: [string, Role][] = [
    [tags.system_tag ?? 'system', 'system'],
    [tags.user_tag ?? 'human', 'user'],
    [tags.assistant_tag ?? 'gpt', 'assistant'],
    [tags.observation_tag ?? 'observation', 'tool'],
  ];
  return { role: tags.role_tag ?? SHAREGPT.role, content: tags.content_tag ?? SHAREGPT.content, roles: Object.fromEntries(roles) };
}
