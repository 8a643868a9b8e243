import { describe, expect, it } from 'vitest';
import { sample } from '../../test/support/lambda.ts';
import { derivedName } from '../backup/trigger.ts';
import { DdsError } from '../dds/errors.ts';
import { Failure, InvalidRequest, REASONS, type Reason } from '../errors.ts';
import { DAY, MINUTE, SECOND } from '../time.ts';
import { addTrailer, describeRecord, parseRecord } from './destination-record.ts';

const SAMPLE = sample('deferred');
const ENDED = new Date(SAMPLE.timestamp);
const before = (millis: number) => new Date(ENDED.getTime() - millis);
const BACKUP = { instance_id: 'i', name_prefix: 'nightly' };

const record = (more: object = {}) => ({ ...SAMPLE, ...more });
const failedWith = (errorType: string, errorMessage = 'It failed.') =>
  record({ responsePayload: { errorType, errorMessage } });
const arn = (name: string) => `arn:aws:lambda:eu-central-1:1:function:${name}`;
const reasons = Object.keys(REASONS).filter((name): name is Reason => Object.hasOwn(REASONS, name));

describe('parseRecord', () => {
  it('sample → event, description, time and error', () => {
    const { id, time, detail } = SAMPLE.requestPayload;
    const { prefix, instance_id } = { prefix: detail.backup.name_prefix, instance_id: detail.backup.instance_id };
    const trigger = { kind: 'event-bus', id, time: new Date(time) } as const;
    expect(parseRecord(SAMPLE)).toEqual({
      event: { request: detail, trigger },
      description: {
        trigger: 'event-bus',
        idempotency_key: id,
        instance_id,
        name: derivedName(prefix, trigger, instance_id),
        since: SAMPLE.timestamp,
        request_id: SAMPLE.requestContext.requestId,
      },
      firstDelivery: ENDED,
      outcomeUnknown: false,
      error: {
        reason: 'InstanceBusy',
        message: SAMPLE.responsePayload.errorMessage,
        dds_code: 'DBS.201015',
      },
      retry: 'later',
      isCrash: false,
    });
  });

  it('request to invoke without an id → the request id of the failed invocation', () => {
    const parsed = parseRecord(
      record({
        requestContext: { requestId: 'r', functionArn: arn('x-invoke') },
        requestPayload: { backup: BACKUP },
      }),
    );
    expect(parsed.event.trigger).toEqual({ kind: 'invoke', id: 'r' });
    expect(parsed.description).toMatchObject({ trigger: 'invoke', idempotency_key: 'r', instance_id: 'i' });
  });

  it('time of invoke → held against the time of the failure, however long ago that was', () => {
    const requestPayload = { backup: BACKUP, time: before(30 * DAY).toISOString() };
    const requestContext = { requestId: 'r', functionArn: arn('x-invoke') };
    expect(parseRecord(record({ requestPayload, requestContext })).event.trigger.time).toEqual(before(30 * DAY));
    const older = { ...requestPayload, time: before(32 * DAY).toISOString() };
    expect(() => parseRecord(record({ requestPayload: older, requestContext }))).toThrow(InvalidRequest);
  });

  it.each<[functionArn: unknown, isBus: boolean, payload: object]>([
    [
      arn('dds-backup-trigger-dev-event-bus:$LATEST'),
      true,
      { id: 'e', time: ENDED.toISOString(), detail: { backup: BACKUP } },
    ],
    [arn('event-bus'), true, { id: 'e', time: ENDED.toISOString(), detail: { backup: BACKUP } }],
    [arn('dds-backup-trigger-dev-invoke:$LATEST'), false, { backup: BACKUP }],
    [arn('event-bus-stack-invoke:live'), false, { backup: BACKUP }],
    // Without a name that tells: by the payload.
    [arn('other'), true, { id: 'e', time: ENDED.toISOString(), detail: { backup: BACKUP } }],
    [arn('other'), false, { backup: BACKUP }],
    [undefined, false, { backup: BACKUP }],
    [{ toString: null }, false, { backup: BACKUP }],
  ])('functionArn %j → from the bus: %s', (functionArn, isBus, requestPayload) => {
    const { event } = parseRecord(record({ requestContext: { requestId: 'r', functionArn }, requestPayload }));
    expect(event).toMatchObject({
      request: { backup: BACKUP },
      trigger: { kind: isBus ? 'event-bus' : 'invoke' },
    });
  });

  it('functionArn of invoke, payload of the bus → the function decides: InvalidRequest', () => {
    const requestContext = { requestId: 'r', functionArn: arn('x-invoke') };
    expect(() => parseRecord(record({ requestContext }))).toThrow(
      expect.objectContaining({
        name: 'InvalidRequest',
        details: expect.arrayContaining([{ path: '/backup', message: 'is required' }]),
      }),
    );
  });

  it.each<[string, unknown, readonly string[]]>([
    ['no object', null, ['/requestPayload', '/timestamp', '/requestContext/requestId']],
    ['a record without its payload', record({ requestPayload: undefined }), ['/requestPayload']],
    ['a record without a time', record({ timestamp: undefined }), ['/timestamp']],
    ['a time that is not one', record({ timestamp: 'soon' }), ['/timestamp']],
    ['an empty request id', record({ requestContext: { requestId: '' } }), ['/requestContext/requestId']],
    ['an event without id', record({ requestPayload: { time: ENDED.toISOString(), detail: {} } }), ['/id']],
    [
      'a request that breaks a rule',
      record({ requestPayload: { id: 'e', time: ENDED.toISOString(), detail: { backup: { name: 'nightly' } } } }),
      ['/backup/instance_id'],
    ],
    [
      'not_after on a date that no calendar has',
      record({
        requestPayload: {
          id: 'e',
          time: ENDED.toISOString(),
          detail: { backup: BACKUP, not_after: '2026-02-30T00:00:00Z' },
        },
      }),
      ['/not_after'],
    ],
  ])('%s → InvalidRequest that names %3$j', (_, malformed, paths) => {
    expect(() => parseRecord(malformed)).toThrow(
      expect.objectContaining({
        name: 'InvalidRequest',
        details: paths.map((path) => expect.objectContaining({ path })),
      }),
    );
  });
});

describe('the error in a record', () => {
  it.each(reasons)('%s → retry and outcome of the table, not a crash', (reason) => {
    const meaning: { readonly retry: string; readonly outcomeUnknown?: true } = REASONS[reason];
    expect(parseRecord(failedWith(reason))).toMatchObject({
      error: { reason, message: 'It failed.' },
      retry: meaning.retry,
      outcomeUnknown: meaning.outcomeUnknown ?? false,
      isCrash: false,
    });
  });

  it.each(['Runtime.ExitError', 'Runtime.OutOfMemory', 'Sandbox.Timedout', 'TypeError', 'toString', ''])(
    '%j → a crash: outcome unknown, retried later, its message is not kept',
    (errorType) => {
      const parsed = parseRecord(failedWith(errorType, 'private'));
      expect(parsed).toMatchObject({
        error: { reason: errorType },
        retry: 'later',
        outcomeUnknown: true,
        isCrash: true,
        firstDelivery: before(2 * MINUTE),
      });
      expect(parsed.error).not.toHaveProperty('message');
    },
  );

  it.each([undefined, null])('responsePayload %j: the function was not started → outcome known', (responsePayload) => {
    expect(parseRecord(record({ responsePayload }))).toMatchObject({
      error: { reason: 'Unhandled' },
      retry: 'later',
      outcomeUnknown: false,
      isCrash: false,
      firstDelivery: ENDED,
    });
  });

  it.each([7, 'text', {}, { errorType: 7, errorMessage: 7 }])('responsePayload %j → a crash', (responsePayload) => {
    expect(parseRecord(record({ responsePayload }))).toMatchObject({ error: { reason: 'Unhandled' }, isCrash: true });
  });

  it('name and message that are too long → cut', () => {
    expect(parseRecord(failedWith('x'.repeat(100))).error.reason).toHaveLength(64);
    expect(parseRecord(failedWith('InstanceBusy', 'x'.repeat(2000))).error.message).toHaveLength(1000);
  });
});

describe('the trailer', () => {
  const FIRST = before(10 * SECOND);
  const refusal = (status: number, error_code: string) =>
    new DdsError({ status, headers: {}, text: '' }, { error_code, error_msg: 'Words of DDS.' }, ENDED);

  /** As Lambda writes it into a record. */
  const through = (failure: Failure, firstDelivery = FIRST) => {
    addTrailer(failure, firstDelivery);
    return parseRecord(failedWith(failure.name, failure.message));
  };

  it.each<[Failure, string]>([
    [new Failure('InstanceBusy', 'x'), 'x [first delivery 2026-02-03T04:04:58.412Z]'],
    [new Failure('UpstreamTimeout', 'x'), 'x [first delivery 2026-02-03T04:04:58.412Z, outcome unknown]'],
    [new Failure('UpstreamUnreachable', 'x', { outcomeUnknown: false }), 'x [first delivery 2026-02-03T04:04:58.412Z]'],
    [new Failure('DdsRejected', 'x', { retry: 'later' }), 'x [first delivery 2026-02-03T04:04:58.412Z, retry later]'],
    [
      new Failure('DdsRejected', 'x', { retry: 'later', outcomeUnknown: true }),
      'x [first delivery 2026-02-03T04:04:58.412Z, outcome unknown, retry later]',
    ],
  ])('$name → %2$s', (failure, message) => {
    addTrailer(failure, FIRST);
    expect(failure.message).toBe(message);
  });

  it.each<[string, Failure]>([
    ...reasons.map((reason): [string, Failure] => [reason, new Failure(reason, 'It failed.')]),
    ['connection that never came about', new Failure('UpstreamUnreachable', 'It failed.', { outcomeUnknown: false })],
    ['ambiguous refusal', refusal(400, 'DBS.212003')],
    ['ambiguous status', refusal(409, 'DBS.999999')],
    ['busy', refusal(403, 'DBS.201015')],
    ['unknown outcome of a refusal', new Failure('DdsRejected', 'It failed.', { outcomeUnknown: true })],
  ])('%s → read back as it was', (_, failure) => {
    const { name, message, retry, outcomeUnknown } = failure;
    // Now and later are one for `deferred`.
    const isFinal = retry === 'never';
    const parsed = through(failure);
    expect(parsed).toMatchObject({ error: { reason: name, message }, outcomeUnknown, firstDelivery: FIRST });
    expect(parsed.retry === 'never').toBe(isFinal);
    expect(parsed.error.dds_code).toBe(failure instanceof DdsError ? failure.code : undefined);
  });

  it('message of 1000 characters → kept whole', () => {
    const message = 'x'.repeat(1000);
    expect(through(new Failure('InstanceBusy', message)).error.message).toBe(message);
  });

  it('message that ends like a trailer → only the last one counts', () => {
    const message = 'x [first delivery 2001-01-01T00:00:00.000Z, outcome unknown]';
    expect(through(new Failure('InstanceBusy', message))).toMatchObject({
      error: { message },
      outcomeUnknown: false,
      firstDelivery: FIRST,
    });
  });

  it.each<[string, string, Date]>([
    ['after the record', before(-1).toISOString(), ENDED],
    ['more than a day before the record', before(DAY + 1).toISOString(), ENDED],
    ['not a time', 'soon', ENDED],
    ['a day before the record', before(DAY).toISOString(), before(DAY)],
  ])('first delivery %s → %3$s', (_, stated, firstDelivery) => {
    const parsed = parseRecord(failedWith('InstanceBusy', `x [first delivery ${stated}]`));
    expect(parsed.firstDelivery).toEqual(firstDelivery);
  });
});

describe('describeRecord', () => {
  it.each<[string, unknown, object]>([
    ['null', null, {}],
    ['nothing', {}, {}],
    ['a payload that is not a request', { requestPayload: 7 }, { trigger: 'invoke' }],
    [
      'a payload of the bus',
      { requestPayload: { id: 'e', detail: { backup: BACKUP } } },
      { trigger: 'event-bus', idempotency_key: 'e', instance_id: 'i' },
    ],
    [
      'times and ids that are too long',
      { timestamp: 'x'.repeat(100), requestContext: { requestId: 'y'.repeat(100) } },
      { since: 'x'.repeat(64), request_id: 'y'.repeat(64) },
    ],
    ['times and ids that are not text', { timestamp: 7, requestContext: { requestId: 7 } }, {}],
  ])('%s → %3$j', (_, malformed, description) => {
    expect(describeRecord(malformed)).toEqual(description);
  });
});
