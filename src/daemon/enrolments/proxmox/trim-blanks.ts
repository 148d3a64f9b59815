/** ASCII white space in Rust. JavaScript's trim removes more, such as a byte order mark. */
const BLANKS = '\t\n\f\r ';

/**
 * Removes blanks around a text, as Proxmox does when it reads an old tfa.cfg.
 *
 * @param text - any text
 * @returns the text between them
 */
export function trimBlanks(text: string): string {
  let [begin, end] = [0, text.length];
  while (begin < end && BLANKS.includes(text.charAt(begin))) {
    begin++;
  }
  while (end > begin && BLANKS.includes(text.charAt(end - 1))) {
    end--;
  }
  return text.slice(begin, end);
}
