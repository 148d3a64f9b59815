const PARAMETER = /^([a-z][a-z0-9_]{0,31})=([\x20-\x7e]*)$/;

/**
 * Reads the body of a validation server's answer: lines `name=value`, split at the first `=`. It is read strictly, because what
 * one program skips another may believe: a line that is none, or a name that comes twice, spoils all of it.
 *
 * @param body - as it came
 * @returns names and values, or undefined when anything in it is not as it must be
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
