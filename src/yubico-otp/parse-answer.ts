const PARAMETER = /^([a-z][a-z0-9_]{0,31})=([\x20-\x7e]*)$/;

/**
 * Reads the body of a validation server's answer: lines `name=value`, split at the first `=`. Parsing is strict, because other
 * programs may read doubtful parts in another way: an invalid line, or a repeated name, makes the whole answer invalid.
 *
 * @param body - as it came
 * @returns names and values, or undefined if anything is invalid
 */
export function parseAnswer(body: string): ReadonlyMap<string, string> | undefined {
  // Servers end their answer with one or two line ends.
  const lines = body.replace(/(?:\r?\n){1,2}$/, '').split(/\r?\n/);
  const parameters = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = PARAMETER.exec(line) ?? [];
    if (name === undefined || value === undefined || parameters.has(name)) {
      return undefined;
    }
    parameters.set(name, value);
  }
  return parameters;
}
