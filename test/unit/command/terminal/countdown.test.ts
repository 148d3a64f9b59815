import { expect, it } from 'vitest';
import { countDown, type Countdown } from '../../../../src/command/terminal/countdown.ts';

const change: Countdown = { services: ['sshd', 'su'], waits: () => true, left: () => 287, sudo: 'sudo ' };

it('says after Ctrl-C that the change stays on, when it is undone, and how to keep it or undo it', async () => {
  const notes: string[] = [];
  const pressed = new AbortController();
  const counted = countDown({ note: (line) => notes.push(line) }, change, pressed.signal);
  pressed.abort();
  expect(await counted).toBe('interrupted');
  const told = notes.join('\n');
  expect(told).toContain('The change is still on: sshd, su keeps');
  expect(told).toMatch(/undoes it in 287 seconds, at \d\d:\d\d:\d\d/);
  expect(told).toContain('sudo pve-google-authenticator confirm');
  expect(told).toContain('sudo pve-google-authenticator disable sshd su');
});

it('ends by itself when the change waits no more', async () => {
  const notes: string[] = [];
  const over = { ...change, waits: () => false };
  expect(await countDown({ note: (line) => notes.push(line) }, over, new AbortController().signal)).toBe(
    'over',
  );
  expect(notes).toEqual([]);
});
