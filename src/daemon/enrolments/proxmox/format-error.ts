/** A file of Proxmox that cannot be used. The message says where and what is wrong; no content of the file is in it. */
export class FormatError extends Error {
  readonly code = 'ERR_FORMAT';
  /**
   * @param place - where in the file: a line, or the way to a value
   * @param what - what is wrong there
   */
  constructor(place: string, what: string) {
    super(`${place}: ${what}`);
    this.name = 'FormatError';
  }
}
