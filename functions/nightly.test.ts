import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { DEMO_INSTANCE, DEMO_INSTANCES, DEMO_PROJECT_ID } from '../emulator/dds/seed.ts';
import { awsService, invokeStarter } from '../lib/aws/platform.ts';
import { type Aws, startAws } from '../test/support/aws.ts';
import { environment } from '../test/support/emulated.ts';
import { call, lambdaContext } from '../test/support/lambda.ts';
import { logLines } from '../test/support/log-lines.ts';
import { virtualTime } from '../test/support/virtual-time.ts';
import { nightlyHandler } from './nightly.ts';

const NIGHT = { id: 'arn:aws:scheduler:::schedule/nightly', time: '2026-03-01T02:30:00Z' };

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
let aws: Aws;
beforeEach(async () => {
  time = virtualTime('2026-03-01T02:30:02Z');
  emulator = await startEmulator({ clock: time.now });
  aws = await startAws({ clock: () => time.now(), functions: ['invoke'] });
});
afterEach(async () => {
  await emulator.close();
  await aws.close();
});
const lines = logLines();

function run(event: unknown = NIGHT, env: Record<string, string> = {}) {
  const all = { ...environment(emulator), ...aws.env, NIGHTLY_INSTANCES: 'all', INVOKE_FUNCTION: 'invoke', ...env };
  const timing = { ...time, random: () => 1 };
  const end = time.now().getTime() + 900_000;
  return call(
    nightlyHandler(awsService({ env: all, timing }), invokeStarter(all, timing)),
    event,
    lambdaContext(() => end - time.now().getTime()),
  );
}

describe('nightly', () => {
  it('→ an asynchronous call of invoke for each instance', async () => {
    expect(await run()).toBeUndefined();
    expect(aws.invocations).toHaveLength(DEMO_INSTANCES.length);
    expect(aws.invocations).toContainEqual({
      name: 'invoke',
      payload: {
        id: NIGHT.id,
        time: '2026-03-01T02:30:00.000Z',
        project: DEMO_PROJECT_ID,
        backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'nightly' },
      },
    });
    expect(lines).toMatchObject([{ event: 'nightly.done', instances: 3, failed: 0 }]);
  });

  it('Lambda refuses one call for good → the others are made, and the run fails', async () => {
    aws.decide = ({ body }) =>
      JSON.stringify(body).includes(DEMO_INSTANCE.id)
        ? { kind: 'error', status: 500, type: 'ServiceException' }
        : undefined;
    await expect(run()).rejects.toMatchObject({ name: 'OutcomeUnknown' });
    expect(aws.invocations).toHaveLength(2);
    expect(lines).toMatchObject([
      { event: 'nightly.done', failed: 1 },
      { level: 'error', event: 'nightly.failed', time: NIGHT.time, reason: 'OutcomeUnknown' },
    ]);
  });

  it('no function to call → ConfigurationError', async () => {
    await expect(run(NIGHT, { INVOKE_FUNCTION: '' })).rejects.toMatchObject({ name: 'ConfigurationError' });
    expect(aws.invocations).toEqual([]);
  });

  it.each([
    ['nothing', {}],
    ['null', null],
    ['no id', { time: NIGHT.time }],
    ['an id that is a number', { ...NIGHT, id: 7 }],
    ['no time', { id: NIGHT.id }],
    ['a time that is a day', { ...NIGHT, time: '2026-03-01' }],
    ['what the scheduler failed to fill in', { ...NIGHT, time: '<aws.scheduler.scheduled-time>' }],
    ['a time six minutes ahead', { ...NIGHT, time: '2026-03-01T02:36:03Z' }],
    ['a time 32 days ago', { ...NIGHT, time: '2026-01-28T02:30:00Z' }],
  ])('event with %s → InvalidRequest, and DDS is not asked', async (_, event) => {
    await expect(run(event)).rejects.toMatchObject({ name: 'InvalidRequest' });
    expect(emulator.requests).toEqual([]);
    expect(lines).toMatchObject([{ level: 'error', event: 'nightly.failed', reason: 'InvalidRequest' }]);
  });
});
