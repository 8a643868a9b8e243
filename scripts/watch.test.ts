import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { DEMO_INSTANCE } from '../emulator/dds/seed.ts';

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.close());

/** `npm run watch -- {args}`, in a shell that holds keys of another project. */
function watch(...args: readonly string[]): Promise<{ code: unknown; output: string; errors: string }> {
  const script = fileURLToPath(new URL('watch.ts', import.meta.url));
  const env = { OTC_SDK_SECURITY_TOKEN: 'of a real project', DDS_ENDPOINT: 'https://dds.example.com' };
  const { port } = new URL(emulator.url);
  return new Promise((resolve) => {
    execFile(process.execPath, [script, '--port', port, ...args], { env, timeout: 30_000 }, (error, output, errors) =>
      resolve({ code: error === null ? 0 : error.code, output, errors }),
    );
  });
}

const seed = (name: string, begin: Date, end: Date) =>
  emulator.state.seedBackup({ name, instance_id: DEMO_INSTANCE.id, type: 'Manual', begin, end });

describe('npm run watch', () => {
  it('prints what ended in the last five minutes, and how fresh each instance is', async () => {
    const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);
    const { id } = seed('just-ended', ago(10), ago(1));
    seed('long-ended', ago(30), ago(6));
    seed('still-building', ago(1), ago(-9));
    const { code, output, errors } = await watch();
    expect([code, errors]).toEqual([0, '']);
    expect(output.match(/^DDS Backup \w+/gm)).toEqual(['DDS Backup Completed']);
    expect(output).toContain(`"id": "${id}-completed"`);
    expect(output).toMatch(new RegExp(`^ +0\\.1\\d? +orders +${DEMO_INSTANCE.id} +backup ${id}$`, 'm'));
    expect(output).toMatch(/^ +\d+\.\d\d +legacy +\w+ +backup none$/m);
  });

  it('runs for another time when it is told to', async () => {
    seed('nightly', new Date('2026-03-01T11:00:00Z'), new Date('2026-03-01T12:03:00Z'));
    const { output } = await watch('--time', '2026-03-01T12:10:00Z');
    expect(output).toContain('after 12:00:00 and up to 12:05:00 UTC');
    expect(output).toContain('"name": "nightly"');
  });

  it('says so when there is nothing to announce', async () => {
    const { output } = await watch();
    expect(output).toContain('Nothing to announce.');
  });

  it('asks for an emulator in one sentence when there is none', async () => {
    const started = emulator;
    await started.close();
    expect(await watch()).toEqual({
      code: 1,
      output: '',
      errors: `No emulator listens on port ${new URL(started.url).port}: start it in another terminal, with npm start.\n`,
    });
  });

  it.each([
    [['--time', 'yesterday'], /must be a time such as/],
    [['--time', '2999-01-01T00:00:00Z'], /must be at most 5 minutes ahead/],
    [['--port', 'x'], /^--port is no port: x$/],
    [['--tiem', 'x'], /Unknown option '--tiem'/],
  ])('says what is wrong with %j in one line', async (args, message) => {
    const { code, output, errors } = await watch(...args);
    expect([code, output]).toEqual([1, '']);
    expect(errors.trimEnd()).toMatch(message);
    expect(errors.trimEnd()).not.toContain('\n');
    expect(emulator.requests).toEqual([]);
  });

  it('explains itself', async () => {
    expect(await watch('--help')).toMatchObject({ code: 0, output: expect.stringContaining('--time TIME') });
  });
});
