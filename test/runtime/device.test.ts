import { describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Target } from '../../plan/program.ts';
import type { AdapterInfo } from '../../runtime/core/device/info.ts';
import { lacking, pickTarget } from '../../runtime/core/device/target.ts';
import { Executor } from '../../runtime/core/executor/executor.ts';
import { describeDriver, installedDrivers } from '../../runtime/node/device/drivers.ts';
import { examine, formatDoctor } from '../../runtime/node/device/doctor.ts';
import { openDevice } from '../../runtime/node/device/open.ts';
import { cacheRoot } from '../../runtime/node/device/cache.ts';
import { bundleFits, unpackSwiftShader } from '../../runtime/node/device/swiftshader.ts';
import { readTar } from '../../runtime/node/device/tar.ts';
import { sleepingWait } from '../../runtime/node/device/wait.ts';
import { kernel, program } from '../support/programs.ts';

const temporary = (): string => mkdtempSync(join(tmpdir(), 'pivot-test-'));

describe('opening', () => {
  const adapter = process.env.PIVOT_ADAPTER || 'swiftshader';

  test("gives a device with the adapter's own limits", async () => {
    const open = await openDevice({ adapter });
    expect(open.info.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(128 * 2 ** 20);
    expect(open.device.limits.maxStorageBufferBindingSize).toBe(open.info.limits.maxStorageBufferBindingSize);
    expect(open.device.limits.maxStorageBuffersPerShaderStage).toBe(open.info.limits.maxStorageBuffersPerShaderStage);
    expect(open.device.features.has('subgroups')).toBe(open.info.features.includes('subgroups'));
    open.close();
  });

  test('finds SwiftShader by its name and by a part of it', async () => {
    for (const wish of ['swiftshader', 'SubZero']) {
      const open = await openDevice({ adapter: wish });
      expect(open.info).toMatchObject({ type: 'software', architecture: 'swiftshader', subgroup: { min: 4, max: 4 } });
      open.close();
    }
  });

  test('says which adapters there are when the one asked for is missing', async () => {
    await expect(openDevice({ adapter: 'voodoo' })).rejects.toMatchObject({
      code: 'R0102',
      message: expect.stringMatching(/"voodoo".*SwiftShader/),
    });
    await expect(openDevice({ adapter: '/nowhere/x_icd.json' })).rejects.toMatchObject({ code: 'R0102' });
  });

  test('tells a driver that is there and does not work from one that is not there', async () => {
    const folder = temporary();
    const icd = join(folder, 'broken_icd.json');
    writeFileSync(icd, JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: './nothing.so', api_version: '1.3.0' } }));
    await expect(openDevice({ adapter: icd })).rejects.toMatchObject({ code: 'R0103', message: expect.stringContaining(icd) });
    rmSync(folder, { recursive: true });
  });

  test('a device that is closed rejects what is pending and what comes after', async () => {
    const { device, close } = await openDevice({ adapter });
    const long = program({ x: ['state', 'f32', [64]], out: ['output', 'f32', [64]] }, [
      { kernel: 'long', bind: ['x', 'out'], writes: ['x', 'out'] },
    ]);
    const text = kernel(['f32', 'f32'], 64, 'for (var k = 0u; k < 200000u; k++) { b0[i] = b0[i] * 0.999 + 1.0; } b1[i] = b0[i];');
    const executor = await Executor.create({ device, wait: sleepingWait, programs: { long }, kernels: { long: text } });
    const pending = executor.run('long', { inputs: new Map(), scalars: {} }).outputs();
    close();
    await expect(pending).rejects.toMatchObject({ code: 'R0110' });
    expect(() => executor.run('long', { inputs: new Map(), scalars: {} })).toThrow(expect.objectContaining({ code: 'R0110' }));
    await expect(executor.readState()).rejects.toMatchObject({ code: 'R0110' });
    executor.destroy();
  });
});

describe('targets', () => {
  const limits = {
    maxStorageBuffersPerShaderStage: 8,
    maxComputeWorkgroupStorageSize: 16384,
    maxComputeInvocationsPerWorkgroup: 256,
    maxStorageBufferBindingSize: 2 ** 27,
  };
  const portable: Target = { name: 'portable', features: [], limits };
  const eight: Target = { name: 'software-8', features: ['subgroups'], subgroup: 8, limits };
  const four: Target = { ...eight, name: 'software-4', subgroup: 4 };
  const info: AdapterInfo = {
    name: 'x',
    driver: 'x',
    vendor: '',
    architecture: '',
    type: 'software',
    subgroup: { min: 4, max: 4 },
    features: ['subgroups'],
    limits: { ...limits },
  };

  test('the first that fits is taken', () => {
    expect(pickTarget([eight, four, portable], info).name).toBe('software-4');
    expect(pickTarget([portable, four], info).name).toBe('portable');
    expect(pickTarget([four, portable], { ...info, subgroup: { min: 4, max: 16 } }).name).toBe('portable');
  });

  test('what each one lacks is told', () => {
    const small = { ...info, limits: { ...limits, maxComputeInvocationsPerWorkgroup: 128 } };
    expect(lacking(portable, small)).toEqual(['maxComputeInvocationsPerWorkgroup 256 (it has 128)']);
    const gpu: Target = { name: 'gpu', features: ['shader-f16'], subgroup: 32, limits };
    expect(() => pickTarget([eight, gpu], info)).toThrow(
      expect.objectContaining({
        code: 'R0104',
        message:
          'no target of this plan runs on x: software-8 needs subgroups of 8 (it has 4); gpu needs the feature shader-f16, subgroups of 32 (it has 4)',
      }),
    );
  });
});

describe('drivers', () => {
  test('are found by their manifests, those of the environment first', () => {
    const folder = temporary();
    const write = (name: string, version: string): string => {
      const icd = join(folder, name);
      writeFileSync(icd, JSON.stringify({ ICD: { library_path: 'x.so', api_version: version } }));
      return icd;
    };
    mkdirSync(join(folder, 'more'));
    const named = write('more/nvidia_icd.json', '1.4.1');
    const radeon = write('radeon_icd.x86_64.json', '1.3.2');
    writeFileSync(join(folder, 'readme.txt'), '');
    const env = { VK_ICD_FILENAMES: `${named}:/nowhere/gone.json` };
    expect(installedDrivers(env, [folder, join(folder, 'none')])).toEqual([
      { icd: named, name: 'nvidia', apiVersion: '1.4.1' },
      { icd: radeon, name: 'radeon', apiVersion: '1.3.2' },
    ]);
    expect(describeDriver('/x/lvp_icd.json').name).toBe('lvp');
    rmSync(folder, { recursive: true });
  });
});

describe('the software driver of the install', () => {
  const fits = bundleFits() ? test : test.skip;

  fits('is unpacked once, whole, and again where files are gone', () => {
    const folder = temporary();
    const env = { XDG_CACHE_HOME: folder };
    const first = unpackSwiftShader(env);
    expect(readdirSync(first.folder).sort()).toEqual(['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json']);
    const made = statSync(first.icd).mtimeMs;
    expect(unpackSwiftShader(env)).toEqual(first);
    expect(statSync(first.icd).mtimeMs).toBe(made);
    rmSync(first.loader);
    unpackSwiftShader(env);
    expect(statSync(first.loader).size).toBeGreaterThan(500_000);
    expect(readdirSync(join(folder, 'pivot'))).toHaveLength(1);
    rmSync(folder, { recursive: true });
  });

  test('goes where it may be written', () => {
    const folder = temporary();
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(cacheRoot({ XDG_CACHE_HOME: join(folder, 'cache'), HOME: folder })).toBe(join(folder, 'cache', 'pivot'));
    expect(cacheRoot({ HOME: folder })).toBe(join(folder, '.cache', 'pivot'));
    if (process.platform === 'linux') expect(cacheRoot({ XDG_CACHE_HOME: '/proc/x', HOME: folder })).toBe(join(folder, '.cache', 'pivot'));
    expect(cacheRoot({ XDG_CACHE_HOME: file, HOME: file })).toBe(join(tmpdir(), `pivot-${process.getuid?.() ?? 'user'}`));
    rmSync(folder, { recursive: true });
  });

  test('a damaged archive is refused', () => {
    const block = Buffer.alloc(512);
    block.write('./a.txt', 0);
    block.write('00000000003\0', 124);
    block.write('0', 156);
    const seal = (header: Buffer): Buffer => {
      const copy = Buffer.from(header);
      copy.fill(' ', 148, 156);
      copy.write(
        copy
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, '0') + '\0 ',
        148,
      );
      return copy;
    };
    const content = Buffer.alloc(512);
    content.write('abc');
    const archive = Buffer.concat([seal(block), content, Buffer.alloc(1024)]);
    expect([...readTar(archive)].map(([name, data]) => [name, data.toString()])).toEqual([['a.txt', 'abc']]);
    expect(() => readTar(archive.subarray(0, 514))).toThrow('ends inside of a.txt');
    const damaged = Buffer.from(archive);
    damaged[3] ^= 1;
    expect(() => readTar(damaged)).toThrow('damaged at byte 0');
  });
});

describe('waiting', () => {
  test('settles as the promise does, and lets other callbacks run', async () => {
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    const later = new Promise<number>((resolve) => setTimeout(() => resolve(7), 30));
    const values = await Promise.all([sleepingWait(later), sleepingWait(Promise.resolve(1))]);
    clearInterval(timer);
    expect(values).toEqual([7, 1]);
    expect(ticks).toBeGreaterThan(0);
    await expect(sleepingWait(Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  test('leaves the processor alone', async () => {
    // Other threads of the process may have something to do, but not each time; one that looks all the while has.
    const spent: number[] = [];
    for (let i = 0; i < 5; i++) {
      const start = process.cpuUsage();
      await sleepingWait(new Promise((resolve) => setTimeout(resolve, 200)));
      const { user, system } = process.cpuUsage(start);
      spent.push((user + system) / 1000);
    }
    expect(Math.min(...spent)).toBeLessThan(150);
  });
});

describe('doctor', () => {
  const execArgv = ['--import', new URL('../support/typescript.mjs', import.meta.url).href];

  test('looks at every driver from a child process', async () => {
    const folder = temporary();
    const icd = join(folder, 'broken_icd.json');
    writeFileSync(icd, JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: './nothing.so', api_version: '1.3.0' } }));
    const before = process.env.VK_ICD_FILENAMES;
    process.env.VK_ICD_FILENAMES = icd;
    try {
      const found = await examine({ execArgv, measure: false });
      const broken = found.drivers.find((driver) => driver.adapter === icd);
      expect(broken).toMatchObject({ label: 'broken', refused: expect.stringContaining('no adapter') });
      if (bundleFits()) expect(found.drivers.at(-1)).toMatchObject({ adapter: 'swiftshader', info: { architecture: 'swiftshader' } });
      const text = formatDoctor(found);
      expect(text).toContain('- broken (Vulkan 1.3.0)');
      expect(text).toMatch(/runs (use|find)/);
    } finally {
      if (before === undefined) delete process.env.VK_ICD_FILENAMES;
      else process.env.VK_ICD_FILENAMES = before;
      rmSync(folder, { recursive: true });
    }
  });

  test('a child that hangs or dies is told of, not waited for', async () => {
    const slow = await examine({ execArgv, measure: false, timeoutMs: 1 });
    expect(slow.chosen.refused).toMatch(/did not answer within/);
    const dead = await examine({ execArgv: ['--import', 'data:text/javascript,process.kill(process.pid,"SIGSEGV")'], measure: false });
    expect(dead.chosen.refused).toMatch(/ended the process \(SIGSEGV\)/);
  });
});
