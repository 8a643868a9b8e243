import { afterEach, beforeEach, vi } from 'vitest';

/** Keeps what is logged while a test runs: the parsed lines, oldest first. */
export function logLines(): { readonly level: string; readonly [field: string]: unknown }[] {
  const lines: { level: string }[] = [];
  beforeEach(() => {
    lines.length = 0;
    for (const level of ['info', 'warn', 'error', 'log'] as const) {
      vi.spyOn(console, level).mockImplementation((line: unknown) => {
        lines.push({ level, ...JSON.parse(String(line)) });
      });
    }
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
  return lines;
}
