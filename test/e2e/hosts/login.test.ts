import type { Step } from '../harness/terminal.ts';
import { atTerminal } from '../harness/terminal.ts';
import { describeHost, guard, unguard } from './host.ts';
import { answering } from './ssh-server.ts';

describeHost('login', {
  service: 'login',
  cancels: ['closes-terminal'], // it ignores Ctrl-C
  refusal: /Login incorrect/,
  start: () => {
    guard('login');
  },
  stop: () => {
    unguard('login');
  },
  attempt: (person, answer, end) => {
    const steps: Step[] = [
      { expect: /login: $/, enter: person.name },
      { expect: /Password: $/, hidden: true, enter: person.password },
      answering(/Verification code: $/, answer),
    ];
    // It asks for the next name again and again, so the person gives up.
    const goes: Step = { expect: /Login incorrect[\s\S]*login: $/, hangUp: true };
    return atTerminal(['/bin/login'], end === 'refused' ? [...steps, goes] : steps);
  },
});
