import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import {
  DEMO_CREDENTIALS,
  DEMO_FAULTY_INSTANCE,
  DEMO_INSTANCE,
  DEMO_OTHER_INSTANCE,
  DEMO_PROJECT_ID,
} from '../../emulator/dds/seed.ts';
import { invokeHandler } from '../../functions/invoke.ts';
import { chance } from '../../test/simulation/chance.ts';
import { instanceOf } from '../../test/simulation/world.ts';
import { environment } from '../../test/support/emulated.ts';
import { call, lambdaContext } from '../../test/support/lambda.ts';
import { logLines } from '../../test/support/log-lines.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { Failure } from '../errors.ts';
import { fieldsOf } from '../json.ts';
import { MINUTE } from '../time.ts';
import { nightlyRuns } from './nightly.ts';
import type { Starter } from './ports.ts';
import { backupService } from './service.ts';

const OTHER_PROJECT = '1c8de49e33e54a4e9eb2fcb3a8b1b7d5';
const BOTH = { OTC_SDK_PROJECT_ID: '', OTC_SDK_PROJECTS: `eu-de:${DEMO_PROJECT_ID},eu-nl:${OTHER_PROJECT}` };
const NIGHT = { id: 'arn:aws:scheduler:::schedule/nightly', time: '2026-03-01T02:30:00.000Z' };

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
beforeEach(async () => {
  time = virtualTime('2026-03-01T02:30:02Z');
  emulator = await startEmulator({ clock: time.now });
});
afterEach(() => emulator.close());
const lines = logLines();

const serviceWith = (env: Record<string, string> = {}) =>
  backupService({
    env: { ...environment(emulator), NIGHTLY_INSTANCES: 'all', ...env },
    timing: { ...time, random: () => 1 },
    readSecret: async () => '{}',
    publish: async () => {},
    notify: async () => {},
    handover: async () => {},
  });

const invocation = (minutes = 15) => {
  const end = time.now().getTime() + minutes * MINUTE;
  return { getRemainingTimeInMillis: () => end - time.now().getTime() };
};

function run(env: Record<string, string> = {}, start?: Starter) {
  const started: object[] = [];
  const starter: Starter = start ?? (async (payload) => void started.push(payload));
  return { started, result: nightlyRuns(serviceWith(env), starter)(NIGHT, invocation()) };
}

const instancesOf = (started: readonly object[]) =>
  started.map((payload) => fieldsOf(fieldsOf(payload).backup).instance_id).sort();

describe('nightlyRuns', () => {
  it('→ one call of invoke for each instance, with the identity of the night and the project', async () => {
    const { started, result } = run({ NIGHTLY_NAME_PREFIX: 'every-night' });
    await result;
    expect(started).toHaveLength(3);
    expect(started).toContainEqual({
      ...NIGHT,
      project: DEMO_PROJECT_ID,
      backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'every-night' },
    });
    expect(lines).toMatchObject([
      { level: 'info', event: 'nightly.done', time: NIGHT.time, project_id: DEMO_PROJECT_ID, instances: 3, failed: 0 },
    ]);
  });

  it.each([
    ['some', { NIGHTLY_INSTANCES: DEMO_INSTANCE.id }, [DEMO_INSTANCE.id]],
    ['all but one', { NIGHTLY_EXCEPT: DEMO_INSTANCE.id }, [DEMO_FAULTY_INSTANCE.id, DEMO_OTHER_INSTANCE.id]],
    ['a tag', { NIGHTLY_INSTANCES: 'tag:backup=nightly' }, [DEMO_OTHER_INSTANCE.id]],
  ])('selection: %s → those', async (_, env, expected) => {
    emulator.control.setInstance({
      instance: { id: DEMO_OTHER_INSTANCE.id, tags: [{ key: 'backup', value: 'nightly' }] },
    });
    const { started, result } = run(env);
    await result;
    expect(instancesOf(started)).toEqual(expected.toSorted());
  });

  it.each([
    ['an id that no project has', `${DEMO_INSTANCE.id},unknown`, 'no project has unknown.', [DEMO_INSTANCE.id]],
    ['a tag that no instance has', 'tag:backup=weekly', 'selects no instance.', []],
  ])('selection: %s → InstanceNotFound, once the others are asked for', async (_, selection, message, expected) => {
    const { started, result } = run({ NIGHTLY_INSTANCES: selection });
    await expect(result).rejects.toMatchObject({ name: 'InstanceNotFound', message: expect.stringContaining(message) });
    expect(instancesOf(started)).toEqual(expected);
  });

  it('instance that is not normal → asked for, and named in the log', async () => {
    const { started, result } = run();
    await result;
    expect(instancesOf(started)).toContain(DEMO_FAULTY_INSTANCE.id);
    expect(lines[0]).toMatchObject({ event: 'nightly.done', not_normal: [DEMO_FAULTY_INSTANCE.id] });
  });

  it('→ five requests a second at most', async () => {
    for (let i = 0; i < 50; i++) emulator.control.setInstance({ instance: { id: `instance-${i}` } });
    const began = time.now().getTime();
    await run().result;
    expect(time.now().getTime() - began).toBeGreaterThanOrEqual(53 * 200);
  });

  it('one cannot be asked for → the others are, the log counts it, and the run fails', async () => {
    const started: object[] = [];
    const { result } = run({}, async (payload) => {
      if (instancesOf([payload])[0] === DEMO_INSTANCE.id) throw new Failure('OutcomeUnknown', 'no answer');
      started.push(payload);
    });
    await expect(result).rejects.toMatchObject({ name: 'OutcomeUnknown' });
    expect(started).toHaveLength(2);
    expect(lines).toMatchObject([
      { level: 'error', event: 'nightly.done', instances: 3, failed: 1, reason: 'OutcomeUnknown' },
    ]);
  });

  it('one project is down → the other is asked for; the error names the one', async () => {
    const instances = [instanceOf('archive', 0)];
    emulator.control.addProject({ id: OTHER_PROJECT, credentials: [DEMO_CREDENTIALS], instances });
    emulator.control.decideFaults(({ project }) =>
      project === DEMO_PROJECT_ID ? { kind: 'error', ...refusals.permissionDenied } : undefined,
    );
    const { started, result } = run(BOTH);
    await expect(result).rejects.toMatchObject({
      name: 'CredentialsRefused',
      annotation: { project_id: DEMO_PROJECT_ID },
    });
    expect(started).toMatchObject([{ project: OTHER_PROJECT, backup: { instance_id: 'archive' } }]);
  });

  it.each([
    ['NIGHTLY_INSTANCES', { NIGHTLY_INSTANCES: '' }],
    ['NIGHTLY_EXCEPT', { NIGHTLY_EXCEPT: 'a;b' }],
    ['NIGHTLY_NAME_PREFIX', { NIGHTLY_NAME_PREFIX: '7' }],
  ])('%s is wrong → ConfigurationError that names it, and DDS is not asked', async (name, env) => {
    await expect(run(env).result).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining(name),
    });
    expect(emulator.requests).toEqual([]);
  });
});

it('200 instances in two projects, faults, lost and repeated calls, a schedule that fires four times → 200 backups', async () => {
  const draw = chance('nightly', 1);
  const fleet = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, i) => instanceOf(`${prefix}-${String(i).padStart(3, '0')}`, i * MINUTE));
  await emulator.close();
  emulator = await startEmulator({
    clock: time.now,
    instances: fleet('orders', 120),
    backupMillis: 30 * MINUTE,
    projects: [{ id: OTHER_PROJECT, credentials: [DEMO_CREDENTIALS], instances: fleet('archive', 80) }],
  });
  emulator.control.decideFaults(({ operation }) => {
    if (!draw.happens(operation === 'create-backup' ? 0.15 : 0.03)) return undefined;
    return draw.pick([
      { kind: 'reset', when: 'before' },
      { kind: 'reset', when: 'after' },
      { kind: 'truncated' },
      { kind: 'html', status: 503, when: draw.pick(['before', 'after']) },
      { kind: 'error', ...refusals.systemBusy },
    ]);
  });
  const service = serviceWith(BOTH);
  const invoke = invokeHandler(service);
  const outcomes: Record<string, number> = {};
  const count = (outcome: string) => {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  };
  // A call that fails is retried, as Lambda and the function deferred do.
  const deliver = async (payload: object, attempts = 5): Promise<void> => {
    const end = time.now().getTime() + MINUTE;
    try {
      await call(
        invoke,
        payload,
        lambdaContext(() => end - time.now().getTime()),
      );
      count('done');
    } catch (error) {
      count(error instanceof Error ? error.name : 'unknown');
      if (attempts > 0) await deliver(payload, attempts - 1);
    }
  };
  let isLast = false;
  const start: Starter = async (payload) => {
    if (isLast) return deliver(payload);
    const times = draw.weighted([
      [80, 1],
      [10, 2],
      [10, 0],
    ]);
    for (let i = 0; i < times; i++) await deliver(payload);
    if (times === 0 || draw.happens(0.05)) throw new Failure('OutcomeUnknown', 'Lambda did not answer.');
  };
  for (let fired = 0; fired < 4; fired++) {
    isLast = fired === 3;
    await nightlyRuns(service, start)(NIGHT, invocation(60)).catch((error: unknown) => count(String(error)));
    time.advance(5 * MINUTE);
  }
  emulator.control.clearFaults();
  const made = [DEMO_PROJECT_ID, OTHER_PROJECT].map((project) => emulator.control.backups({ project }));
  expect(made.map((backups) => new Set(backups.map(({ instance_id }) => instance_id)).size)).toEqual([120, 80]);
  expect(made.map(({ length }) => length)).toEqual([120, 80]);
  expect(outcomes.done).toBeGreaterThan(600);
}, 60_000);
