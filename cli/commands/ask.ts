/** `pivot ask RUN IMAGE "question"`: lets the models that a run trained answer a question about a picture. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { PivotError } from '../../plan/errors.ts';
import { ask as put } from '../../runtime/node/ask.ts';
import type { Asked } from '../../runtime/node/ask.ts';
import { openDevice } from '../../runtime/node/device/open.ts';
import { imagePng, mapPng } from '../../runtime/node/report/pictures.ts';
import { strip } from '../../runtime/node/report/strip.ts';
import { onFile } from '../../runtime/node/run/files.ts';
import type { Picture } from '../../runtime/core/data/row.ts';
import { print } from '../output.ts';

interface Arguments {
  run: string;
  base: string;
  image: string;
  question: string;
  stage?: string;
  arm?: string;
  seed: number;
  cam?: string;
  temperature: number;
  adapter?: string;
}

export const ask: CommandModule<object, Arguments> = {
  command: 'ask <run> <image> <question>',
  describe: 'let the models of a finished run answer a question about a picture',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'a run folder' })
      .positional('image', { type: 'string', demandOption: true, describe: 'a picture: PNG, JPEG or WebP' })
      .positional('question', {
        type: 'string',
        demandOption: true,
        describe: 'in quotes; a model that was trained on a list of words knows those only',
      })
      .option('stage', { type: 'string', describe: 'whose model (default: the last stage that can be asked)' })
      .option('arm', { type: 'string', describe: 'which arm of a comparison (default: all, one line each)' })
      .option('seed', { type: 'number', default: 0, describe: 'which seed of the text' })
      .option('cam', { type: 'string', describe: 'write a PNG of where each answer comes from' })
      .option('temperature', { type: 'number', default: 0, describe: '0: the likeliest words; else they are drawn' })
      .option('base', { type: 'string', default: '.', describe: "folder that the text's files are relative to" })
      .option('adapter', { type: 'string', describe: "gpu, lavapipe, swiftshader, a driver manifest, or part of an adapter's name" }),
  handler: async ({ cam, adapter, ...rest }) => {
    requireNumbers(rest);
    const device = await openDevice(adapter === undefined ? {} : { adapter });
    try {
      const { picture, answers } = await put({ ...rest, picture: rest.image, cam: cam !== undefined, device });
      const longest = Math.max(...answers.map(({ name }) => name.length));
      for (const one of answers) print(`${answers.length > 1 ? `${one.name.padEnd(longest)}  ` : ''}${lineOf(one)}`);
      if (cam !== undefined) {
        const png = await mapsPng(picture, answers);
        await onFile(resolve(cam), () => writeFile(cam, png));
      }
    } finally {
      device.close();
    }
  },
};

function requireNumbers({ seed, temperature }: Pick<Arguments, 'seed' | 'temperature'>): void {
  if (!Number.isInteger(seed) || seed < 0)
    throw new PivotError('C0108', `${seed} is no seed`, { cure: 'give --seed a whole number of at least 0' });
  if (!Number.isFinite(temperature) || temperature < 0)
    throw new PivotError('C0108', `${temperature} is no temperature`, {
      cure: 'give --temperature a number of at least 0; 0 takes the likeliest words',
    });
}

function lineOf({ said, ended, logp }: Asked): string {
  // A vocabulary has bytes that a terminal would obey.
  const shown = said.replace(/\p{Cc}/gu, (c) => (c === '\n' || c === '\t' ? c : '\ufffd'));
  return `${shown}${ended ? '' : ' ...'}  (log-probability ${logp.toFixed(3)})`;
}

/** The picture, and beside it the map of each answer. */
async function mapsPng(picture: Picture, answers: readonly Asked[]): Promise<Uint8Array> {
  const maps = answers.flatMap(({ cam }) => (cam === undefined ? [] : [cam]));
  return strip([
    await imagePng(picture, []),
    ...(await Promise.all(maps.map(({ map, grid }) => mapPng(map, grid, picture, [], [picture.width, picture.height])))),
  ]);
}
