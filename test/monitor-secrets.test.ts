import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusals } from '../emulator/dds/refusals.ts';
import { DEMO_INSTANCE, DEMO_PROJECT_ID } from '../emulator/dds/seed.ts';
import { monitorHandler } from '../functions/monitor.ts';
import { awsService } from '../lib/aws/platform.ts';
import { chance } from './simulation/chance.ts';
import { FAULTS } from './simulation/faults.ts';
import { type Aws, startAws } from './support/aws.ts';
import { lambdaContext } from './support/lambda.ts';
import { type Env, KEY, leakDetector, TEMPORARY } from './support/leaks.ts';
import { visible } from './support/visible.ts';

const { seen, emulator, replaceDds, listening, leaks, now, wait } = leakDetector();
let aws: Aws;
beforeEach(async () => {
  aws = await startAws({ clock: now });
});
afterEach(() => aws.close());

const SOURCES: readonly (readonly [where: string, env: Env])[] = [
  ['a permanent key', { OTC_SDK_AK: KEY.ak, OTC_SDK_SK: KEY.sk }],
  [
    'a temporary key',
    { OTC_SDK_AK: TEMPORARY.ak, OTC_SDK_SK: TEMPORARY.sk, OTC_SDK_SECURITY_TOKEN: TEMPORARY.securityToken },
  ],
];

/**
 * A run with one backup event, and everything that comes out of it.
 * @param attemptMillis real ones: few where no answer may come
 */
async function run(env: Env, attemptMillis = 10_000): Promise<void> {
  const begin = new Date(now().getTime() - 20 * 60_000);
  const end = new Date(now().getTime() - 7 * 60_000);
  emulator().state.seedBackup({ name: 'nightly', instance_id: DEMO_INSTANCE.id, begin, end });
  const until = now().getTime() + 60_000;
  const service = awsService({
    env: {
      DDS_ENDPOINT: emulator().url,
      OTC_SDK_PROJECT_ID: DEMO_PROJECT_ID,
      EVENT_BUS: 'orders',
      ...aws.env,
      ...env,
    },
    timing: { now, wait: (millis) => wait(10_000 + millis), random: () => 1 },
    attemptMillis,
  });
  const context = lambdaContext(() => until - now().getTime());
  seen.push(await monitorHandler(service)({ time: now().toISOString() }, context).catch((error: unknown) => error));
}

describe.each(SOURCES)('monitor: %s', (_, env) => {
  it('run → no secret comes out', async () => {
    await run(env);
    expect(visible(seen)).toContain('backup.completed');
    expect(leaks()).toEqual([]);
  });

  it.each(FAULTS.map(({ name, make }) => [name, make] as const))('DDS: %s → no secret comes out', async (_, make) => {
    emulator().faults.decide = () => make(chance('monitor'));
    await run(env, 100);
    expect(visible(seen)).toContain('monitor.');
    expect(leaks()).toEqual([]);
  });

  it.each(Object.entries(refusals))('DDS answers %s → no secret comes out', async (_, refusal) => {
    emulator().faults.decide = () => ({ kind: 'error', ...refusal });
    await run(env);
    expect(visible(seen)).toContain('monitor.failed');
    expect(leaks()).toEqual([]);
  });

  it('gateway refuses the key, and quotes the request → no secret comes out', async () => {
    for (const other of [{ sk: 'another' }, { ak: 'ANOTHER' }, { securityToken: 'another' }]) {
      await replaceDds([KEY, TEMPORARY].map((key) => ({ ...key, ...other })));
      await run(env);
    }
    expect(visible(seen)).toContain('CredentialsRefused');
    expect(leaks()).toEqual([]);
  });

  it('headers listed as a backup → no secret comes out', async () => {
    const echo = createServer(({ rawHeaders, url }, response) => {
      const text = rawHeaders.join(' ');
      const times = { begin_time: '2026-03-01 11:40:00', end_time: '2026-03-01 11:53:00' };
      const backup = { id: text, name: text, instance_id: text, ...times, status: 'FAILED' };
      const body = url?.includes('/instances')
        ? { instances: [{ id: text, name: text }], total_count: 1 }
        : { backups: [backup], total_count: 1 };
      response.writeHead(200, { date: now().toUTCString() }).end(JSON.stringify(body));
    });
    await run({ ...env, DDS_ENDPOINT: `http://localhost:${await listening(echo)}` });
    seen.push(aws.requests.map(({ body }) => body));
    const failed = aws.events.find(({ type }) => type === 'DDS Backup Failed');
    expect(failed?.detail.name).toContain('[redacted]');
    expect(leaks()).toEqual([]);
  });
});

it('monitor: bus refuses, and quotes what was signed → no secret of AWS comes out', async () => {
  const message = `the canonical string: x-amz-security-token:${aws.env.AWS_SESSION_TOKEN}`;
  aws.decide = () => ({ kind: 'error', status: 400, type: 'InvalidSignatureException', message });
  await run({ OTC_SDK_AK: KEY.ak, OTC_SDK_SK: KEY.sk });
  expect(visible(seen)).toContain('PublishFailed');
  for (const secret of [aws.env.AWS_SESSION_TOKEN ?? '', aws.env.AWS_SECRET_ACCESS_KEY ?? ''])
    expect(visible(seen)).not.toContain(secret);
  expect(visible(seen)).not.toContain('AWS4-HMAC-SHA256');
});
