import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../emulator/dds/emulator.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE, DEMO_OTHER_INSTANCE, DEMO_PROJECT_ID } from '../../emulator/dds/seed.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { ddsClient } from '../dds/client.ts';
import { formatDdsTime } from '../dds/time.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts';
import { backupCreator, type Delivery, idsOf } from './create.ts';
import type { BackupRequest } from './request.ts';
import { backupNames, commandOf, type Trigger } from './trigger.ts';

const INVOCATION = 30 * SECOND;
const RESERVE = SECOND;
const MAX_AGE = DAY;
const instance_id = DEMO_INSTANCE.id;
const NAMED: BackupRequest = { backup: { instance_id, name: 'before-migration', description: 'release 7' } };
const PREFIXED: BackupRequest = { backup: { instance_id, name_prefix: 'nightly' } };

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
let failing = false;
beforeEach(async () => {
  time = virtualTime();
  failing = false;
  await restart();
});
afterEach(() => emulator.close());

async function restart(options: EmulatorOptions = {}) {
  await emulator?.close();
  emulator = await startEmulator({
    clock: time.now,
    backupMillis: MINUTE,
    outcome: () => (failing ? 'FAILED' : 'COMPLETED'),
    ...options,
  });
}

const creator = (random: () => number = () => 0.5, credentials = async () => DEMO_CREDENTIALS) => {
  const timing = { ...time, random };
  const dds = ddsClient({
    endpoint: emulator.url,
    projectId: DEMO_PROJECT_ID,
    credentials,
    timing,
    attemptMillis: 100,
  });
  return backupCreator({ dds, timing, maxRequestAgeMillis: MAX_AGE });
};

/** One delivery of a trigger, with its own time to live. */
const deliver = (request: BackupRequest, trigger: Trigger, earlier: Partial<Delivery> = {}, random?: () => number) => {
  const end = time.now().getTime() + INVOCATION;
  const timeLeft = () => end - RESERVE - time.now().getTime();
  const delivery = { firstDelivery: time.now(), outcomeUnknown: false, timeLeft, ...earlier };
  return creator(random)(commandOf({ request, trigger }), delivery);
};

const event = (id = 'event-1'): Trigger => ({ kind: 'event-bus', id, time: time.now() });
const webhook = (id = 'webhook-1'): Trigger => ({ kind: 'http', id });
const at = (trigger: Trigger, millis: number): Trigger => ({
  ...trigger,
  time: new Date(time.now().getTime() + millis),
});

const posts = () => emulator.requests.filter(({ operation }) => operation === 'create-backup');
const lists = () => emulator.requests.filter(({ operation }) => operation === 'list-backups');
const backups = () => emulator.backups.map(({ name, status }) => `${name} ${status}`);
const onCreate = (fault: object) => {
  emulator.faults.decide = ({ operation }) => (operation === 'create-backup' ? (fault as never) : undefined);
};

/** What DDS lists for the next page that is asked for, instead of the truth. */
const listNext = (...listings: readonly (readonly object[])[]) =>
  emulator.faults.next(
    ...listings.map(
      (list) =>
        ({
          kind: 'json',
          operation: 'list-backups',
          body: { backups: list, total_count: list.length },
        }) as const,
    ),
  );

const record = (fields: object = {}) => ({
  id: 'b',
  name: 'before-migration',
  instance_id,
  status: 'COMPLETED',
  begin_time: formatDdsTime(time.now().getTime()),
  description: 'release 7',
  ...fields,
});

describe('idsOf', () => {
  it('→ the ids that there are', () => {
    const created = { backup_id: 'b', name: 'n', attempts: 1 };
    expect(idsOf({ kind: 'replayed', ...created })).toStrictEqual({ backup_id: 'b' });
    const accepted = { kind: 'accepted', ...created, job_id: 'j', status: 202, text: '' } as const;
    expect(idsOf(accepted)).toStrictEqual({ job_id: 'j', backup_id: 'b' });
  });
});

describe('create: a first delivery', () => {
  it('the answer comes → accepted after one request, with the documented fields only', async () => {
    const accepted = await deliver(NAMED, event());
    expect(accepted).toMatchObject({ kind: 'accepted', name: 'before-migration', attempts: 1 });
    expect(accepted.backup_id).toBe(emulator.backups[0]?.id);
    expect(posts()).toMatchObject([{ body: NAMED }]);
    expect(emulator.requests).toHaveLength(1);
  });

  it('a prefix is given → the name is derived from the trigger', async () => {
    const { name } = await deliver(PREFIXED, event());
    expect(name).toMatch(/^nightly-20260301T120000Z-[a-z2-7]{14}$/);
    expect(posts()).toMatchObject([{ body: { backup: { instance_id, name } } }]);
  });

  it.each([
    ['reset before the effect', { kind: 'reset', when: 'before' }],
    ['reset after the effect', { kind: 'reset', when: 'after' }],
    ['never given, without effect', { kind: 'hang', when: 'before' }],
    ['never given, with effect', { kind: 'hang', when: 'after' }],
    ['truncated', { kind: 'truncated' }],
    ['begun and never finished', { kind: 'stall' }],
    ['a page of some proxy', { kind: 'html', status: 502, when: 'after' }],
    ['empty', { kind: 'empty', when: 'after' }],
    ['200 with an error_code', { kind: 'json', body: { error_code: 'DBS.1', job_id: 'j', backup_id: 'b' } }],
    ['throttled', { kind: 'error', ...refusals.tooManyCalls }],
    ['throttled by the gateway', { kind: 'error', ...refusals.throttled }],
    ['throttled without JSON', { kind: 'html', status: 429 }],
    ['a busy system', { kind: 'error', ...refusals.systemBusy }],
    ['a server error', { kind: 'error', ...refusals.serverError }],
    ['a server error after the effect', { kind: 'error', ...refusals.serverError, when: 'after' }],
  ] as const)('the answer is %s → one backup after two requests', async (_, fault) => {
    for (const [request, trigger] of [
      [PREFIXED, event()],
      [PREFIXED, webhook()],
      [NAMED, event()],
    ] as const) {
      emulator.faults.next(fault);
      const created = await deliver(request, trigger);
      expect(created.attempts).toBe(2);
      expect(emulator.backups[0]).toMatchObject({ id: created.backup_id, status: 'BUILDING' });
      expect(emulator.backups).toHaveLength(1);
      await restart();
    }
  });

  it('the answer is lost, and DDS checks the instance before the name → replayed', async () => {
    await restart({ busyFirst: true });
    emulator.faults.next({ kind: 'reset', when: 'after' });
    expect(await deliver(NAMED, event())).toMatchObject({ kind: 'replayed' });
    expect(emulator.backups).toHaveLength(1);
  });

  it('the list cannot be read at first → replayed', async () => {
    emulator.faults.next(
      { kind: 'reset', when: 'after', operation: 'create-backup' },
      { kind: 'error', ...refusals.serverError, operation: 'list-backups' },
      { kind: 'hang', when: 'before', operation: 'list-backups' },
    );
    expect(await deliver(NAMED, event())).toMatchObject({ kind: 'replayed' });
  });

  it('no answer comes at all → UpstreamTimeout, and the next delivery finds the backup', async () => {
    emulator.faults.decide = () => ({ kind: 'hang', when: 'after' });
    await expect(deliver(PREFIXED, webhook())).rejects.toMatchObject({
      name: 'UpstreamTimeout',
      outcomeUnknown: true,
      message: expect.stringContaining('may exist'),
    });
    emulator.faults.clear();
    expect(await deliver(PREFIXED, webhook())).toMatchObject({ kind: 'replayed', backup_id: emulator.backups[0]?.id });
    expect(emulator.backups).toHaveLength(1);
  });

  it('no connection comes about → UpstreamUnreachable, and nothing may exist', async () => {
    const { url } = emulator;
    await emulator.close();
    const failed = deliver(NAMED, event());
    await expect(failed).rejects.toMatchObject({ name: 'UpstreamUnreachable', outcomeUnknown: false });
    await expect(failed).rejects.toThrow(/ECONNREFUSED\)\.$/);
    expect(url).toMatch(/^http/);
  });

  it('an error that is not ours → passed on as it is, nothing is retried', async () => {
    const bug = new TypeError('a bug');
    const create = creator(undefined, () => Promise.reject(bug));
    const delivery = { firstDelivery: time.now(), outcomeUnknown: false, timeLeft: () => INVOCATION };
    await expect(create(commandOf({ request: NAMED, trigger: event() }), delivery)).rejects.toBe(bug);
    expect(bug).not.toHaveProperty('annotation');
    expect(time.waits).toEqual([]);
  });
});

describe('create: an answer is lost, then DDS refuses', () => {
  const lostThen = (refusal: keyof typeof refusals, when: 'before' | 'after') => {
    emulator.faults.next({ kind: 'reset', when });
    onCreate({ kind: 'error', ...refusals[refusal] });
  };
  const all = ['tooManyCalls', 'throttled', 'systemBusy', 'serverError', 'permissionDenied', 'noSuchInstance'] as const;

  it.each([...all, 'notPermitted', 'instanceBusy'] as const)('%s, and the backup is there → replayed', async (name) => {
    lostThen(name, 'after');
    expect(await deliver(NAMED, event())).toMatchObject({ kind: 'replayed', backup_id: emulator.backups[0]?.id });
  });

  it.each([
    ['tooManyCalls', 'OutcomeUnknown'],
    ['permissionDenied', 'OutcomeUnknown'],
    ['instanceBusy', 'OutcomeUnknown'],
    ['noSuchInstance', 'OutcomeUnknown'],
    ['serverError', 'DdsUnavailable'],
  ] as const)('%s, and the list does not explain it → %s, to be retried', async (refusal, name) => {
    lostThen(refusal, 'before');
    await expect(deliver(NAMED, event())).rejects.toMatchObject({
      name,
      outcomeUnknown: true,
      message: expect.stringContaining('may exist'),
      annotation: { name: 'before-migration' },
    });
    expect(emulator.backups).toEqual([]);
  });

  it.each(['tooManyCalls', 'permissionDenied'] as const)('%s, also for the list → OutcomeUnknown', async (refusal) => {
    emulator.faults.next({ kind: 'reset', when: 'after' });
    emulator.faults.decide = () => ({ kind: 'error', ...refusals[refusal] });
    await expect(deliver(NAMED, event())).rejects.toMatchObject({
      name: 'OutcomeUnknown',
      message: expect.stringMatching(/cannot be read.*may exist/),
      cause: expect.objectContaining({ code: refusals[refusal].error_code }),
    });
  });

  it('an earlier delivery left the outcome unknown, and the instance is busy → OutcomeUnknown', async () => {
    onCreate({ kind: 'error', ...refusals.instanceBusy });
    await expect(deliver(NAMED, event(), { outcomeUnknown: true })).rejects.toMatchObject({ name: 'OutcomeUnknown' });
  });
});

describe('create: the list lags', () => {
  it.each([
    ['one page', [[]]],
    ['three pages', [[], [], []]],
  ] as const)('the backup is missing from %s → looked for again: replayed', async (_, listings) => {
    emulator.faults.next({ kind: 'reset', when: 'after', operation: 'create-backup' });
    listNext(...listings);
    expect(await deliver(NAMED, event())).toMatchObject({ kind: 'replayed', backup_id: emulator.backups[0]?.id });
    expect(emulator.backups).toHaveLength(1);
  });

  it.each([
    ['taken', NAMED, undefined],
    ['taken', PREFIXED, undefined],
    ['busy', NAMED, refusals.instanceBusy],
  ] as const)('%s, and never listed → OutcomeUnknown when the time is up', async (_, request, refusal) => {
    emulator.faults.decide = ({ operation }) => {
      if (operation === 'list-backups') return { kind: 'json', body: { backups: [], total_count: 0 } };
      return refusal && posts().length > 1 ? { kind: 'error', ...refusal } : undefined;
    };
    emulator.faults.next({ kind: 'reset', when: 'after', operation: 'create-backup' });
    const began = time.now().getTime();
    await expect(deliver(request, event())).rejects.toMatchObject({ name: 'OutcomeUnknown', retry: 'later' });
    expect(time.now().getTime() - began).toBeGreaterThan(INVOCATION - RESERVE - 6 * SECOND);
    expect(time.now().getTime() - began).toBeLessThanOrEqual(INVOCATION - RESERVE);
  });

  it('the newest backup goes between two pages → the own one is found', async () => {
    await restart({ backupMillis: 100 });
    const own = at(event(), 0);
    const { backup_id } = await deliver(PREFIXED, own);
    time.advance(HOUR);
    for (let i = 1; i <= 150; i++)
      emulator.state.seedBackup({
        name: `n-${i}`,
        instance_id,
        type: 'Manual',
        begin: new Date(time.now().getTime() - 1000 * i),
      });
    let pages = 0;
    emulator.faults.decide = ({ operation }) => {
      const [newest] = emulator.state.backups();
      if (operation === 'list-backups' && ++pages === 2 && newest) {
        emulator.state.beginDeletion(newest);
        time.advance(6 * SECOND);
      }
      return undefined;
    };
    expect(await deliver(PREFIXED, own)).toMatchObject({ kind: 'replayed', backup_id });
  });
});

describe('create: pauses', () => {
  it('DDS keeps failing → full-jitter backoff that doubles up to five seconds', async () => {
    emulator.faults.decide = () => ({ kind: 'error', ...refusals.serverError });
    await expect(deliver(NAMED, event())).rejects.toMatchObject({ name: 'DdsUnavailable' });
    expect(time.waits.slice(0, 7)).toEqual([100, 200, 400, 800, 1600, 2500, 2500]);
  });

  it('every pause → a new draw, down to none', async () => {
    const draws = [0, 0.25, 0.999];
    emulator.faults.next(...draws.map(() => ({ kind: 'error', ...refusals.systemBusy }) as const));
    await deliver(NAMED, event(), {}, () => draws.shift() ?? 0);
    expect(time.waits).toEqual([0, 100, 799.2]);
  });

  it.each([
    ['seconds', '7', [7100]],
    ['an HTTP date', 'Sun, 01 Mar 2026 12:00:09 GMT', [9100]],
    ['a negative number', '-5', [100]],
    ['nonsense', 'soon', [100]],
  ])('Retry-After is %s → honoured where it makes sense', async (_, retryAfter, waits) => {
    emulator.faults.next({ kind: 'error', ...refusals.tooManyCalls, headers: { 'retry-after': retryAfter } });
    await deliver(NAMED, event());
    expect(time.waits).toEqual(waits);
  });

  it.each(['29', '86400'])('Retry-After is %s s, more than the time left → no pause', async (retryAfter) => {
    emulator.faults.next({ kind: 'error', ...refusals.tooManyCalls, headers: { 'retry-after': retryAfter } });
    await expect(deliver(NAMED, event())).rejects.toMatchObject({
      name: 'Throttled',
      retryAfterMillis: Number(retryAfter) * SECOND,
    });
    expect(time.waits).toEqual([]);
    expect(posts()).toHaveLength(1);
  });

  it('DDS keeps failing → the answer is there a second before the invocation ends', async () => {
    const began = time.now().getTime();
    emulator.faults.decide = () => ({ kind: 'error', ...refusals.serverError });
    await expect(deliver(NAMED, event())).rejects.toThrow();
    const took = time.now().getTime() - began;
    expect(took).toBeLessThanOrEqual(INVOCATION - RESERVE);
    expect(took).toBeGreaterThan(INVOCATION - RESERVE - 5000 - 250);
  });
});

describe('create: a refusal whose outcome is known', () => {
  it.each([
    ['noSuchInstance', 'InstanceNotFound', 'never'],
    ['parameterError', 'DdsRejected', 'never'],
    ['permissionDenied', 'CredentialsRefused', 'later'],
    ['authenticationFailed', 'CredentialsRefused', 'later'],
    ['noSuchApi', 'ConfigurationError', 'never'],
  ] as const)('%s → %s after one request, retried %s', async (refusal, name, retry) => {
    emulator.faults.next({ kind: 'error', ...refusals[refusal] });
    await expect(deliver(NAMED, event())).rejects.toMatchObject({
      name,
      retry,
      outcomeUnknown: false,
      code: refusals[refusal].error_code,
      message: expect.not.stringContaining('may exist'),
      annotation: { name: 'before-migration', attempts: 1 },
    });
    expect(emulator.requests).toHaveLength(1);
  });

  it.each([
    ['DBS.280042', { ...refusals.invalidRequest }],
    ['DBS.212003', { ...refusals.notPermitted }],
    ['409 with an unknown code', { status: 409, error_code: 'DBS.999999', error_msg: 'Busy' }],
    ['408 with an unknown code', { status: 408, error_code: 'DBS.999999', error_msg: 'Busy' }],
    ['425 with an unknown code', { status: 425, error_code: 'DBS.999999', error_msg: 'Busy' }],
  ])('%s → retried once, then DdsRejected, to be retried later', async (_, refusal) => {
    onCreate({ kind: 'error', ...refusal });
    await expect(deliver(NAMED, event())).rejects.toMatchObject({ name: 'DdsRejected', retry: 'later' });
    expect(posts()).toHaveLength(2);
  });

  it('ambiguous, and the second attempt is accepted → accepted', async () => {
    emulator.faults.next({ kind: 'error', ...refusals.notPermitted });
    expect(await deliver(NAMED, event())).toMatchObject({ kind: 'accepted', attempts: 2 });
  });

  it('another backup runs → InstanceBusy at once, and accepted when delivered again later', async () => {
    await deliver({ backup: { instance_id, name: 'another' } }, event());
    const busy = event('event-2');
    await expect(deliver(PREFIXED, busy)).rejects.toMatchObject({ name: 'InstanceBusy', code: 'DBS.201015' });
    expect(backups()).toEqual(['another BUILDING']);
    expect(time.waits).toEqual([]);
    time.advance(2 * MINUTE);
    expect(await deliver(PREFIXED, busy)).toMatchObject({ kind: 'accepted' });
  });

  it('a text of 3,000 characters, lost answer before → message within 1,000 characters, the advice kept', async () => {
    const failed = deliver(NAMED, event());
    emulator.faults.decide = () => ({ kind: 'error', status: 500, error_code: 'DBS.1', error_msg: 'x'.repeat(3000) });
    await expect(failed).rejects.toMatchObject({ message: expect.stringMatching(/^.{900,1000}$/s) });
    await expect(failed).rejects.toThrow('may exist');
  });
});

describe('create: a trigger is delivered again', () => {
  it.each([0, MINUTE / 2, 2 * MINUTE, 23 * HOUR])('%i ms later → replayed, whatever the trigger', async (later) => {
    for (const trigger of [event(), webhook(), { kind: 'invoke', id: 'request-1' } as const]) {
      const { backup_id, name } = await deliver(PREFIXED, trigger);
      time.advance(later);
      expect(await deliver(PREFIXED, trigger)).toEqual({ kind: 'replayed', backup_id, name, attempts: 1 });
      time.advance(DAY);
    }
    expect(emulator.backups).toHaveLength(3);
  });

  it('DDS says busy, or not permitted, instead of taken → replayed', async () => {
    const trigger = event();
    const { backup_id } = await deliver(PREFIXED, trigger);
    for (const refusal of ['instanceBusy', 'invalidRequest'] as const) {
      onCreate({ kind: 'error', ...refusals[refusal] });
      expect(await deliver(PREFIXED, trigger)).toMatchObject({ kind: 'replayed', backup_id });
    }
  });

  it('four deliveries at once → one accepted, three replayed', async () => {
    const trigger = event();
    const results = await Promise.all([1, 2, 3, 4].map(() => deliver(PREFIXED, trigger)));
    expect(new Set(results.map(({ backup_id }) => backup_id)).size).toBe(1);
    expect(results.filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
  });

  it('1,000 newer backups → found after twelve pages', async () => {
    const trigger = webhook();
    const { backup_id } = await deliver(PREFIXED, trigger);
    time.advance(2 * HOUR);
    for (let i = 1; i <= 1000; i++)
      emulator.state.seedBackup({
        name: `newer-${i}`,
        instance_id,
        type: 'Manual',
        begin: new Date(time.now().getTime() - i * 1000),
        end: time.now(),
      });
    expect(await deliver(PREFIXED, trigger)).toMatchObject({ kind: 'replayed', backup_id });
    expect(lists().length).toBeLessThanOrEqual(12);
  });
});

describe('create: the backup of a derived name', () => {
  it('FAILED → the next attempt under the next name, at once', async () => {
    failing = true;
    const trigger = event();
    const { name } = await deliver(PREFIXED, trigger);
    for (const [attempt, number] of [2, 3, 4, 5].entries()) {
      time.advance(2 * MINUTE);
      const next = await deliver(PREFIXED, trigger);
      expect(next).toMatchObject({ kind: 'accepted', name: `${name}-${number}`, attempts: attempt + 2 });
    }
    time.advance(2 * MINUTE);
    await expect(deliver(PREFIXED, trigger)).rejects.toMatchObject({
      name: 'BackupFailed',
      retry: 'never',
      message: `${name}-5 and all earlier backups of this trigger FAILED.`,
      annotation: { attempts: 5, backup: { name: `${name}-5`, status: 'FAILED' } },
    });
    expect(emulator.backups).toHaveLength(5);
  });

  it('the second attempt is there → replayed under its name', async () => {
    failing = true;
    const trigger = event();
    const { name } = await deliver(PREFIXED, trigger);
    failing = false;
    time.advance(2 * MINUTE);
    const { backup_id } = await deliver(PREFIXED, trigger);
    time.advance(HOUR);
    expect(await deliver(PREFIXED, trigger)).toMatchObject({ kind: 'replayed', backup_id, name: `${name}-2` });
  });

  it.each(['DISABLED', 'EXPIRED'])('is %s → InstanceBusy, to be retried later', async (status) => {
    const trigger = event();
    const { name } = await deliver(PREFIXED, trigger);
    listNext([record({ name, status })]);
    await expect(deliver(PREFIXED, trigger)).rejects.toMatchObject({
      name: 'InstanceBusy',
      retry: 'later',
      message: expect.stringContaining(status),
    });
  });

  it.each([
    ['another description', { description: 'of somebody else' }],
    ['a begin long ago', { begin_time: '2020-01-01 00:00:00' }],
    ['a begin that cannot be read', { begin_time: null }],
    ['a status in lower case', { status: 'completed' }],
  ])('has a time in its name, and %s → replayed: the name is proof', async (_, fields) => {
    const trigger = event();
    const { name } = await deliver(PREFIXED, trigger);
    listNext([record({ name, ...fields })]);
    expect(await deliver(PREFIXED, trigger)).toMatchObject({ kind: 'replayed', backup_id: 'b' });
  });

  it.each([
    ['23 hours', -23 * HOUR, 'replayed'],
    ['25 hours', -25 * HOUR, 'BackupNameTaken'],
    ['21 days', -21 * DAY, 'BackupNameTaken'],
    ['24 hours to the second', -DAY, 'OutcomeUnknown'],
  ])('has no time in its name, and began %s before → %s', async (_, age, result) => {
    const { name } = await deliver(PREFIXED, webhook());
    const old = record({ name, begin_time: formatDdsTime(time.now().getTime() + age), description: '' });
    listNext([old]);
    const again = deliver(PREFIXED, webhook());
    if (result === 'replayed') expect(await again).toMatchObject({ kind: 'replayed' });
    else await expect(again).rejects.toMatchObject({ name: result, annotation: { backup: { id: 'b' } } });
  });
});

describe('create: the backup of a given name', () => {
  const beside = (backup: object, trigger = event(), request = NAMED) => {
    onCreate({ kind: 'error', ...refusals.nameTaken });
    listNext([backup]);
    return deliver(request, trigger);
  };

  it.each([
    ['as asked for', {}],
    ['in lower case', { status: 'building' }],
    ['with white space around the description', { description: ' release 7\n' }],
    ['with T in its begin', { begin_time: '2026-03-01T12:00:00' }],
    ['with T and Z in its begin', { begin_time: '2026-03-01T12:00:00Z' }],
    ['with +0000 in its begin', { begin_time: '2026-03-01 12:00:00+0000' }],
    ['with fractions in its begin', { begin_time: '2026-03-01T12:00:00.123Z' }],
    ['a second before the trigger', { begin_time: '2026-03-01 11:59:59' }],
  ])('%s → replayed', async (_, fields) => {
    expect(await beside(record(fields))).toMatchObject({ kind: 'replayed', backup_id: 'b' });
  });

  it('the description in another form of Unicode → replayed', async () => {
    const request = { backup: { ...NAMED.backup, name: 'before-migration', description: 'u\u0308ber' } };
    expect(await beside(record({ description: '\u00fcber' }), event(), request)).toMatchObject({ kind: 'replayed' });
  });

  it.each([
    ['of another instance', { instance_id: DEMO_OTHER_INSTANCE.id }],
    ['without a description', { description: null }],
    ['with another description', { description: 'release 8' }],
    ['that FAILED', { status: 'FAILED' }],
    ['from three seconds before the trigger', { begin_time: '2026-03-01 11:59:57' }],
  ])('%s → BackupNameTaken, with what is known of it', async (_, fields) => {
    const listed = record(fields);
    await expect(beside(listed)).rejects.toMatchObject({
      name: 'BackupNameTaken',
      retry: 'never',
      code: 'DBS.201201',
      message: expect.stringContaining(
        `Backup b of instance ${listed.instance_id} has the name; it is ${listed.status}.`,
      ),
      annotation: {
        backup: {
          id: 'b',
          name: listed.name,
          instance_id: listed.instance_id,
          status: listed.status,
          began_at: expect.any(String),
        },
      },
    });
  });

  it.each([
    ['two seconds before the trigger', { begin_time: '2026-03-01 11:59:58' }],
    ['at a time that cannot be read', { begin_time: 'yesterday' }],
  ])('began %s → OutcomeUnknown, neither success nor taken', async (_, fields) => {
    await expect(beside(record(fields))).rejects.toMatchObject({ name: 'OutcomeUnknown', retry: 'later' });
  });

  it('FAILED, at a time that cannot be read → BackupNameTaken: whoever made it, no retry helps', async () => {
    const failedOne = record({ status: 'FAILED', begin_time: 'yesterday' });
    await expect(beside(failedOne)).rejects.toMatchObject({ name: 'BackupNameTaken', retry: 'never' });
  });

  it.each(['DISABLED', 'EXPIRED'])('own, and %s → InstanceBusy, to be retried later', async (status) => {
    await expect(beside(record({ status }))).rejects.toMatchObject({ name: 'InstanceBusy' });
  });

  it('no description in the request, none or an empty one listed → replayed', async () => {
    const plain = { backup: { instance_id, name: 'before-migration' } };
    for (const request of [plain, { backup: { ...plain.backup, description: '' } }])
      for (const description of [null, ''])
        expect(await beside(record({ description }), event(), request)).toMatchObject({ kind: 'replayed' });
  });

  it.each([
    ['of another instance', { instance_id: DEMO_OTHER_INSTANCE.id, type: 'Manual' }],
    ['that DDS made by itself', { instance_id, type: 'Auto' }],
    ['of long ago', { instance_id, type: 'Manual', begin: new Date('2025-01-01T00:00:00Z') }],
  ] as const)('held by a backup %s → the wide search finds it: BackupNameTaken', async (_, seed) => {
    const { id } = emulator.state.seedBackup({ name: 'before-migration', begin: time.now(), ...seed });
    time.advance(2 * MINUTE);
    const beforeTrigger = formatDdsTime(time.now().getTime() - DAY - HOUR);
    await expect(deliver(NAMED, event())).rejects.toMatchObject({
      name: 'BackupNameTaken',
      annotation: { backup: { id, instance_id: seed.instance_id, status: 'COMPLETED' } },
    });
    const queries = lists().map(({ query: { offset: _, limit: __, ...query } }) => query);
    const end_time = formatDdsTime(time.now().getTime() + DAY);
    const recent = { instance_id, backup_type: 'Manual', begin_time: beforeTrigger, end_time };
    const asked = [recent, { instance_id }, {}].filter((query) => queries.some((one) => isDeepStrictEqual(one, query)));
    expect(queries[0]).toEqual(recent);
    expect(asked.length).toBeGreaterThan(1);
    for (const query of queries) expect(asked).toContainEqual(query);
  });

  it('DDS says busy, and the name is held by another backup → BackupNameTaken', async () => {
    await restart({ busyFirst: true });
    await deliver({ backup: { instance_id, name: 'before-migration', description: 'another' } }, event('event-1'));
    const [{ id } = { id: '' }] = emulator.backups;
    await expect(deliver(NAMED, event('event-2'))).rejects.toMatchObject({
      name: 'BackupNameTaken',
      retry: 'never',
      message: `The name is taken. Backup ${id} of instance ${instance_id} has the name; it is BUILDING.`,
    });
  });

  it('held by a new backup of another instance while the list lags → searched wide again: BackupNameTaken', async () => {
    await restart({ listLagMillis: 8 * SECOND });
    const other = { backup: { instance_id: DEMO_OTHER_INSTANCE.id, name: 'before-migration' } };
    await deliver(other, event('event-1'));
    await expect(deliver(NAMED, event('event-2'))).rejects.toMatchObject({
      name: 'BackupNameTaken',
      annotation: { backup: { instance_id: DEMO_OTHER_INSTANCE.id } },
    });
  });

  it.each([3100, DAY, 30 * DAY])('asked for again by another trigger %i ms later → BackupNameTaken', async (later) => {
    await deliver(NAMED, event('event-1'));
    for (const next of [() => event('event-2'), webhook, () => ({ kind: 'invoke', id: 'request-2' }) as const]) {
      time.advance(later);
      await expect(deliver(NAMED, next())).rejects.toMatchObject({ name: 'BackupNameTaken', code: 'DBS.201201' });
    }
    expect(emulator.backups).toHaveLength(1);
  });

  it.each([3 * HOUR, 25 * HOUR, 13 * DAY, 30 * DAY])(
    'its event is delivered again %i ms later → replayed',
    async (later) => {
      const trigger = event();
      const { backup_id } = await deliver(NAMED, trigger);
      time.advance(later);
      expect(await deliver(NAMED, trigger)).toMatchObject({ kind: 'replayed', backup_id });
    },
  );

  it.each([
    ['given', NAMED],
    ['derived', PREFIXED],
  ])('%s, no time, first delivered two days ago → replayed', async (_, request) => {
    const firstDelivery = time.now();
    emulator.faults.next({ kind: 'hang', when: 'after' });
    await deliver(request, webhook());
    const [made] = emulator.backups;
    time.advance(23 * HOUR);
    expect(await deliver(request, webhook(), { firstDelivery })).toMatchObject({
      kind: 'replayed',
      backup_id: made?.id,
    });
  });
});

describe('create: clocks apart', () => {
  it.each([-14 * MINUTE, -MINUTE, -5 * SECOND, -3 * SECOND, 0, 3 * SECOND, MINUTE, 14 * MINUTE])(
    'DDS %i ms ahead, answer lost → replayed under a given name',
    async (skew) => {
      await restart({ clock: () => new Date(time.now().getTime() + skew) });
      emulator.faults.next({ kind: 'reset', when: 'after' });
      expect(await deliver(NAMED, event())).toMatchObject({ kind: 'replayed' });
    },
  );

  it.each([-14 * MINUTE, -5 * SECOND, 0, 5 * SECOND, 14 * MINUTE])(
    'DDS %i ms ahead, another event 3.3 s later with the same name → BackupNameTaken',
    async (skew) => {
      await restart({ clock: () => new Date(time.now().getTime() + skew) });
      await deliver(NAMED, event('event-1'));
      time.advance(3300);
      await expect(deliver(NAMED, event('event-2'))).rejects.toMatchObject({ name: 'BackupNameTaken' });
    },
  );

  it.each([
    ['derived', PREFIXED],
    ['given', NAMED],
  ])('the time of the trigger is ahead, answer lost → replayed under a %s name', async (_, request) => {
    for (const ahead of [4 * MINUTE, 2 * DAY, 400 * DAY]) {
      await restart();
      emulator.faults.next({ kind: 'truncated' });
      const trigger = at(event(), ahead);
      const { backup_id } = await deliver(request, trigger);
      time.advance(3 * HOUR);
      const firstDelivery = new Date(time.now().getTime() - 3 * HOUR);
      expect(await deliver(request, trigger, { firstDelivery })).toMatchObject({ kind: 'replayed', backup_id });
    }
  });
});

describe('create: too late', () => {
  const notAfter = (request: BackupRequest, millis: number): BackupRequest => ({
    ...request,
    not_after: new Date(time.now().getTime() + millis).toISOString(),
  });
  const OLD = { kind: 'event-bus', id: 'old', time: new Date('2026-02-26T12:00:00Z') } as const;

  it.each([
    ['not_after has passed', () => deliver(notAfter(PREFIXED, -1000), event())],
    [
      'the maximum age has passed',
      () => deliver(PREFIXED, event(), { firstDelivery: new Date(time.now().getTime() - DAY - 1) }),
    ],
    ['the trigger is older than the maximum age and a day', () => deliver(PREFIXED, OLD)],
  ])('%s, no backup → DeadlinePassed, nothing is submitted', async (_, late) => {
    await expect(late()).rejects.toMatchObject({ name: 'DeadlinePassed', retry: 'never', outcomeUnknown: false });
    expect(posts()).toEqual([]);
    expect(lists()).toHaveLength(1);
  });

  it.each([
    ['given', NAMED],
    ['derived', PREFIXED],
  ])('the backup under a %s name is there → replayed, nothing is submitted', async (_, request) => {
    const trigger = event();
    const { backup_id } = await deliver(request, trigger);
    time.advance(HOUR);
    const before = posts().length;
    expect(await deliver(notAfter(request, -HOUR / 2), trigger)).toMatchObject({ kind: 'replayed', backup_id });
    expect(posts()).toHaveLength(before);
  });

  it('its second attempt is there → replayed', async () => {
    failing = true;
    const trigger = event();
    await deliver(PREFIXED, trigger);
    failing = false;
    time.advance(2 * MINUTE);
    const { backup_id } = await deliver(PREFIXED, trigger);
    time.advance(3 * DAY);
    expect(await deliver(PREFIXED, trigger)).toMatchObject({ kind: 'replayed', backup_id });
  });

  it('its backup FAILED → DeadlinePassed, with the backup', async () => {
    failing = true;
    const trigger = event();
    await deliver(PREFIXED, trigger);
    time.advance(3 * DAY);
    await expect(deliver(PREFIXED, trigger)).rejects.toMatchObject({
      name: 'DeadlinePassed',
      annotation: { backup: { status: 'FAILED' } },
    });
  });

  it('the list cannot be read → OutcomeUnknown', async () => {
    emulator.faults.decide = () => ({ kind: 'error', ...refusals.serverError });
    await expect(deliver(PREFIXED, OLD)).rejects.toMatchObject({
      name: 'OutcomeUnknown',
      message: expect.stringMatching(/^The list of backups cannot be read: DDS answered 500 .* may exist/),
      cause: expect.objectContaining({ name: 'DdsUnavailable' }),
      annotation: { name: expect.stringMatching(/^nightly-/), attempts: 0 },
    });
  });

  it('the begin of what has the name cannot be read → OutcomeUnknown, with the backup', async () => {
    listNext([record({ begin_time: null })], [record({ begin_time: null })]);
    await expect(deliver(NAMED, OLD)).rejects.toMatchObject({
      name: 'OutcomeUnknown',
      message: expect.stringMatching(/^Backup b has the name\. DDS's clock leaves open /),
      annotation: { backup: { id: 'b' } },
    });
  });

  it('its first attempt is there, and a later one FAILED → replayed', async () => {
    const { name } = await deliver(PREFIXED, event('other'));
    const [first, second] = backupNames(commandOf({ request: PREFIXED, trigger: OLD }));
    expect(first).not.toBe(name);
    const list = [record({ id: 'c', name: second, status: 'FAILED' }), record({ name: first })];
    listNext(list, list.slice(-1));
    expect(await deliver(PREFIXED, OLD)).toMatchObject({ kind: 'replayed', backup_id: 'b', name: first });
  });

  it.each([
    ['in this delivery', false],
    ['in this delivery, after another delivery left the outcome unknown', true],
  ])('an answer is lost %s, DDS says busy, and not_after passes → OutcomeUnknown', async (_, outcomeUnknown) => {
    emulator.faults.next({ kind: 'reset', when: 'before', operation: 'create-backup' });
    onCreate({ kind: 'error', ...refusals.instanceBusy });
    // The pause after the first attempt is shorter than that after "busy".
    const request = notAfter(NAMED, 120);
    await expect(deliver(request, event(), { outcomeUnknown })).rejects.toMatchObject({
      name: 'OutcomeUnknown',
      message: expect.stringMatching(/^The list does not show the backup\. /),
      annotation: { name: 'before-migration', attempts: 2 },
    });
    expect(posts()).toHaveLength(2);
  });

  it('an earlier delivery left the outcome unknown, DDS says busy, and not_after passes → DeadlinePassed', async () => {
    onCreate({ kind: 'error', ...refusals.instanceBusy });
    await expect(deliver(notAfter(NAMED, 50), event(), { outcomeUnknown: true })).rejects.toMatchObject({
      name: 'DeadlinePassed',
      message: expect.stringMatching(/^It is too late to make this backup/),
      annotation: { name: 'before-migration', attempts: 1 },
    });
  });

  it.each([
    ['not_after', notAfter, {}],
    [
      'the maximum age',
      (request: BackupRequest) => request,
      () => ({ firstDelivery: new Date(time.now().getTime() - DAY + 5 * SECOND) }),
    ],
  ] as const)('DDS keeps failing → no attempt after %s', async (_, limited, earlier) => {
    onCreate({ kind: 'error', ...refusals.systemBusy });
    const end = time.now().getTime() + 5 * SECOND;
    const more = typeof earlier === 'function' ? earlier() : earlier;
    await expect(deliver(limited(NAMED, 5 * SECOND), event(), more)).rejects.toMatchObject({ name: 'Throttled' });
    expect(time.now().getTime()).toBeLessThanOrEqual(end);
    expect(posts().length).toBeGreaterThan(3);
  });

  it('not_after passes after "taken", by a new backup of another instance → searched wide: DeadlinePassed', async () => {
    await restart({ listLagMillis: SECOND });
    const other = { backup: { instance_id: DEMO_OTHER_INSTANCE.id, name: 'before-migration' } };
    await deliver(other, event('event-1'));
    await expect(deliver(notAfter(NAMED, 2 * SECOND), event('event-2'))).rejects.toMatchObject({
      name: 'DeadlinePassed',
      annotation: { backup: { instance_id: DEMO_OTHER_INSTANCE.id } },
    });
  });

  it('the list holds a record that cannot be read, and not the backup → OutcomeUnknown', async () => {
    listNext([record({ id: undefined })], [record({ id: undefined })]);
    await expect(deliver(NAMED, { ...OLD, id: 'other' })).rejects.toMatchObject({ name: 'OutcomeUnknown' });
    expect(posts()).toEqual([]);
  });

  it('not_after passes while the list lags → looked up once more, replayed', async () => {
    onCreate({ kind: 'error', ...refusals.nameTaken });
    listNext([], [], [], [record()]);
    expect(await deliver(notAfter(NAMED, 50), event())).toMatchObject({ kind: 'replayed', backup_id: 'b' });
    expect(posts()).toHaveLength(1);
  });

  it('not_after passes after "taken", and the list still lags → OutcomeUnknown: the backup may be its own', async () => {
    await restart({ listLagMillis: 8 * SECOND });
    const trigger = event();
    await deliver(NAMED, trigger);
    await expect(deliver(notAfter(NAMED, 50), trigger)).rejects.toMatchObject({
      name: 'OutcomeUnknown',
      retry: 'later',
      message: expect.stringMatching(/^The list does not show the backup\. /),
    });
  });
});
