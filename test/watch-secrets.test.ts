import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { chance } from '../chaos/chance.ts';
import { KINDS } from '../chaos/weather.ts';
import { refusals } from '../emulator/dds/refusals.ts';
import { DEMO_INSTANCE, DEMO_PROJECT_ID } from '../emulator/dds/seed.ts';
import { watchHandler } from '../functions/watch.ts';
import { eventBusAnnouncer } from '../lib/lambda/announce.ts';
import { watchService } from '../lib/lambda/watch-service.ts';
import { type Bus, eventBuses } from './support/event-bus.ts';
import { lambdaContext } from './support/lambda.ts';
import { type Env, KEY, leakDetector, TEMPORARY } from './support/leaks.ts';
import { visible } from './support/visible.ts';

const { seen, emulator, replaceDds, listening, leaks, now, wait } = leakDetector();
const startBus = eventBuses();

const SOURCES: readonly (readonly [where: string, env: Env])[] = [
  ['a permanent key', { OTC_SDK_AK: KEY.ak, OTC_SDK_SK: KEY.sk }],
  [
    'a temporary key',
    { OTC_SDK_AK: TEMPORARY.ak, OTC_SDK_SK: TEMPORARY.sk, OTC_SDK_SECURITY_TOKEN: TEMPORARY.securityToken },
  ],
];

/** A run in which one backup is announced, and all that comes out of it. */
async function run(env: Env, bus: Bus): Promise<void> {
  const begin = new Date(now().getTime() - 20 * 60_000);
  const end = new Date(now().getTime() - 7 * 60_000);
  emulator().state.seedBackup({ name: 'nightly', instance_id: DEMO_INSTANCE.id, begin, end });
  const settings = { DDS_ENDPOINT: emulator().url, OTC_SDK_PROJECT_ID: DEMO_PROJECT_ID, EVENT_BUS: 'orders', ...env };
  const until = now().getTime() + 60_000;
  const service = watchService({
    env: settings,
    announce: eventBusAnnouncer(settings, bus.client),
    now,
    wait: (millis) => wait(10_000 + millis),
    random: () => 1,
    attemptMillis: 25,
  });
  const context = lambdaContext(() => until - now().getTime());
  seen.push(await watchHandler(service)({ time: now().toISOString() }, context).catch((error: unknown) => error));
}

describe.each(SOURCES)('with %s, no secret is in any log line, result, error or stack of a run', (_, env) => {
  it('that goes well', async () => {
    await run(env, await startBus());
    expect(visible(seen)).toContain('backup.completed');
    expect(leaks()).toEqual([]);
  });

  it.each(KINDS.map(([, name, make]) => [name, make] as const))('when DDS meets %s', async (_, make) => {
    emulator().faults.decide = () => make(chance('watch'));
    await run(env, await startBus());
    expect(visible(seen)).toContain('watch.');
    expect(leaks()).toEqual([]);
  });

  it.each(Object.entries(refusals))('when DDS answers %s', async (_, refusal) => {
    emulator().faults.decide = () => ({ kind: 'error', ...refusal });
    await run(env, await startBus());
    expect(visible(seen)).toContain('watch.failed');
    expect(leaks()).toEqual([]);
  });

  it('when the gateway refuses the key, and quotes what it knows of the request', async () => {
    for (const other of [{ sk: 'another' }, { ak: 'ANOTHER' }, { securityToken: 'another' }]) {
      await replaceDds([KEY, TEMPORARY].map((key) => ({ ...key, ...other })));
      await run(env, await startBus());
    }
    expect(visible(seen)).toContain('CredentialsRefused');
    expect(leaks()).toEqual([]);
  });

  it('when what answers in the place of DDS lists the headers as a backup', async () => {
    const echo = createServer(({ rawHeaders, url }, response) => {
      const text = rawHeaders.join(' ');
      const times = { begin_time: '2026-03-01 11:40:00', end_time: '2026-03-01 11:53:00' };
      const backup = { id: text, name: text, instance_id: text, ...times, status: 'FAILED' };
      const body = url?.includes('/instances')
        ? { instances: [{ id: text, name: text }], total_count: 1 }
        : { backups: [backup], total_count: 1 };
      response.end(JSON.stringify(body));
    });
    const bus = await startBus();
    await run({ ...env, DDS_ENDPOINT: `http://localhost:${await listening(echo)}` }, bus);
    seen.push(bus.requests);
    expect(bus.events()).toMatchObject([
      { announced: 'DDS Backup Failed', name: expect.stringContaining('[redacted]') },
    ]);
    expect(leaks()).toEqual([]);
  });
});

it('no secret of AWS is in any when the bus refuses, and quotes what was signed', async () => {
  const quoted = 'the canonical string: x-amz-security-token:of-the-function';
  const bus = await startBus(() => ({ __type: 'InvalidSignatureException', message: quoted }), 400);
  await run({ OTC_SDK_AK: KEY.ak, OTC_SDK_SK: KEY.sk }, bus);
  expect(visible(seen)).toContain('AnnouncementFailed');
  expect(visible(seen)).not.toContain('of-the-function');
  expect(visible(seen)).not.toContain('AWS4-HMAC-SHA256');
});
