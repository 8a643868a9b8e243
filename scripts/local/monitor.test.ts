import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { DEMO_INSTANCE, DEMO_INSTANCES } from '../../emulator/dds/seed.ts';

let emulator: Emulator;
beforeEach(async () => {
  // Not overdue: an overdue instance has an event at an hour of the day.
  const createdAt = Date.now() - 3_600_000;
  emulator = await startEmulator({ instances: DEMO_INSTANCES.map((instance) => ({ ...instance, createdAt })) });
});
afterEach(() => emulator.close());

/** A script of this folder, in a shell that holds keys of another project. */
function run(name: string, args: readonly string[]): Promise<{ code: unknown; output: string; errors: string }> {
  const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const env = { OTC_SDK_SECURITY_TOKEN: 'of a real project', DDS_ENDPOINT: 'https://dds.example.com' };
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { env, timeout: 30_000 }, (error, output, errors) =>
      resolve({ code: error === null ? 0 : error.code, output, errors }),
    );
  });
}

const monitor = (...args: readonly string[]) => run('monitor', ['--port', new URL(emulator.url).port, ...args]);

const seed = (name: string, begin: Date, end: Date) =>
  emulator.state.seedBackup({ name, instance_id: DEMO_INSTANCE.id, type: 'Manual', begin, end });

describe('npm run monitor', () => {
  it('→ the backup events of the last five minutes, and the age of each instance', async () => {
    const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);
    const { id } = seed('just-ended', ago(10), ago(1));
    seed('long-ended', ago(30), ago(6));
    seed('still-building', ago(1), ago(-9));
    const { code, output, errors } = await monitor();
    expect([code, errors]).toEqual([0, '']);
    expect(output.match(/^DDS Backup \w+/gm)).toEqual(['DDS Backup Completed']);
    expect(output).toContain(`"id": "${id}-completed"`);
    expect(output).toMatch(new RegExp(`^ +0\\.1\\d? +orders +${DEMO_INSTANCE.id} +backup ${id}$`, 'm'));
    expect(output).toMatch(/^ +\d+\.\d\d +legacy +\w+ +backup none$/m);
  });

  it('--time → the run of that time', async () => {
    seed('nightly', new Date('2026-03-01T11:00:00Z'), new Date('2026-03-01T12:03:00Z'));
    const { output } = await monitor('--time', '2026-03-01T12:10:00Z');
    expect(output).toContain('finds the events from 11:59:50 to 12:05:00 UTC');
    expect(output).toContain('"name": "nightly"');
  });

  it('no events → says so', async () => {
    const { output } = await monitor();
    expect(output).toContain('No events.');
  });

  it('no emulator → one line', async () => {
    const started = emulator;
    await started.close();
    expect(await monitor()).toEqual({
      code: 1,
      output: '',
      errors: `No emulator listens on port ${new URL(started.url).port}. Run npm start in another terminal.\n`,
    });
  });

  it.each([
    [['--time', 'yesterday'], /^Invalid --time: yesterday\. .*must be a time such as/],
    [['--time', '2999-01-01T00:00:00Z'], /^Invalid --time: .*must be at most 5 minutes ahead/],
    [['--port', 'x'], /^Invalid --port: x\. Give a number from 0 to 65535\.$/],
    [['--port', '65536'], /^Invalid --port: 65536\. Give a number from 0 to 65535\.$/],
    [['--port', '--time'], /^Option '--port' argument is ambiguous\. See --help\.$/],
    [['--tiem', 'x'], /^Unknown option '--tiem'\. See --help\.$/],
    [['x'], /^Unexpected argument: x\. See --help\.$/],
  ])('%j → one line', async (args, message) => {
    const { code, output, errors } = await monitor(...args);
    expect([code, output]).toEqual([1, '']);
    expect(errors.trimEnd()).toMatch(message);
    expect(errors.trimEnd()).not.toContain('\n');
    expect(emulator.requests).toEqual([]);
  });
});

it.each(['start', 'deferred', 'monitor'])('%s --help → its options', async (script) => {
  const { code, output, errors } = await run(script, ['--help']);
  expect([code, errors]).toEqual([0, '']);
  expect(output).toMatch(/^npm (start|run \w+) -- \[options\]/);
  expect(output).toContain('--port');
});

it.each([
  ['start', '--lambda-port', 'x'],
  ['start', '--emulator-port', '-1'],
  ['deferred', '--port', '1e3'],
])('%s %s=%s → one line', async (script, option, value) => {
  const { code, output, errors } = await run(script, [`${option}=${value}`]);
  expect([code, output]).toEqual([1, '']);
  expect(errors).toBe(`Invalid ${option}: ${value}. Give a number from 0 to 65535.\n`);
});
