/**
 * One row as a model reads it: the tokens that a checkpoint's tokenizer and chat template make of it, and which of them carry loss. They are
 * made by what makes rows for training (`conversations.ts`), so that a mask that is wrong looks wrong here.
 */
import type { ConversationRow } from '../../core/data/conversation.ts';
import type { TokenIds } from '../../core/data/row.ts';
import { markup } from '../report/html.ts';
import type { Content } from '../report/html.ts';
import type { Section } from '../report/page.ts';
import type { Piece, Token } from '../report/preview.ts';
import { pieceMarkup } from '../report/token-markup.ts';
import type { TextTokenizer } from '../tokenize/open.ts';
import { openTemplates, renderSaid } from './conversations.ts';

export interface ShownTokens {
  /** Folder of the tokenizer and the template. */
  folder: string;
  /** Whether the template was applied; plain rows get none. */
  templated: boolean;
  prompt: Piece;
  /** One, or the chosen and the rejected one. */
  answers: Piece[];
  /** What the template does not use of the row. */
  warnings: string[];
}

/**
 * Throws R0504, R0540, R0541 (the tokenizer), R0542 to R0544 (the template or the row is refused). `ifComplete`: gives undefined where the row
 * needs a chat template and the folder has none.
 */
export async function tokensOfRow(
  row: ConversationRow,
  folder: string,
  { imageToken, ifComplete = false }: { imageToken?: string; ifComplete?: boolean } = {},
): Promise<ShownTokens | undefined> {
  const { tokenizer, image } = await openTemplates(folder, imageToken);
  try {
    const templated = row.conversational !== false;
    if (ifComplete && templated && tokenizer.template === undefined) return undefined;
    const warnings: string[] = [];
    const form = row.rejected === undefined ? 'captions' : 'preferences';
    const [{ texts }] = await renderSaid(tokenizer, [row], form, image, (text) => warnings.push(text));
    const { ids } = texts;
    if (ids === undefined) throw new Error('a rendered row has ids');
    const write = await writer(tokenizer, ids);
    const { prompt, answer, chosen, rejected, learnt } = ids;
    const sides = { answer, chosen, rejected };
    return {
      folder,
      templated,
      warnings,
      prompt: { name: 'prompt', tokens: prompt.map((id) => write(id, false)) },
      answers: (['answer', 'chosen', 'rejected'] as const).flatMap((name): Piece[] => {
        const tokens = sides[name]?.map((id, i) => write(id, learnt === undefined || learnt[i] === 1));
        return tokens === undefined ? [] : [{ name, tokens }];
      }),
    };
  } finally {
    await tokenizer.close();
  }
}

async function writer(tokenizer: TextTokenizer, { prompt, answer, chosen, rejected, image }: TokenIds) {
  const ids = [...new Set([prompt, answer, chosen, rejected].flatMap((list) => list ?? []))];
  const lists = ids.map((id) => [id]);
  const [all, words] = [await tokenizer.decode(lists, false), await tokenizer.decode(lists, true)];
  const known = new Map(ids.map((id, i) => [id, { text: all[i], special: words[i] === '' && all[i] !== '' }]));
  return (id: number, masked: boolean): Token => {
    const { text = `<${id}>`, special = false } = known.get(id) ?? {};
    return { text, kind: id === image ? 'image' : special ? 'special' : 'word', masked, id };
  };
}

/** In lines for the terminal. Tokens are quoted as JSON, so that blanks show. */
export function tokensText({ folder, templated, prompt, answers }: ShownTokens): string[] {
  const words = ({ tokens }: Piece): string => tokens.map(({ text, masked }) => `${masked ? '+' : ''}${JSON.stringify(text)}`).join(' ');
  return [
    `tokens by ${folder}${templated ? '' : ', without its template'}; those with a + carry loss`,
    ...[prompt, ...answers].map((piece) => `  ${piece.name} (${counted(piece)}): ${words(piece)}`),
  ];
}

/** `12 tokens, 1 for a picture, 3 with loss`. */
function counted({ name, tokens }: Piece): string {
  const [pictures, learnt] = [tokens.filter(({ kind }) => kind === 'image'), tokens.filter(({ masked }) => masked)];
  return [
    `${tokens.length} ${tokens.length === 1 ? 'token' : 'tokens'}`,
    ...(pictures.length === 0 ? [] : [`${pictures.length} for ${pictures.length === 1 ? 'a picture' : 'pictures'}`]),
    ...(name === 'prompt' ? [] : [learnt.length === tokens.length ? 'all with loss' : `${learnt.length} with loss`]),
  ].join(', ');
}

/** A section for each sequence that the model reads. */
export function tokenSections({ folder, templated, prompt, answers }: ShownTokens): Section[] {
  const maker = templated ? `the tokenizer and the chat template of ${folder}` : `the tokenizer of ${folder}, without a template,`;
  return answers.map((answer) => ({
    title: answers.length === 1 ? 'Tokens' : `Tokens, ${answer.name}`,
    body: [
      markup`<p class="legend">What ${maker} ${templated ? 'make' : 'makes'} of the row. <b>prompt</b>: ${counted(prompt)}. <b>${answer.name}</b>: ${counted(answer)}.
<span class="token loss">Underlined</span> tokens carry loss, others are read and not learnt; ${kinds([prompt, answer])}</p>`,
      markup`<div class="seen"><div>${pieceMarkup(prompt)}${pieceMarkup(answer)}</div></div>`,
    ],
  }));
}

/** What else there is to be told apart. */
function kinds(pieces: readonly Piece[]): Content {
  const has = (kind: Token['kind']): boolean => pieces.some(({ tokens }) => tokens.some((token) => token.kind === kind));
  return [
    markup`<span class="token special">these</span> are special ones of the tokenizer`,
    has('image') && markup`; <span class="token image">1 ×&nbsp;…</span> stands for a picture, and becomes as many as the encoder gives`,
    '.',
  ];
}
