import { describe, expect, it } from 'vitest';
import { type Aws, type AwsFault, type AwsOptions, startAws, throttled } from '../../test/support/aws.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import type { BusEvent } from '../service/ports.ts';
import { awsApi } from './api.ts';
import { eventBusPublisher } from './publisher.ts';

const time = virtualTime();
const start = (options: AwsOptions = {}) => startAws({ clock: time.now, ...options });
const publisher = (
  { env }: Aws,
  settings: Readonly<Record<string, string>> = { EVENT_BUS: 'orders' },
  attemptMillis?: number,
) => eventBusPublisher(settings, awsApi(env, { now: time.now, wait: time.wait, random: () => 0.5 }, attemptMillis));

const completed = (id: string, fields: object = {}): BusEvent => ({
  type: 'DDS Backup Completed',
  time: new Date('2026-03-01T11:59:59Z'),
  detail: { id, ...fields },
});
const numbered = (count: number, fields?: object): readonly BusEvent[] =>
  Array.from({ length: count }, (_, i) => completed(`backup-${i}`, fields));
const ids = ({ events }: Aws) => events.map(({ detail }) => String(detail.id)).sort();
const idsOf = (events: readonly BusEvent[]) => events.map(({ detail }) => detail.id).sort();
const sizes = ({ requests }: Aws) =>
  requests.map(({ body: { Entries } }) => (Array.isArray(Entries) ? Entries.length : Number.NaN)).sort((a, b) => b - a);

/** Real time, for an attempt that gets no answer. */
const HANG_MILLIS = 100;

/** 300 kB that no cutting of texts makes smaller. */
const HUGE = { list: Array(30_000).fill('123456789') };

describe('publish', () => {
  it('an event → on the bus, with type, time, source and detail', async () => {
    await using aws = await start();
    await publisher(aws)([completed('a', { size_kb: 2803 })]);
    expect(aws.events).toEqual([
      {
        bus: 'orders',
        source: 'dds-backup-trigger',
        type: 'DDS Backup Completed',
        time: new Date('2026-03-01T11:59:59Z'),
        detail: { id: 'a', size_kb: 2803 },
      },
    ]);
  });

  it('an environment with project, region and stage → in every detail, where it has none of its own', async () => {
    await using aws = await start();
    const env = { EVENT_BUS: 'orders', OTC_SDK_PROJECT_ID: 'p', OTC_SDK_REGION: 'eu-nl', STAGE: 'live' };
    await publisher(aws, env)([completed('a'), completed('b', { project_id: 'other' })]);
    const origin = { region: 'eu-nl', stage: 'live' };
    expect(aws.events.map(({ detail }) => detail)).toEqual([
      { ...origin, project_id: 'p', id: 'a' },
      { ...origin, project_id: 'other', id: 'b' },
    ]);
  });

  it('no event → no request', async () => {
    await using aws = await start();
    await publisher(aws)([]);
    expect(aws.requests).toEqual([]);
  });

  it('without EVENT_BUS → ConfigurationError, no request', async () => {
    await using aws = await start();
    await expect(publisher(aws, { EVENT_BUS: '' })([completed('a')])).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: 'Configuration: EVENT_BUS is missing.',
    });
    expect(aws.requests).toEqual([]);
  });
});

describe('batches', () => {
  it.each([
    ['10 events → one call', numbered(10), [10]],
    ['21 events → three calls of at most ten', numbered(21), [10, 10, 1]],
    [
      'ten events of 90 kB → at most 256 kB a call',
      numbered(10, { list: Array(9_000).fill('1234567') }),
      [2, 2, 2, 2, 2],
    ],
    ['two-byte characters → bytes count', numbered(3, { list: Array(9_000).fill('ééééééé') }), [1, 1, 1]],
    ['one text of 300 kB → cut, one call', [completed('a', { text: 'x'.repeat(300_000) })], [1]],
  ])('%s', async (_, events, calls) => {
    await using aws = await start();
    await publisher(aws)(events);
    expect(sizes(aws)).toEqual(calls);
    expect(ids(aws)).toEqual(idsOf(events));
  });

  it('long texts, however deep → cut to 16,384 characters', async () => {
    await using aws = await start();
    const long = 'é'.repeat(16 * 1024 + 1);
    await publisher(aws)([completed('a', { long, exact: long.slice(1), deep: [{ long }] })]);
    const cut = `${'é'.repeat(16 * 1024)}…`;
    expect(aws.events).toMatchObject([{ detail: { long: cut, exact: long.slice(1), deep: [{ long: cut }] } }]);
  });

  it('one event with a text of 300 kB among fifteen → all fifteen published', async () => {
    await using aws = await start();
    const events = numbered(15).with(7, completed('long', { text: 'x'.repeat(300_000) }));
    await publisher(aws)(events);
    expect(ids(aws)).toEqual(idsOf(events));
  });

  it('one event of 300 kB that cannot be cut among fifteen → the others published, the failure names it', async () => {
    await using aws = await start();
    const events = numbered(15).with(7, completed('huge', HUGE));
    const failure = publisher(aws)(events);
    await expect(failure).rejects.toMatchObject({
      name: 'PublishFailed',
      message: 'The event bus orders refused 1 of 15 events: DDS Backup Completed huge (ConfigurationError).',
      cause: { message: expect.stringContaining('400 ValidationException') },
    });
    expect(ids(aws)).toEqual(idsOf(events.filter(({ detail }) => detail.id !== 'huge')));
  });
});

describe('a bus that refuses', () => {
  it('one entry → the rest published, the failure names it', async () => {
    await using aws = await start();
    aws.next({ kind: 'refuse', entries: { 1: 'InternalFailure' } });
    await expect(publisher(aws)(numbered(3))).rejects.toMatchObject({
      name: 'PublishFailed',
      message: 'The event bus orders refused 1 of 3 events: DDS Backup Completed backup-1 (InternalFailure).',
    });
    expect(ids(aws)).toEqual(['backup-0', 'backup-2']);
  });

  it('one entry in each of two calls → both named, the rest published', async () => {
    await using aws = await start();
    aws.decide = () => ({ kind: 'refuse', entries: { 0: 'ThrottlingException' } });
    await expect(publisher(aws)(numbered(11))).rejects.toMatchObject({
      message:
        'The event bus orders refused 2 of 11 events: DDS Backup Completed backup-0 (ThrottlingException), DDS Backup Completed backup-10 (ThrottlingException).',
    });
    expect(aws.events).toHaveLength(9);
  });

  it.each([
    ['not JSON', '<html>'],
    ['no entries', '{"FailedEntryCount":0}'],
    ['too few entries', '{"FailedEntryCount":0,"Entries":[{"EventId":"e"}]}'],
    ['entries of another form', '{"Entries":{"0":{"EventId":"e"}}}'],
  ])('an answer that is %s → PublishFailed', async (_, text) => {
    await using aws = await start();
    aws.next({ kind: 'answer', status: 200, text });
    await expect(publisher(aws)(numbered(2))).rejects.toMatchObject({
      name: 'PublishFailed',
      message: expect.stringContaining('DDS Backup Completed backup-1 (no answer)'),
    });
  });

  it.each([1, 15])('no right to publish, %d events → ConfigurationError', async (count) => {
    await using aws = await start();
    aws.decide = () => ({ kind: 'error', status: 400, type: 'AccessDeniedException' });
    await expect(publisher(aws)(numbered(count))).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringMatching(/^The event bus orders: AWS answered 400 AccessDeniedException\./),
    });
    expect(aws.requests).toHaveLength(Math.ceil(count / 10));
  });

  it('throttled once → published by the next attempt', async () => {
    await using aws = await start();
    aws.next(throttled);
    await publisher(aws)(numbered(2));
    expect(sizes(aws)).toEqual([2, 2]);
    expect(aws.events).toHaveLength(2);
  });

  it('one of two calls always faulty → the other published, the failure names the rest', async () => {
    await using aws = await start();
    const fault: AwsFault = { kind: 'error', status: 500, type: 'InternalException' };
    aws.decide = ({ body }) => (JSON.stringify(body).includes('backup-10') ? fault : undefined);
    await expect(publisher(aws)(numbered(12))).rejects.toMatchObject({
      name: 'PublishFailed',
      message:
        'The event bus orders refused 2 of 12 events: DDS Backup Completed backup-10 (PublishFailed), DDS Backup Completed backup-11 (PublishFailed).',
      cause: { message: 'The event bus orders: AWS answered 500 InternalException.' },
    });
    expect(aws.events).toHaveLength(10);
  });

  it('an error that is not ours → thrown on', async () => {
    const publish = eventBusPublisher({ EVENT_BUS: 'orders' }, async () => {
      throw new TypeError('unexpected');
    });
    await expect(publish(numbered(15))).rejects.toThrow(TypeError);
  });

  it.each([1, 25])('no answer, %d events → PublishFailed within eight seconds', async (count) => {
    const calls = Math.ceil(count / 10);
    const begin = time.now().getTime();
    // The calls wait side by side: together they take three seconds an attempt, and at most the time that is left.
    const left = () => 8000 - (time.now().getTime() - begin);
    await using aws = await start({ onRequest: () => time.advance(Math.min(3000 / calls, left())) });
    aws.decide = () => ({ kind: 'hang' });
    await expect(publisher(aws, { EVENT_BUS: 'orders' }, HANG_MILLIS)(numbered(count))).rejects.toMatchObject({
      name: 'PublishFailed',
      message: expect.stringMatching(/^The event bus orders: POST \S+ was not answered in time\.$/),
    });
    expect(time.now().getTime() - begin).toBeLessThanOrEqual(8000);
    expect(aws.requests).toHaveLength(3 * calls);
  });
});
