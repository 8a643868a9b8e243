import { describe, expect, it } from 'vitest';
import { sample } from '../../test/support/lambda.ts';
import { http, scheduledTime } from '../service/identity.ts';
import type { HttpRequest } from '../service/ports.ts';
import { DAY, MINUTE } from '../time.ts';
import { eventBus, invoke } from './sources.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const at = (millis: number) => new Date(NOW.getTime() + millis);
const REQUEST = { backup: { instance_id: 'i', name_prefix: 'nightly' } };
const INVOCATION = { awsRequestId: 'request-1' };

const invalid = (path: string) =>
  expect.objectContaining({ name: 'InvalidRequest', status: 400, details: [expect.objectContaining({ path })] });

/** What is neither an id of 1 to 256 characters nor missing. */
const WRONG_IDS = ['', 'x'.repeat(257), 7, null, {}, ['a']];
/** What is not a time of RFC 3339. */
const WRONG_TIMES = ['', 'yesterday', '2026-03-01', '2026-03-01 12:00:00', '2026-02-30T12:00:00Z', 1772366400000, null];

describe('eventBus', () => {
  it('sample → its detail, id and time', () => {
    const event = sample('event-bus');
    expect(eventBus.parse(event, INVOCATION)).toEqual({
      request: event.detail,
      trigger: { kind: 'event-bus', id: event.id, time: new Date(event.time) },
    });
  });

  it('time of long ago → taken: it is the bus that gives it', () => {
    const time = '2001-01-01T00:00:00Z';
    expect(eventBus.parse({ id: 'e', time, detail: REQUEST }, INVOCATION).trigger).toMatchObject({
      time: new Date(time),
    });
  });

  it.each([undefined, ...WRONG_IDS])('id %j → InvalidRequest', (id) => {
    expect(() => eventBus.parse({ id, time: NOW.toISOString() }, INVOCATION)).toThrow(invalid('/id'));
  });

  it.each([undefined, ...WRONG_TIMES])('time %j → InvalidRequest', (time) => {
    expect(() => eventBus.parse({ id: 'e', time }, INVOCATION)).toThrow(invalid('/time'));
  });

  it.each([undefined, null, 7, 'text', []])('event %j → InvalidRequest', (event) => {
    expect(() => eventBus.parse(event, INVOCATION)).toThrow(invalid('/id'));
  });

  it.each<[unknown, object]>([
    [
      { id: 'e', time: 'soon', detail: REQUEST },
      { idempotency_key: 'e', instance_id: 'i' },
    ],
    [{ id: 7, detail: 'text' }, {}],
    [null, {}],
  ])('description of %j → %j', (event, description) => {
    expect(eventBus.describe(event)).toEqual({ trigger: 'event-bus', ...description });
  });
});

describe('invoke', () => {
  const { parse, describe: describeEvent } = invoke(() => NOW);

  it.each<[object, object]>([
    [{}, { id: 'request-1' }],
    [{ id: 'a' }, { id: 'a' }],
    [{ time: at(-DAY).toISOString() }, { id: 'request-1', time: at(-DAY) }],
    [
      { id: 'a', time: at(-31 * DAY).toISOString() },
      { id: 'a', time: at(-31 * DAY) },
    ],
    [
      { id: 'a', time: at(5 * MINUTE).toISOString() },
      { id: 'a', time: at(5 * MINUTE) },
    ],
  ])('%j beside the request → trigger %j', (more, trigger) => {
    expect(parse({ ...REQUEST, ...more }, INVOCATION)).toEqual({
      request: REQUEST,
      trigger: { kind: 'invoke', ...trigger },
    });
  });

  it.each(['direct', 'schedule', 'name-prefix'])('sample %s → its backup', (name) => {
    const event = sample(name);
    const source = invoke(() => new Date(event.time ?? NOW));
    expect(source.parse(event, INVOCATION).request).toEqual({ backup: event.backup });
  });

  it.each(WRONG_IDS)('id %j → InvalidRequest', (id) => {
    expect(() => parse({ ...REQUEST, id }, INVOCATION)).toThrow(invalid('/id'));
  });

  it.each([...WRONG_TIMES, at(-31 * DAY - 1).toISOString(), at(5 * MINUTE + 1).toISOString()])(
    'time %j → InvalidRequest',
    (time) => {
      expect(() => parse({ ...REQUEST, time }, INVOCATION)).toThrow(invalid('/time'));
    },
  );

  it.each([undefined, null, 7, 'text'])('event %j → that is the request, which no schema allows', (event) => {
    expect(parse(event, INVOCATION)).toEqual({ request: event, trigger: { kind: 'invoke', id: 'request-1' } });
  });

  it.each<[unknown, object]>([
    [
      { ...REQUEST, id: 'a' },
      { idempotency_key: 'a', instance_id: 'i' },
    ],
    [REQUEST, { instance_id: 'i' }],
    [{ id: '', backup: null }, {}],
    [{ id: 'x'.repeat(300) }, { idempotency_key: 'x'.repeat(256) }],
    [null, {}],
  ])('description of %j → %j', (event, description) => {
    expect(describeEvent(event)).toEqual({ trigger: 'invoke', ...description });
  });
});

describe('http', () => {
  const request = (more: Partial<HttpRequest> = {}): HttpRequest => ({
    method: 'POST',
    path: '/backups',
    query: {},
    headers: {},
    body: REQUEST,
    isBase64Encoded: false,
    isAuthorized: true,
    requestId: 'r',
    time: NOW,
    ...more,
  });
  const triggerOf = (more: Partial<HttpRequest>) => http.parse(request(more), INVOCATION).trigger;

  it.each<[string, Partial<HttpRequest>, object]>([
    ['the webhook-id first', { headers: { 'webhook-id': 'a', 'svix-id': 'b', 'idempotency-key': 'c' } }, { id: 'a' }],
    ['then the svix-id', { headers: { 'svix-id': 'b', 'idempotency-key': 'c' } }, { id: 'b' }],
    ['then the idempotency-key', { headers: { 'idempotency-key': 'c' } }, { id: 'c' }],
    ["else the gateway's id and time", {}, { id: 'r', time: NOW }],
    ['without a time of the gateway', { time: undefined }, { id: 'r' }],
    ['without an id of the gateway: that of the invocation', { requestId: undefined }, { id: 'request-1', time: NOW }],
    ['the signed id alone', { headers: { 'webhook-id': 'a', 'idempotency-key': 'c' }, signedId: 's' }, { id: 's' }],
  ])('%s', (_, more, trigger) => {
    expect(triggerOf(more)).toEqual({ kind: 'http', ...trigger });
  });

  it('body → the request', () => {
    expect(http.parse(request(), INVOCATION).request).toBe(REQUEST);
  });

  it.each([
    ['idempotency-key', ''],
    ['idempotency-key', 'x'.repeat(257)],
    ['webhook-id', ''],
    ['svix-id', 'x'.repeat(257)],
  ])('%s of %j → InvalidRequest', (name, id) => {
    expect(() => triggerOf({ headers: { [name]: id } })).toThrow(invalid(`/headers/${name}`));
  });

  it('signed id that is too long → InvalidRequest', () => {
    expect(() => triggerOf({ signedId: 'x'.repeat(257) })).toThrow(invalid('/headers/webhook-id'));
  });

  it.each<[string, HttpRequest, object]>([
    [
      'id that is repeated',
      request({ headers: { 'idempotency-key': 'c' } }),
      { idempotency_key: 'c', instance_id: 'i' },
    ],
    ['none', request(), { idempotency_key: 'r', instance_id: 'i' }],
    [
      'signed id',
      request({ headers: { 'webhook-id': 'a' }, signedId: 's' }),
      { idempotency_key: 's', instance_id: 'i' },
    ],
    ['body that is not parsed', request({ body: '{"backup":' }), { idempotency_key: 'r' }],
  ])('description: %s → %3$j', (_, event, description) => {
    expect(http.describe(event)).toEqual({ trigger: 'http', ...description });
  });
});

describe('scheduledTime', () => {
  it.each([
    ['2026-03-01T12:00:00Z', NOW],
    ['2026-03-01T12:05:00Z', at(5 * MINUTE)],
    ['2001-01-01T00:00:00Z', new Date('2001-01-01T00:00:00Z')],
  ])('%s → taken', (time, expected) => {
    expect(scheduledTime({ time }, NOW)).toEqual(expected);
  });

  it.each([undefined, ...WRONG_TIMES, '2026-03-01T12:05:01Z'])('%j → InvalidRequest', (time) => {
    expect(() => scheduledTime({ time }, NOW)).toThrow(invalid('/time'));
  });
});
