import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Aws, startAws, throttled } from '../../test/support/aws.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { fieldsOf, isObject } from '../json.ts';
import type { HandedOver } from '../service/ports.ts';
import { awsApi } from './api.ts';
import { describeHandedOver, isHandedOver, lambdaHandover, lambdaStarter, parseHandedOver } from './handover.ts';

const ARN = 'arn:aws:lambda:eu-central-1:123456789012:function:deferred:live';
const INSTANCE = 'a89dab5e39394eccbdb77b19d57b0180in02';
const NAME = /^release-20260301T115900Z-[a-z2-7]{14}$/;

let time: ReturnType<typeof virtualTime>;
let aws: Aws;
beforeEach(async () => {
  time = virtualTime();
  aws = await startAws({ clock: () => time.now(), functions: [ARN, 'invoke'] });
});
afterEach(() => aws.close());

const api = () => awsApi(aws.env, { ...time, random: () => 1 }, 100);

const REQUEST: HandedOver = {
  event: {
    request: { backup: { instance_id: INSTANCE, name_prefix: 'release', description: 'ü' } },
    trigger: { kind: 'http', id: 'commit-1', time: new Date('2026-03-01T11:59:00.000Z') },
  },
  firstDelivery: new Date('2026-03-01T12:00:00.123Z'),
  outcomeUnknown: true,
  error: { reason: 'InstanceBusy', message: 'DDS answered 403 DBS.201015: busy', dds_code: 'DBS.201015', attempts: 2 },
};

const handOver = (request = REQUEST, DEFERRED_FUNCTION = ARN) =>
  lambdaHandover({ ...aws.env, DEFERRED_FUNCTION }, api())(request);

/** What Lambda got: JSON that was parsed. */
async function payloadOf(request = REQUEST) {
  await handOver(request);
  const payload = aws.invocations.at(-1)?.payload;
  if (!isHandedOver(payload)) throw new Error('Not a payload of a handover.');
  return payload;
}

describe('lambdaHandover', () => {
  it('→ one asynchronous call of the alias, signed', async () => {
    await handOver();
    expect(aws.invocations).toMatchObject([{ name: ARN, payload: { handed_over: { outcome_unknown: true } } }]);
    expect(aws.requests).toMatchObject([{ service: 'lambda', status: 202 }]);
  });

  it('throttled for a moment → retried', async () => {
    aws.next(throttled, { kind: 'reset' });
    await handOver();
    expect(aws.requests).toHaveLength(3);
    expect(aws.invocations).toHaveLength(1);
  });

  it.each([
    ['throttled', throttled],
    ['silent', { kind: 'hang' }],
    ['faulty', { kind: 'error', status: 500, type: 'ServiceException' }],
  ] as const)('%s all the time → OutcomeUnknown within 4.5 seconds', async (_, fault) => {
    aws.decide = () => fault;
    const began = time.now().getTime();
    await expect(handOver()).rejects.toMatchObject({ name: 'OutcomeUnknown' });
    expect(time.now().getTime() - began).toBeLessThanOrEqual(4500);
  });

  it.each([
    ['no variable', ''],
    ['unknown function', 'unknown'],
  ])('%s → ConfigurationError', async (_, name) => {
    await expect(handOver(REQUEST, name)).rejects.toMatchObject({ name: 'ConfigurationError' });
    expect(aws.invocations).toEqual([]);
  });
});

it('lambdaStarter → an asynchronous call with the payload as it is', async () => {
  const payload = { id: 'night', time: '2026-03-01T02:30:00Z', backup: { instance_id: INSTANCE } };
  await lambdaStarter({ ...aws.env, INVOKE_FUNCTION: 'invoke' }, api())(payload);
  expect(aws.invocations).toEqual([{ name: 'invoke', payload }]);
});

describe('parseHandedOver', () => {
  it('what was handed over → the same request, trigger, first delivery and error', async () => {
    const { event, firstDelivery, outcomeUnknown } = REQUEST;
    expect(parseHandedOver(await payloadOf())).toEqual({
      event,
      firstDelivery,
      outcomeUnknown,
      error: { reason: 'InstanceBusy', message: 'DDS answered 403 DBS.201015: busy', dds_code: 'DBS.201015' },
      retry: 'later',
      isCrash: false,
      description: {
        trigger: 'http',
        idempotency_key: 'commit-1',
        instance_id: INSTANCE,
        since: '2026-03-01T12:00:00.123Z',
        name: expect.stringMatching(NAME),
      },
    });
  });

  it('trigger without a time, known outcome → as they were', async () => {
    const trigger = { kind: 'http', id: 'commit-1' } as const;
    const payload = await payloadOf({ ...REQUEST, event: { ...REQUEST.event, trigger }, outcomeUnknown: false });
    expect(parseHandedOver(payload)).toMatchObject({ outcomeUnknown: false, event: { trigger } });
    expect(parseHandedOver(payload).event.trigger).not.toHaveProperty('time');
  });

  it.each([
    ['a reason that is not ours', { reason: 'm' }],
    ['no error', undefined],
    ['an error that is a text', 'InstanceBusy'],
  ])('%s → Unexpected', async (_, error) => {
    const payload = await payloadOf();
    const changed = { handed_over: { ...fieldsOf(payload.handed_over), error } };
    expect(parseHandedOver(changed).error).toEqual({ reason: 'Unexpected' });
  });

  it('texts of 100 kB → cut', async () => {
    const long = 'x'.repeat(100_000);
    const payload = await payloadOf();
    const error = { reason: 'InstanceBusy', message: long, dds_code: long };
    const trigger = { kind: 'http', id: long };
    const parsed = parseHandedOver({ handed_over: { ...fieldsOf(payload.handed_over), error } });
    expect(parsed.error).toEqual({ reason: 'InstanceBusy', message: 'x'.repeat(1000), dds_code: 'x'.repeat(64) });
    expect(describeHandedOver({ handed_over: { trigger } }).idempotency_key).toHaveLength(256);
  });

  it.each<[string, object | null]>([
    ['a time of the trigger that cannot be read', { trigger: { kind: 'http', id: 'x', time: 'yesterday' } }],
    ['nothing', null],
    ['a text instead of the request', { request: 'backup' }],
    ['no request', { request: undefined }],
    ['a request that breaks a rule', { request: { backup: { instance_id: INSTANCE } } }],
    ['not_after that no calendar has', { request: { ...REQUEST.event.request, not_after: '2026-02-30T00:00:00Z' } }],
    ['no trigger', { trigger: undefined }],
    ['an id that is a number', { trigger: { kind: 'http', id: 7 } }],
    ['an empty id', { trigger: { kind: 'http', id: '' } }],
    ['an id of 257 characters', { trigger: { kind: 'http', id: 'x'.repeat(257) } }],
    ['no first delivery', { first_delivery: undefined }],
    ['a first delivery that is a number', { first_delivery: 1_772_366_400 }],
  ])('%s → InvalidRequest, and it can be described', async (_, changes) => {
    const { handed_over } = await payloadOf();
    const payload = { handed_over: isObject(changes) ? { ...fieldsOf(handed_over), ...changes } : null };
    expect(() => parseHandedOver(payload)).toThrow(expect.objectContaining({ name: 'InvalidRequest' }));
    expect(describeHandedOver(payload)).toMatchObject({ trigger: 'http' });
  });
});

it.each([
  [undefined, false],
  ['handed_over', false],
  [[], false],
  [{}, false],
  [{ requestPayload: {} }, false],
  [{ handed_over: null }, true],
])('isHandedOver(%j) → %s', (payload, expected) => {
  expect(isHandedOver(payload)).toBe(expected);
});

it('describeHandedOver: long values → cut', async () => {
  const handed_over = { trigger: { id: 'x' }, first_delivery: 'y'.repeat(1000) };
  expect(describeHandedOver({ handed_over })).toEqual({
    trigger: 'http',
    idempotency_key: 'x',
    since: 'y'.repeat(64),
  });
});
