/** `monitor` as it is deployed, between an emulated DDS and a stand-in for AWS. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { DEMO_INSTANCE } from '../emulator/dds/seed.ts';
import { type Aws, startAws } from './support/aws.ts';
import { startBundle } from './support/bundles.ts';
import { environment } from './support/emulated.ts';
import { lambdaContext, sample } from './support/lambda.ts';
import { logLines } from './support/log-lines.ts';

let emulator: Emulator;
let aws: Aws;
beforeEach(async () => {
  emulator = await startEmulator();
  aws = await startAws();
});
afterEach(async () => {
  await emulator.close();
  await aws.close();
});
const lines = logLines();

const start = () => startBundle('monitor', { ...environment(emulator), ...aws.env, EVENT_BUS: 'orders' });

describe('bundles: monitor', () => {
  it('sample event → publishes what ended in its window, and logs it and the age of each instance', async () => {
    const nightly = { name: 'nightly', instance_id: DEMO_INSTANCE.id, begin: new Date('2026-03-01T11:00:00Z') };
    const { id } = emulator.state.seedBackup({ ...nightly, end: new Date('2026-03-01T12:03:00Z') });
    emulator.state.seedBackup({ ...nightly, name: 'before', end: new Date('2026-03-01T11:59:00Z') });
    const handler = await start();
    await handler(sample('monitor'), lambdaContext(60_000));
    expect(aws.events).toMatchObject([
      { bus: 'orders', type: 'DDS Backup Completed', detail: { id: `${id}-completed` } },
    ]);
    expect(lines.map(({ event }) => event)).toEqual([
      'backup.completed',
      'backup.age',
      'backup.age',
      'backup.age',
      'monitor.done',
    ]);
  });

  it('no configuration → ConfigurationError, and nothing is called', async () => {
    const handler = await startBundle('monitor', {});
    await expect(handler(sample('monitor'), lambdaContext(60_000))).rejects.toMatchObject({
      name: 'ConfigurationError',
    });
    expect(lines).toMatchObject([{ level: 'error', event: 'monitor.failed', reason: 'ConfigurationError' }]);
    expect(aws.requests).toEqual([]);
  });

  it('DDS is gone → fails within its time', async () => {
    const handler = await start();
    await emulator.close();
    await expect(handler(sample('monitor'), lambdaContext(10_500))).rejects.toMatchObject({
      name: 'UpstreamUnreachable',
    });
    expect(lines).toMatchObject([{ level: 'error', event: 'monitor.failed', reason: 'UpstreamUnreachable' }]);
  });

  it('time is up → UpstreamTimeout', async () => {
    emulator.faults.decide = () => ({ kind: 'hang', when: 'before' });
    const handler = await start();
    await expect(handler(sample('monitor'), lambdaContext(600))).rejects.toMatchObject({ name: 'UpstreamTimeout' });
    expect(lines).toMatchObject([{ level: 'error', event: 'monitor.failed', reason: 'UpstreamTimeout' }]);
  });
});
