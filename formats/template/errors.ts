/** What a template does that cannot be rendered: its own refusal, an error as Python would raise it, or a construct that is not reproduced. */
export class TemplateError extends Error {
  /** Line of the template, from 1. */
  line: number | undefined;

  constructor(message: string, line?: number) {
    super(message);
    this.name = 'TemplateError';
    this.line = line;
  }
}

/** A construct that Jinja2 has and this reader has not. */
export function unsupported(what: string, line?: number): TemplateError {
  return new TemplateError(`${what} is not supported`, line);
}
