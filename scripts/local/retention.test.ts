import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { DEMO_INSTANCE } from '../../emulator/dds/seed.ts';
import { derivedName } from '../../lib/backup/trigger.ts';
import { DAY } from '../../lib/time.ts';

const RULES = ['--rules', 'nightly: keep-within 5d, keep-last 2'];

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator({ deletionMillis: 0 });
  const nights = Array.from({ length: 8 }, (_, i) => {
    const begin = new Date(Date.now() - (i + 0.5) * DAY);
    const name = derivedName('nightly', { kind: 'invoke', id: 'night', time: begin }, DEMO_INSTANCE.id);
    return { name, instance_id: DEMO_INSTANCE.id, type: 'Manual' as const, begin };
  });
  const byHand = { name: 'nightly-by-hand', instance_id: DEMO_INSTANCE.id, begin: new Date(Date.now() - 9 * DAY) };
  emulator.control.addBackups({ backups: [...nights, { ...byHand, type: 'Manual' }] });
});
afterEach(() => emulator.close());

function run(script: string, ...args: readonly string[]): Promise<{ code: unknown; output: string; errors: string }> {
  const path = fileURLToPath(new URL(`${script}.ts`, import.meta.url));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [path, '--port', new URL(emulator.url).port, ...args],
      { env: {}, timeout: 30_000 },
      (error, output, errors) => resolve({ code: error === null ? 0 : error.code, output, errors }),
    );
  });
}

describe('npm run retention', () => {
  it('→ a table of what is due; nothing is deleted', async () => {
    const { code, output, errors } = await run('retention', ...RULES);
    expect([code, errors]).toEqual([0, '']);
    expect(output.match(/^delete +older than keep-within +orders +nightly-\S+ .*nightly/gm)).toHaveLength(3);
    expect(output).not.toMatch(/^keep/m);
    expect(output).toContain('9 backups, 3 due. Nothing was deleted: see --delete.');
    expect(emulator.backups).toHaveLength(9);
  });

  it('--explain → the decision on every backup, with its reason', async () => {
    const { output } = await run('retention', '--explain', ...RULES);
    expect(output.match(/^(keep|delete) {2,}/gm)).toHaveLength(9);
    expect(output).toMatch(/^keep +no rule is about its name +orders +nightly-by-hand /m);
    expect(output).toMatch(/^keep +younger than keep-within +orders +nightly-/m);
  });

  it('--delete → deletes what is due', async () => {
    const { code, output } = await run('retention', '--delete', ...RULES);
    expect(code).toBe(0);
    expect(output.match(/^Deleted nightly-\S+; \d remain\.$/gm)).toHaveLength(3);
    expect(output).toContain('9 backups, 3 due. 3 deleted.');
    expect(emulator.backups).toHaveLength(6);
  });

  it('default rules → those of the help', async () => {
    expect((await run('retention')).output).toContain('9 backups, 0 due.');
  });

  it.each([
    [['--rules', 'weekly'], /^Configuration: RETENTION must be rules such as /],
    [['--rules', 'nightly: keep-within 1d'], /keep-within of nightly must be at least 72h/],
    [['--time', 'yesterday'], /^Invalid --time: yesterday\./],
    [['--remove'], /^Unknown option '--remove'\. See --help\.$/],
  ])('%j → one line', async (args, message) => {
    const { code, output, errors } = await run('retention', ...args);
    expect([code, output]).toEqual([1, '']);
    expect(errors.trimEnd()).toMatch(message);
    expect(errors.trimEnd()).not.toContain('\n');
  });

  it('--help → its options', async () => {
    expect((await run('retention', '--help')).output).toMatch(/^npm run retention -- \[options\][\s\S]*--explain/);
  });
});

it('npm run monitor --report → the report of the day, with a table of the instances', async () => {
  const { code, output, errors } = await run('monitor', '--report');
  expect([code, errors]).toEqual([0, '']);
  expect(output).toMatch(/^DDS backups, \d{4}-\d\d-\d\d: 3 instances, 2 overdue, backups failed in 48 hours: 0\.$/m);
  expect(output).toMatch(/^instance +status +age, h +limit, h /m);
  expect(output).toMatch(/^orders +normal +12\.\d +26 +2803 +1 +0 +9 +25227$/m);
});
