/** Patterns and templates that never end are ended. In a process of plain Node, since jest's cannot start ours. */
import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../cli/host.ts';

test('a pattern, a template and a heap without end', async () => {
  const files = ['test/support/typescript.mjs', 'test/tokenize/bounds-child.ts'].map((file) => join(packageRoot(), file));
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', '--import', files[0], files[1]]);
  const words = JSON.parse(stdout);
  expect(words.pattern).toMatch(/^R0543 .*tokenizer.json took too long for a text of 41 characters .*pre_tokenizer.pattern/);
  expect(words.after).toBe('[[256],[97]]');
  expect(words.memory).toMatch(/^R0543 the chat_template of .*tokenizer_config.json took more than 64 MB of memory/);
  expect(words.broken).toMatch(/^R0541 .*pre_tokenizer.pattern {"Regex":"\(a"} is no pattern/);
});
