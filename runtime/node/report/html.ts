/**
 * HTML in which text cannot become markup: the tag `markup` escapes whatever is put into it unless it is markup already.
 * Captions, prompts and names come from data that nobody has vetted. (It is not
 * called `html`, since formatters rewrite templates of that name, blanks included.)
 */

/** A finished piece of HTML. Only `markup` and `raw` make one. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

export type Content = Markup | string | number | undefined | false | readonly Content[];

/** Puts values into HTML; texts and numbers are escaped, undefined and false are left out, lists are joined. */
export function markup(parts: TemplateStringsArray, ...values: Content[]): Markup {
  return new Markup(parts.reduce((text, part, i) => text + render(values[i - 1]) + part));
}

/** Marks a text as HTML. For texts that this program made, never for a user's. */
export function raw(text: string): Markup {
  return new Markup(text);
}

/** Replaces what HTML would read as markup, inside of elements and of quoted attributes. Control characters become U+FFFD. */
export function escape(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '\ufffd');
}

function render(value: Content): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'string' || typeof value === 'number') return escape(String(value));
  return value.map(render).join('');
}
