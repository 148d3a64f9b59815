import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/*
 * Import directions: which rooms of src/ a room may import from. Everything else is an error.
 * docs/explanation/architecture.md explains the arrows. The three mains are the only places where parts are put together.
 */
const ROOMS = {
  wire: [],
  factors: ['yubico-otp', 'host'],
  'yubico-otp': [],
  formats: ['factors', 'yubico-otp'],
  host: [],
  log: [],
  ledger: ['host'],
  attempts: ['ledger'],
  enrolments: ['factors', 'formats', 'yubico-otp', 'ledger', 'host'],
  login: ['wire', 'rules', 'factors', 'enrolments', 'ledger', 'attempts', 'log'],
  server: ['wire', 'login', 'ledger', 'host', 'log'],
  control: [
    'login',
    'rules',
    'factors',
    'formats',
    'yubico-otp',
    'enrolments',
    'ledger',
    'attempts',
    'host',
    'log',
  ],
  config: ['yubico-otp', 'rules'],
  rules: [],
  files: ['host', 'log'],
  doctor: ['control', 'host', 'pam-d', 'config', 'login', 'enrolments'],
  'pam-d': [],
  rehearsal: ['pam-d'],
  switching: ['control', 'doctor', 'pam-d', 'host'],
  cli: ['control', 'factors', 'formats', 'host', 'doctor', 'pam-d', 'switching', 'rehearsal'],
};

/** What a room may import from one that is not listed for it, as the rest of a regular expression. */
const EXCEPTIONS = { enrolments: { files: '(?!requests\\.ts$)' } };

const rooms = Object.keys(ROOMS);

/** One rule per room: it may not import from any room that is not listed for it, nor from a main. */
const directions = rooms.map((room) => ({
  files: [`src/${room}/**/*.ts`],
  // A main is a composition root: it may import from every room.
  ignores: ['src/files/main.ts', 'src/cli/main.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          ...rooms
            .filter((other) => other !== room && !ROOMS[room].includes(other))
            .map((other) => ({
              regex: `^(\\.\\./)+${other}/${(EXCEPTIONS[room] ?? {})[other] ?? ''}`,
              message: `src/${room} may not import from src/${other} (import directions, eslint.config.js).`,
            })),
          { regex: '(^|/)main\\.ts$', message: 'A main puts parts together; nothing imports it.' },
          { regex: '^zod', message: 'Take z from src/schema.ts: the whole of zod makes the start slower.' },
        ],
      },
    ],
  },
}));

/** The reader runs as root: all that others may have of it is what they say to it. */
const filesRequests = {
  files: ['src/enrolments/**/*.ts'],
  rules: {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: '/files/requests\\.ts$',
            allowTypeImports: true,
            message: 'Only types may be imported from src/files/requests.ts.',
          },
        ],
      },
    ],
  },
};

export default tseslint.config(
  { ignores: ['build', 'dist', 'native', 'node_modules', 'test/nodes', '**/*.cjs'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/prefer-nullish-coalescing': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
      'no-eval': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
    },
  },
  ...directions,
  filesRequests,
  {
    files: ['test/**/*.ts', 'scripts/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      'no-console': 'off',
    },
  },
  { files: ['**/*.js'], languageOptions: { globals: { process: 'readonly' } } },
);
