import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startEmulator } from '../../emulator/dds/emulator.ts';
import type { Instance, SeededBackup } from '../../emulator/dds/records.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import { DEMO_CREDENTIALS, DEMO_PROJECT_ID } from '../../emulator/dds/seed.ts';
import type { Settings } from '../../emulator/dds/settings.ts';
import { type Carry, directDds } from '../../test/simulation/direct-dds.ts';
import { createWorld, instanceOf } from '../../test/simulation/world.ts';
import { ddsClient } from '../dds/client.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts';
import { type BackupEvent, type MonitorPolicy, type MonitorRun, monitorOf } from './monitor.ts';

const RUN = Date.parse('2026-03-01T12:10:00Z');
const RUN_INTERVAL = 5 * MINUTE;
const CREATED = Date.parse('2025-01-01T00:00:00Z');
const POLICY: MonitorPolicy = {
  stuckAfterHours: 12,
  maxBackupAgeHours: 26,
  overrides: new Map(),
  backupAgeOf: 'any',
  reportMinute: 6 * 60,
};
const BUDGET = { timeLeft: () => 50 * SECOND };

const at = (text: string) => new Date(`2026-03-01T${text}Z`);
const ids = (count: number) => Array.from({ length: count }, (_, i) => `instance-${String(i).padStart(3, '0')}`);
const instances = (count: number): readonly Instance[] => ids(count).map((id) => instanceOf(id, CREATED));

interface Given extends Partial<Settings> {
  readonly instances?: readonly Instance[];
  readonly backups?: readonly SeededBackup[];
  readonly policy?: Partial<MonitorPolicy>;
  readonly carry?: Carry;
}

/** A monitor of a project, and a run of it at any time; the clock is then two seconds later. */
function given({ instances: some = instances(1), backups = [], policy = {}, carry, ...settings }: Given = {}) {
  let millis = RUN + 2 * SECOND;
  const now = () => new Date(millis);
  const world = createWorld({ now, instances: some, ...settings });
  world.state.seedBackups(backups);
  const requests: string[] = [];
  const dds = directDds({
    ...world,
    timing: { now, wait: async () => {}, random: () => 0 },
    carry: (operation, perform) => {
      requests.push(operation);
      return carry ? carry(operation, perform) : Promise.resolve(perform());
    },
  });
  const monitor = monitorOf({ dds, now, policy: { ...POLICY, ...policy } });
  return {
    ...world,
    requests,
    run: (time: number | Date = RUN): Promise<MonitorRun> => {
      millis = Math.max(millis, Number(time) + 2 * SECOND);
      return monitor(new Date(time), BUDGET);
    },
  };
}

const ONE = 'instance-000';
const backup = (more: Partial<SeededBackup> = {}): SeededBackup => ({
  name: 'nightly',
  instance_id: ONE,
  type: 'Manual',
  begin: at('11:00:00'),
  end: at('12:03:00'),
  ...more,
});
const namesOf = (events: readonly BackupEvent[]) => events.map(({ kind, detail }) => [kind, detail.id]);
const overdueIn = (run: MonitorRun) => run.events.filter(({ kind }) => kind === 'overdue');

describe('monitor: requests', () => {
  it('1,000 and 100,000 stored backups of 50 instances → the same number of requests', async () => {
    const counts: number[] = [];
    for (const stored of [1000, 100_000]) {
      const clock = () => new Date(RUN + 2 * SECOND);
      await using emulator = await startEmulator({ clock, instances: instances(50) });
      for (const instance_id of ids(50)) {
        emulator.control.addBackups({
          backups: [backup({ instance_id, name: `recent-${instance_id}`, begin: at('01:00:00'), end: at('02:00:00') })],
          series: {
            name_prefix: `stored-${instance_id}`,
            count: stored / 50 - 1,
            everyMillis: HOUR,
            begin: new Date(RUN - 3 * DAY),
            instance_id,
            type: 'Manual',
          },
        });
      }
      const dds = ddsClient({
        endpoint: emulator.url,
        projectId: DEMO_PROJECT_ID,
        credentials: async () => DEMO_CREDENTIALS,
        timing: { now: clock, wait: async () => {}, random: () => 0 },
        attemptMillis: 10 * SECOND,
      });
      const run = await monitorOf({ dds, now: clock, policy: POLICY })(new Date(RUN), BUDGET);
      expect(run).toMatchObject({ instances: 50, backups: 50 });
      counts.push(emulator.requests.length);
    }
    expect(counts[1]).toBe(counts[0]);
    expect(counts[0]).toBeLessThanOrEqual(20);
  });

  /** Answers come a second late, those of parallel requests at once. */
  function secondLate() {
    let millis = RUN;
    let open = 0;
    let most = 0;
    const timers: { at: number; fire: () => void }[] = [];
    const now = () => new Date(millis);
    const wait = (by: number) =>
      new Promise<void>((resolve) => void timers.push({ at: millis + by, fire: () => resolve() }));
    const carry: Carry = async (_, perform) => {
      most = Math.max(most, ++open);
      await wait(SECOND);
      open -= 1;
      return perform();
    };
    async function drive<T>(work: Promise<T>): Promise<T> {
      let done = false;
      const watched = work.finally(() => {
        done = true;
      });
      watched.catch(() => {});
      while (!done) {
        await setImmediate();
        const next = timers.sort((a, b) => a.at - b.at).shift();
        if (!next) continue;
        millis = next.at;
        next.fire();
      }
      return watched;
    }
    return { now, wait, carry, drive, most: () => most, millis: () => millis };
  }

  it.each([
    ['no backup', []],
    ['a backup of last week', ids(300).map((instance_id) => backup({ instance_id, begin: new Date(RUN - 7 * DAY) }))],
  ])(
    '300 instances with %s, a second for each answer → within 40 seconds, eight at a time beside the instances',
    async (_, backups) => {
      const time = secondLate();
      const world = createWorld({ now: time.now, instances: instances(300) });
      world.state.seedBackups(backups.map((one) => ({ ...one, name: `${one.name}-${one.instance_id}` })));
      const timing = { now: time.now, wait: time.wait, random: () => 0 };
      const dds = directDds({ ...world, timing, carry: time.carry });
      const run = await time.drive(monitorOf({ dds, now: time.now, policy: POLICY })(new Date(RUN), BUDGET));
      expect(run.instances).toBe(300);
      expect(time.millis() - RUN).toBeLessThanOrEqual(40 * SECOND);
      expect(time.most()).toBeLessThanOrEqual(9);
    },
  );

  it('300 instances without a recent backup → 60 questions a run, and all of them in five runs', async () => {
    const { run, requests } = given({ instances: instances(300) });
    const known = new Set<string>();
    for (let i = 0; i < 5; i++) {
      requests.length = 0;
      const { ages } = await run(RUN + i * RUN_INTERVAL);
      const asked = ages.filter(({ at_least }) => !at_least);
      expect(asked).toHaveLength(60);
      expect(requests.filter((operation) => operation === 'list-backups').length).toBeLessThanOrEqual(60 + 9);
      for (const { instance_id } of asked) known.add(instance_id);
    }
    expect(known.size).toBe(300);
  });

  it('200 backups that completed in one window → 60 questions about sizes at most', async () => {
    const begin = at('11:00:00');
    const backups = ids(200).map((instance_id) => backup({ instance_id, name: `nightly-${instance_id}`, begin }));
    const { run, requests } = given({ instances: instances(200), backups });
    const { events } = await run();
    expect(events).toHaveLength(200);
    expect(requests.length).toBeLessThan(2 * 60 + 30);
  });

  it('question that fails for good → no other is begun after it', async () => {
    const { run, requests } = given({
      instances: instances(60),
      carry: async (operation, perform) =>
        operation === 'list-backups' && requests.filter((one) => one === operation).length === 13
          ? refusals.permissionDenied
          : perform(),
    });
    await expect(run()).rejects.toMatchObject({ name: 'CredentialsRefused' });
    await setImmediate();
    expect(requests.filter((operation) => operation === 'list-backups').length).toBeLessThanOrEqual(12 + 8);
  });
});

describe('monitor: overdue', () => {
  /** The moments of the events of all runs in some days, by instance. */
  async function moments(project: Pick<ReturnType<typeof given>, 'run'>, days: number) {
    const found = new Map<string, number[]>();
    for (let time = RUN; time <= RUN + days * DAY; time += RUN_INTERVAL) {
      for (const { detail, time: moment } of overdueIn(await project.run(time)))
        found.set(detail.instance_id, [...(found.get(detail.instance_id) ?? []), moment.getTime()]);
    }
    return found;
  }

  it.each<[string, Partial<MonitorPolicy>, readonly number[]]>([
    ['the general limit', {}, [26, 50, 74]],
    ['a limit of its own', { overrides: new Map([[ONE, 48]]) }, [48, 72]],
    ['off', { overrides: new Map([[ONE, 'off']]) }, []],
    ['a limit beyond the horizon', { overrides: new Map([[ONE, 70]]) }, [70]],
  ])('%s → when the age crosses it, and every 24 hours', async (_, policy, hours) => {
    const project = given({ backups: [backup()], policy });
    const end = at('12:03:00').getTime();
    expect((await moments(project, 3.2)).get(ONE) ?? []).toEqual(hours.map((hour) => end + hour * HOUR));
  });

  it.each([
    ['any', 'Auto', undefined],
    ['manual', 'Auto', 30],
    ['manual', 'Manual', undefined],
  ] as const)('age of %s backups, a recent one of type %s → overdue since %s', async (backupAgeOf, type, hours) => {
    const backups = [
      backup({ name: 'recent', type, begin: at('05:00:00'), end: at('06:00:00') }),
      backup({ name: 'manual', begin: new Date(RUN - 31 * HOUR), end: new Date(RUN - 30 * HOUR - 6 * MINUTE) }),
    ];
    const { ages } = await given({ backups, policy: { backupAgeOf, maxBackupAgeHours: 26 } }).run();
    const [age] = ages;
    if (hours === undefined) expect(age?.hours).toBeLessThan(26);
    else expect(age?.hours).toBeCloseTo(hours + 0.1, 1);
  });

  it('two instances → an event for each', async () => {
    const backups = ids(2).map((instance_id) => backup({ instance_id, name: `n-${instance_id}` }));
    const found = await moments(given({ instances: instances(2), backups }), 1.3);
    expect([...found.keys()].sort()).toEqual(ids(2));
  });

  it('new backup → no further event', async () => {
    const project = given({ backups: [backup()] });
    const second = at('12:03:00').getTime() + 30 * HOUR;
    project.state.seedBackup(backup({ name: 'second', begin: new Date(second - HOUR), end: new Date(second) }));
    const found = await moments(project, 2);
    expect(found.get(ONE)).toEqual([at('12:03:00').getTime() + 26 * HOUR]);
  });

  it.each([
    ['120', 120, 26],
    ['130, with a limit beyond the horizon,', 130, 100],
  ])(
    '%s instances without a recent backup → each once in a day, although not all are asked in a run',
    async (_, count, limit) => {
      const spread = ids(count).map((id, i) => instanceOf(id, CREATED + i * 37 * MINUTE + 71 * SECOND));
      const found = await moments(given({ instances: spread, policy: { maxBackupAgeHours: limit } }), 1.1);
      expect(found.size).toBe(count);
      for (const all of found.values()) {
        const [first = 0, ...more] = new Set(all);
        expect(more).toEqual(more.length > 0 ? [first + DAY] : []);
      }
    },
    30_000,
  );
});

describe('monitor: suspicious size', () => {
  const before = (count: number, size: number, everyMillis = DAY) =>
    Array.from({ length: count }, (_, i) => {
      const begin = new Date(at('11:00:00').getTime() - (i + 1) * everyMillis);
      return backup({ name: `before-${i}`, size, begin, end: new Date(begin.getTime() + HOUR) });
    });

  it.each([
    ['0', 0, before(5, 1000), true],
    ['0, the first one,', 0, [], true],
    ['under a tenth of the median', 99, before(5, 1000), true],
    ['a tenth of the median', 100, before(5, 1000), undefined],
    ['usual, the first one,', 1, [], undefined],
    ['under a tenth of those of the last weeks', 99, before(5, 1000, 7 * DAY), true],
  ])('%s → %s of the event', async (_, size, others, suspicious_size) => {
    const { events } = await given({ backups: [...others, backup({ size })] }).run();
    expect(events).toHaveLength(1);
    const [event] = events;
    expect(event?.detail).toMatchObject({ size_kb: size });
    expect(event && 'suspicious_size' in event.detail ? event.detail.suspicious_size : undefined).toBe(suspicious_size);
  });
});

describe('monitor: what DDS lists oddly', () => {
  it.each(['upper', 'lower', 'capitalised'] as const)('status in %s case → the same events', async (statusCase) => {
    const backups = [
      backup({ outcome: 'FAILED', name: 'failed' }),
      backup({ name: 'stuck', begin: at('00:02:00'), end: new Date(RUN + DAY) }),
      backup({ name: 'completed', end: at('12:04:00') }),
    ];
    const { events } = await given({ backups, statusCase }).run();
    expect(events.map(({ kind }) => kind)).toEqual(['stuck', 'failed', 'completed']);
  });

  it.each([
    ['a begin in the future', { set: { begin_time: '2099-01-01 00:00:00' } }, 'begin_time'],
    ['an end in the future', { set: { end_time: '2099-01-01 00:00:00' } }, 'end_time'],
    ['no begin', { set: { begin_time: null } }, 'begin_time'],
    ['no id', { omit: ['id'] }, 'id'],
  ])('backup with %s → reported, and the others are published', async (_, override, field) => {
    const backups = [backup({ name: 'good' }), backup({ name: 'odd', override })];
    const { events, unreadable, ages } = await given({ backups }).run();
    expect(unreadable).toMatchObject([{ list: 'backups', field }]);
    expect(events.filter(({ kind }) => kind === 'completed')).toHaveLength(1);
    expect(ages[0]?.hours).toBeLessThan(2);
  });

  it('only backup begins in 2099 → it does not count, and the instance is overdue', async () => {
    const override = { set: { begin_time: '2099-01-01 00:00:00', end_time: '2099-01-01 01:00:00' } };
    const { ages, unreadable } = await given({ backups: [backup({ override })] }).run();
    expect(unreadable).not.toEqual([]);
    expect(ages[0]?.hours).toBeGreaterThan(26);
  });

  it('created in 2099, and no backup → unknown age, and reported', async () => {
    const { ages, unreadable } = await given({
      instances: [instanceOf(ONE, CREATED, { override: { set: { created: '2099-01-01T00:00:00' } } })],
    }).run();
    expect(unreadable).toEqual([{ list: 'instances', id: ONE, field: 'created' }]);
    expect(ages[0]).not.toHaveProperty('hours');
  });

  it.each([-15, -14, -8, -1, 0, 3, 8, 14])(
    "DDS's clock %i minutes ahead → every end in exactly one window",
    async (minutes) => {
      const clockSkewMillis = minutes * MINUTE;
      const skewed = (text: string) => new Date(at(text).getTime() + clockSkewMillis);
      const backups = Array.from({ length: 10 }, (_, i) =>
        backup({
          name: `failed-${i}`,
          outcome: 'FAILED',
          begin: skewed('11:00:00'),
          end: new Date(skewed('12:00:05').getTime() + i * 29 * SECOND),
        }),
      );
      const project = given({ backups, clockSkewMillis });
      const events = [];
      for (let time = RUN - HOUR; time <= RUN + HOUR; time += RUN_INTERVAL)
        events.push(...(await project.run(time)).events.filter(({ kind }) => kind === 'failed'));
      expect(new Set(events.map(({ detail }) => detail.id)).size).toBe(10);
      expect(events.length).toBeLessThanOrEqual(11);
      const { skewSeconds } = await project.run();
      expect(skewSeconds).toBeCloseTo(minutes * 60, -1);
    },
  );
});

describe('monitor: report', () => {
  const reportsOf = async (project: Pick<ReturnType<typeof given>, 'run'>, from: number, until: number) => {
    const reports = [];
    for (let time = from; time <= until; time += RUN_INTERVAL) {
      const { report } = await project.run(time);
      if (report) reports.push({ time, report });
    }
    return reports;
  };

  it.each([
    ['on the minute', 0],
    ['between two runs', 3 * MINUTE + 7 * SECOND],
  ])('runs whose times fall %s of the report time → one in 24 hours', async (_, phase) => {
    const start = Date.parse('2026-03-02T00:00:00Z') + phase;
    const reports = await reportsOf(given(), start, start + DAY - RUN_INTERVAL);
    expect(reports.map(({ report }) => report.day)).toEqual(['2026-03-02']);
    const [{ time } = { time: 0 }] = reports;
    const due = Date.parse('2026-03-02T06:00:00Z');
    expect(time).toBeGreaterThanOrEqual(due);
    expect(time).toBeLessThan(due + RUN_INTERVAL);
  });

  it('FAILED backup that DDS showed late → in the report, although no event came', async () => {
    const end = Date.parse('2026-03-01T14:00:00Z');
    const project = given({ backups: [backup({ name: 'late', outcome: 'COMPLETED', end: new Date(end) })] });
    const [listed] = project.state.backups();
    if (!listed) throw new Error('no backup');
    await project.run(end + 10 * MINUTE);
    project.state.changeBackups([listed], () => ({ outcome: 'FAILED' }));
    const { report, events } = await project.run(Date.parse('2026-03-02T06:00:00Z'));
    expect(events.filter(({ kind }) => kind === 'failed')).toEqual([]);
    expect(report?.failed).toMatchObject([{ backup_id: listed.id, name: 'late' }]);
  });
});

it('monitor: run that is repeated days later → the same events', async () => {
  const backups = [
    backup({ name: 'completed' }),
    backup({ name: 'failed', outcome: 'FAILED' }),
    backup({ name: 'stuck', begin: at('00:02:00'), end: at('20:00:00') }),
  ];
  const project = given({ backups });
  const first = await project.run();
  await project.run(RUN + 3 * DAY);
  const again = await project.run();
  expect(namesOf(again.events)).toEqual(namesOf(first.events));
});
