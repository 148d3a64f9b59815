import { IN, out, totp, type Scenario } from '../scenario.ts';

const OURS_LISTS = 'the codes that were taken for the clock are used up';

/** Learning the clock of a phone, with three codes in a row. */
export const SKEW: readonly Scenario[] = [
  {
    title: 'the first code is noted',
    answer: '{code+100}',
    ...out('clock-differs'),
    after: totp('" RESETTING_TIME_SKEW {step}+100').replace('{secret}\n', '{secret}\n'),
  },
  {
    title: 'the same code again is not',
    answer: '{code+100}',
    ...out('clock-differs'),
    after: totp('" RESETTING_TIME_SKEW {step}+100'),
    then: [{ answer: '{code+100}', ...out('clock-differs') }],
  },
  {
    title: 'a phone that is behind',
    answer: '{code-100}',
    ...out('clock-differs'),
    after: totp('" RESETTING_TIME_SKEW {step}-100'),
  },
  {
    title: 'eleven hours ahead',
    answer: '{code+1400}',
    ...out('clock-differs'),
    after: totp('" RESETTING_TIME_SKEW {step}+1400'),
  },
  { title: 'noskewadj: nothing is noted', options: 'noskewadj', answer: '{code+100}', ...out('wrong-code') },
  {
    title: 'the second code is noted',
    file: totp('" RESETTING_TIME_SKEW {step-1}+100'),
    answer: '{code+100}',
    ...out('clock-differs'),
    after: totp('" RESETTING_TIME_SKEW {step-1}+100 {step}+100'),
  },
  {
    title: 'the third code is right',
    file: totp('" RESETTING_TIME_SKEW {step-2}+100 {step-1}+100'),
    answer: '{code+100}',
    ...IN,
    after: '{secret}\n" TIME_SKEW 100\n" RESETTING_TIME_SKEW \n" TOTP_AUTH\n',
    then: [{ answer: '{code+101}', ...IN }],
  },
  {
    title: 'the third code of a phone that is behind',
    file: totp('" RESETTING_TIME_SKEW {step-2}-100 {step-1}-101'),
    answer: '{code-100}',
    ...IN,
    after: '{secret}\n" TIME_SKEW -100\n" RESETTING_TIME_SKEW \n" TOTP_AUTH\n',
  },
  {
    title: 'noskewadj: nor the third',
    options: 'noskewadj',
    file: totp('" RESETTING_TIME_SKEW {step-2}+100 {step-1}+100'),
    answer: '{code+100}',
    ...out('wrong-code'),
  },
  {
    title: 'codes that are two steps apart',
    file: totp('" RESETTING_TIME_SKEW {step-4}+100 {step-2}+100'),
    answer: '{code+100}',
    ...IN,
    after: '{secret}\n" TIME_SKEW 100\n" RESETTING_TIME_SKEW \n" TOTP_AUTH\n',
  },
  {
    title: 'codes that are three steps apart are not in a row',
    file: totp('" RESETTING_TIME_SKEW {step-4}+100 {step-1}+100'),
    answer: '{code+100}',
    ...out('clock-differs'),
    after: totp('" RESETTING_TIME_SKEW {step-4}+100 {step-1}+100 {step}+100'),
  },
  {
    title: 'clocks that differ by two steps are two clocks',
    file: totp('" RESETTING_TIME_SKEW {step-2}+102 {step-1}+100'),
    answer: '{code+100}',
    ...out('clock-differs'),
    after: totp('" RESETTING_TIME_SKEW {step-2}+102 {step-1}+100 {step}+100'),
  },
  {
    title: 'only the last three count',
    file: totp('" RESETTING_TIME_SKEW {step-9}+5 {step-2}+100 {step-1}+100'),
    answer: '{code+100}',
    ...IN,
    after: '{secret}\n" TIME_SKEW 100\n" RESETTING_TIME_SKEW \n" TOTP_AUTH\n',
  },
  {
    title: 'a code within the window ends nothing',
    file: totp('" RESETTING_TIME_SKEW {step-2}+100 {step-1}+100'),
    ...IN,
  },
  {
    title: 'DISALLOW_REUSE: the three codes are used up',
    file: totp('" RESETTING_TIME_SKEW {step-2}+100 {step-1}+100', '" DISALLOW_REUSE'),
    answer: '{code+100}',
    ...IN,
    after:
      '{secret}\n" TIME_SKEW 100\n" RESETTING_TIME_SKEW \n" DISALLOW_REUSE {step+98} {step+99} {step+100}\n" TOTP_AUTH\n',
    then: [
      {
        answer: '{code+100}',
        ...out('code-already-used'),
        google: {
          why: OURS_LISTS,
          ...IN,
          after:
            '{secret}\n" TIME_SKEW 100\n" RESETTING_TIME_SKEW \n" DISALLOW_REUSE {step+100}\n" TOTP_AUTH\n',
        },
      },
    ],
    google: {
      why: OURS_LISTS,
      after: '{secret}\n" TIME_SKEW 100\n" RESETTING_TIME_SKEW \n" DISALLOW_REUSE\n" TOTP_AUTH\n',
    },
  },
  {
    title: 'DISALLOW_REUSE: a used code shows no clock',
    file: totp('" RESETTING_TIME_SKEW {step-2}-9 {step-1}-9', '" DISALLOW_REUSE {step-9}'),
    answer: '{code-9}',
    ...out('code-already-used'),
    google: {
      why: 'the list of used codes also holds here',
      ...IN,
      after: '{secret}\n" TIME_SKEW -9\n" RESETTING_TIME_SKEW \n" DISALLOW_REUSE {step-9}\n" TOTP_AUTH\n',
    },
  },
];
