/** What each code of a data error means. `dataError` takes no other code, so that none goes unexplained. */
import { PivotError } from '../../../plan/errors.ts';
import type { Place } from '../../../plan/errors.ts';

export const DATA_CODES = {
  R0501: 'A safetensors file is cut off, or its header contradicts itself. Nothing of it is used.',
  R0502: 'A tensor is stored in a type that Pivot does not compute with, such as F64. Other tensors of the file can be read.',
  R0503: 'A safetensors file does not have a tensor of this name.',
  R0504: 'A file cannot be opened.',
  R0505: 'A file of a run is not what was written: its checksum does not fit.',
  R0506: 'The index of a sharded checkpoint does not fit its files, or names a file outside its folder.',
  R0511: 'The plan names a data source that this runtime does not have. Sources that read files are missing in a browser.',
  R0512: 'A parameter of a data source has a value that the source cannot use.',
  R0513: 'A data source holds fewer rows than the text declares. Rows are never repeated to fill the count.',
  R0514: 'A text has a word that the tokenizer does not know. Words are never dropped or replaced.',
  R0515: 'A prompt or an answer is longer than the text declares. Nothing is cut off: a cut answer would train towards half a sentence.',
  R0516: 'A row lacks what the layout needs: a picture, a prompt, an answer, the second answer, or a label.',
  R0517: 'There are fewer rows than one batch. Training batches are full, so that every step has the same shape.',
  R0518: 'A picture or a list of labels does not have the size that the program was compiled for.',
  R0520: 'Rows of a folder are faulty. Every fault names file, line and field; ten are shown at most.',
  R0521: 'A picture cannot be decoded. Its row is known only when it is read, since decoding all beforehand would take too long.',
  R0522: 'The folder of a data source is missing, or has no file of rows.',
  R0523: 'Files of a data source are not those that the plan was compiled for. What is trained on them would not be what the plan says.',
  R0524: 'Rows are written to a new folder only, so that no picture of another set is left among them.',
  R0525: 'A model was to make pairs of its own answers, and none of its prompts gave two that differ in rank.',
  R0526:
    'What is made of rows waits on the disk until a step asks for it, in the folder for temporary files, and no file can be written there.',
  R0530:
    'A configuration of preprocessing has a value that is wrong, or asks for a step that is not reproduced here. Pictures would look otherwise to the encoder than those it was trained on.',
  R0531: 'A picture is larger than what is decoded or computed: small files can unfold to gigabytes.',
  R0532:
    'A file of rows is not what its name says, is cut off, or is damaged. Nothing of it is used, since what is missing cannot be known.',
  R0533: 'The columns of rows fit none of the layouts that are read, or there are several files to choose from.',
  R0540: 'A file of a tokenizer is not JSON, or has a key twice.',
  R0541:
    'A file of a tokenizer contradicts itself, needs what is not supported, or has no ids for a text. Other ids would mean other words.',
  R0542: 'A chat template is missing, cannot be parsed, refuses a conversation, or does not let the answer be told from the prompt.',
  R0543: 'A tokenizer or a chat template took too long or too much memory for one text. It was ended; patterns of others may never end.',
  R0544: 'A conversation cannot be rendered: its pictures and image tokens differ, or there is no answer to learn.',
  R0545: 'A checkpoint names no token by which an answer ends, so that a model that answers in its tokens would never come to an end.',
} as const;

export type DataCode = keyof typeof DATA_CODES;

export function dataError(code: DataCode, message: string, more: { cure?: string; place?: Place; cause?: unknown } = {}): PivotError {
  return new PivotError(code, message, more);
}
