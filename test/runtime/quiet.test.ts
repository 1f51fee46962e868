/** Dawn's idle warnings are left out where standard error is a pipe, and nothing else is. */
import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';

const module = new URL('../../runtime/node/device/quiet.ts', import.meta.url).href;
const loader = new URL('../support/typescript.mjs', import.meta.url).href;
const IDLE =
  'Warning: maxDynamicUniformBuffersPerPipelineLayout artificially reduced from 1000000 to 16 to fit dynamic offset allocation limit.';

/** Runs a script in a process whose standard error is `redirect` of a shell. */
function run(redirect: string): string {
  const script = `
    import { writeSync } from 'node:fs';
    import { withoutIdleWarnings } from '${module}';
    process.stderr.write('before\\n');
    const seven = withoutIdleWarnings(() => { writeSync(2, '${IDLE}\\nWarning: another\\n${IDLE}\\n'); return 7; });
    process.stderr.write('after ' + seven + '\\n');
    writeSync(2, 'end\\n');`;
  const command = `"$0" --no-warnings --import "$1" --input-type=module -e "$2" ${redirect}`;
  return execFileSync('sh', ['-c', command, process.execPath, loader, script], { encoding: 'utf8' });
}

(process.platform === 'linux' ? test : test.skip)('a pipe lacks the idle warnings and has everything else, in order', () => {
  expect(run('2>&1 | cat')).toBe('before\nWarning: another\nafter 7\nend\n');
});

test('a file, whose position others share, has all', () => {
  expect(run('>/dev/null 2>"/tmp/pivot-quiet-$$"; cat "/tmp/pivot-quiet-$$"; rm "/tmp/pivot-quiet-$$"')).toBe(
    `before\n${IDLE}\nWarning: another\n${IDLE}\nafter 7\nend\n`,
  );
});
