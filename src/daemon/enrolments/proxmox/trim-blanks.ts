/** What Rust takes for blank in ASCII. JavaScript's trim takes away more, the mark at the beginning of a file for example. */
const BLANKS = '\t\n\f\r ';

/**
 * Takes blanks around a text away, as Proxmox does when it reads an old tfa.cfg.
 *
 * @param text - any text
 * @returns what is between them
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
