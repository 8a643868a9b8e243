import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startEmulator } from './emulator.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

interface Run {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** Resolves once the text has been printed, with all that was printed so far. */
  printed(text: string | RegExp): Promise<string>;
  /** Code, standard output, standard error. */
  readonly ended: Promise<readonly [number | null, string, string]>;
}

function run(...args: readonly string[]): Run {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const printed = async (text: string | RegExp): Promise<string> => {
    while (!output.match(text)) await once(child.stdout, 'data');
    return output;
  };
  const ended = once(child, 'close').then(([code]) => [code, output, errors] as const);
  return { child, printed, ended };
}

describe('node emulator/dds/main.ts', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s → ends; before that, says where it listens and logs requests',
    async (signal) => {
      const { child, printed, ended } = run('--port', '0', '--backup-seconds', '1', '--fail-names', '^bad');
      const greeting = await printed(/legacy/);
      expect(greeting).toMatch(/OTC_SDK_AK=EMULATORACCESSKEY000/);
      expect(greeting).toMatch(/OTC_SDK_PROJECT_ID=0549b4a43100d4f32f51c01c2fe4acdb/);
      const url = /DDS_ENDPOINT=(\S+)/.exec(greeting)?.[1] ?? '';
      await fetch(`${url}/v3/x/backups?limit=1`);
      await fetch(`${url}/`);
      await printed('GET /v3/x/backups 401 APIGW.0301\nGET / 404 APIGW.0101\n');
      child.kill(signal);
      expect((await ended)[0]).toBe(0);
    },
  );

  it('a port that is taken → one line', async () => {
    await using emulator = await startEmulator();
    const { port } = new URL(emulator.url);
    const [code, , errors] = await run('--port', port).ended;
    expect(code).toBe(1);
    expect(errors).toMatch(new RegExp(`^listen EADDRINUSE[^\\n]*:${port}; choose another with --port\\n$`));
  });

  it.each([
    [['--port', 'http'], 'Invalid --port: http. Give a number from 0 to 65535.\n'],
    [['--port', '70000'], 'Invalid --port: 70000. Give a number from 0 to 65535.\n'],
    [['--backup-seconds', 'x'], 'Invalid --backup-seconds: x. Give a number of seconds.\n'],
    [['--backup-seconds', '1.2.3'], 'Invalid --backup-seconds: 1.2.3. Give a number of seconds.\n'],
    [['--fail-names', '('], 'Invalid --fail-names: (. Give a regular expression.\n'],
    [['--prot', '1'], "Unknown option '--prot'. See --help.\n"],
    [['x'], 'Unexpected argument: x. See --help.\n'],
  ])('%j → one line that says what is wrong', async (args, message) => {
    expect(await run(...args).ended).toEqual([1, '', message]);
  });

  it('--help → its options', async () => {
    const [code, output] = await run('--help').ended;
    expect(code).toBe(0);
    expect(output).toContain('--fail-names REGEX');
    expect(output).toContain('--help ');
  });
});
