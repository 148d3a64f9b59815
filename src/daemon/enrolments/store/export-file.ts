import { optionValue, withoutScratchCode, withOption } from '../home/state-file.ts';
import { usedSteps } from '../home/time-based.ts';
import { hotpKey, scratchKey, totpKey } from './factor-keys.ts';
import type { ImportedFile } from './imported-file.ts';

/**
 * The file of pam_google_authenticator that says what was imported, without what was used up since: byte for byte the old one when
 * nothing was.
 *
 * @param user - canonical name
 * @param file - as it was imported
 * @param markOf - how far a key is used up; undefined: not at all
 * @returns the text, one character a byte. A secret.
 */
export function exportedText(
  user: string,
  file: ImportedFile,
  markOf: (key: string) => number | undefined,
): string {
  const { scratch, token } = file;
  const used = scratch.codes.filter((code) => markOf(scratchKey(user, scratch, code)) !== undefined);
  const text = used.reduce((left, code) => withoutCode(left, Number(code.toString('latin1'))), file.text);
  switch (token?.kind) {
    case 'totp':
      return withUsedStep(text, token.window, markOf(totpKey(user, token)));
    case 'hotp':
      return withCounter(text, token.counter, markOf(hotpKey(user, token)));
    case undefined:
      return text;
  }
}

/** A code may stand in the file more than once. */
function withoutCode(text: string, code: number): string {
  for (let left: string | undefined = text; ;) {
    const next: string | undefined = withoutScratchCode(left, code);
    if (next === undefined) {
      return left;
    }
    left = next;
  }
}

/** No step up to the mark may count again: all those that still fit are listed. A file that allows reuse goes on allowing it. */
function withUsedStep(text: string, window: number, mark: number | undefined): string {
  const listed = optionValue(text, 'DISALLOW_REUSE');
  const used = usedSteps(listed ?? '') ?? [];
  if (listed === undefined || mark === undefined || used.includes(mark)) {
    return text;
  }
  const first = Math.max(mark - window + 1, 0);
  const steps = Array.from({ length: mark - first + 1 }, (_, index) => first + index);
  const later = used.filter((step) => step > mark);
  return withOption(text, 'DISALLOW_REUSE', [...steps, ...later].join(' '));
}

function withCounter(text: string, counter: number, mark: number | undefined): string {
  return mark === undefined || mark < counter ? text : withOption(text, 'HOTP_COUNTER', String(mark + 1));
}
