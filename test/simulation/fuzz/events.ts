/** Valid and invalid events of each function. */
import fc, { type Arbitrary } from 'fast-check';
import { DEMO_FAULTY_INSTANCE, DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../../../emulator/dds/seed.ts';
import { anything, around } from './values.ts';

const HOUR = 3_600_000;

const instanceId = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(DEMO_INSTANCE.id, DEMO_OTHER_INSTANCE.id) },
  { weight: 1, arbitrary: fc.constant(DEMO_FAULTY_INSTANCE.id) },
  { weight: 1, arbitrary: fc.stringMatching(/^[A-Za-z0-9-]{1,64}$/) },
);
const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{3,63}$/);
const prefix = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,29}$/);
const description = fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => text.replaceAll(/[>!<"&'=\r]/g, '-'));

const backup = fc.oneof(
  fc.record({ instance_id: instanceId, name, description }, { requiredKeys: ['instance_id', 'name'] }),
  fc.record(
    { instance_id: instanceId, name_prefix: prefix, description },
    { requiredKeys: ['instance_id', 'name_prefix'] },
  ),
);
const near = (past: number, future: number) =>
  fc.integer({ min: -past, max: future }).map((offset) => new Date(Date.now() + offset).toISOString());
const recent = near(23 * HOUR, HOUR / 15);
/** Not so near that it passes while DDS answers. */
const notAfter = fc.oneof(near(HOUR, -HOUR / 60), near(-HOUR / 60, 48 * HOUR));
const request = fc.oneof(
  { weight: 4, arbitrary: fc.record({ backup }) },
  { weight: 1, arbitrary: fc.record({ backup, not_after: notAfter }) },
);
const time = fc.oneof(
  near(3 * 24 * HOUR, 3 * 24 * HOUR),
  fc
    .date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
    .map((date) => date.toISOString()),
);
const id = fc.oneof(fc.uuid(), fc.string({ unit: 'binary', minLength: 1, maxLength: 256 }), fc.constant('constant'));

const busEvent = around(
  fc.record({ version: fc.constant('0'), id, time, source: fc.constant('fuzz'), detail: request }),
);

const payload = around(
  fc.record(
    {
      id,
      time: fc.oneof({ weight: 4, arbitrary: recent }, { weight: 1, arbitrary: time }),
      backup,
      not_after: notAfter,
    },
    { requiredKeys: ['backup'] },
  ),
);

const bodyText = fc.oneof(
  { weight: 10, arbitrary: request.map((value) => JSON.stringify(value)) },
  { weight: 6, arbitrary: around(request).map((value) => JSON.stringify(value) ?? '') },
  { weight: 1, arbitrary: anything.map((value) => JSON.stringify(value) ?? '') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '{', '[', '\ufeff{}', '{"backup":1,"backup":2}', 'NaN', '['.repeat(60_000)),
  },
  { weight: 1, arbitrary: request.map((value) => JSON.stringify(value).replace('{', '{"__proto__":{"polluted":1},')) },
);

const contentType = fc.oneof(
  { weight: 8, arbitrary: fc.constant('application/json') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('application/json; charset=utf-8', 'application/problem+json', 'text/plain', ''),
  },
);

const epoch = fc.oneof(
  { weight: 4, arbitrary: recent.map((text) => Date.parse(text)) },
  { weight: 1, arbitrary: fc.nat({ max: 4e12 }) },
);

const httpEvent = around(
  fc
    .tuple(
      bodyText,
      fc.boolean(),
      contentType,
      fc.record({ 'idempotency-key': id, 'webhook-id': id }, { requiredKeys: [] }),
    )
    .chain(([text, isBase64Encoded, type, ids]) =>
      fc.record({
        headers: fc.constant({ 'Content-Type': type, ...ids }),
        body: fc.constant(isBase64Encoded ? Buffer.from(text).toString('base64') : text),
        isBase64Encoded: fc.constant(isBase64Encoded),
        requestContext: fc.record({ requestId: fc.uuid(), timeEpoch: epoch }),
      }),
    ),
);

/** What an unauthenticated sender controls: headers and a body, and not what the gateway says of the sender. */
const strangersEvent = fc
  .tuple(
    around(
      fc.record({
        headers: fc.record({
          'content-type': contentType,
          'webhook-id': id,
          'webhook-timestamp': fc.oneof(fc.constant(String(Math.floor(Date.now() / 1000))), fc.string()),
          'webhook-signature': fc.oneof(
            fc.string(),
            fc.constantFrom(`v1,${'A'.repeat(43)}=`, 'v1,', `v1,${'A'.repeat(44)}`),
          ),
        }),
        body: bodyText,
      }),
    ),
    fc.constantFrom(null, {}, { jwt: {} }, { lambda: null }),
  )
  .map(([sent, authorizer]) => ({ ...Object(sent), requestContext: { requestId: 'r', authorizer } }));

const apigEvent = around(
  fc
    .tuple(bodyText, contentType, fc.record({ 'idempotency-key': id, 'webhook-id': id }, { requiredKeys: [] }))
    .chain(([text, type, ids]) =>
      fc.record({
        body: fc.constant(Buffer.from(text).toString('base64')),
        isBase64Encoded: fc.constant(true),
        headers: fc.constant({ 'content-type': type, ...ids }),
        httpMethod: fc.constant('POST'),
        path: fc.constantFrom('/', '/backups', '/webhooks'),
        queryStringParameters: fc.constant({}),
        requestContext: fc.record({ requestId: fc.uuid(), stage: fc.constant('RELEASE') }),
      }),
    ),
);

/** An SMN message, a timer or a direct call. */
const functionGraphEvent = fc.oneof(
  around(
    fc.record({
      record: fc.tuple(
        fc.record({
          event_source: fc.constant('smn'),
          smn: fc.record({ message: bodyText, message_id: id, timestamp: fc.oneof(recent, time) }),
        }),
      ),
    }),
  ),
  around(
    fc.record({
      trigger_type: fc.constant('TIMER'),
      trigger_name: id,
      time: fc.oneof(recent, time),
      user_event: bodyText,
    }),
  ),
  payload,
);

export const EVENTS = {
  http: httpEvent,
  strangers: strangersEvent,
  'event-bus': busEvent,
  invoke: payload,
  'functiongraph http': apigEvent,
  'functiongraph event': functionGraphEvent,
} as const satisfies Record<string, Arbitrary<unknown>>;

export type Target = keyof typeof EVENTS;
