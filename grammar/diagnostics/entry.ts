/** What the registry knows of one diagnostic. `P` is what its sentence needs to be told. */
export interface Entry<P> {
  severity: 'error' | 'warning';
  /** The sentence: what is wrong, with the user's own words in it. */
  message: (params: P) => string;
  /** What could have stood at the place, in a few words. */
  expected?: (params: P) => string;
  /** What to do about it. */
  help?: (params: P) => string | undefined;
  /** Two or three sentences on why this is an error, for `pivot explain`. */
  explain: string;
  /** A text that yields it. */
  example: string;
}

/** Declares an entry; write the parameters' type: `entry<{ name: string }>({ ... })`. */
export function entry<P>(fields: Omit<Entry<P>, 'severity'> & { severity?: 'warning' }): Entry<P> {
  return { severity: 'error', ...fields };
}

/** `a`, `b` and `c`, each as code. */
export function enumerate(names: readonly string[], last: 'and' | 'or' = 'and'): string {
  const quoted = names.map((name) => `\`${name}\``);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} ${last} ${quoted[quoted.length - 1]}`;
}

/** The help line of a name that is not known: the nearest one, else all there are. */
export function suggest(nearest: string | undefined, known = ''): string | undefined {
  if (nearest) return `did you mean \`${nearest}\`?`;
  return known === '' ? undefined : `there are ${known}`;
}
