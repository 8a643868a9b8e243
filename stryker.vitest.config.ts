import { defineConfig } from 'vitest/config';

/** What a mutant must survive: the tests of the code that is mutated, and of the functions that use it. */
export default defineConfig({
  test: { include: ['lib/*.test.ts', 'lib/{backup,otc,dds}/*.test.ts', 'functions/*.test.ts'] },
});
