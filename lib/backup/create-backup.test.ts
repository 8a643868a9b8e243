import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE, DEMO_OTHER_INSTANCE, DEMO_PROJECT_ID } from '../../emulator/dds/seed.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { ddsClient } from '../dds/client.ts';
import { type BackupCreatorOptions, backupCreator } from './create-backup.ts';
import type { Trigger } from './trigger.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const INVOCATION = 30_000;
const instance_id = DEMO_INSTANCE.id;
const NAMED = { backup: { instance_id, name: 'before-migration', description: 'release 7' } };
const PREFIXED = { backup: { instance_id, name_prefix: 'nightly' } };

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
let failing = false;
beforeEach(async () => {
  time = virtualTime();
  failing = false;
  emulator = await startEmulator({
    clock: time.now,
    backupMillis: MINUTE,
    outcome: () => (failing ? 'FAILED' : 'COMPLETED'),
  });
});
afterEach(() => emulator.close());

/** One delivery of a trigger, with its own time to live. */
const deliver = (
  request: typeof NAMED | typeof PREFIXED,
  trigger: Trigger,
  options: Partial<BackupCreatorOptions> = {},
  firstBegan?: Date,
) => {
  const dds = ddsClient({
    endpoint: emulator.url,
    projectId: DEMO_PROJECT_ID,
    credentials: async () => DEMO_CREDENTIALS,
    now: time.now,
  });
  const end = time.now().getTime() + INVOCATION;
  const create = backupCreator({
    dds,
    now: time.now,
    random: () => 0.5,
    wait: time.wait,
    attemptMillis: 100,
    reserveMillis: 1000,
    ...options,
  });
  return create(request, trigger, { remainingMillis: () => end - time.now().getTime(), firstBegan });
};

const event = (id = 'event-1'): Trigger => ({ kind: 'event-bus', id, time: time.now() });
const webhook = (id = 'webhook-1'): Trigger => ({ kind: 'http', id });

const posts = () => emulator.requests.filter(({ operation }) => operation === 'create-backup');
const backups = () => emulator.backups.map(({ name, status }) => `${name} ${status}`);

describe('a trigger that is delivered once', () => {
  it('asks DDS for one backup, with the three documented fields only', async () => {
    const accepted = await deliver(NAMED, event());
    expect(accepted).toMatchObject({ kind: 'accepted', name: 'before-migration', attempts: 1 });
    expect(accepted.backup_id).toBe(emulator.backups[0]?.id);
    expect(posts()).toMatchObject([{ body: NAMED }]);
    expect(emulator.requests).toHaveLength(1);
  });

  it('derives the name from the trigger where the request gives a prefix', async () => {
    const { name } = await deliver(PREFIXED, event());
    expect(name).toMatch(/^nightly-20260301T120000Z-[0-9a-f]{12}$/);
    expect(posts()).toMatchObject([{ body: { backup: { instance_id, name } } }]);
    expect(Object.keys(posts()[0]?.body as object)).toEqual(['backup']);
  });
});

describe('an answer that is lost', () => {
  it.each([
    ['reset before the effect', { kind: 'reset', when: 'before' }],
    ['reset after the effect', { kind: 'reset', when: 'after' }],
    ['never given, without effect', { kind: 'hang', when: 'before' }],
    ['never given, with effect', { kind: 'hang', when: 'after' }],
    ['truncated', { kind: 'truncated' }],
    ['begun and never finished', { kind: 'stall' }],
    ['a page of some proxy', { kind: 'html', status: 502, when: 'after' }],
    ['empty', { kind: 'empty', when: 'after' }],
    ['throttled', { kind: 'error', ...refusals.tooManyCalls }],
    ['throttled by the gateway', { kind: 'error', ...refusals.throttled }],
    ['a busy system', { kind: 'error', ...refusals.systemBusy }],
    ['a server error', { kind: 'error', ...refusals.serverError }],
    ['a server error after the effect', { kind: 'error', ...refusals.serverError, when: 'after' }],
  ] as const)('is asked for again when it was %s: one backup', async (_, fault) => {
    for (const trigger of [event(), webhook()]) {
      emulator.faults.next(fault);
      const created = await deliver(PREFIXED, trigger);
      expect(created.attempts).toBe(2);
      expect(emulator.backups[0]).toMatchObject({ id: created.backup_id, status: 'BUILDING' });
      expect(emulator.backups).toHaveLength(1);
      await emulator.close();
      emulator = await startEmulator({ clock: time.now, backupMillis: MINUTE });
    }
  });

  it('is recognised under a name that the caller gave, too', async () => {
    emulator.faults.next({ kind: 'reset', when: 'after' });
    expect(await deliver(NAMED, event())).toMatchObject({
      kind: 'recognised',
      backup_id: emulator.backups[0]?.id,
      attempts: 2,
    });
    expect(backups()).toEqual(['before-migration BUILDING']);
  });

  it('is recognised when DDS checks the instance before the name', async () => {
    await emulator.close();
    emulator = await startEmulator({ clock: time.now, busyFirst: true });
    emulator.faults.next({ kind: 'reset', when: 'after' });
    expect(await deliver(NAMED, event())).toMatchObject({ kind: 'recognised' });
    expect(emulator.backups).toHaveLength(1);
  });

  it('is recognised when DDS then says no more than that it is not permitted', async () => {
    emulator.faults.next(
      { kind: 'reset', when: 'after' },
      { kind: 'error', ...refusals.notPermitted },
      { kind: 'error', ...refusals.notPermitted },
    );
    expect(await deliver(NAMED, event())).toMatchObject({ kind: 'recognised', attempts: 3 });
  });

  it('is recognised although the listing fails at first', async () => {
    emulator.faults.next(
      { kind: 'reset', when: 'after', operation: 'create-backup' },
      { kind: 'error', ...refusals.serverError, operation: 'list-backups' },
      { kind: 'hang', when: 'before', operation: 'list-backups' },
    );
    expect(await deliver(NAMED, event())).toMatchObject({ kind: 'recognised' });
  });

  it('is an error that says so when the time is up, and the next delivery finds the backup', async () => {
    emulator.faults.decide = () => ({ kind: 'hang', when: 'after' });
    const lost = deliver(PREFIXED, webhook());
    await expect(lost).rejects.toMatchObject({
      name: 'UpstreamTimeout',
      message: expect.stringContaining('may have been accepted'),
    });
    emulator.faults.clear();
    expect(await deliver(PREFIXED, webhook())).toMatchObject({
      kind: 'recognised',
      backup_id: emulator.backups[0]?.id,
    });
    expect(emulator.backups).toHaveLength(1);
  });

  it('is the error of the listing when that cannot be read: nobody knows whether the backup is there', async () => {
    emulator.faults.decide = ({ operation }) =>
      operation === 'list-backups' ? { kind: 'error', ...refusals.serverError } : undefined;
    await deliver(NAMED, event());
    await expect(deliver(NAMED, event())).rejects.toMatchObject({ name: 'DdsUnavailable' });
  });
});

describe('an answer that is lost before DDS refuses', () => {
  const lostThen = (refusal: keyof typeof refusals, when: 'before' | 'after') => {
    emulator.faults.next({ kind: 'reset', when });
    emulator.faults.decide = ({ operation }) =>
      operation === 'create-backup' ? { kind: 'error', ...refusals[refusal] } : undefined;
  };

  it.each(['tooManyCalls', 'throttled', 'systemBusy', 'serverError', 'permissionDenied', 'noSuchInstance'] as const)(
    'with %s finds the backup',
    async (refusal) => {
      lostThen(refusal, 'after');
      expect(await deliver(NAMED, event())).toMatchObject({ kind: 'recognised', backup_id: emulator.backups[0]?.id });
    },
  );

  it.each([
    ['tooManyCalls', 'Throttled'],
    ['permissionDenied', 'DdsRejected'],
    ['serverError', 'DdsUnavailable'],
  ] as const)('with %s is %s when the backup is not there', async (refusal, name) => {
    lostThen(refusal, 'before');
    await expect(deliver(NAMED, event())).rejects.toMatchObject({ name });
    expect(emulator.backups).toEqual([]);
  });

  it.each(['tooManyCalls', 'permissionDenied'] as const)(
    'with %s says that the backup may be there when nobody can tell',
    async (refusal) => {
      emulator.faults.next({ kind: 'reset', when: 'after' });
      emulator.faults.decide = () => ({ kind: 'error', ...refusals[refusal] });
      await expect(deliver(NAMED, event())).rejects.toMatchObject({
        name: 'UpstreamTimeout',
        message: expect.stringMatching(/cannot be read.*may have been accepted/),
        cause: expect.objectContaining({ code: refusals[refusal].error_code }),
      });
    },
  );
});

describe('waiting', () => {
  it('backs off with full jitter, doubling up to five seconds', async () => {
    emulator.faults.decide = () => ({ kind: 'error', ...refusals.serverError });
    await expect(deliver(NAMED, event())).rejects.toMatchObject({
      name: 'DdsUnavailable',
      message: expect.stringContaining('may have been accepted'),
      backup: { name: 'before-migration' },
    });
    expect(time.waits.slice(0, 7)).toEqual([100, 200, 400, 800, 1600, 2500, 2500]);
  });

  it('draws every wait anew, down to none', async () => {
    const draws = [0, 0.25, 0.999];
    emulator.faults.next(...draws.map(() => ({ kind: 'error', ...refusals.systemBusy }) as const));
    await deliver(NAMED, event(), { random: () => draws.shift() ?? 0 });
    expect(time.waits).toEqual([0, 100, 799.2]);
  });

  it('honours Retry-After', async () => {
    emulator.faults.next({ kind: 'error', ...refusals.tooManyCalls, headers: { 'retry-after': '7' } });
    await deliver(NAMED, event());
    expect(time.waits).toEqual([7100]);
  });

  it('does not begin a wait that outlasts the invocation', async () => {
    emulator.faults.next({ kind: 'error', ...refusals.tooManyCalls, headers: { 'retry-after': '29' } });
    await expect(deliver(NAMED, event())).rejects.toMatchObject({ name: 'Throttled', retryAfter: 29 });
    expect(time.waits).toEqual([]);
    expect(posts()).toHaveLength(1);
  });

  it('ends a second before the invocation does', async () => {
    const began = time.now().getTime();
    emulator.faults.decide = () => ({ kind: 'error', ...refusals.serverError });
    await expect(deliver(NAMED, event())).rejects.toThrow();
    const took = time.now().getTime() - began;
    expect(took).toBeLessThanOrEqual(INVOCATION - 1000);
    expect(took).toBeGreaterThan(INVOCATION - 1000 - 5000 - 250);
  });
});

describe('a clear refusal', () => {
  it.each(['noSuchInstance', 'parameterError', 'permissionDenied', 'authenticationFailed', 'noSuchApi'] as const)(
    '%s ends it with the first answer',
    async (refusal) => {
      emulator.faults.next({ kind: 'error', ...refusals[refusal] });
      await expect(deliver(NAMED, event())).rejects.toMatchObject({
        name: 'DdsRejected',
        code: refusals[refusal].error_code,
        message: expect.not.stringContaining('may have been accepted'),
        backup: { name: 'before-migration', attempts: 1 },
      });
      expect(emulator.requests).toHaveLength(1);
    },
  );

  it.each(['invalidRequest', 'notPermitted'] as const)(
    '%s, which may pass, ends it with the second',
    async (refusal) => {
      emulator.faults.decide = ({ operation }) =>
        operation === 'create-backup' ? { kind: 'error', ...refusals[refusal] } : undefined;
      await expect(deliver(NAMED, event())).rejects.toMatchObject({ name: 'DdsRejected' });
      expect(posts()).toHaveLength(2);
    },
  );

  it('that may pass is forgotten when the second try is accepted', async () => {
    emulator.faults.next({ kind: 'error', ...refusals.notPermitted });
    expect(await deliver(NAMED, event())).toMatchObject({ kind: 'accepted', attempts: 2 });
  });
});

describe('a busy instance', () => {
  it('is InstanceBusy, at once, when another backup runs', async () => {
    await deliver({ backup: { ...NAMED.backup, name: 'another' } }, event());
    await expect(deliver(NAMED, event())).rejects.toMatchObject({ name: 'InstanceBusy', code: 'DBS.201015' });
    expect(backups()).toEqual(['another BUILDING']);
    expect(time.waits).toEqual([]);
  });

  it('takes the event when it is delivered again later', async () => {
    await deliver({ backup: { ...NAMED.backup, name: 'another' } }, event());
    const busy = event('event-2');
    await expect(deliver(PREFIXED, busy)).rejects.toMatchObject({ name: 'InstanceBusy' });
    time.advance(2 * MINUTE);
    expect(await deliver(PREFIXED, busy)).toMatchObject({ kind: 'accepted' });
  });
});

describe('a trigger that is delivered again', () => {
  it.each([0, MINUTE / 2, 2 * MINUTE, 23 * 60 * MINUTE])(
    '%i ms later finds its backup, whatever the delivery',
    async (later) => {
      for (const trigger of [event(), webhook(), { kind: 'invoke', id: 'request-1' } as const]) {
        const first = await deliver(PREFIXED, trigger);
        time.advance(later);
        expect(await deliver(PREFIXED, trigger)).toEqual({
          kind: 'recognised',
          backup_id: first.backup_id,
          name: first.name,
          attempts: 1,
        });
        time.advance(DAY);
      }
      expect(emulator.backups).toHaveLength(3);
    },
  );

  it('finds its backup where DDS says no more than that the instance is busy, or that it is not permitted', async () => {
    const trigger = event();
    const { backup_id } = await deliver(PREFIXED, trigger);
    for (const refusal of ['instanceBusy', 'invalidRequest'] as const) {
      emulator.faults.decide = ({ operation }) =>
        operation === 'create-backup' ? { kind: 'error', ...refusals[refusal] } : undefined;
      expect(await deliver(PREFIXED, trigger)).toMatchObject({ kind: 'recognised', backup_id });
    }
  });

  it('finds its backup although the clock of DDS is 14 minutes behind', async () => {
    const late = { ...event(), time: new Date(time.now().getTime() - DAY) };
    const name = (await deliver(PREFIXED, late)).name;
    await emulator.close();
    emulator = await startEmulator({
      clock: time.now,
      backups: [{ name, instance_id, type: 'Manual', begin: new Date(late.time.getTime() - 14 * MINUTE) }],
    });
    expect(await deliver(PREFIXED, late)).toMatchObject({ kind: 'recognised' });
  });

  it('at the same time makes one backup', async () => {
    const trigger = event();
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => deliver(PREFIXED, trigger)));
    expect(new Set(outcomes.map(({ backup_id }) => backup_id)).size).toBe(1);
    expect(outcomes.filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
    expect(emulator.backups).toHaveLength(1);
  });

  it('finds its backup behind 1,000 newer ones', async () => {
    const trigger = webhook();
    const { backup_id } = await deliver(PREFIXED, trigger);
    time.advance(2 * 60 * MINUTE);
    for (let i = 1; i <= 1000; i++) {
      emulator.state.seedBackup({
        name: `newer-${i}`,
        instance_id,
        type: 'Manual',
        begin: new Date(time.now().getTime() - i * 1000),
        end: time.now(),
      });
    }
    expect(await deliver(PREFIXED, trigger)).toMatchObject({ kind: 'recognised', backup_id });
    expect(emulator.requests.filter(({ operation }) => operation === 'list-backups')).toHaveLength(11);
  });

  it('finds none in a backup that FAILED, and the message says so', async () => {
    failing = true;
    const trigger = event();
    await deliver(PREFIXED, trigger);
    time.advance(2 * MINUTE);
    await expect(deliver(PREFIXED, trigger)).rejects.toMatchObject({
      name: 'BackupNameTaken',
      message: expect.stringContaining('FAILED'),
    });
  });

  it('finds none in a backup that is being deleted', async () => {
    const trigger = event();
    await deliver(PREFIXED, trigger);
    time.advance(2 * MINUTE);
    const [record] = emulator.state.backups();
    if (record) emulator.state.beginDeletion(record);
    await expect(deliver(PREFIXED, trigger)).rejects.toMatchObject({ name: 'BackupNameTaken' });
  });

  it('does not succeed for ever under an id that never changes', async () => {
    await deliver(PREFIXED, webhook('constant'));
    time.advance(DAY + MINUTE);
    await expect(deliver(PREFIXED, webhook('constant'))).rejects.toMatchObject({ name: 'BackupNameTaken' });
    expect(emulator.backups).toHaveLength(1);
  });
});

describe('a backup that is listed under the name', () => {
  const listed = (fields: object) => ({
    id: 'b',
    name: NAMED.backup.name,
    instance_id,
    status: 'COMPLETED',
    begin_time: '2026-03-01 12:00:00',
    description: NAMED.backup.description,
    ...fields,
  });
  const deliverBeside = (backup: object) => {
    emulator.faults.next(
      { kind: 'error', ...refusals.nameTaken },
      { kind: 'json', body: { backups: [backup], total_count: 1 } },
    );
    return deliver(NAMED, event());
  };

  it('is ours when it is as we asked for it', async () => {
    expect(await deliverBeside(listed({}))).toMatchObject({ kind: 'recognised', backup_id: 'b' });
  });

  it.each([
    ['on another instance', { instance_id: DEMO_OTHER_INSTANCE.id }],
    ['without a description', { description: null }],
    ['with another description', { description: 'release 8' }],
    ['with another name', { name: 'Before-Migration' }],
    ['that FAILED', { status: 'FAILED' }],
    ['that is being deleted', { status: 'DISABLED' }],
    ['in a status that is not documented', { status: 'EXPIRED' }],
    ['from before', { begin_time: '2026-03-01 11:59:57' }],
    ['from a time that is none', { begin_time: 'yesterday' }],
  ])('is not ours %s', async (_, fields) => {
    await expect(deliverBeside(listed(fields))).rejects.toMatchObject({ name: 'BackupNameTaken' });
  });

  it('without a description is ours when we gave none, or an empty one', async () => {
    for (const backup of [
      { instance_id, name: 'plain' },
      { instance_id, name: 'plain', description: '' },
    ]) {
      emulator.faults.next(
        { kind: 'error', ...refusals.nameTaken },
        { kind: 'json', body: { backups: [listed({ name: 'plain', description: null })], total_count: 1 } },
      );
      expect(
        await deliver({ backup: { ...NAMED.backup, ...backup, description: backup.description ?? '' } }, event()),
      ).toMatchObject({ kind: 'recognised' });
    }
  });

  it('is not ours when DDS made it by itself', async () => {
    emulator.state.seedBackup({
      name: NAMED.backup.name,
      instance_id,
      type: 'Auto',
      begin: time.now(),
      description: NAMED.backup.description,
    });
    time.advance(2 * MINUTE);
    const late = { ...event(), time: new Date(time.now().getTime() - 2 * MINUTE) };
    await expect(deliver(NAMED, late)).rejects.toMatchObject({ name: 'BackupNameTaken' });
  });
});

it('an error that is none of ours passes as it is, and nothing is tried again', async () => {
  const bug = new TypeError('a bug');
  const dds = ddsClient({
    endpoint: emulator.url,
    projectId: 'p',
    credentials: () => Promise.reject(bug),
    now: time.now,
  });
  const create = backupCreator({
    dds,
    now: time.now,
    random: () => 0,
    wait: time.wait,
    attemptMillis: 40,
    reserveMillis: 0,
  });
  await expect(create(NAMED, event(), { remainingMillis: () => INVOCATION })).rejects.toBe(bug);
  expect(bug).not.toHaveProperty('backup');
  expect(time.waits).toEqual([]);
});

describe('a trigger whose time is ahead of our clock', () => {
  const ahead = (): Trigger => ({ ...event(), time: new Date(time.now().getTime() + 4 * MINUTE) });

  it.each([
    ['derived', PREFIXED],
    ['given', NAMED],
  ])('finds its backup under a %s name when the answer is lost', async (_, request) => {
    emulator.faults.next({ kind: 'truncated' });
    expect(await deliver(request, ahead())).toMatchObject({ kind: 'recognised', backup_id: emulator.backups[0]?.id });
  });

  it('finds its backup when it is delivered again', async () => {
    const trigger = ahead();
    const { backup_id } = await deliver(PREFIXED, trigger);
    for (const later of [MINUTE, 3 * 60 * MINUTE]) {
      time.advance(later);
      expect(await deliver(PREFIXED, trigger)).toMatchObject({ kind: 'recognised', backup_id });
    }
  });

  it.each([2, 400])('finds its backup although it is %i days ahead, as the bus lets its senders be', async (days) => {
    const trigger = { ...event(), time: new Date(time.now().getTime() + days * DAY) };
    const { backup_id } = await deliver(PREFIXED, trigger);
    time.advance(3 * 60 * MINUTE);
    expect(await deliver(PREFIXED, trigger)).toMatchObject({ kind: 'recognised', backup_id });
  });

  it('does not find a backup that was there before it', async () => {
    await deliver(NAMED, webhook());
    time.advance(3000);
    await expect(deliver(NAMED, ahead())).rejects.toMatchObject({ name: 'BackupNameTaken' });
  });
});

describe('a name that was given before', () => {
  it.each([3000, DAY, 30 * DAY])('is refused %i ms later: no new backup was taken', async (later) => {
    await deliver(NAMED, event('event-1'));
    for (const next of [() => event('event-2'), webhook, () => ({ kind: 'invoke', id: 'request-2' }) as const]) {
      time.advance(later);
      await expect(deliver(NAMED, next())).rejects.toMatchObject({ name: 'BackupNameTaken', code: 'DBS.201201' });
    }
    expect(emulator.backups).toHaveLength(1);
  });

  it('is refused without a word of failing', async () => {
    await deliver(NAMED, event());
    time.advance(3000);
    await expect(deliver(NAMED, event())).rejects.toMatchObject({ message: expect.not.stringContaining('FAILED') });
  });

  it('is refused to an event whose sender dates it back', async () => {
    await deliver(NAMED, event('event-1'));
    time.advance(2 * DAY);
    const dated = { ...event('event-2'), time: new Date(time.now().getTime() - 3 * DAY) };
    await expect(deliver(NAMED, dated)).rejects.toMatchObject({ name: 'BackupNameTaken' });
  });

  it('is refused with another description', async () => {
    const trigger = event();
    await deliver(NAMED, trigger);
    await expect(deliver({ backup: { ...NAMED.backup, description: 'release 8' } }, trigger)).rejects.toMatchObject({
      name: 'BackupNameTaken',
    });
    await expect(
      deliver({ backup: { instance_id, name: NAMED.backup.name, description: '' } }, trigger),
    ).rejects.toMatchObject({ name: 'BackupNameTaken' });
  });

  it('is refused on another instance', async () => {
    const trigger = event();
    await deliver(NAMED, trigger);
    const other = { backup: { ...NAMED.backup, instance_id: DEMO_OTHER_INSTANCE.id } };
    await expect(deliver(other, trigger)).rejects.toMatchObject({ name: 'BackupNameTaken' });
  });

  it('is recognised within two seconds: the clock of DDS tells no less', async () => {
    await deliver(NAMED, event());
    time.advance(2000);
    expect(await deliver(NAMED, event())).toMatchObject({ kind: 'recognised' });
    time.advance(1);
    await expect(deliver(NAMED, event())).rejects.toMatchObject({ name: 'BackupNameTaken' });
  });

  it('is recognised in any later delivery of an event whose time is known', async () => {
    const trigger = event();
    const { backup_id } = await deliver(NAMED, trigger);
    time.advance(3 * 60 * MINUTE);
    expect(await deliver(NAMED, trigger)).toMatchObject({ kind: 'recognised', backup_id });
  });
});

describe('a delivery that is not the first', () => {
  const began = () => new Date('2026-03-01T12:00:00Z');

  it.each([
    ['that the caller named', NAMED],
    ['that has a derived name', PREFIXED],
  ])('recognises the backup %s that the first one made, two days later', async (_, request) => {
    emulator.faults.decide = () => ({ kind: 'hang', when: 'after' });
    await expect(deliver(request, webhook())).rejects.toMatchObject({ name: 'UpstreamTimeout' });
    emulator.faults.clear();
    time.advance(2 * DAY);
    const recognised = await deliver(request, webhook(), {}, began());
    expect(recognised).toMatchObject({ kind: 'recognised', backup_id: emulator.backups[0]?.id });
    expect(emulator.backups).toHaveLength(1);
  });

  it('does not recognise a backup of that name that began before the first one', async () => {
    await deliver(NAMED, webhook('another'));
    time.advance(MINUTE);
    const later = new Date(began().getTime() + 3000);
    await expect(deliver(NAMED, webhook(), {}, later)).rejects.toMatchObject({ name: 'BackupNameTaken' });
  });
});
