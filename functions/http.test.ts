import type { APIGatewayProxyResult } from 'aws-lambda';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { refusals } from '../emulator/dds/refusals.ts';
import { DEMO_INSTANCE } from '../emulator/dds/seed.ts';
import { backupService } from '../lib/lambda/backup-service.ts';
import { environment } from '../test/support/emulated.ts';
import { lambdaContext, sample } from '../test/support/lambda.ts';
import { logLines } from '../test/support/log-lines.ts';
import { virtualTime } from '../test/support/virtual-time.ts';
import { httpHandler } from './http.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const NEW_SECRET = 'whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0';
const REQUEST = { backup: { instance_id: DEMO_INSTANCE.id, name: 'before-migration' } };
const INVOCATION = 29_000;

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
beforeEach(async () => {
  time = virtualTime();
  emulator = await startEmulator({ clock: time.now });
});
afterEach(() => emulator.close());
const lines = logLines();

interface Answer extends Omit<APIGatewayProxyResult, 'body'> {
  readonly body: unknown;
  readonly text: string;
}

/** Hands an event to the function; what it answers, with the body parsed. */
async function post(event: unknown, env: Record<string, string> = {}, random = () => 0.5): Promise<Answer> {
  const service = backupService({
    env: { ...environment(emulator), ...env },
    now: time.now,
    wait: time.wait,
    random,
    attemptMillis: 100,
  });
  const end = time.now().getTime() + INVOCATION;
  const answer = await httpHandler(service)(
    event as never,
    lambdaContext(() => end - time.now().getTime()),
  );
  return { ...answer, text: answer.body, body: JSON.parse(answer.body) };
}

const event = (more: object = {}) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(REQUEST),
  requestContext: {
    requestId: 'r',
    timeEpoch: time.now().getTime(),
    authorizer: { iam: { userArn: 'arn:aws:iam::1:user/u' } },
  },
  ...more,
});

describe('an authorised request', () => {
  it.each(['http-api', 'rest', 'function-url'])('of kind %s is answered with the ids, as DDS answers', async (name) => {
    const { statusCode, headers, body } = await post(sample(name));
    expect({ statusCode, headers }).toEqual({ statusCode: 200, headers: { 'content-type': 'application/json' } });
    expect(body).toEqual({ job_id: expect.stringMatching(/^[0-9a-f-]{36}$/), backup_id: emulator.backups[0]?.id });
    expect(lines).toMatchObject([
      { level: 'info', event: 'backup.accepted', trigger: 'http', instance_id: DEMO_INSTANCE.id, attempts: 1 },
    ]);
  });

  it('is answered with the status of DDS and its body, verbatim', async () => {
    emulator.faults.next({ kind: 'status', status: 202 });
    expect((await post(event())).statusCode).toBe(202);
  });

  it('names the backup after the id that its sender repeats', async () => {
    const prefixed = (headers: object, requestId: string) =>
      event({
        headers: { 'Content-Type': 'application/json', ...headers },
        requestContext: { ...event().requestContext, requestId },
        body: JSON.stringify({ backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'ci' } }),
      });
    const first = await post(prefixed({ 'Idempotency-Key': 'pipeline-1' }, 'r1'));
    time.advance(3_600_000);
    const again = await post(prefixed({ 'idempotency-key': 'pipeline-1' }, 'r2'));
    expect(again).toMatchObject({ statusCode: 200, body: { backup_id: emulator.backups[0]?.id } });
    expect(again.body).not.toHaveProperty('job_id');
    expect(first.body).toMatchObject({ backup_id: emulator.backups[0]?.id });
    expect(emulator.backups.map(({ name }) => name)).toEqual([expect.stringMatching(/^ci-[0-9a-f]{12}$/)]);
    expect(lines.map((line) => line.event)).toEqual(['backup.accepted', 'backup.recognised']);
  });

  it('without such an id is named after its own id and time', async () => {
    const body = JSON.stringify({ backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'ci' } });
    await post(event({ body }));
    expect(emulator.backups[0]?.name).toMatch(/^ci-20260301T120000Z-[0-9a-f]{12}$/);
  });

  it.each<{ timeEpoch: unknown }>([
    { timeEpoch: null },
    { timeEpoch: '1772366400000' },
    { timeEpoch: [] },
    { timeEpoch: { valueOf: 1, toString: 1 } },
  ])('is named without a time where the gateway gives none: %j', async (odd) => {
    const body = JSON.stringify({ backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'ci' } });
    await post(event({ body, requestContext: { ...event().requestContext, ...odd } }));
    expect(emulator.backups[0]?.name).toMatch(/^ci-[0-9a-f]{12}$/);
  });
});

describe('what DDS refuses', () => {
  it.each([
    ['nameTaken', 400, undefined],
    ['noSuchInstance', 404, undefined],
    ['instanceBusy', 403, '60'],
    ['instanceState', 403, '60'],
    ['permissionDenied', 403, undefined],
    ['systemBusy', 400, '5'],
    ['tooManyCalls', 429, '5'],
    ['throttled', 429, '5'],
    ['serverError', 500, undefined],
  ] as const)('%s is answered with its status %i, its body and Retry-After %s', async (refusal, status, retryAfter) => {
    emulator.faults.decide = ({ operation }) =>
      operation === 'create-backup' ? { kind: 'error', ...refusals[refusal] } : undefined;
    const { statusCode, headers, body } = await post(event());
    const { error_code, error_msg } = refusals[refusal];
    expect(statusCode).toBe(status);
    expect(body).toMatchObject({ error_code, error_msg });
    expect(headers?.['retry-after']).toBe(retryAfter);
  });

  it('is in the one shape even where it comes from some proxy', async () => {
    emulator.faults.decide = () => ({ kind: 'json', status: 503, body: { message: 'no healthy upstream' } });
    expect(await post(event(), {}, () => 1)).toMatchObject({
      statusCode: 503,
      body: { error_code: 'DdsUnavailable', error_msg: expect.stringContaining('DDS answered 503') },
    });
  });

  it('keeps the Retry-After of DDS', async () => {
    emulator.faults.decide = () => ({ kind: 'error', ...refusals.tooManyCalls, headers: { 'retry-after': '120' } });
    expect((await post(event())).headers?.['retry-after']).toBe('120');
  });

  it('is refused in the log, with the code of DDS', async () => {
    emulator.faults.next({ kind: 'error', ...refusals.noSuchInstance });
    await post(event());
    expect(lines).toMatchObject([
      {
        level: 'warn',
        event: 'backup.refused',
        error: 'DdsRejected',
        dds_code: 'DBS.200002',
        dds_status: 404,
        name: 'before-migration',
        attempts: 1,
      },
    ]);
  });

  it.each(['noSuchApi', 'malformedRequest'] as const)(
    '%s by the gateway is 502, with its body: it is about us',
    async (refusal) => {
      emulator.faults.next({ kind: 'error', ...refusals[refusal] });
      expect(await post(event())).toMatchObject({
        statusCode: 502,
        body: { error_code: refusals[refusal].error_code },
      });
    },
  );

  it('is 502 when it is our key, whatever the code, and quotes nothing of the key', async () => {
    const wrong = await post(event(), { OTC_SDK_SK: 'wrong-secret-key' });
    expect(wrong).toMatchObject({ statusCode: 502, body: { error_code: 'APIGW.0301' } });
    expect(wrong.text).not.toMatch(/EMULATORACCESSKEY|wrong-secret-key/);
    emulator.faults.next({ kind: 'error', status: 401, error_code: 'DBS.280056', error_msg: 'Invalid token.' });
    expect(await post(event())).toMatchObject({ statusCode: 502, body: { error_code: 'DBS.280056' } });
  });
});

describe('what DDS does not answer', () => {
  it.each([
    [{ kind: 'reset', when: 'before' }, 502, 'UpstreamUnreachable'],
    [{ kind: 'html', status: 200 }, 502, 'UpstreamInvalid'],
    [{ kind: 'redirect', location: 'https://example.com/' }, 502, 'UpstreamInvalid'],
    [{ kind: 'hang', when: 'before' }, 504, 'UpstreamTimeout'],
  ] as const)('%o is status %i, %s', async (fault, status, error_code) => {
    emulator.faults.decide = () => fault;
    // Waiting costs no real time, but each attempt that hangs does.
    const { statusCode, body } = await post(event(), {}, () => 1);
    expect({ statusCode, body }).toEqual({
      statusCode: status,
      body: { error_code, error_msg: expect.stringContaining('may have been accepted') },
    });
    expect(lines).toMatchObject([{ level: 'error', event: 'backup.failed', error: error_code }]);
  });
});

describe('a request that is none', () => {
  it.each([
    ['no content type', { headers: {} }, 415],
    ['another content type', { headers: { 'content-type': 'text/plain' } }, 415],
    ['malformed JSON', { body: '{"backup":' }, 422],
    ['no body', { body: undefined }, 422],
    ['a body of null', { body: null }, 400],
    ['a body that is no text', { body: 7 }, 400],
    ['a polluting body', { body: '{"__proto__":{"a":1}}' }, 422],
    ['broken base64', { isBase64Encoded: true }, 422],
    ['nesting without end', { body: '['.repeat(60_000) }, 422],
    ['64 kB', { body: `"${'x'.repeat(64 * 1024 - 2)}"` }, 400],
    ['more than 64 kB', { body: `"${'x'.repeat(64 * 1024 - 1)}"` }, 413],
    ['more than 64 kB in base64', { body: Buffer.alloc(64 * 1024 + 1).toString('base64'), isBase64Encoded: true }, 413],
    ['an id that is empty', { headers: { 'content-type': 'application/json', 'idempotency-key': '' } }, 400],
    ['an id that is too long', { headers: { 'content-type': 'application/json', 'webhook-id': 'x'.repeat(257) } }, 400],
  ])('%s is refused with a status that fits, in the shape of DDS', async (_, more, status) => {
    const { statusCode, body } = await post(event(more));
    expect({ statusCode, body }).toMatchObject({
      statusCode: status,
      body: { error_code: 'InvalidRequest', error_msg: expect.any(String) },
    });
    expect(emulator.requests).toEqual([]);
    expect(lines).toMatchObject([{ event: 'backup.refused', error: 'InvalidRequest' }]);
  });

  it('is refused with all that is wrong at once, each by its path in the request', async () => {
    const backup = { name: 'x y', name_prefix: '-', description: '<>', extra: 1 };
    const { body } = await post(event({ body: JSON.stringify({ backup, more: true }) }));
    expect(body).toMatchObject({
      error_code: 'InvalidRequest',
      details: [
        { path: '/more', message: 'is not a known field' },
        { path: '/backup', message: 'must have name or name_prefix, and not both' },
        { path: '/backup/instance_id', message: 'is required' },
        { path: '/backup/extra', message: 'is not a known field' },
        { path: '/backup/name', message: 'must have at least 4 characters' },
        { path: '/backup/name', message: 'must match ^[A-Za-z][A-Za-z0-9_-]*$' },
        { path: '/backup/name_prefix', message: 'must match ^[A-Za-z][A-Za-z0-9_-]*$' },
        { path: '/backup/description', message: `must match ^[^>!<"&'=\\r]*$` },
      ],
    });
  });
});

describe('who may call', () => {
  const gateway = (requestContext: object) =>
    event({ requestContext: { requestId: 'r', timeEpoch: 0, ...requestContext } });

  it.each([
    ['IAM', { authorizer: { iam: { userArn: 'arn:aws:iam::1:user/u' } } }],
    ['a JWT', { authorizer: { jwt: { claims: { sub: 'u' }, scopes: null } } }],
    ['a Lambda authoriser', { authorizer: { lambda: { user: 'u' } } }],
    ["REST's IAM", { identity: { userArn: 'arn:aws:iam::1:user/u' } }],
    ["REST's Cognito", { authorizer: { claims: { sub: 'u' } } }],
    ["REST's Lambda authoriser", { authorizer: { principalId: 'u' } }],
  ])('whom %s has authorised', async (_, context) => {
    expect((await post(gateway(context))).statusCode).toBe(200);
  });

  it.each([
    ['no authoriser', {}],
    ['a null one', { authorizer: null, identity: null }],
    ['an empty one', { authorizer: {} }],
    ['IAM without a user', { authorizer: { iam: { userArn: '' } } }],
    ['IAM that is null', { authorizer: { iam: null } }],
    ['a JWT without claims', { authorizer: { jwt: { claims: {}, scopes: [] } } }],
    [
      'undefined claims, as serverless-offline gives',
      { authorizer: { jwt: { claims: undefined, scopes: undefined } } },
    ],
    ['a Lambda authoriser that says nothing', { authorizer: { lambda: null } }],
    ['an empty Lambda context', { authorizer: { lambda: {} } }],
    ['REST without a user', { identity: { userArn: null, sourceIp: '203.0.113.10' } }],
    ['REST with an empty principal', { authorizer: { principalId: '' } }],
    ['true', { authorizer: true }],
    ['text', { authorizer: 'admin' }],
  ])('not who comes with %s', async (_, context) => {
    const { statusCode, body } = await post(gateway(context));
    expect({ statusCode, body }).toMatchObject({ statusCode: 401, body: { error_code: 'Unauthorized' } });
    expect(emulator.requests).toEqual([]);
    expect(lines).toMatchObject([{ event: 'backup.refused', error: 'Unauthorized' }]);
  });

  it('not a stranger, who learns nothing of a configuration that is missing', async () => {
    const answer = await post(gateway({}), { OTC_SDK_PROJECT_ID: '', OTC_SDK_AK: '' });
    expect(answer).toMatchObject({ statusCode: 401 });
  });

  it('everybody, on a local server that says so', async () => {
    expect((await post(gateway({}), { HTTP_AUTH: 'none' })).statusCode).toBe(200);
  });

  it('nobody for a value of HTTP_AUTH that is none of the two', async () => {
    expect((await post(gateway({}), { HTTP_AUTH: 'None' })).statusCode).toBe(401);
  });
});

describe('a signed webhook', () => {
  const PREFIXED = JSON.stringify({ backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'webhook' } });

  const webhook = ({
    secret = SECRET,
    id = 'msg_1',
    at = time.now(),
    body = PREFIXED,
    signed = PREFIXED,
    headers = {},
  } = {}) => ({
    headers: {
      'Content-Type': 'application/json',
      'Webhook-Id': id,
      'Webhook-Timestamp': String(Math.floor(at.getTime() / 1000)),
      'Webhook-Signature': new Webhook(secret).sign(id, at, signed),
      ...headers,
    },
    body,
    requestContext: { requestId: 'r', timeEpoch: at.getTime() },
  });

  it('is let in, and a redelivery with a new time and signature finds its backup', async () => {
    const first = await post(webhook(), { WEBHOOK_SECRET: SECRET });
    expect(first).toMatchObject({ statusCode: 200, body: { backup_id: emulator.backups[0]?.id } });
    time.advance(3_600_000);
    const again = await post(webhook(), { WEBHOOK_SECRET: SECRET });
    expect(again).toMatchObject({ statusCode: 200, body: { backup_id: emulator.backups[0]?.id } });
    expect(emulator.backups).toHaveLength(1);
  });

  it('is let in with its body in base64: the signature is over the bytes', async () => {
    const event = { ...webhook(), isBase64Encoded: true, body: Buffer.from(PREFIXED).toString('base64') };
    expect((await post(event, { WEBHOOK_SECRET: SECRET })).statusCode).toBe(200);
  });

  it.each([SECRET, NEW_SECRET])('is let in under either of two secrets: %s', async (secret) => {
    expect((await post(webhook({ secret }), { WEBHOOK_SECRET: `${SECRET} ${NEW_SECRET}` })).statusCode).toBe(200);
  });

  it('is let in by any one of several signatures', async () => {
    const good = webhook().headers['Webhook-Signature'];
    const headers = { 'Webhook-Signature': `v1a,asymmetric v1,${'A'.repeat(43)}= garbage ${good}` };
    expect((await post(webhook({ headers }), { WEBHOOK_SECRET: SECRET })).statusCode).toBe(200);
  });

  it.each([-300, 300])('is let in %i seconds off', async (seconds) => {
    const at = new Date(time.now().getTime() + seconds * 1000);
    expect((await post(webhook({ at }), { WEBHOOK_SECRET: SECRET })).statusCode).toBe(200);
  });

  it.each([
    ['301 seconds old', () => webhook({ at: new Date(time.now().getTime() - 301_000) })],
    ['301 seconds ahead', () => webhook({ at: new Date(time.now().getTime() + 301_000) })],
    ['signed with another secret', () => webhook({ secret: NEW_SECRET })],
    ['changed after signing', () => webhook({ signed: `${PREFIXED} ` })],
    ['under another id', () => webhook({ headers: { 'Webhook-Id': 'msg_2' } })],
    [
      'under another time',
      () => webhook({ headers: { 'Webhook-Timestamp': String(Math.floor(time.now().getTime() / 1000) + 1) } }),
    ],
    ['without an id', () => webhook({ headers: { 'Webhook-Id': '' } })],
    ['without a time', () => webhook({ headers: { 'Webhook-Timestamp': '' } })],
    ['with a time that is none', () => webhook({ headers: { 'Webhook-Timestamp': 'NaN' } })],
    ['without a signature', () => webhook({ headers: { 'Webhook-Signature': '' } })],
    [
      'with half a signature',
      () => webhook({ headers: { 'Webhook-Signature': webhook().headers['Webhook-Signature'].slice(0, 20) } }),
    ],
    [
      'with a signature of another version',
      () => webhook({ headers: { 'Webhook-Signature': webhook().headers['Webhook-Signature'].replace('v1,', 'v2,') } }),
    ],
  ])('is not let in %s', async (_, make) => {
    const { statusCode, body } = await post(make(), { WEBHOOK_SECRET: SECRET });
    expect({ statusCode, body }).toMatchObject({ statusCode: 401, body: { error_code: 'Unauthorized' } });
    expect(emulator.requests).toEqual([]);
  });

  it('is not let in where no secret is configured', async () => {
    expect((await post(webhook())).statusCode).toBe(401);
    expect(emulator.requests).toEqual([]);
  });

  it.each([
    ['is malformed', { WEBHOOK_SECRET: 'not-a-secret' }, 'WEBHOOK_SECRET'],
    ['stands in a configuration that is not complete', { WEBHOOK_SECRET: SECRET, OTC_SDK_AK: '' }, 'OTC_SDK_AK'],
    [
      'cannot be read',
      { OTC_CREDENTIALS_SECRET: 'prod/key', PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: '1' },
      'secrets extension gave no answer',
    ],
  ])('is 500 where the secret %s: the log tells why, and a stranger learns nothing', async (_, env, why) => {
    const { statusCode, body } = await post(webhook({ secret: NEW_SECRET }), env);
    expect({ statusCode, body }).toEqual({
      statusCode: 500,
      body: { error_code: 'ConfigurationError', error_msg: 'Signatures cannot be verified at the moment.' },
    });
    expect(lines).toMatchObject([{ event: 'backup.failed', cause: expect.stringContaining(why) }]);
  });
});

describe('a function that is not configured', () => {
  it('answers 500 and names all that is missing', async () => {
    const { statusCode, body } = await post(event(), { OTC_SDK_AK: '', OTC_SDK_SK: '', OTC_SDK_PROJECT_ID: '' });
    expect(statusCode).toBe(500);
    expect(body).toMatchObject({
      error_code: 'ConfigurationError',
      error_msg: expect.stringMatching(/OTC_SDK_PROJECT_ID.*OTC_SDK_AK.*OTC_SDK_SK/),
    });
    expect(lines).toMatchObject([{ level: 'error', event: 'backup.failed', error: 'ConfigurationError' }]);
  });
});

describe('the end of an invocation', () => {
  it('is answered before Lambda would cut it off, even when everything hangs', async () => {
    emulator.faults.decide = () => ({ kind: 'hang', when: 'before' });
    const service = backupService({
      env: environment(emulator),
      now: time.now,
      attemptMillis: 60_000,
      reserveMillis: 0,
    });
    const answer = await httpHandler(service)(event() as never, lambdaContext(600));
    expect(answer).toMatchObject({ statusCode: 504 });
    expect(JSON.parse(answer.body)).toMatchObject({
      error_code: 'UpstreamTimeout',
      error_msg: expect.stringContaining('may have been accepted'),
    });
  });
});
