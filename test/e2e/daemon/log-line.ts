/** A strict parser for a line of the daemon's log: all text outside of quoted values is the daemon's own. */
export interface LogLine {
  readonly priority: number;
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
}

const PLAIN = '[A-Za-z0-9._:@/%+,-]+';
const QUOTED = String.raw`"(?:[^"\\]|\\["\\]|\\u[0-9a-f]{4})*"`;
const FIELD = new RegExp(String.raw` ([a-z]+)=(${PLAIN}|${QUOTED})$`);

/**
 * Reads a line from its end.
 *
 * @param line - without the line feed
 * @returns the line's parts
 * @throws Error if it is not a line of the log
 */
export function readLogLine(line: string): LogLine {
  const head = /^<([0-7])>/.exec(line);
  if (head === null) {
    throw new Error(`no priority: ${JSON.stringify(line)}`);
  }
  const fields: Record<string, string> = {};
  let rest = line.slice(head[0].length);
  for (let match = FIELD.exec(rest); match !== null; match = FIELD.exec(rest)) {
    const [whole, name, value] = match as unknown as [string, string, string];
    if (name in fields) {
      throw new Error(`${name} twice: ${line}`);
    }
    fields[name] = value.startsWith('"') ? (JSON.parse(value) as string) : value;
    rest = rest.slice(0, -whole.length);
  }
  return { priority: Number(head[1]), message: rest, fields };
}
