import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { refusals } from '../emulator/dds/refusals.ts';
import { DEMO_INSTANCE, DEMO_INSTANCES } from '../emulator/dds/seed.ts';
import { awsService } from '../lib/aws/platform.ts';
import { derivedName } from '../lib/backup/trigger.ts';
import { type Aws, startAws } from '../test/support/aws.ts';
import { environment } from '../test/support/emulated.ts';
import { call, lambdaContext, sample } from '../test/support/lambda.ts';
import { logLines } from '../test/support/log-lines.ts';
import { virtualTime } from '../test/support/virtual-time.ts';
import { retentionHandler } from './retention.ts';

const DAY = 86_400_000;
const RUN = sample('retention');

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
let aws: Aws;
beforeEach(async () => {
  time = virtualTime('2026-03-01T05:30:03Z');
  emulator = await startEmulator({ clock: time.now });
  aws = await startAws({ clock: () => time.now() });
  emulator.control.addBackups({
    backups: Array.from({ length: 8 }, (_, i) => {
      const begin = new Date(time.now().getTime() - (i + 0.5) * DAY);
      const name = derivedName('nightly', { kind: 'invoke', id: 'night', time: begin }, DEMO_INSTANCE.id);
      return { name, instance_id: DEMO_INSTANCE.id, type: 'Manual', begin };
    }),
  });
});
afterEach(async () => {
  await emulator.close();
  await aws.close();
});
const lines = logLines();

function run(event: unknown = RUN, env: Record<string, string> = {}, millis = 900_000) {
  const end = time.now().getTime() + millis;
  const service = awsService({
    env: {
      ...environment(emulator),
      ...aws.env,
      EVENT_BUS: 'orders',
      RETENTION: 'nightly: keep-within 5d, keep-last 3',
      RETENTION_MODE: 'delete',
      RETENTION_INSTANCES: 'all',
      ...env,
    },
    timing: { ...time, random: () => 1 },
    reserveMillis: 15_000,
  });
  return call(
    retentionHandler(service),
    event,
    lambdaContext(() => end - time.now().getTime()),
  );
}

describe('retention', () => {
  it('mode delete → what is due is gone, and each deletion is on the bus', async () => {
    expect(await run()).toBeUndefined();
    expect(emulator.backups).toHaveLength(5);
    expect(aws.events).toMatchObject(
      Array.from({ length: 3 }, () => ({
        bus: 'orders',
        source: 'dds-backup-trigger',
        type: 'DDS Backup Expired',
        detail: { instance_id: DEMO_INSTANCE.id, rule: 'nightly: keep-within 5d, keep-last 3' },
      })),
    );
    expect(lines.at(-1)).toMatchObject({ event: 'retention.done', expired: 3 });
  });

  it('second run of the day → nothing more goes', async () => {
    await run();
    await run();
    expect(emulator.backups).toHaveLength(5);
    expect(lines.at(-1)).toMatchObject({ event: 'retention.done', due: 0, expired: 0 });
  });

  it('mode report, the default → nothing is deleted or published', async () => {
    await run(RUN, { RETENTION_MODE: '' });
    expect(emulator.backups).toHaveLength(8);
    expect(aws.events).toEqual([]);
    expect(lines.filter(({ event }) => event === 'retention.due')).toHaveLength(3);
  });

  it('DDS lists no instance → retention.failed, and nothing is deleted', async () => {
    for (const { id } of DEMO_INSTANCES) emulator.control.removeInstance({ id });
    await expect(run()).rejects.toMatchObject({ name: 'UpstreamInvalid' });
    expect(emulator.backups).toHaveLength(8);
    expect(lines).toMatchObject([{ level: 'error', event: 'retention.failed', time: RUN.time }]);
  });

  it('time runs out → the rest is left for the next run, and shown as due', async () => {
    emulator.control.changeSettings({ deletionMillis: 40_000 });
    await run(RUN, {}, 62_000);
    const expired = lines.filter(({ event }) => event === 'backup.expired');
    expect(expired.length).toBe(1);
    expect(aws.events).toHaveLength(1);
    expect(lines.filter(({ event }) => event === 'retention.due').length).toBeGreaterThan(0);
    expect(lines.at(-1)).toMatchObject({ event: 'retention.done', expired: 1 });
  });

  it('DDS refuses the key for a deletion → the run fails, once it is logged', async () => {
    emulator.faults.decide = ({ operation }) =>
      operation === 'delete-backup' ? { kind: 'error', ...refusals.permissionDenied } : undefined;
    await expect(run(RUN)).rejects.toMatchObject({ name: 'CredentialsRefused' });
    expect(lines.map(({ event }) => event)).toContain('retention.done');
    expect(lines.at(-1)).toMatchObject({ event: 'retention.failed', reason: 'CredentialsRefused' });
  });

  it.each([
    ['nothing', {}],
    ['null', null],
    ['a time that is a day', { time: '2026-03-01' }],
    ['a time six minutes ahead', { time: '2026-03-01T05:36:04Z' }],
  ])('event with %s → InvalidRequest, and DDS is not asked', async (_, event) => {
    await expect(run(event)).rejects.toMatchObject({ name: 'InvalidRequest' });
    expect(emulator.requests).toEqual([]);
    expect(lines).toMatchObject([{ level: 'error', event: 'retention.failed', reason: 'InvalidRequest' }]);
  });
});
