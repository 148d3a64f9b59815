import { hostname } from 'node:os';
import type { Output } from '../terminal/output.ts';

/**
 * Shows recovery codes so that they can be printed.
 *
 * @param output - where
 * @param user - whose
 * @param codes - the codes
 */
export function showRecoveryCodes(output: Output, user: string, codes: readonly string[]): void {
  output.line(`Recovery codes of ${user} on ${hostname()}, each good for one login:`);
  output.line('');
  codes.forEach((code) => output.line(`  ${code}`));
  output.line('');
  output.line('Keep them where the phone is not. They are not shown again.');
}
