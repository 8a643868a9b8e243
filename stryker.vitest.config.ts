import { defineConfig } from 'vitest/config';

/** The tests that run against each mutant: those of the layers that are mutated, which are quick. */
export default defineConfig({
  test: { include: ['lib/{backup,dds,otc,http}/*.test.ts'] },
});
