/**
 * The end of a subcommand's help.
 *
 * @param commands - complete command lines
 * @returns the text
 */
export function examples(...commands: readonly string[]): string {
  return `\nExamples:\n${commands.map((command) => `  ${command}`).join('\n')}`;
}
