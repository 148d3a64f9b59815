/** A file of Proxmox is unusable. The message says where and what is wrong, without quoting the file. */
export class FormatError extends Error {
  readonly code = 'ERR_FORMAT';
  /**
   * @param place - where in the file: a line, or the path of a value
   * @param what - what is wrong there
   */
  constructor(place: string, what: string) {
    super(`${place}: ${what}`);
    this.name = 'FormatError';
  }
}
