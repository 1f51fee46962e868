/** P05: stages, comparisons, probes and exports. */
import { entry, suggest } from './entry.ts';

export const pipeline = {
  P0502: entry<{ image: number; prompt: number; answer: number; needed: number; context: number }>({
    message: ({ image, prompt, answer, needed, context }) =>
      `a row needs ${needed} places (image ${image}, prompt ${prompt}, answers ${answer}), the language model has ${context}`,
    help: ({ needed }) => `raise \`context\` to ${needed}, or merge image tokens in the connector`,
    explain: 'Rows are never cut: what is declared as the most must fit. Cutting image tokens silently spoils a run.',
    example: 'pivot 1\n',
  }),
  P0503: entry<{ loss: string }>({
    message: ({ loss }) => `the loss ${loss} compares with a reference, and none is given`,
    help: () => 'write `reference: STAGE` among its arguments',
    explain: 'A preference loss measures the policy against a fixed model, which must be named.',
    example: 'pivot 1\n',
  }),
  P0504: entry<{ layout: string }>({
    message: ({ layout }) => `this loss needs preference pairs, the rows are ${layout}`,
    explain: 'The loss compares a chosen with a rejected answer, and these rows do not have both.',
    example: 'pivot 1\n',
  }),
  P0509: entry<{ name: string; place: string }>({
    message: ({ name, place }) => `\`${name}\` belongs into ${place}`,
    explain: 'The word has a meaning only there.',
    example: 'pivot 1\nlayer f(x: [N]) { state m like x return x }\n',
  }),
  P0510: entry<{ file: string }>({
    message: ({ file }) => `the file ${file} cannot be read`,
    explain: 'The text names a file that is not there, beside the text or in the standard library.',
    example: 'pivot 1\ntokenizer words = vocabulary("absent.json")\n',
  }),
  P0511: entry<{ file: string; message: string }>({
    message: ({ file, message }) => `${file}: ${message}`,
    explain: 'The vocabulary is a JSON list of words, the place of a word being its token; `<pad>` and `<end>` must be among them.',
    example: 'pivot 1\n',
  }),
  P0514: entry<{ layout: string }>({
    message: ({ layout }) => `this model cannot read rows of the layout ${layout}`,
    explain: 'The layout of the rows says which tensors a batch has; the model needs others.',
    example: 'pivot 1\n',
  }),
  P0515: entry<{ name: string; known: string }>({
    message: ({ name }) => `a batch has no \`${name}\``,
    help: ({ known }) => suggest(undefined, known),
    explain: 'Parameters that are tensors are filled from the batch by their names.',
    example: 'pivot 1\n',
  }),
};
