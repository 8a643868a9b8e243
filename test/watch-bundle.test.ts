/** `watch` as it is deployed, between an emulated DDS and an EventBridge on this machine. */
import { readFileSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { DEMO_INSTANCE } from '../emulator/dds/seed.ts';
import { startBundle } from './support/bundles.ts';
import { environment } from './support/emulated.ts';
import { type Bus, eventBuses } from './support/event-bus.ts';
import { lambdaContext, sample } from './support/lambda.ts';
import { logLines } from './support/log-lines.ts';

let emulator: Emulator;
let bus: Bus;
const startBus = eventBuses();
beforeEach(async () => {
  emulator = await startEmulator();
  bus = await startBus();
  const shell = {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_MAX_ATTEMPTS: '1',
  };
  for (const [name, value] of Object.entries({ ...shell, AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url }))
    vi.stubEnv(name, value);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await emulator.close();
});
const lines = logLines();

const start = (env: Record<string, string> = {}) =>
  startBundle('watch', { ...environment(emulator), EVENT_BUS: 'orders', ...env });

describe('the bundle watch', () => {
  it('announces what ended in the window of the sample event, and logs it and how fresh each instance is', async () => {
    const nightly = { name: 'nightly', instance_id: DEMO_INSTANCE.id, begin: new Date('2026-03-01T11:00:00Z') };
    const { id } = emulator.state.seedBackup({ ...nightly, end: new Date('2026-03-01T12:03:00Z') });
    emulator.state.seedBackup({ ...nightly, name: 'before', end: new Date('2026-03-01T12:00:00Z') });
    const handler = await start();
    await handler(sample('watch'), lambdaContext(60_000));
    expect(bus.events()).toMatchObject([{ announced: 'DDS Backup Completed', id: `${id}-completed` }]);
    expect(lines.map(({ event }) => event)).toEqual([
      'backup.completed',
      'backup.freshness',
      'backup.freshness',
      'backup.freshness',
      'watch.done',
    ]);
  });

  it('fails aloud without configuration, and asks nobody', async () => {
    const handler = await startBundle('watch', {});
    await expect(handler(sample('watch'), lambdaContext(60_000))).rejects.toMatchObject({
      name: 'ConfigurationError',
    });
    expect(lines).toMatchObject([{ level: 'error', event: 'watch.failed', error: 'ConfigurationError' }]);
    expect(bus.requests).toEqual([]);
  });

  it('fails aloud, within its time, when DDS is pulled away', async () => {
    const handler = await start();
    await emulator.close();
    await expect(handler(sample('watch'), lambdaContext(10_500))).rejects.toMatchObject({
      name: 'UpstreamUnreachable',
    });
    expect(lines).toMatchObject([{ level: 'error', event: 'watch.failed', error: 'UpstreamUnreachable' }]);
  });

  it('fails aloud when its time is up', async () => {
    emulator.faults.decide = () => ({ kind: 'hang', when: 'before' });
    const handler = await start();
    await expect(handler(sample('watch'), lambdaContext(600))).rejects.toMatchObject({ name: 'UpstreamTimeout' });
    expect(lines).toMatchObject([{ level: 'error', event: 'watch.failed', error: 'UpstreamTimeout' }]);
  });

  const { outputs }: { outputs: Record<string, { inputs: object; imports: { path: string }[] }> } = JSON.parse(
    readFileSync(new URL('../dist/meta.json', import.meta.url), 'utf8'),
  );
  const { inputs = {}, imports = [] } = outputs['dist/watch.mjs'] ?? {};

  it('is one file of at most 24 kB, and has the SDK from the runtime', () => {
    expect(statSync(new URL('../dist/watch.mjs', import.meta.url)).size).toBeLessThanOrEqual(24 * 1024);
    expect(imports.map(({ path }) => path).filter((path) => !path.startsWith('node:'))).toEqual([
      '@aws-sdk/client-eventbridge',
    ]);
  });

  it('holds middy, and nothing of ajv or of what makes backups', () => {
    const paths = Object.keys(inputs);
    expect(paths.filter((path) => path.includes('node_modules/') && !path.includes('@middy/'))).toEqual([]);
    expect(paths).not.toContain('lib/backup/create-backup.ts');
    expect(paths).not.toContain('lib/dds/client.ts');
  });
});
