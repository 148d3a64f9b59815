import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts', 'test/e2e/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Real hosts and races: each file has the machine to itself.
    fileParallelism: false,
    pool: 'forks',
  },
});
