import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import type { SeededBackup } from '../emulator/dds/records.ts';
import { refusals } from '../emulator/dds/refusals.ts';
import { DEMO_FAULTY_INSTANCE, DEMO_INSTANCE, DEMO_INSTANCES, DEMO_OTHER_INSTANCE } from '../emulator/dds/seed.ts';
import { type Announcement, eventBusAnnouncer } from '../lib/lambda/announce.ts';
import { watchService } from '../lib/lambda/watch-service.ts';
import { environment } from '../test/support/emulated.ts';
import { eventBuses, takesAll } from '../test/support/event-bus.ts';
import { lambdaContext, sample } from '../test/support/lambda.ts';
import { logLines } from '../test/support/log-lines.ts';
import { virtualTime } from '../test/support/virtual-time.ts';
import { watchHandler } from './watch.ts';

const HOUR = 3_600_000;
const RUN = sample('watch');

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
beforeEach(async () => {
  time = virtualTime('2026-03-01T12:10:02Z');
  emulator = await startEmulator({ clock: time.now });
});
afterEach(() => emulator.close());
const lines = logLines();
const startBus = eventBuses();

/** The bus that `run` announces on, where a test hands in none of its own. */
let announced: Announcement[];
beforeEach(() => {
  announced = [];
});

function run(event: unknown = RUN, env: Record<string, string> = {}, bus?: Awaited<ReturnType<typeof startBus>>) {
  const end = time.now().getTime() + 60_000;
  const settings = { ...environment(emulator), EVENT_BUS: 'orders', ...env };
  const service = watchService({
    env: settings,
    announce: bus ? eventBusAnnouncer(settings, bus.client) : async (all) => void announced.push(...all),
    now: time.now,
    wait: time.wait,
    random: () => 1,
  });
  return watchHandler(service)(
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
const ended = () => lines.filter(({ event }) => /^backup\.(completed|failed|stuck|unknown)$/.test(String(event)));
const done = () => lines.filter(({ event }) => String(event).startsWith('watch.'));

describe('a backup that ended in the window', () => {
  it.each([
    ['manual', 'Manual'],
    ['Manual', 'Manual'],
    ['auto', 'Auto'],
    ['Auto', 'Auto'],
  ] as const)('of type %s is announced with all that is known of it, and logged', async (type, normal) => {
    const { id } = seed({ type });
    const bus = await startBus();
    await run(RUN, {}, bus);
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
    expect(bus.events()).toEqual([{ announced: 'DDS Backup Completed', ...detail }]);
    expect(bus.requests[0]?.Entries[0]).toMatchObject({
      EventBusName: 'orders',
      Source: 'dds-backup-trigger',
      Time: at('12:03:00').getTime() / 1000,
    });
    expect(ended()).toEqual([{ level: 'info', event: 'backup.completed', ...detail }]);
  });

  it('and failed is announced so, without a size, and logged as an error', async () => {
    const { id } = seed({ outcome: 'FAILED' });
    await run();
    const detail = { id: `${id}-failed`, backup_id: id, ended_at: '2026-03-01T12:03:00Z', duration_seconds: 3780 };
    expect(announced).toMatchObject([{ type: 'DDS Backup Failed', time: at('12:03:00'), detail }]);
    expect(announced[0]?.detail).not.toHaveProperty('size_kb');
    expect(ended()).toMatchObject([{ level: 'error', event: 'backup.failed', ...detail }]);
  });

  it('and is being deleted is announced as neither, and logged as unknown', async () => {
    emulator.state.beginDeletion(seed());
    await run();
    expect(announced).toEqual([]);
    expect(ended()).toMatchObject([{ level: 'warn', event: 'backup.unknown', name: 'nightly' }]);
  });

  it('is announced by this run and by no other, whoever asked for it, and whatever became of its instance', async () => {
    seed({ type: 'Manual' });
    emulator.state.removeInstance(DEMO_INSTANCE.id);
    for (const minute of ['00', '05', '10', '15', '20']) {
      time.advance(300_000);
      await run({ time: `2026-03-01T12:${minute}:00Z` });
    }
    expect(announced).toHaveLength(1);
  });

  it('is announced after those that ended before it', async () => {
    seed({ name: 'second', end: at('12:04:00'), begin: at('10:00:00') });
    seed({ name: 'first', end: at('12:03:00'), begin: at('09:00:00') });
    seed({ name: 'third', end: at('12:05:00'), begin: at('11:00:00') });
    seed({ name: 'of the run before', end: at('12:00:00') });
    seed({ name: 'of the next run', end: at('12:05:01') });
    await run();
    expect(announced.map(({ detail }) => detail.name)).toEqual(['first', 'second', 'third']);
  });
});

describe('a backup that takes too long', () => {
  it('is announced once, when it has taken 12 hours', async () => {
    const { id } = seed({ begin: at('00:02:00'), end: at('20:00:00') });
    for (const minute of ['05', '10', '15', '20', '25']) {
      time.advance(300_000);
      await run({ time: `2026-03-01T12:${minute}:00Z` });
    }
    const detail = { id: `${id}-stuck`, backup_id: id, began_at: '2026-03-01T00:02:00Z', limit_hours: 12 };
    expect(announced).toMatchObject([{ type: 'DDS Backup Stuck', time: at('12:02:00'), detail }]);
    expect(ended()).toMatchObject([{ level: 'error', event: 'backup.stuck', ...detail }]);
  });

  it('is announced the same by a run that comes when it has ended', async () => {
    seed({ begin: at('00:02:00'), end: at('20:00:00') });
    await run();
    time.advance(3 * 24 * HOUR);
    await run();
    expect(announced).toHaveLength(2);
    expect(announced[1]).toEqual(announced[0]);
  });

  it('is one that takes longer than the environment says', async () => {
    seed({ begin: at('11:32:00'), end: at('20:00:00') });
    await run(RUN, { STUCK_AFTER_HOURS: '0.5' });
    expect(announced).toMatchObject([{ type: 'DDS Backup Stuck', time: at('12:02:00'), detail: { limit_hours: 0.5 } }]);
  });
});

describe('a backup that failed at a time that DDS does not tell', () => {
  it('is announced as failed when it would have been stuck', async () => {
    seed({ outcome: 'FAILED', begin: at('00:02:00') });
    const [failed] = emulator.backups.map(({ end_time: _, ...rest }) => rest);
    emulator.faults.decide = ({ operation }) =>
      operation === 'list-backups' ? { kind: 'json', body: { backups: [failed], total_count: 1 } } : undefined;
    await run();
    expect(announced).toMatchObject([{ type: 'DDS Backup Failed', time: at('12:02:00') }]);
    expect(announced[0]?.detail).not.toHaveProperty('ended_at');
    expect(announced[0]?.detail).not.toHaveProperty('duration_seconds');
  });
});

describe('a run that is repeated', () => {
  it('days later says the same of every backup, whatever ran in between', async () => {
    seed();
    seed({ name: 'failed', outcome: 'FAILED' });
    seed({ name: 'stuck', begin: at('00:02:00'), end: at('20:00:00') });
    await run();
    const first = announced.splice(0);
    time.advance(10 * 24 * HOUR);
    await run({ time: time.now().toISOString() });
    expect(announced).toEqual([]);
    await run();
    expect(announced).toEqual(first);
    expect(first).toHaveLength(3);
  });

  it('with others before and after it says each thing exactly once, however the backups ended', async () => {
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
        announced = [];
        for (let minute = 5; minute <= 60; minute += 5)
          await run(
            { time: new Date(at('12:00:00').getTime() + minute * 60_000).toISOString() },
            { STUCK_AFTER_HOURS: '0.5' },
          );
        const [from, to] = [at('11:55:00').getTime(), at('12:55:00').getTime()];
        const isSeen = (millis: number) => millis > from && millis <= to;
        const expected = emulator.backups.flatMap(({ id, begin_time, end_time, status }) => {
          const [began, end] = [Date.parse(`${begin_time}Z`), Date.parse(`${end_time}Z`)];
          const stuck = began + HOUR / 2;
          return [
            ...(isSeen(end) ? [`${id}-${status.toLowerCase()}`] : []),
            ...(isSeen(stuck) && end > stuck ? [`${id}-stuck`] : []),
          ];
        });
        expect(announced.map(({ detail }) => detail.id).sort()).toEqual(expected.sort());
      }),
      { numRuns: 15 },
    );
  });
});

describe('freshness', () => {
  const freshness = () => lines.filter(({ event }) => event === 'backup.freshness');

  it('is a line for every instance, the least fresh first, and its worst in the last line of all', async () => {
    const { id } = seed({ end: at('11:10:00') });
    seed({ instance_id: DEMO_OTHER_INSTANCE.id, begin: at('05:00:00'), end: at('06:10:00') });
    await run(RUN, { FRESHNESS_IGNORES: DEMO_FAULTY_INSTANCE.id });
    expect(freshness()).toEqual([
      {
        level: 'info',
        event: 'backup.freshness',
        instance_id: DEMO_OTHER_INSTANCE.id,
        instance_name: 'catalogue',
        hours: 6,
        last_backup_id: expect.any(String),
      },
      {
        level: 'info',
        event: 'backup.freshness',
        instance_id: DEMO_INSTANCE.id,
        instance_name: 'orders',
        hours: 1,
        last_backup_id: id,
      },
    ]);
    expect(lines.at(-1)).toEqual({
      level: 'info',
      event: 'watch.done',
      time: RUN.time,
      duration_ms: expect.any(Number),
      backups: 2,
      instances: 3,
      completed: 0,
      failed: 0,
      stuck: 0,
      unknown: 0,
      worst_hours: 6,
      worst_instance_id: DEMO_OTHER_INSTANCE.id,
    });
  });

  it('of an instance without a backup counts from its creation', async () => {
    emulator.state.setInstance({ ...DEMO_INSTANCE, createdAt: at('10:10:00').getTime() });
    await run();
    expect(freshness().find(({ instance_id }) => instance_id === DEMO_INSTANCE.id)).toMatchObject({ hours: 2 });
  });

  it('is as of the time of the run, not of its repetition', async () => {
    seed({ end: at('11:10:00') });
    time.advance(5 * 24 * HOUR);
    await run();
    expect(freshness().find(({ instance_id }) => instance_id === DEMO_INSTANCE.id)).toMatchObject({ hours: 1 });
  });

  it('is no figure where DDS lists no instance: the alarm takes silence for bad news', async () => {
    for (const { id } of DEMO_INSTANCES) emulator.state.removeInstance(id);
    await run();
    expect(freshness()).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ event: 'watch.done', instances: 0 });
    expect(lines.at(-1)).not.toHaveProperty('worst_hours');
    expect(lines.at(-1)).not.toHaveProperty('worst_instance_id');
  });

  it('is 0 where every instance is left out on purpose', async () => {
    await run(RUN, { FRESHNESS_IGNORES: DEMO_INSTANCES.map(({ id }) => id).join(',') });
    expect(freshness()).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ event: 'watch.done', instances: 3, worst_hours: 0 });
  });
});

describe('an event', () => {
  it.each([
    ['null', null],
    ['text', '2026-03-01T12:10:00Z'],
    ['a list', ['2026-03-01T12:10:00Z']],
    ['nothing', {}],
    ['no time', { time: null }],
    ['a number', { time: 1772367000 }],
    ['a day', { time: '2026-03-01' }],
    ['a time without its zone', { time: '2026-03-01T12:10:00' }],
    ['what the scheduler failed to fill in', { time: '<aws.scheduler.scheduled-time>' }],
    ['a time whose window is not over', { time: '2026-03-01T12:15:03Z' }],
  ])('that is %s is InvalidRequest, and nobody hears of it', async (_, event) => {
    await expect(run(event)).rejects.toMatchObject({ name: 'InvalidRequest' });
    expect(emulator.requests).toEqual([]);
    expect(lines).toMatchObject([{ level: 'error', event: 'watch.failed', error: 'InvalidRequest' }]);
  });

  it.each(['2026-03-01T12:15:02Z', '2026-03-01T13:15:02+01:00', '2020-01-01T00:00:00.123Z'])(
    'of the time %s is taken',
    async (text) => {
      await run({ time: text });
      expect(done()).toMatchObject([{ event: 'watch.done', time: text }]);
    },
  );
});

describe('a run that fails', () => {
  it.each(['list-instances', 'list-backups'] as const)(
    'at %s says so in one line, and announces nothing',
    async (operation) => {
      seed();
      emulator.faults.decide = () => ({ kind: 'error', ...refusals.permissionDenied, operation });
      await expect(run()).rejects.toMatchObject({ name: 'DdsRejected' });
      expect(announced).toEqual([]);
      expect(lines).toMatchObject([
        { level: 'error', event: 'watch.failed', time: RUN.time, error: 'DdsRejected', dds_status: 403 },
      ]);
    },
  );

  it.each([
    ['is throttled', { kind: 'error', ...refusals.systemBusy }],
    ['has a fault', { kind: 'html', status: 503 }],
    ['breaks off', { kind: 'truncated' }],
    ['resets the connection', { kind: 'reset', when: 'before' }],
  ] as const)('because DDS %s tries again and says nothing of it', async (_, fault) => {
    seed();
    emulator.faults.next(fault, fault, { ...fault, operation: 'list-backups' });
    await run();
    expect(announced).toHaveLength(1);
    expect(done()).toMatchObject([{ event: 'watch.done' }]);
    expect(time.waits).toHaveLength(3);
  });

  it('for as long as it may ends in time to be seen', async () => {
    emulator.faults.decide = () => ({ kind: 'html', status: 503 });
    await expect(run()).rejects.toMatchObject({ name: 'UpstreamInvalid' });
    const spent = time.waits.reduce((sum, wait) => sum + wait, 0);
    expect(spent).toBeGreaterThan(40_000);
    expect(spent).toBeLessThanOrEqual(50_000);
    expect(done()).toMatchObject([{ event: 'watch.failed' }]);
  });

  it('because the bus refuses logs no outcome, and repeats the same events with the same ids', async () => {
    for (let i = 0; i < 12; i++) seed({ name: `backup-${i}` });
    let refusing = true;
    const bus = await startBus((request) =>
      refusing && request.Entries.length < 10
        ? { FailedEntryCount: 1, Entries: [{ ErrorCode: 'ThrottlingException' }] }
        : takesAll(request),
    );
    await expect(run(RUN, {}, bus)).rejects.toMatchObject({ name: 'AnnouncementFailed' });
    expect(lines).toMatchObject([
      {
        level: 'error',
        event: 'watch.failed',
        error: 'AnnouncementFailed',
        message: expect.stringContaining('orders'),
      },
    ]);
    refusing = false;
    const first = bus.events();
    await run(RUN, {}, bus);
    expect(bus.events().slice(first.length)).toEqual(first);
    expect(ended()).toHaveLength(12);
  });

  it('because the bus does not let it in tells the name of the error and not its text', async () => {
    seed();
    const bus = await startBus(
      () => ({ __type: 'InvalidSignatureException', message: 'the canonical string: x-amz-security-token:secret' }),
      400,
    );
    await expect(run(RUN, {}, bus)).rejects.toMatchObject({
      name: 'AnnouncementFailed',
      message: 'The event bus was not reached (InvalidSignatureException).',
    });
    expect(JSON.stringify(lines)).not.toContain('canonical');
  });

  it('because the bus never answers ends half a second before Lambda would cut it off', async () => {
    seed();
    const service = watchService({
      env: { ...environment(emulator), EVENT_BUS: 'orders' },
      announce: () => new Promise(() => {}),
      now: time.now,
      reserveMillis: 0,
    });
    await expect(watchHandler(service)(RUN, lambdaContext(700))).rejects.toMatchObject({
      name: 'UpstreamTimeout',
      message: 'The time is up.',
    });
    expect(lines).toMatchObject([{ level: 'error', event: 'watch.failed', error: 'UpstreamTimeout' }]);
  });

  it.each([
    ['EVENT_BUS', { EVENT_BUS: '' }],
    ['STUCK_AFTER_HOURS', { STUCK_AFTER_HOURS: 'twelve' }],
    ['FRESHNESS_IGNORES', { FRESHNESS_IGNORES: 'orders,, catalogue' }],
    ['OTC_SDK_PROJECT_ID', { OTC_SDK_PROJECT_ID: '' }],
  ])('because %s is wrong names it, even where there is nothing to announce', async (name, env) => {
    await expect(run(RUN, env)).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining(name),
    });
    expect(emulator.requests).toEqual([]);
    expect(done()).toMatchObject([{ event: 'watch.failed', error: 'ConfigurationError' }]);
  });
});

it('a project of 1,000 backups is read in as few requests as it takes', async () => {
  for (let i = 0; i < 1000; i++) seed({ name: `backup-${i}`, begin: new Date(at('11:00:00').getTime() - i * 1000) });
  await run();
  expect(emulator.requests.map(({ operation }) => operation)).toEqual([
    'list-instances',
    ...Array.from({ length: 11 }, () => 'list-backups'),
  ]);
  expect(announced).toHaveLength(1000);
});
