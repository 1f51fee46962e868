/** P06: data that do not fit each other or the model. */
import { entry } from './entry.ts';
import { example } from './example.ts';

export const data = {
  P0601: entry<{ what: string; first: string; second: string }>({
    message: ({ what, first, second }) => `mixed data differ in ${what}: ${first} and ${second}`,
    explain: 'Rows of a mix share one collation: kind of rows, size of pictures, longest prompt and answer.',
    example: example({ data: 'data pairs = mix(scenes.preferences(count: 8), scenes.preferences(count: 8, size: 36px))' }),
  }),
  P0602: entry<{ data: number; encoder: number }>({
    message: ({ data, encoder }) => `the pictures are ${data}px wide, the encoder takes ${encoder}px`,
    help: ({ encoder }) => `give the data \`size: ${encoder}px\``,
    explain: 'Pictures are resized by the data, not by the model, and never in silence.',
    example: example({ data: 'data pairs = scenes.preferences(count: 64, size: 36px)' }),
  }),
  P0603: entry<{ expected: string; found: string }>({
    message: ({ expected, found }) => `the data are tokenised by ${found}, the language model has the tokenizer ${expected}`,
    explain: 'Token ids mean something only to the vocabulary that made them.',
    example: example({
      data: 'tokenizer own = vocabulary("words.json")\nuse std.data.files\ndata pairs = files.preferences(folder: "rows", tokenizer: own, count: 8, size: 24px, prompt: 8, answer: 24)',
    }),
  }),
  P0611: entry<{ file: string; field: string; expected: string; found: string }>({
    message: ({ file, field, expected, found }) => `\`${field}\` in ${file}: expected ${expected}, found ${found}`,
    explain:
      'A checkpoint is read by its config. What the config asks for and Pivot does not do is refused, since passing over it would give other numbers than the model that was trained.',
    example: example({ encoder: 'encoder eyes = pretrained("strange")' }),
  }),
  P0612: entry<{ folder: string; faults: string }>({
    message: ({ folder, faults }) => `the tensors of ${folder} are not those that its config makes: ${faults}`,
    help: () => 'the folder mixes files of two checkpoints, or its config was edited',
    explain: 'Every weight of a layer is looked up in the checkpoint, by name and shape, before anything is read.',
    example: example({ encoder: 'encoder eyes = pretrained("halved")' }),
  }),
  P0613: entry<{ folder: string; count: number; some: string }>({
    severity: 'warning',
    message: ({ folder, count, some }) =>
      `${folder} has ${count} tensor${count === 1 ? '' : 's'} that its architecture has no place for, which ${count === 1 ? 'is' : 'are'} not read: ${some}`,
    explain:
      'A checkpoint may hold more than the model of its config, such as a head of another task. Weights that should have been read and are named otherwise look the same.',
    example: example({ encoder: 'encoder eyes = pretrained("fuller")' }),
  }),
  P0614: entry<{ folder: string; what: string }>({
    severity: 'warning',
    message: ({ folder, what }) => `${folder}: ${what}`,
    explain: 'The index of a checkpoint in shards and the shards themselves say different things. The index counts.',
    example: example({ encoder: 'encoder eyes = pretrained("spread")' }),
  }),
};
