/** It was not switched. The message is for the administrator: what is wrong, where, and what to do. */
export class SwitchError extends Error {
  /** @param message - what is wrong and what to do */
  constructor(message: string) {
    super(message);
    this.name = 'SwitchError';
  }
}
