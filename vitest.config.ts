import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts', 'test/e2e/**/*.test.ts'],
    // For what hangs, not for what is slow: a busy machine may take ten times as long.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Real hosts and races: each file has the machine to itself.
    fileParallelism: false,
    pool: 'forks',
  },
});
