import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Real servers answer late on a machine that is busy.
    testTimeout: 30_000,
    include: ['{lib,functions,emulator,scripts,test}/**/*.test.ts'],
    reporters: ['default', ['json', { outputFile: 'coverage/results.json' }]],
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts', 'functions/**/*.ts', 'emulator/**/*.ts'],
      reporter: ['text-summary', 'html'],
    },
    // The bundles run as in Lambda: Vite must not transform them.
    server: { deps: { external: [/\/dist\//] } },
  },
});
