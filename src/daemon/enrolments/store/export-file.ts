import { optionValue, withoutScratchCode, withOption } from '../home/state-file.ts';
import { usedSteps } from '../home/time-based.ts';
import { hotpKey, scratchKey, totpKey } from './factor-keys.ts';
import type { ImportedFile } from './imported-file.ts';

/**
 * Makes a file of pam_google_authenticator from an imported factor, without the codes that were used up since. If none were used,
 * it equals the old file, byte for byte.
 *
 * @param user - canonical name
 * @param file - as it was imported
 * @param markOf - the mark of a key; undefined if it was never used
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

/** The file may have a code more than once. */
function withoutCode(text: string, code: number): string {
  for (let left: string | undefined = text; ;) {
    const next: string | undefined = withoutScratchCode(left, code);
    if (next === undefined) {
      return left;
    }
    left = next;
  }
}

/** No step up to the mark may count again, so all that would still fit are listed. A file that allows reuse still allows it. */
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
