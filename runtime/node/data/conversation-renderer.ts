/**
 * Renders the rows of a source while it is being opened, so that a template's refusal of the last one is known before the first step; the process
 * that executes templates ends with that.
 */
import { TOKENIZER_FILES } from '../../../plan/checkpoint-files.ts';
import { PivotError } from '../../../plan/errors.ts';
import type { DataSource } from '../../../plan/plan.ts';
import type { ConversationRow } from '../../core/data/conversation.ts';
import type { SourceContext } from '../../core/data/row.ts';
import { checkFiles } from './content-hash.ts';
import { openTemplates, renderSaid, saidRow } from './conversations.ts';
import type { RenderedRow, SaidRow, Templates } from './conversations.ts';
import { Notes, placeOf } from './faults.ts';
import type { Form } from './plain-rows.ts';

/** Rows that go through the template at once, and are held until then. */
const BATCH = 256;
/** The first ones of a look: time may be up before many are done. */
const FIRST_LOOK = 16;
/** Codes of refusals that are about a row, or may be. */
const OF_ROWS = ['R0541', 'R0542', 'R0543', 'R0544'];

/**
 * Rows go through the template a batch at a time, and are handed to `keep` in their order. A refusal is told at the end, since faults of the
 * rows themselves, which may come behind it, are to be mended first. With a look, refusals are told as faults, and in the place of such a row, and of
 * one that is skipped, `keep` is given nothing.
 */
export class ConversationRenderer<Beside> {
  private readonly form: Form;
  private readonly spec: DataSource;
  private readonly context: SourceContext;
  private readonly keep: (row: RenderedRow | undefined, beside: Beside | undefined) => void;
  private waiting: ({ said: SaidRow; beside: Beside } | undefined)[] = [];
  private room: number;
  private templates: Promise<Templates> | undefined;
  private refusal: { error: unknown } | undefined;

  constructor(
    form: Form,
    spec: DataSource,
    context: SourceContext,
    keep: (row: RenderedRow | undefined, beside: Beside | undefined) => void,
  ) {
    this.form = form;
    this.spec = spec;
    this.context = context;
    this.keep = keep;
    this.room = context.look === undefined ? BATCH : FIRST_LOOK;
  }

  /** `beside` is handed on with what becomes of the row. */
  async add(row: ConversationRow, beside: Beside): Promise<void> {
    if (this.refusal !== undefined) return;
    this.waiting.push({ said: saidRow(row), beside });
    if (this.waiting.length >= this.room) await this.render();
  }

  /** A row that is faulty as it is stored. */
  skip(): void {
    this.waiting.push(undefined);
  }

  /** Renders the last rows. Throws R0523 (other files than when compiled), R0540 to R0544 (tokenizer, template, or rows they refuse). */
  async finish(): Promise<void> {
    if (this.waiting.length > 0) await this.render();
    if (this.refusal !== undefined) throw this.refusal.error;
    const { tokenizer } = await this.open();
    for (const warning of tokenizer.warnings) this.context.warn?.(`warning: ${warning}`);
  }

  async close(): Promise<void> {
    await this.templates?.then(
      ({ tokenizer }) => tokenizer.close(),
      () => undefined,
    );
  }

  private async render(): Promise<void> {
    const part = this.waiting;
    this.waiting = [];
    this.room = Math.min(BATCH, 2 * this.room);
    const given = part.flatMap((row) => (row === undefined ? [] : [row]));
    try {
      const made = [...(await this.rendered(given.map(({ said }) => said)))];
      for (const row of part) {
        // A look may have ended among them.
        if (row !== undefined && made.length === 0) break;
        this.keep(row && made.shift(), row?.beside);
      }
    } catch (error) {
      this.refusal = { error };
    }
  }

  /** What becomes of each row; with a look, undefined for what is refused. Throws what refuses them otherwise. */
  private async rendered(rows: readonly SaidRow[]): Promise<(RenderedRow | undefined)[]> {
    const { tokenizer, image } = await this.open();
    const warn = (text: string): void => this.context.warn?.(`warning: ${text}`);
    const render = (some: readonly SaidRow[]): Promise<RenderedRow[]> => renderSaid(tokenizer, some, this.form, image, warn);
    try {
      return await render(rows);
    } catch (error) {
      if (!isOfRow(error)) throw error;
      // One by one, to name them all.
      const refused: { said: SaidRow; error: PivotError }[] = [];
      const made: (RenderedRow | undefined)[] = [];
      for (const said of rows) {
        try {
          made.push(...(await render([said])));
        } catch (own) {
          if (!isOfRow(own)) throw own;
          refused.push({ said, error: own });
          made.push(undefined);
        }
        if (made.length >= FIRST_LOOK && this.context.look?.more() === false) break;
      }
      if (this.context.look === undefined) throw refusalOf(refused) ?? error;
      for (const { said, error: own } of refused) this.context.look.fault({ place: said.place, what: withoutPlace(own, said) });
      return made;
    }
  }

  private open(): Promise<Templates> {
    const open = async ({ chat, params }: DataSource): Promise<Templates> => {
      if (chat === undefined) throw new Error('the plan names no chat template');
      const folder = this.context.resolve?.(chat.folder) ?? chat.folder;
      if (this.context.look === undefined) checkFiles(folder, TOKENIZER_FILES, chat.hash);
      return openTemplates(folder, params.image_token);
    };
    return (this.templates ??= open(this.spec));
  }
}

function isOfRow(error: unknown): error is PivotError {
  return error instanceof PivotError && OF_ROWS.includes(error.code);
}

/** One error for all: where they are the same it is about the files, else it names the rows. */
function refusalOf(refused: readonly { said: SaidRow; error: PivotError }[]): PivotError | undefined {
  if (refused.length === 0) return undefined;
  const [{ said, error }] = refused;
  if (refused.length === 1 && error.message.includes(placeOf(said.place))) return error;
  if (refused.length > 1 && refused.every((other) => other.error.message === error.message)) return error;
  const notes = new Notes();
  for (const other of refused) notes.add({ place: other.said.place, what: withoutPlace(other.error, other.said) });
  const { file, line, row } = said.place;
  const lines = notes.lines().map((text) => `\n  ${text}`);
  return new PivotError(
    error.code,
    `${refused.length} ${refused.length === 1 ? 'row is' : 'rows are'} refused by the chat template or the tokenizer:${lines.join('')}`,
    { ...(error.cure === undefined ? {} : { cure: error.cure }), place: { file, line, row }, cause: error },
  );
}

/** The message of a refusal, which may begin with the row's name. */
function withoutPlace({ message }: PivotError, { place }: SaidRow): string {
  const name = placeOf(place);
  return message.startsWith(name) ? message.slice(name.length).replace(/^:? /, '') : message;
}
