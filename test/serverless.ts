/** Runs the command line of serverless. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SERVERLESS = fileURLToPath(import.meta.resolve('serverless/bin/serverless.js'));

/** Passes on no variable of the shell that runs the tests: no AWS account, no keys, no home directory. */
export function serverless(
  args: readonly string[],
  { cwd = ROOT, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const options = { cwd, env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...env }, timeout: 60_000 };
  execFile(process.execPath, [SERVERLESS, ...args], options, (error, output, errors) => {
    if (error === null) resolve({ code: 0, output, errors });
    else if (typeof error.code === 'number') resolve({ code: error.code, output, errors });
    else reject(error);
  });
  return promise;
}

/**
 * A copy of what the framework reads. It packages in its working directory, where runs would disturb each other and
 * overwrite the package of a developer.
 */
export async function temporaryService(): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'dds-backup-trigger-'));
  for (const part of ['serverless.yml', 'package.json', 'deployment', 'scripts', 'lib', 'dist']) {
    await cp(join(ROOT, part), join(folder, part), { recursive: true });
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
