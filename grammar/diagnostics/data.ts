/** P06: data. */
import { entry } from './entry.ts';

export const data = {
  P0601: entry<{ what: string; first: string; second: string }>({
    message: ({ what, first, second }) => `the parts of a mix differ in ${what}: ${first} and ${second}`,
    explain: 'All rows of a batch have one form, so what is mixed must agree in layout, image size, token counts and tokenizer.',
    example: 'pivot 1\nuse std.data.scenes\ndata a = mix(scenes.captions(count: 8), scenes.preferences(count: 8))\n',
  }),
};
