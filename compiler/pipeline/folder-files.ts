/** Files of checkpoints that data name: read when compiling, so that what the runtime would refuse is told at their place in the text. */
import type { Span } from '../../grammar/index.ts';
import { PROCESSOR_FILES } from '../../plan/checkpoint-files.ts';
import type { Architecture } from '../../formats/config/architecture.ts';
import { readKnownArchitecture } from '../../formats/config/config.ts';
import { readProcessor } from '../../formats/processor/read.ts';
import type { FileContent } from '../../formats/processor/read.ts';
import { fail } from '../elaborate/fault.ts';
import { refusing } from '../elaborate/foreign.ts';
import type { Host } from '../host.ts';

/** The preprocessing of a checkpoint's folder, and whether the encoder beside it has positions for its pictures. */
export function checkProcessor(host: Host, folder: string, span: Span): void {
  const [own, nested, model] = [...PROCESSOR_FILES, 'config.json'].map((name) => contentOf(host, `${folder}/${name}`));
  const known = model && refusing(model.file, span, () => readKnownArchitecture(model.content, model.file));
  const side = known && sideOf(known.architecture);
  const file = own?.file ?? nested?.file ?? `${folder}/${PROCESSOR_FILES[0]}`;
  const read = refusing(file, span, () =>
    readProcessor(
      { ...(own ? { own } : {}), ...(nested ? { nested } : {}), ...(model ? { model } : {}) },
      side === undefined ? undefined : { side },
    ),
  );
  // A host of tests knows of files that it does not hold.
  if (read === undefined && host.hash(`${folder}/${PROCESSOR_FILES[0]}`) === undefined) fail('P0510', { file: `${folder}/${PROCESSOR_FILES.join(' or ')}` }, span); // prettier-ignore
}

export function contentOf(host: Host, file: string): FileContent | undefined {
  const content = host.read(file);
  return content === undefined ? undefined : { file, content };
}

/** Side of the pictures that a model sees; undefined where it sees none. */
function sideOf(architecture: Architecture): number | undefined {
  const vision = 'vision' in architecture ? architecture.vision : 'image' in architecture ? architecture : undefined;
  return vision?.image;
}
