import type { Counts } from './events.ts';

/** Milliseconds as `4:05` or `1:02:03`. */
export function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return (parts[0] === 0 ? parts.slice(1) : parts)
    .map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0')))
    .join(':');
}

/** A rounded duration for people, because the remaining time is only an estimate. */
export function shortly(seconds: number): string {
  return seconds < 55 ? `${Math.max(5, Math.round(seconds / 5) * 5)} s` : `${Math.round(seconds / 60)} min`;
}

export function countsText({ passed, failed, skipped }: Counts): string {
  return [
    `${passed} passed`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(skipped === 0 ? [] : [`${skipped} skipped`]),
  ].join(', ');
}

export function indent(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, '    ');
}

/** The end of a long text, and how much is missing before it. */
export function lastLines(text: string, most: number): string {
  const lines = text.trim() === '' ? [] : text.trimEnd().split('\n');
  const missing = lines.length - most;
  return [...(missing > 0 ? [`(${missing} lines before)`] : []), ...lines.slice(-most)].join('\n');
}
