import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import type { SeededBackup } from '../emulator/dds/records.ts';
import { refusals } from '../emulator/dds/refusals.ts';
import {
  DEMO_FAULTY_INSTANCE,
  DEMO_INSTANCE,
  DEMO_INSTANCES,
  DEMO_OTHER_INSTANCE,
  DEMO_PROJECT_ID,
} from '../emulator/dds/seed.ts';
import { awsService } from '../lib/aws/platform.ts';
import { type Aws, startAws } from '../test/support/aws.ts';
import { environment } from '../test/support/emulated.ts';
import { lambdaContext, sample } from '../test/support/lambda.ts';
import { logLines } from '../test/support/log-lines.ts';
import { virtualTime } from '../test/support/virtual-time.ts';
import { monitorHandler } from './monitor.ts';

const HOUR = 3_600_000;
const RUN = sample('monitor');
const ORIGIN = { project_id: DEMO_PROJECT_ID, region: 'eu-de' };

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
let aws: Aws;
beforeEach(async () => {
  time = virtualTime('2026-03-01T12:10:02Z');
  emulator = await startEmulator({ clock: time.now });
  aws = await startAws({ clock: () => time.now() });
});
afterEach(async () => {
  await emulator.close();
  await aws.close();
});
const lines = logLines();

function run(event: unknown = RUN, env: Record<string, string> = {}) {
  const end = time.now().getTime() + 60_000;
  const service = awsService({
    env: { ...environment(emulator), ...aws.env, EVENT_BUS: 'orders', ...env },
    timing: { now: time.now, wait: time.wait, random: () => 1 },
    reserveMillis: 10_000,
  });
  return monitorHandler(service)(
    event,
    lambdaContext(() => end - time.now().getTime()),
  );
}

const at = (text: string) => new Date(`2026-03-01T${text}Z`);
const seed = (backup: Partial<SeededBackup> = {}) =>
  emulator.state.seedBackup({
    name: 'nightly',
    instance_id: DEMO_INSTANCE.id,
    begin: at('11:00:00'),
    end: at('12:03:00'),
    ...backup,
  });
const eventLines = () => lines.filter(({ event }) => /^backup\.(completed|failed|stuck|unknown)$/.test(String(event)));
const monitorLines = () => lines.filter(({ event }) => String(event).startsWith('monitor.'));

describe('monitor: backup that ended in the window', () => {
  it.each([
    ['manual', 'Manual'],
    ['Manual', 'Manual'],
    ['auto', 'Auto'],
    ['Auto', 'Auto'],
  ] as const)('of type %s → published with all that is known of it, and logged', async (type, normal) => {
    const { id } = seed({ type });
    await run();
    const detail = {
      id: `${id}-completed`,
      backup_id: id,
      name: 'nightly',
      instance_id: DEMO_INSTANCE.id,
      instance_name: 'orders',
      type: normal,
      began_at: '2026-03-01T11:00:00Z',
      ended_at: '2026-03-01T12:03:00Z',
      duration_seconds: 3780,
      size_kb: 2803,
    };
    expect(aws.events).toMatchObject([
      {
        bus: 'orders',
        source: 'dds-backup-trigger',
        type: 'DDS Backup Completed',
        time: at('12:03:00'),
        detail: { ...detail, ...ORIGIN },
      },
    ]);
    expect(eventLines()).toMatchObject([{ level: 'info', event: 'backup.completed', ...detail, ...ORIGIN }]);
  });

  it('failed → DDS Backup Failed without a size, logged as an error', async () => {
    const { id } = seed({ outcome: 'FAILED' });
    await run();
    const detail = { id: `${id}-failed`, backup_id: id, ended_at: '2026-03-01T12:03:00Z', duration_seconds: 3780 };
    expect(aws.events).toMatchObject([{ type: 'DDS Backup Failed', time: at('12:03:00'), detail }]);
    expect(aws.events[0]?.detail).not.toHaveProperty('size_kb');
    expect(eventLines()).toMatchObject([{ level: 'error', event: 'backup.failed', ...detail }]);
  });

  it('is being deleted → logged as unknown, not published', async () => {
    emulator.state.beginDeletion(seed());
    await run();
    expect(aws.events).toEqual([]);
    expect(eventLines()).toMatchObject([{ level: 'warn', event: 'backup.unknown', name: 'nightly' }]);
  });

  it('runs before and after, its instance gone → published once', async () => {
    seed({ type: 'Manual' });
    emulator.state.removeInstance(DEMO_INSTANCE.id);
    for (const minute of ['00', '05', '10', '15', '20']) {
      time.advance(300_000);
      await run({ time: `2026-03-01T12:${minute}:00Z` });
    }
    expect(aws.events).toHaveLength(1);
  });

  it('several → published in the order of their ends; the windows beside it have the others', async () => {
    seed({ name: 'second', end: at('12:04:00'), begin: at('10:00:00') });
    seed({ name: 'first', end: at('12:03:00'), begin: at('09:00:00') });
    seed({ name: 'third', end: at('12:05:00'), begin: at('11:00:00') });
    seed({ name: 'of the run before', end: at('11:59:50') });
    seed({ name: 'of the next run', end: at('12:05:01') });
    await run();
    expect(aws.events.map(({ detail }) => detail.name)).toEqual(['first', 'second', 'third']);
  });
});

describe('monitor: two windows', () => {
  it('backup that ended in their overlap of ten seconds → published by both runs, the same', async () => {
    const { id } = seed({ end: at('11:59:51') });
    await run({ time: '2026-03-01T12:05:00Z' });
    await run();
    expect(aws.events).toHaveLength(2);
    expect(aws.events[1]).toEqual(aws.events[0]);
    expect(aws.events[0]?.detail.id).toBe(`${id}-completed`);
  });

  it("DDS's clock is off → the window follows it, and the difference is logged", async () => {
    await emulator.close();
    emulator = await startEmulator({ clock: () => new Date(time.now().getTime() + 600_000) });
    seed({ name: 'by our clock', end: at('12:03:00') });
    seed({ name: "by DDS's clock", end: at('12:13:00') });
    await run();
    expect(aws.events.map(({ detail }) => detail.name)).toEqual(["by DDS's clock"]);
    expect(monitorLines()).toMatchObject([
      { level: 'error', event: 'monitor.skewed', skew_seconds: expect.closeTo(600, -1) },
      { event: 'monitor.done' },
    ]);
  });
});

describe("monitor: DDS's answers have no Date", () => {
  it('→ logged as an error, since a clock that is off would hide events', async () => {
    await emulator.close();
    emulator = await startEmulator({ clock: time.now, dateHeader: false });
    seed();
    await run();
    expect(monitorLines()).toMatchObject([
      { level: 'error', event: 'monitor.skewed', message: expect.stringContaining('no Date header') },
      { event: 'monitor.done' },
    ]);
    expect(aws.events).toHaveLength(1);
  });
});

describe('monitor: backup that takes too long', () => {
  it('→ published once, when it has taken 12 hours', async () => {
    const { id } = seed({ begin: at('00:02:00'), end: at('20:00:00') });
    for (const minute of ['05', '10', '15', '20', '25']) {
      time.advance(300_000);
      await run({ time: `2026-03-01T12:${minute}:00Z` });
    }
    const detail = { id: `${id}-stuck`, backup_id: id, began_at: '2026-03-01T00:02:00Z', limit_hours: 12 };
    expect(aws.events).toMatchObject([{ type: 'DDS Backup Stuck', time: at('12:02:00'), detail }]);
    expect(eventLines()).toMatchObject([{ level: 'error', event: 'backup.stuck', ...detail }]);
  });

  it('repeated run after it has ended → published the same', async () => {
    seed({ begin: at('00:02:00'), end: at('20:00:00') });
    await run();
    time.advance(3 * 24 * HOUR);
    await run();
    expect(aws.events).toHaveLength(2);
    expect(aws.events[1]).toEqual(aws.events[0]);
  });

  it('STUCK_AFTER_HOURS → that limit', async () => {
    seed({ begin: at('11:32:00'), end: at('20:00:00') });
    await run(RUN, { STUCK_AFTER_HOURS: '0.5' });
    expect(aws.events).toMatchObject([
      { type: 'DDS Backup Stuck', time: at('12:02:00'), detail: { limit_hours: 0.5 } },
    ]);
  });
});

describe('monitor: backup that failed, without an end', () => {
  it('→ published as failed when it would have been stuck', async () => {
    seed({ outcome: 'FAILED', begin: at('00:02:00') });
    const [failed] = emulator.backups.map(({ end_time: _, ...rest }) => rest);
    emulator.faults.decide = ({ operation }) =>
      operation === 'list-backups' ? { kind: 'json', body: { backups: [failed], total_count: 1 } } : undefined;
    await run();
    expect(aws.events).toMatchObject([{ type: 'DDS Backup Failed', time: at('12:02:00') }]);
    expect(aws.events[0]?.detail).not.toHaveProperty('ended_at');
    expect(aws.events[0]?.detail).not.toHaveProperty('duration_seconds');
  });
});

describe('monitor: repeated run', () => {
  it('days later → the same events, whatever ran in between', async () => {
    seed();
    seed({ name: 'failed', outcome: 'FAILED' });
    seed({ name: 'stuck', begin: at('00:02:00'), end: at('20:00:00') });
    await run();
    const first = [...aws.events];
    time.advance(10 * 24 * HOUR);
    await run({ time: time.now().toISOString() });
    expect(aws.events).toHaveLength(first.length);
    await run();
    expect(aws.events.slice(first.length)).toEqual(first);
    expect(first).toHaveLength(3);
  });

  it('run after run → every event once for each window that has it, always the same', async () => {
    const backups = fc.array(
      fc.record({
        begin: fc.integer({ min: -3600, max: 1500 }),
        seconds: fc.integer({ min: 0, max: 5000 }),
        outcome: fc.constantFrom('COMPLETED', 'FAILED'),
        type: fc.constantFrom('Auto', 'manual'),
      }),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(backups, async (some) => {
        await using fresh = await startEmulator({ clock: () => at('15:00:00') });
        emulator = fresh;
        time = virtualTime('2026-03-01T15:00:00Z');
        for (const [i, { begin, seconds, outcome, type }] of some.entries()) {
          const began = at('12:00:00').getTime() + begin * 1000;
          const end = new Date(began + seconds * 1000);
          seed({ name: `backup-${i}`, begin: new Date(began), end, outcome, type });
        }
        const before = aws.events.length;
        for (let minute = 5; minute <= 60; minute += 5)
          await run(
            { time: new Date(at('12:00:00').getTime() + minute * 60_000).toISOString() },
            { STUCK_AFTER_HOURS: '0.5' },
          );
        // A window begins ten seconds before the end of the one before.
        const windows = Array.from({ length: 12 }, (_, i) => at('11:54:50').getTime() + i * 300_000);
        const times = (millis: number) => windows.filter((after) => millis > after && millis <= after + 310_000).length;
        const expected = emulator.backups.flatMap(({ id, begin_time, end_time, status }) => {
          const [began, end] = [Date.parse(`${begin_time}Z`), Date.parse(`${end_time}Z`)];
          const stuck = began + HOUR / 2;
          return [
            ...Array.from({ length: times(end) }, () => `${id}-${status.toLowerCase()}`),
            ...Array.from({ length: end > stuck ? times(stuck) : 0 }, () => `${id}-stuck`),
          ];
        });
        const published = aws.events.slice(before);
        expect(published.map(({ detail }) => detail.id).sort()).toEqual(expected.sort());
        const distinct = new Set(published.map((event) => JSON.stringify(event)));
        expect(distinct.size).toBe(new Set(expected).size);
      }),
      { numRuns: 15 },
    );
  });
});

describe('monitor: backup age', () => {
  const ages = () => lines.filter(({ event }) => event === 'backup.age');

  it('→ a line for each instance, the oldest first, and the oldest again in monitor.done', async () => {
    const { id } = seed({ end: at('11:10:00') });
    seed({ instance_id: DEMO_OTHER_INSTANCE.id, begin: at('05:00:00'), end: at('06:10:00') });
    await run(RUN, { MAX_BACKUP_AGE_OVERRIDES: `${DEMO_FAULTY_INSTANCE.id}=off` });
    const [, oldest, newest] = ages();
    expect(ages()).toHaveLength(3);
    expect(oldest).toMatchObject({
      level: 'info',
      instance_id: DEMO_OTHER_INSTANCE.id,
      instance_name: 'catalogue',
      hours: 6,
      last_backup_id: expect.any(String),
      ...ORIGIN,
    });
    expect(newest).toMatchObject({
      instance_id: DEMO_INSTANCE.id,
      instance_name: 'orders',
      hours: 1,
      last_backup_id: id,
    });
    expect(lines.at(-1)).toMatchObject({
      level: 'info',
      event: 'monitor.done',
      time: '2026-03-01T12:10:00.000Z',
      ...ORIGIN,
      backups: 2,
      instances: 3,
      completed: 0,
      failed: 0,
      stuck: 0,
      overdue: 0,
      unknown: 0,
      unreadable: 0,
      max_age_hours: expect.any(Number),
    });
  });

  it.each([
    ['the general limit', { MAX_BACKUP_AGE_HOURS: '2' }, 2],
    ['a limit of its own', { MAX_BACKUP_AGE_OVERRIDES: `${DEMO_INSTANCE.id}=2` }, 2],
    ['off', { MAX_BACKUP_AGE_HOURS: '2', MAX_BACKUP_AGE_OVERRIDES: `${DEMO_INSTANCE.id}=off` }, undefined],
  ])('older than %s → overdue once, unless it is off', async (_, env, limit) => {
    seed({ begin: at('09:00:00'), end: at('10:02:00') });
    for (const minute of ['05', '10', '15']) {
      time.advance(300_000);
      await run({ time: `2026-03-01T12:${minute}:00Z` }, env);
    }
    const overdue = aws.events.filter(({ detail }) => detail.instance_id === DEMO_INSTANCE.id);
    const event = { type: 'DDS Backup Overdue', time: at('12:02:00'), detail: { limit_hours: limit } };
    expect(overdue).toMatchObject(limit === undefined ? [] : [event]);
    const age = ages().find(({ instance_id }) => instance_id === DEMO_INSTANCE.id);
    expect(age?.limit_hours).toBe(limit);
  });

  it('instance without a backup → since its creation', async () => {
    emulator.state.setInstance({ ...DEMO_INSTANCE, createdAt: at('10:10:00').getTime() });
    await run();
    expect(ages().find(({ instance_id }) => instance_id === DEMO_INSTANCE.id)).toMatchObject({ hours: 2 });
  });

  it('repeated run → the age at the time of the run', async () => {
    seed({ end: at('11:10:00') });
    time.advance(5 * 24 * HOUR);
    await run();
    expect(ages().find(({ instance_id }) => instance_id === DEMO_INSTANCE.id)).toMatchObject({ hours: 1 });
  });

  it('DDS lists no instance → no figure: a missing one is an alarm', async () => {
    for (const { id } of DEMO_INSTANCES) emulator.state.removeInstance(id);
    await run();
    expect(ages()).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ event: 'monitor.done', instances: 0 });
    expect(lines.at(-1)).not.toHaveProperty('max_age_hours');
    expect(lines.at(-1)).not.toHaveProperty('max_age_instance_id');
  });
});

describe('monitor: record that cannot be read', () => {
  const unreadable = () => lines.filter(({ event }) => event === 'monitor.unreadable');

  it.each([
    ['no id', { id: undefined }, { list: 'backups', field: 'id' }],
    ['a name that is a number', { name: 7 }, { list: 'backups', id: 'b', field: 'name' }],
    ['no instance', { instance_id: null }, { list: 'backups', id: 'b', field: 'instance_id' }],
    ['no begin', { begin_time: '' }, { list: 'backups', id: 'b', field: 'begin_time' }],
    ['a begin in the future', { begin_time: '2026-03-01 12:13:00' }, { list: 'backups', id: 'b', field: 'begin_time' }],
  ])('backup with %s → skipped and logged, the others are published', async (_, fields, line) => {
    const { id } = seed();
    const [good] = emulator.backups;
    const backups = [{ ...good, id: 'b', ...fields }, good];
    emulator.faults.next({ kind: 'json', body: { backups }, operation: 'list-backups' });
    await run();
    expect(aws.events.map(({ detail }) => detail.id)).toEqual([`${id}-completed`]);
    expect(unreadable()).toMatchObject([{ level: 'error', event: 'monitor.unreadable', ...line }]);
    expect(lines.at(-1)).toMatchObject({ event: 'monitor.done', unreadable: 1 });
  });

  it('instance without a time of creation and without a backup → an unknown age, first in the list', async () => {
    const created = DEMO_INSTANCES.map(({ id, name }) =>
      id === DEMO_INSTANCE.id ? { id, name } : { id, name, created: '2026-03-01T11:10:00' },
    );
    emulator.faults.next({ kind: 'json', body: { instances: created }, operation: 'list-instances' });
    await run();
    const { id: instance_id } = DEMO_INSTANCE;
    expect(unreadable()).toMatchObject([{ list: 'instances', id: instance_id, field: 'created' }]);
    const [first, second] = lines.filter(({ event }) => event === 'backup.age');
    expect(first).toMatchObject({ instance_id, instance_name: 'orders' });
    expect(first).not.toHaveProperty('hours');
    expect(second).toMatchObject({ hours: 1 });
    expect(lines.at(-1)).toMatchObject({ event: 'monitor.done', unreadable: 1, max_age_hours: 1 });
  });
});

describe('monitor: event', () => {
  it.each([
    ['null', null],
    ['text', '2026-03-01T12:10:00Z'],
    ['a list', ['2026-03-01T12:10:00Z']],
    ['nothing', {}],
    ['a time that is null', { time: null }],
    ['a time that is a number', { time: 1772367000 }],
    ['a time that is a day', { time: '2026-03-01' }],
    ['a time without its zone', { time: '2026-03-01T12:10:00' }],
    ['what the scheduler failed to fill in', { time: '<aws.scheduler.scheduled-time>' }],
    ['a time whose window is not over', { time: '2026-03-01T12:15:03Z' }],
  ])('%s → InvalidRequest, and DDS is not asked', async (_, event) => {
    await expect(run(event)).rejects.toMatchObject({ name: 'InvalidRequest' });
    expect(emulator.requests).toEqual([]);
    expect(lines).toMatchObject([{ level: 'error', event: 'monitor.failed', reason: 'InvalidRequest' }]);
  });

  it.each(['2026-03-01T12:15:02Z', '2026-03-01T13:15:02+01:00', '2026-02-20T00:00:00.123Z'])(
    'time %s → a run of that time',
    async (text) => {
      await run({ time: text });
      expect(monitorLines()).toMatchObject([{ event: 'monitor.done', time: new Date(text).toISOString() }]);
    },
  );
});

describe('monitor: failure', () => {
  it.each(['list-instances', 'list-backups'] as const)(
    '%s is refused → one line, and nothing is published',
    async (operation) => {
      seed();
      emulator.faults.decide = () => ({ kind: 'error', ...refusals.permissionDenied, operation });
      await expect(run()).rejects.toMatchObject({ name: 'CredentialsRefused' });
      expect(aws.events).toEqual([]);
      expect(lines).toMatchObject([
        { level: 'error', event: 'monitor.failed', time: RUN.time, reason: 'CredentialsRefused', dds_status: 403 },
      ]);
    },
  );

  it.each([
    ['is throttled', { kind: 'error', ...refusals.systemBusy }],
    ['is faulty', { kind: 'html', status: 503 }],
    ['breaks off', { kind: 'truncated' }],
    ['resets the connection', { kind: 'reset', when: 'before' }],
  ] as const)('DDS %s for a moment → retried, and not logged', async (_, fault) => {
    seed();
    emulator.faults.next(fault, fault, { ...fault, operation: 'list-backups' });
    await run();
    expect(aws.events).toHaveLength(1);
    expect(monitorLines()).toMatchObject([{ event: 'monitor.done' }]);
    expect(time.waits).toHaveLength(3);
  });

  it('DDS is faulty all the time → fails before the time is up', async () => {
    emulator.faults.decide = () => ({ kind: 'html', status: 503 });
    await expect(run()).rejects.toMatchObject({ name: 'DdsUnavailable' });
    const spent = time.waits.reduce((sum, wait) => sum + wait, 0);
    expect(spent).toBeGreaterThan(40_000);
    expect(spent).toBeLessThanOrEqual(50_000);
    expect(monitorLines()).toMatchObject([{ event: 'monitor.failed' }]);
  });

  it('bus refuses → everything is logged, the run fails, and its repetition publishes the same', async () => {
    for (let i = 0; i < 12; i++) seed({ name: `backup-${i}` });
    aws.decide = ({ body }) =>
      Array.isArray(body.Entries) && body.Entries.length < 10
        ? { kind: 'refuse', entries: { 0: 'ThrottlingException', 1: 'ThrottlingException' } }
        : undefined;
    await expect(run()).rejects.toMatchObject({ name: 'PublishFailed' });
    expect(lines.map(({ event }) => event)).toEqual([
      ...Array.from({ length: 12 }, () => 'backup.completed'),
      ...DEMO_INSTANCES.map(() => 'backup.age'),
      'monitor.done',
      'monitor.failed',
    ]);
    const message = expect.stringContaining('orders');
    expect(lines.at(-1)).toMatchObject({ level: 'error', time: RUN.time, reason: 'PublishFailed', message });
    const first = [...aws.events];
    expect(first).toHaveLength(10);
    aws.decide = () => undefined;
    await run();
    expect(aws.events.slice(first.length)).toMatchObject([...first, {}, {}]);
    expect(lines.at(-1)).toMatchObject({ event: 'monitor.done', completed: 12 });
  });

  it('bus refuses the signature → the name of the error, and not its text', async () => {
    seed();
    const message = 'the canonical string: x-amz-security-token:secret';
    aws.decide = () => ({ kind: 'error', status: 400, type: 'InvalidSignatureException', message });
    await expect(run()).rejects.toMatchObject({
      name: 'PublishFailed',
      message: 'The event bus orders: AWS answered 400 InvalidSignatureException.',
    });
    expect(JSON.stringify(lines)).not.toContain('canonical');
  });

  it('bus never answers → ends half a second before Lambda would end it', async () => {
    seed();
    const service = awsService({
      env: { ...environment(emulator), EVENT_BUS: 'orders' },
      publish: () => new Promise(() => {}),
      timing: { ...time, random: () => 1 },
      reserveMillis: 0,
    });
    await expect(monitorHandler(service)(RUN, lambdaContext(1500))).rejects.toMatchObject({
      name: 'UpstreamTimeout',
      message: 'No time is left.',
    });
    expect(monitorLines()).toMatchObject([
      { event: 'monitor.done', completed: 1 },
      { level: 'error', event: 'monitor.failed', reason: 'UpstreamTimeout' },
    ]);
  });

  it.each([
    ['EVENT_BUS', { EVENT_BUS: '' }],
    ['STUCK_AFTER_HOURS', { STUCK_AFTER_HOURS: 'twelve' }],
    ['MAX_BACKUP_AGE_OVERRIDES', { MAX_BACKUP_AGE_OVERRIDES: 'orders,, catalogue' }],
    ['MAX_BACKUP_AGE_OVERRIDES', { MAX_BACKUP_AGE_OVERRIDES: 'orders=on' }],
    ['OTC_SDK_PROJECT_ID', { OTC_SDK_PROJECT_ID: '' }],
  ])('%s is wrong → ConfigurationError that names it, and DDS is not asked', async (name, env) => {
    await expect(run(RUN, env)).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining(name),
    });
    expect(emulator.requests).toEqual([]);
    expect(monitorLines()).toMatchObject([{ event: 'monitor.failed', reason: 'ConfigurationError' }]);
  });
});

it('monitor: 1,000 backups of an hour → a request for each hundred, and few others', async () => {
  const end = at('11:30:00');
  for (let i = 0; i < 1000; i++)
    seed({ name: `backup-${i}`, begin: new Date(at('11:00:00').getTime() - i * 1000), end });
  await run();
  expect(emulator.requests.length).toBeLessThanOrEqual(30);
  expect(lines.at(-1)).toMatchObject({ event: 'monitor.done', backups: 1000 });
});
