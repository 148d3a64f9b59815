import type { Notebook } from '../ledger/ledger.ts';
import { markKey } from '../ledger/mark-key.ts';
import { withAnswer } from './at-hand.ts';
import type { Enrolment, Lookup, LookupRequest } from './enrolment.ts';

/**
 * The module's argument `grace_period=`, for enrolments outside of `~/.google_authenticator` (such a file notes logins itself). A
 * user who recently logged in with a code from the same host is not asked again. The note is written with the ledger's next
 * commit. If a crash loses it, the user is asked.
 *
 * @param lookup - what is enrolled
 * @param request - who, from where
 * @param notebook - keeps the notes
 * @param now - milliseconds since 1970
 * @returns the same, or `spared`
 */
export function withGracePeriod(
  lookup: Lookup,
  { account, rhost, options: { gracePeriod } }: LookupRequest,
  notebook: Notebook,
  now: () => number,
): Lookup {
  if (lookup.kind !== 'enrolled' || account === undefined || rhost === undefined || gracePeriod === 0) {
    return lookup;
  }
  const key = markKey(account.name, 'grace', Buffer.from(rhost, 'latin1'));
  const seconds = (): number => Math.floor(now() / 1000);
  const last = notebook.mark(key)?.value;
  // A login in the future comes from a wrong clock.
  if (last !== undefined && last <= seconds() && last + gracePeriod > seconds()) {
    return { kind: 'spared', factor: 'grace-period' };
  }
  const { enrolment } = lookup;
  const note = (): void =>
    notebook.note(key, seconds(), { kind: 'grace', uid: account.uid, lasts: gracePeriod });
  const noting: Enrolment = {
    ...enrolment,
    verify: (readings, at, more) =>
      withAnswer(enrolment.verify(readings, at, more), (checked) => {
        if (checked.kind === 'claimed') {
          return { ...checked, accepted: note };
        }
        if (checked.kind === 'accepted') {
          note();
        }
        return checked;
      }),
  };
  return { kind: 'enrolled', enrolment: noting };
}
