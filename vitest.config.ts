import { defineConfig } from 'vitest/config';

// Some tests act as another user for a moment; libuv forbids that while it might use io_uring (Node 20 of Debian 13).
process.env['UV_USE_IO_URING'] = '0';

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
