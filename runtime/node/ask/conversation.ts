/** A question in the tokens of a checkpoint: what its chat template makes of one message with a picture and the question. */
import type { Message } from '../../core/data/conversation.ts';
import type { TokenIds } from '../../core/data/row.ts';
import { runError } from '../../core/train/errors.ts';
import { renderPrompts } from '../../core/tokenize/answers.ts';
import { requireRows } from '../../core/tokenize/table.ts';
import type { SpokenTokens } from '../tokenize/speech.ts';

/** An image token stands once for the picture; `room` is for the others. Throws R0655 for no question or one too long, and as rendering does. */
export async function questionTokens(question: string, { tokenizer, image }: SpokenTokens, room: number): Promise<TokenIds> {
  if (question.trim() === '') throw runError('R0655', 'the question has no word', 'put it in quotes: pivot ask RUN IMAGE "what is it ?"');
  const message: Message = {
    role: 'user',
    content: [
      { type: 'image', index: 0 },
      { type: 'text', text: question },
    ],
  };
  const options = { ...(image === undefined ? {} : { image: { token: image.token, count: 1 } }), nameOf: () => 'the question' };
  const [prompt] = await renderPrompts(tokenizer, [[message]], options);
  await requireRows(tokenizer, [[prompt]], options.nameOf);
  const texts = prompt.length - 1;
  if (texts > room) {
    throw runError(
      'R0655',
      `the question has ${texts} tokens with those of the chat template, and the model was trained with ${room} at most`,
      `ask in fewer words, or train with prompt: ${texts} or more`,
    );
  }
  return { prompt, image: image?.id ?? -1 };
}
