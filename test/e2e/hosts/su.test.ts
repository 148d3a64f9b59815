import { atTerminal } from '../harness/terminal.ts';
import { describeHost, guard, unguard } from './host.ts';
import { answering } from './ssh-server.ts';

describeHost('su', {
  service: 'su',
  cancels: ['ctrl-c', 'closes-terminal'],
  refusal: /su: Authentication failure/,
  start: () => {
    guard('su');
  },
  stop: () => {
    unguard('su');
  },
  attempt: (person, answer) =>
    atTerminal(
      ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', 'su', person.name],
      [
        { expect: /Password: $/, hidden: true, enter: person.password },
        answering(/Verification code: $/, answer),
      ],
    ),
});
