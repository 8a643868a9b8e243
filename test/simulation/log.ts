/** The log of the handlers. */

export type Line = Readonly<Record<string, unknown>>;

const LEVELS = ['info', 'warn', 'error'] as const;

/** Hands every line that is logged while `run` runs to `log`, parsed, instead of printing it. */
export async function withLog<T>(log: (line: Line) => void, run: () => Promise<T>): Promise<T> {
  const { info, warn, error } = console;
  const format = process.env.AWS_LAMBDA_LOG_FORMAT;
  delete process.env.AWS_LAMBDA_LOG_FORMAT;
  for (const level of LEVELS) console[level] = (line: unknown) => log({ level, ...JSON.parse(String(line)) });
  try {
    return await run();
  } finally {
    Object.assign(console, { info, warn, error });
    if (format !== undefined) process.env.AWS_LAMBDA_LOG_FORMAT = format;
  }
}
