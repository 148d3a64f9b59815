/**
 * Does something when the first of some signals comes, and nothing when more of them do.
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
