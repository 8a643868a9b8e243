import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const GUARD = fileURLToPath(new URL('node24.mjs', import.meta.url));

/** Loads the guard in a Node that gives `version` as its own. */
function start(version: string): Promise<{ code: unknown; output: string; errors: string }> {
  const disguise = `data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"${version}"}})`;
  const args = ['--import', disguise, '--import', GUARD, '--eval', 'console.log("started")'];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, output, errors) => resolve({ code: error?.code ?? 0, output, errors }));
  });
}

it.each(['18.20.8', '20.20.2', '22.22.0'])('guard: Node %s → one line', async (version) => {
  const major = version.slice(0, 2);
  expect(await start(version)).toEqual({
    code: 1,
    output: '',
    errors: `Needs Node 24, not ${major}. Run it through npm (npm run …, npm exec -- node …); npm ci without --ignore-scripts installs Node 24.\n`,
  });
});

it.each(['24.21.0', '26.0.0'])('guard: Node %s → the script runs', async (version) => {
  expect(await start(version)).toEqual({ code: 0, output: 'started\n', errors: '' });
});
