/**
 * Calls a function at the first of some signals, and ignores later ones.
 *
 * @param signals - their names
 * @param stop - what to do
 */
export function onSignalOnce(signals: readonly NodeJS.Signals[], stop: () => Promise<void>): void {
  let stopping = false;
  for (const signal of signals) {
    process.on(signal, () => {
      if (!stopping) {
        stopping = true;
        void stop();
      }
    });
  }
}
