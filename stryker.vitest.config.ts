import { defineConfig } from 'vitest/config';

/** The tests that run against each mutant: of the code that is mutated, and of what uses it. */
export default defineConfig({
  test: { include: ['lib/**/*.test.ts', 'functions/**/*.test.ts'] },
});
