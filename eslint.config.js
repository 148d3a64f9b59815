import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/*
 * Import directions: which rooms of src/ a room may import from. Everything else is an error.
 * docs/explanation/architecture.md explains the arrows.
 */

/** Shared by the programs. */
const SHARED = {
  policy: [],
  'yubico-otp': [],
  host: [],
  log: [],
  factors: ['yubico-otp', 'host'],
  formats: ['factors', 'yubico-otp'],
  config: ['policy', 'yubico-otp', 'contracts'],
  contracts: ['host'],
};

/** A program imports its own rooms and the shared ones; no program imports another. */
const PROGRAMS = {
  daemon: {
    wire: [],
    ledger: ['host'],
    attempts: ['ledger'],
    enrolments: ['ledger'],
    login: ['wire', 'enrolments', 'ledger', 'attempts'],
    server: ['wire', 'login', 'ledger'],
    control: ['login', 'enrolments', 'ledger', 'attempts'],
  },
  reader: {},
  command: {
    'pam-d': [],
    rehearsal: ['pam-d'],
    doctor: ['pam-d'],
    switching: ['doctor', 'pam-d'],
    terminal: [],
    session: ['terminal', 'pam-d'],
    secrets: ['session', 'terminal'],
    setup: ['secrets', 'session', 'terminal'],
    proxmox: ['setup', 'secrets', 'session', 'terminal'],
  },
};

const EVERYWHERE = [
  { regex: '(^|/)main\\.ts$', message: 'A main puts parts together; nothing imports it.' },
  {
    regex: '^zod',
    message: 'Take z from src/contracts/schema.ts: the whole of zod makes the start slower.',
  },
];

const programs = Object.keys(PROGRAMS);
const shared = Object.keys(SHARED);

/** One rule: these files may not import from these rooms, `name` below `from`. */
const forbid = (files, who, rooms) => ({
  files,
  ignores: ['src/*/main.ts', 'src/contracts/schema.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          ...EVERYWHERE,
          ...rooms.map((room) => ({
            regex: `^(\\.\\./)+${room}/`,
            message: `${who} may not import from ${room} (import directions, eslint.config.js).`,
          })),
        ],
      },
    ],
  },
});

const directions = [
  ...shared.map((room) =>
    forbid([`src/${room}/**/*.ts`], `src/${room}`, [
      ...programs,
      ...shared.filter((other) => other !== room && !SHARED[room].includes(other)),
    ]),
  ),
  ...programs.flatMap((program) => {
    const others = programs.filter((other) => other !== program);
    const rooms = Object.keys(PROGRAMS[program]);
    return [
      forbid([`src/${program}/**/*.ts`], `src/${program}`, others),
      ...rooms.map((room) =>
        forbid([`src/${program}/${room}/**/*.ts`], `src/${program}/${room}`, [
          ...others,
          ...rooms.filter((other) => other !== room && !PROGRAMS[program][room].includes(other)),
        ]),
      ),
    ];
  }),
];

export default tseslint.config(
  { ignores: ['build', 'dist', 'native', 'node_modules', 'test/nodes', '**/*.cjs'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.cts'],
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
    files: ['src/**/*.ts', 'src/**/*.cts'],
    rules: {
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
    },
  },
  ...directions,
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
