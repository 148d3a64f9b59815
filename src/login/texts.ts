/** Everything that a person reads on a login prompt. Short, kind, and it tells nothing about who exists or has what. */
export const TEXTS = {
  askForCode: 'Verification code: ',
  askForPasswordAndCode: 'Password & verification code: ',
  unavailable: 'Your code cannot be checked right now. Please try again later, or tell your administrator.',
  tooManyTries: 'Too many tries. Please wait a moment, then try again.',
} as const;
