/** SMN messages, timers and direct calls on FunctionGraph, in this process and with a clock of its own. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import { DEMO_INSTANCE, DEMO_OTHER_INSTANCE, DEMO_TEMPORARY_CREDENTIALS } from '../../emulator/dds/seed.ts';
import { eventHandler } from '../../functions/functiongraph/event.ts';
import { type Handler, handlerOf } from '../../lib/functiongraph/platform.ts';
import { HOUR, MINUTE, SECOND } from '../../lib/time.ts';
import {
  ALARM_TOPIC,
  type ContextOptions,
  contextWith,
  EVENT_TOPIC,
  type Smn,
  smnEvent,
  startSmn,
  timerEvent,
  userDataOf,
} from '../support/functiongraph.ts';
import { logLines } from '../support/log-lines.ts';
import { virtualTime } from '../support/virtual-time.ts';

const REQUEST = { backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'nightly' } };
const OTHER = { backup: { instance_id: DEMO_OTHER_INSTANCE.id, name_prefix: 'nightly' } };
const busy = { kind: 'error', ...refusals.instanceBusy } as const;

const lines = logLines();
let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
let smn: Smn;
beforeEach(async () => {
  time = virtualTime();
  emulator = await startEmulator({ clock: time.now });
  smn = await startSmn({ now: time.now });
});
afterEach(async () => {
  await emulator.close();
  await smn.close();
});

/** Each call is a new process. */
const handler = (): Handler =>
  handlerOf(eventHandler, { timing: { now: time.now, wait: time.wait, random: () => 0.5 } });

interface DeliverOptions extends Partial<Omit<ContextOptions, 'userData'>> {
  readonly userData?: Readonly<Record<string, string>>;
  readonly timeoutMillis?: number;
}

function deliver(event: unknown, { userData, timeoutMillis = 75 * MINUTE, ...options }: DeliverOptions = {}) {
  const end = time.now().getTime() + timeoutMillis;
  const context = contextWith({
    keys: DEMO_TEMPORARY_CREDENTIALS,
    remainingMillis: () => end - time.now().getTime(),
    ...options,
    userData: { ...userDataOf(emulator, smn), ...userData },
  });
  return handler()(event, context);
}

/** The instance is busy for the next so many requests for a backup. */
function refuseCreations(times: number): void {
  let left = times;
  emulator.faults.decide = ({ operation }) => (operation === 'create-backup' && left-- > 0 ? busy : undefined);
}

/** What is for programs. */
const published = () => smn.messages.filter(({ topic }) => topic === EVENT_TOPIC);
const types = () => published().map(({ json }) => json['detail-type']);

describe('identity', () => {
  it.each([
    ['SMN', smnEvent(REQUEST), /^nightly-20260301T120000Z-[a-z2-7]{14}$/],
    ['timer', timerEvent('2026-03-01T20:00:00+08:00', REQUEST), /^nightly-20260301T120000Z-[a-z2-7]{14}$/],
    ['direct', { id: 'release-42', time: '2026-03-01T11:59:00Z', ...REQUEST }, /^nightly-20260301T115900Z-/],
    ['direct without a time', { id: 'release-42', ...REQUEST }, /^nightly-[a-z2-7]{14}$/],
  ])('%s, delivered twice under other request ids → one backup', async (_, event, name) => {
    const first = await deliver(event, { requestId: 'one' });
    time.advance(MINUTE);
    expect(await deliver(event, { requestId: 'two' })).toEqual({ backup_id: emulator.backups[0]?.id });
    expect(first).toEqual({ job_id: expect.any(String), backup_id: emulator.backups[0]?.id });
    expect(emulator.backups).toMatchObject([{ name: expect.stringMatching(name) }]);
    expect(lines).toMatchObject([
      { event: 'request.accepted', duration_ms: 0, stage: 'test', region: 'eu-de' },
      { event: 'request.replayed' },
    ]);
  });

  it.each(['11:59:01', '12:00:00', '12:00:01.5', '12:03:59'])('timer at %s → that of 12:00', async (clock) => {
    await deliver(timerEvent(`2026-03-01T${clock}Z`, REQUEST));
    expect(emulator.backups[0]?.name).toContain('-20260301T120000Z-');
    expect(lines).toMatchObject([{ trigger: 'timer', idempotency_key: 'Nightly 2026-03-01T12:00:00Z' }]);
  });

  it('two timers at one time → a backup each', async () => {
    await deliver(timerEvent('2026-03-01T12:00:00Z', REQUEST));
    time.advance(MINUTE);
    await deliver(timerEvent('2026-03-01T12:00:00Z', REQUEST, 'Other'));
    expect(emulator.backups).toHaveLength(2);
  });

  it('concurrent deliveries → one backup', async () => {
    const results = await Promise.all([1, 2, 3].map((n) => deliver(smnEvent(REQUEST), { requestId: `r${n}` })));
    expect(emulator.backups).toHaveLength(1);
    expect(results.map((result) => Object(result).backup_id)).toEqual(Array(3).fill(emulator.backups[0]?.id));
  });
});

describe('bad events', () => {
  it.each([
    ['null', null, '/id must be'],
    ['a text', 'backup', '/id must be'],
    ['a list', [REQUEST], '/id must be'],
    ['direct call without an id', REQUEST, '/id must be a string of 1 to 256 characters'],
    ['direct call with an id that is too long', { id: 'x'.repeat(257), ...REQUEST }, '/id must be'],
    ['direct call that is too old', { id: '1', time: '2026-01-01T00:00:00Z', ...REQUEST }, '/time must be at most 31'],
    ['direct call with another field', { id: '1', a: 1, ...REQUEST }, '/a is not a known field'],
    ['no SMN record', { record: [] }, '/id must be'],
    ['SMN record of another form', { record: [null] }, 'The message is not well-formed JSON'],
    ['SMN message that is not JSON', smnEvent('hello'), 'The message is not well-formed JSON'],
    ['SMN message that is a number', smnEvent('1'), 'The request is invalid'],
    ['SMN message without an instance', smnEvent({ backup: { name: 'a-name' } }), '/backup/instance_id is required'],
    ['SMN without an id', { record: [{ smn: { message: JSON.stringify(REQUEST) } }] }, '/smn/message_id must be'],
    ['timer without a user event', timerEvent('2026-03-01T12:00:00Z', ''), 'The user event of the timer is not'],
    ['timer with a text', timerEvent('2026-03-01T12:00:00Z', 'nightly'), 'The user event of the timer is not'],
    ['timer without a time', timerEvent('soon', REQUEST), '/time must be a time'],
    ['timer of another year', timerEvent('9999-12-31T23:59:30Z', REQUEST), '/time must be at most 5 minutes ahead'],
    ['timer without a name', timerEvent('2026-03-01T12:00:00Z', REQUEST, ''), '/trigger_name must be'],
    [
      'timer with a name that is no text',
      { ...timerEvent('2026-03-01T12:00:00Z', REQUEST), trigger_name: { toString: null } },
      '/trigger_name must be',
    ],
  ])('%s → rejected and published once, DDS not asked', async (_, event, message) => {
    await expect(deliver(event)).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: expect.stringContaining(message),
    });
    expect(emulator.requests).toEqual([]);
    expect(lines).toMatchObject([{ level: 'warn', event: 'request.rejected', reason: 'InvalidRequest' }]);
    expect(smn.messages.map(({ topic }) => topic).toSorted()).toEqual([ALARM_TOPIC, EVENT_TOPIC]);
    expect(types()).toEqual(['DDS Backup Request Failed']);
  });

  it('no keys → ConfigurationError that names the agency', async () => {
    const failed = deliver({ id: '1', ...REQUEST }, { keys: undefined });
    await expect(failed).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('agency'),
    });
    expect(lines).toMatchObject([
      { level: 'error', event: 'request.failed', reason: 'ConfigurationError' },
      { event: 'publish.failed', reason: 'ConfigurationError' },
    ]);
  });

  it.each(['-1', 'an hour', 'NaN'])('MAX_WAIT_SECONDS %s → ConfigurationError', async (value) => {
    const failed = deliver({ id: '1', ...REQUEST }, { userData: { MAX_WAIT_SECONDS: value } });
    await expect(failed).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('MAX_WAIT'),
    });
    expect(emulator.requests).toEqual([]);
  });

  it('an event of our own → logged, not published again, no failure', async () => {
    const own = { source: 'dds-backup-trigger', 'detail-type': 'DDS Backup Request Failed', detail: {} };
    expect(await deliver(smnEvent(own))).toBeUndefined();
    expect(lines).toMatchObject([
      { event: 'request.rejected', message: expect.stringContaining('Subscribe to a topic of requests') },
    ]);
    expect(smn.messages).toEqual([]);
  });
});

describe('several SMN records', () => {
  it('all succeed → their ids in order', async () => {
    const result = await deliver(smnEvent(REQUEST, OTHER));
    const idOf = (instance: string) => emulator.backups.find(({ instance_id }) => instance_id === instance)?.id;
    expect(result).toMatchObject([{ backup_id: idOf(DEMO_INSTANCE.id) }, { backup_id: idOf(DEMO_OTHER_INSTANCE.id) }]);
  });

  it('one fails → the others are made, the invocation fails', async () => {
    const failed = deliver(smnEvent(REQUEST, 'not JSON', OTHER));
    await expect(failed).rejects.toMatchObject({ name: 'InvalidRequest' });
    expect(emulator.backups).toHaveLength(2);
    expect(lines.map(({ event }) => event).toSorted()).toEqual([
      'request.accepted',
      'request.accepted',
      'request.rejected',
    ]);
    expect(published()).toMatchObject([
      { json: { detail: { id: 'message-2-failed', trigger: 'smn', idempotency_key: 'message-2' } } },
    ]);
  });
});

describe('waiting', () => {
  it('busy for some minutes → pauses of 1, 2, 4 … minutes, deferred published once, accepted', async () => {
    refuseCreations(4);
    await deliver(smnEvent(REQUEST));
    expect(time.waits).toEqual([1, 2, 4, 8].map((minutes) => minutes * MINUTE));
    expect(lines.map(({ event }) => event)).toEqual([...Array(4).fill('request.deferred'), 'request.accepted']);
    expect(lines[0]).toMatchObject({
      reason: 'InstanceBusy',
      idempotency_key: 'message-1',
      attempt: 1,
      next_attempt: '2026-03-01T12:01:00.000Z',
      not_after: '2026-03-01T13:00:00.000Z',
    });
    expect(smn.messages).toMatchObject([
      {
        topic: EVENT_TOPIC,
        subject: expect.stringMatching(`^DDS Backup Request Deferred: ${DEMO_INSTANCE.id}: nightly-`),
        json: { detail: { id: 'message-1-deferred', stage: 'test', reason: 'InstanceBusy' } },
      },
    ]);
  });

  it('busy all the time → fails after an hour, published', async () => {
    refuseCreations(Number.POSITIVE_INFINITY);
    const begin = time.now().getTime();
    await expect(deliver(smnEvent(REQUEST))).rejects.toMatchObject({ name: 'InstanceBusy' });
    expect(time.now().getTime() - begin).toBe(HOUR - 30 * SECOND);
    expect(types()).toEqual(['DDS Backup Request Deferred', 'DDS Backup Request Failed']);
    expect(lines.at(-1)).toMatchObject({ event: 'request.rejected', reason: 'InstanceBusy' });
  });

  it.each<[string, options: DeliverOptions, request: object, seconds: number]>([
    ['MAX_WAIT_SECONDS', { userData: { MAX_WAIT_SECONDS: '600' } }, {}, 570],
    ['no wait', { userData: { MAX_WAIT_SECONDS: '0' } }, {}, 0],
    ['the invocation ends', { timeoutMillis: 15 * MINUTE }, {}, 15 * 60 - 90 - 30],
    ['an invocation of a minute', { timeoutMillis: MINUTE }, {}, 0],
    ['not_after', {}, { not_after: '2026-03-01T12:05:00Z' }, 270],
    ['MAX_REQUEST_AGE_HOURS', { userData: { MAX_REQUEST_AGE_HOURS: '0.1' } }, {}, 330],
  ])('%s bounds the wait', async (_, options, more, seconds) => {
    refuseCreations(Number.POSITIVE_INFINITY);
    const begin = time.now().getTime();
    await expect(deliver(smnEvent({ ...REQUEST, ...more }), options)).rejects.toThrow();
    expect((time.now().getTime() - begin) / SECOND).toBe(seconds);
  });

  it('throttled all the time → each attempt ends within a minute', async () => {
    emulator.faults.decide = () => ({ kind: 'error', ...refusals.throttled });
    const userData = { MAX_WAIT_SECONDS: '300' };
    await expect(deliver(smnEvent(REQUEST), { userData })).rejects.toMatchObject({ name: 'Throttled' });
    const deferred = lines.filter(({ event }) => event === 'request.deferred');
    expect(deferred).toHaveLength(2);
    expect(time.now().toISOString() < '2026-03-01T12:06').toBe(true);
  });

  it('an attempt without an answer, then refusals → the outcome stays unknown', async () => {
    const firstAttempt = time.now().getTime() + MINUTE;
    emulator.faults.decide = ({ operation }) => {
      if (operation !== 'create-backup') return undefined;
      const isFirst = time.now().getTime() < firstAttempt;
      return isFirst ? { kind: 'reset', when: 'before' } : { kind: 'error', ...refusals.permissionDenied };
    };
    const failed = deliver(smnEvent(REQUEST), { userData: { MAX_WAIT_SECONDS: '300' } });
    await expect(failed).rejects.toMatchObject({
      name: 'OutcomeUnknown',
      message: expect.stringContaining('permission'),
    });
    expect(lines.at(-1)).toMatchObject({ outcome_unknown: true });
  });

  it('a permanent refusal → fails at once', async () => {
    const unknown = { backup: { ...REQUEST.backup, instance_id: 'unknown' } };
    await expect(deliver(smnEvent(unknown))).rejects.toMatchObject({ name: 'InstanceNotFound' });
    expect(time.waits).toEqual([]);
    expect(types()).toEqual(['DDS Backup Request Failed']);
  });

  it('answer lost after the effect, then the process ends → the next delivery replays', async () => {
    emulator.faults.next({ kind: 'reset', when: 'after' });
    emulator.faults.decide = ({ operation }) =>
      operation === 'list-backups' ? { kind: 'reset', when: 'before' } : undefined;
    const failed = deliver(smnEvent(REQUEST), { userData: { MAX_WAIT_SECONDS: '0' } });
    await expect(failed).rejects.toMatchObject({ outcomeUnknown: true });
    emulator.faults.clear();
    expect(await deliver(smnEvent(REQUEST))).toEqual({ backup_id: emulator.backups[0]?.id });
    expect(emulator.backups).toHaveLength(1);
  });

  it('a second delivery while the first waits → one backup', async () => {
    refuseCreations(3);
    await Promise.all([deliver(smnEvent(REQUEST)), deliver(smnEvent(REQUEST), { requestId: 'again' })]);
    expect(emulator.backups).toHaveLength(1);
  });

  it('SMN takes nothing → the backup is made, publish.failed logged', async () => {
    refuseCreations(1);
    smn.next(...Array(50).fill(503));
    await deliver(smnEvent(REQUEST));
    expect(lines.map(({ event }) => event)).toEqual(['request.deferred', 'publish.failed', 'request.accepted']);
    expect(lines[1]).toMatchObject({ reason: 'PublishFailed', id: 'message-1-deferred' });
  });
});
