import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { refusals } from '../emulator/dds/refusals.ts';
import { DEMO_INSTANCE } from '../emulator/dds/seed.ts';
import { awsService } from '../lib/aws/platform.ts';
import { startAws } from '../test/support/aws.ts';
import { environment } from '../test/support/emulated.ts';
import { call, httpAnswer, lambdaContext, sample } from '../test/support/lambda.ts';
import { logLines } from '../test/support/log-lines.ts';
import { testServers } from '../test/support/servers.ts';
import { virtualTime } from '../test/support/virtual-time.ts';
import { httpHandler } from './http.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const NEW_SECRET = 'whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0';
const REQUEST = { backup: { instance_id: DEMO_INSTANCE.id, name: 'before-migration' } };
const INVOCATION = 29_000;
const UNREACHABLE_AWS = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'x',
  AWS_SECRET_ACCESS_KEY: 'x',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
};
/** CloudFront's origin access control. */
const CLOUDFRONT = 'arn:aws:sts::123456789012:assumed-role/CloudFront/OriginAccessSession';

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
beforeEach(async () => {
  time = virtualTime();
  emulator = await startEmulator({ clock: time.now });
});
afterEach(() => emulator.close());
const lines = logLines();
const { serve } = testServers();

/** Hands an event to the function; what it answers, with the body parsed. */
async function post(event: unknown, env: Record<string, string> = {}, random = () => 0.5) {
  const service = awsService({
    env: { ...environment(emulator), ...env },
    timing: { now: time.now, wait: time.wait, random },
    attemptMillis: 100,
  });
  const end = time.now().getTime() + INVOCATION;
  const context = lambdaContext(() => end - time.now().getTime());
  return httpAnswer(await call(httpHandler(service), event, context));
}

const always = (refusal: keyof typeof refusals) => {
  emulator.faults.decide = ({ operation }) =>
    operation === 'create-backup' ? { kind: 'error', ...refusals[refusal] } : undefined;
};

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

const PREFIXED = JSON.stringify({ backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'ci' } });
const REPLAYED = { 'idempotent-replayed': 'true' };

describe('http: authorized request', () => {
  it.each(['http-api', 'rest', 'function-url'])('%s → the ids, as DDS answers', async (name) => {
    const { statusCode, headers, body } = await post(sample(name));
    const backup_id = emulator.backups[0]?.id;
    expect({ statusCode, headers }).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/json', location: `backups/${backup_id}` },
    });
    expect(body).toEqual({ job_id: expect.stringMatching(/^[0-9a-f-]{36}$/), backup_id });
    expect(lines).toMatchObject([
      { level: 'info', event: 'request.accepted', trigger: 'http', instance_id: DEMO_INSTANCE.id, attempts: 1 },
    ]);
  });

  it('accepted → the status and the body of DDS, verbatim', async () => {
    const text = '{ "job_id": "j",  "backup_id": "b", "more": [] }';
    const DDS_ENDPOINT = await serve((_, response) => void response.writeHead(202).end(text));
    expect(await post(event(), { DDS_ENDPOINT })).toMatchObject({ statusCode: 202, text });
  });

  it.each<[string, string, string, object?]>([
    ['accepted', JSON.stringify(REQUEST), 'request.accepted'],
    ['rejected for its JSON', '{', 'request.rejected'],
    ['rejected by the schema', '{}', 'request.rejected'],
    ['rejected for its id', JSON.stringify(REQUEST), 'request.rejected', { 'idempotency-key': 'k'.repeat(257) }],
  ])('%s → the log names the caller', async (_, body, outcome, headers = {}) => {
    await post(event({ body, headers: { 'content-type': 'application/json', ...headers } }));
    expect(lines).toMatchObject([{ event: outcome, caller: 'arn:aws:iam::1:user/u' }]);
  });

  it('unknown caller → no caller in the log', async () => {
    await post(event({ requestContext: {} }));
    expect(lines).toMatchObject([{ event: 'request.rejected', reason: 'Unauthorized' }]);
    expect(lines[0]).not.toHaveProperty('caller');
  });

  it('repeated idempotency-key → replayed, in a header too', async () => {
    const prefixed = (headers: object, requestId: string) =>
      event({
        headers: { 'Content-Type': 'application/json', ...headers },
        requestContext: { ...event().requestContext, requestId },
        body: PREFIXED,
      });
    const first = await post(prefixed({ 'Idempotency-Key': 'pipeline-1' }, 'r1'));
    time.advance(3_600_000);
    const again = await post(prefixed({ 'idempotency-key': 'pipeline-1' }, 'r2'));
    const backup_id = emulator.backups[0]?.id;
    expect(first.body).toMatchObject({ backup_id });
    expect(first.headers).not.toHaveProperty('idempotent-replayed');
    expect(again).toMatchObject({ statusCode: 200, headers: REPLAYED });
    expect(again.body).toEqual({ backup_id });
    expect(emulator.backups.map(({ name }) => name)).toEqual([expect.stringMatching(/^ci-[a-z2-7]{14}$/)]);
    expect(lines).toMatchObject([
      { event: 'request.accepted', idempotency_key: 'pipeline-1' },
      { event: 'request.replayed', idempotency_key: 'pipeline-1' },
    ]);
  });

  it('no such key → the name has the id and the time of the request', async () => {
    await post(event({ body: PREFIXED }));
    expect(emulator.backups[0]?.name).toMatch(/^ci-20260301T120000Z-[a-z2-7]{14}$/);
    expect(lines).toMatchObject([{ idempotency_key: 'r' }]);
  });

  it.each<{ timeEpoch: unknown }>([
    { timeEpoch: null },
    { timeEpoch: '1772366400000' },
    { timeEpoch: [] },
    { timeEpoch: { valueOf: 1, toString: 1 } },
  ])('no time from the gateway, %j → a name without time', async (odd) => {
    await post(event({ body: PREFIXED, requestContext: { ...event().requestContext, ...odd } }));
    expect(emulator.backups[0]?.name).toMatch(/^ci-[a-z2-7]{14}$/);
  });

  it('not_after in the past → 409 DeadlinePassed, and nothing is submitted', async () => {
    const body = JSON.stringify({ ...REQUEST, not_after: '2026-03-01T11:59:59Z' });
    expect(await post(event({ body }))).toMatchObject({ statusCode: 409, body: { reason: 'DeadlinePassed' } });
    expect(emulator.requests.every(({ operation }) => operation === 'list-backups')).toBe(true);
  });
});

describe('http: DDS refuses', () => {
  it.each([
    ['noSuchInstance', 404, 'InstanceNotFound', undefined],
    ['instanceBusy', 403, 'InstanceBusy', '60'],
    ['instanceState', 403, 'InstanceBusy', '60'],
    ['invalidRequest', 403, 'DdsRejected', undefined],
    ['notPermitted', 400, 'DdsRejected', undefined],
    ['malformedRequest', 400, 'DdsRejected', undefined],
    ['permissionDenied', 502, 'CredentialsRefused', undefined],
    ['authenticationFailed', 502, 'CredentialsRefused', undefined],
    ['noSuchApi', 500, 'ConfigurationError', undefined],
    ['systemBusy', 400, 'Throttled', '5'],
    ['tooManyCalls', 429, 'Throttled', '5'],
    ['throttled', 429, 'Throttled', '5'],
    ['serverError', 500, 'DdsUnavailable', '30'],
  ] as const)('%s → %i %s, Retry-After %s', async (refusal, status, reason, retryAfter) => {
    always(refusal);
    const { statusCode, headers, body } = await post(event());
    const { error_code, error_msg } = refusals[refusal];
    expect({ statusCode, body }).toEqual({
      statusCode: status,
      body: { error_code, error_msg: error_code.startsWith('APIGW.') ? expect.any(String) : error_msg, reason },
    });
    expect(headers['retry-after']).toBe(retryAfter);
  });

  it('name taken by another backup → 400 BackupNameTaken, with what is known of that backup', async () => {
    const { id } = emulator.state.seedBackup({
      name: REQUEST.backup.name,
      instance_id: DEMO_INSTANCE.id,
      begin: new Date('2026-02-28T10:00:00Z'),
    });
    const { statusCode, body } = await post(event());
    expect({ statusCode, body }).toEqual({
      statusCode: 400,
      body: {
        error_code: 'DBS.201201',
        error_msg: refusals.nameTaken.error_msg,
        reason: 'BackupNameTaken',
        backup: {
          id,
          name: REQUEST.backup.name,
          instance_id: DEMO_INSTANCE.id,
          status: 'COMPLETED',
          began_at: '2026-02-28T10:00:00Z',
        },
      },
    });
  });

  it('name taken, listed nowhere → 504 OutcomeUnknown, once the time is up', async () => {
    always('nameTaken');
    expect(await post(event())).toMatchObject({
      statusCode: 504,
      headers: { 'retry-after': '30' },
      body: { error_code: 'OutcomeUnknown', error_msg: expect.stringContaining('may exist'), reason: 'OutcomeUnknown' },
    });
  });

  it('JSON of some proxy → the same shape', async () => {
    emulator.faults.decide = () => ({ kind: 'json', status: 503, body: { message: 'no healthy upstream' } });
    expect(await post(event(), {}, () => 1)).toMatchObject({
      statusCode: 503,
      body: {
        error_code: 'DdsUnavailable',
        error_msg: expect.stringContaining('DDS answered 503'),
        reason: 'DdsUnavailable',
      },
    });
  });

  it('Retry-After of DDS → passed on', async () => {
    emulator.faults.decide = () => ({ kind: 'error', ...refusals.tooManyCalls, headers: { 'retry-after': '120' } });
    expect((await post(event())).headers['retry-after']).toBe('120');
  });

  it.each([
    ['noSuchInstance', { level: 'warn', event: 'request.rejected', reason: 'InstanceNotFound', attempts: 1 }],
    ['permissionDenied', { level: 'error', event: 'request.failed', reason: 'CredentialsRefused', attempts: 1 }],
  ] as const)('%s → one line, with the code of DDS', async (refusal, line) => {
    emulator.faults.next({ kind: 'error', ...refusals[refusal] });
    await post(event());
    const { status: dds_status, error_code: dds_code } = refusals[refusal];
    expect(lines).toMatchObject([{ ...line, dds_code, dds_status, name: 'before-migration' }]);
  });

  it('our key, whatever the code → 502, and nothing of the key or of the text', async () => {
    const wrong = await post(event(), { OTC_SDK_SK: 'wrong-secret-key' });
    expect(wrong).toMatchObject({ statusCode: 502, body: { error_code: 'APIGW.0301', reason: 'CredentialsRefused' } });
    expect(wrong.text).not.toMatch(/EMULATORACCESSKEY|wrong-secret-key|canonical/);
    emulator.faults.next({ kind: 'error', status: 401, error_code: 'DBS.280056', error_msg: 'Invalid token abc.' });
    const token = await post(event());
    expect(token).toMatchObject({ statusCode: 502, body: { error_code: 'DBS.280056', reason: 'CredentialsRefused' } });
    expect(token.text).not.toContain('abc');
  });
});

describe('http: status', () => {
  const get = (path: string, queryStringParameters: object = {}) =>
    event({ httpMethod: 'GET', path, queryStringParameters, body: undefined });

  it('BUILDING → 200 as DDS lists it, Backup-Status, and when to ask again', async () => {
    const { headers } = await post(event({ httpMethod: 'POST', path: '/prod/backups' }));
    time.advance(25_000);
    const { statusCode, headers: found, body } = await post(get(`/${headers.location}`));
    expect({ statusCode, body }).toEqual({ statusCode: 200, body: { backup: emulator.backups[0] } });
    expect(found).toMatchObject({ 'backup-status': 'BUILDING', 'retry-after': '3' });
  });

  it('COMPLETED → 200, and nothing to ask again for', async () => {
    const { headers } = await post(event());
    time.advance(3_600_000);
    const { headers: found } = await post(get(`/${headers.location}`));
    expect(found).toMatchObject({ 'backup-status': 'COMPLETED' });
    expect(found).not.toHaveProperty('retry-after');
  });

  it('unknown id → 404 BackupNotFound', async () => {
    expect(await post(get('/backups/x'))).toMatchObject({ statusCode: 404, body: { reason: 'BackupNotFound' } });
  });

  it.each([
    ['all of an instance', {}, ['other', 'nightly-2', 'nightly']],
    ['of one name', { name: 'nightly' }, ['nightly-2', 'nightly']],
  ])('list %s → the newest first', async (_, query, names) => {
    for (const [hour, name] of ['nightly', 'nightly-2', 'other'].entries())
      emulator.state.seedBackup({ name, instance_id: DEMO_INSTANCE.id, begin: new Date(Date.UTC(2026, 1, 1, hour)) });
    const { statusCode, body } = await post(get('/backups', { instance_id: DEMO_INSTANCE.id, ...query }));
    expect(statusCode).toBe(200);
    expect(body).toMatchObject({ backups: names.map((name) => ({ name })) });
  });

  it.each([
    ['GET', '/backups', {}, 400, '/query/instance_id is required'],
    ['GET', '/backups', { instance_id: 'x', limit: '1' }, 400, '/query/limit is not a known parameter'],
    ['GET', '/backups/a/b', {}, 404, 'There is no such path'],
    ['GET', '/other', {}, 404, 'There is no such path'],
    ['GET', '/', {}, 405, 'The method GET'],
    ['DELETE', '/backups', {}, 405, 'The method DELETE'],
    ['POST', '/backups/x', {}, 405, 'The method POST'],
  ])('%s %s %j → %i', async (httpMethod, path, queryStringParameters, statusCode, message) => {
    const answer = await post(event({ httpMethod, path, queryStringParameters }));
    expect(answer).toMatchObject({ statusCode, body: { error_msg: expect.stringContaining(message) } });
    expect(answer.headers.allow !== undefined).toBe(statusCode === 405);
    expect(emulator.requests).toEqual([]);
  });
});

describe('http: Prefer: respond-async', () => {
  const ASYNC = { headers: { 'content-type': 'application/json', Prefer: 'wait=5, respond-async' } };
  const ARN = 'arn:aws:lambda:eu-central-1:123456789012:function:deferred:live';

  it('DDS accepts → as without it', async () => {
    const { statusCode, body } = await post(event(ASYNC));
    expect({ statusCode, body }).toMatchObject({ statusCode: 200, body: { backup_id: emulator.backups[0]?.id } });
  });

  it('instance busy → handed over to deferred, 202', async () => {
    always('instanceBusy');
    await using aws = await startAws({ clock: time.now });
    const env = { ...aws.env, DEFERRED_FUNCTION: ARN };
    const { instance_id, name } = REQUEST.backup;
    const { statusCode, headers, body } = await post(event(ASYNC), env);
    expect({ statusCode, body }).toEqual({
      statusCode: 202,
      body: { status: 'DEFERRED', name, instance_id, not_after: '2026-03-02T12:00:00.000Z' },
    });
    expect(headers).toMatchObject({
      'preference-applied': 'respond-async',
      location: `backups?instance_id=${instance_id}&name=${name}`,
    });
    expect(aws.invocations).toMatchObject([{ name: ARN, payload: { handed_over: { request: REQUEST } } }]);
    expect(lines).toMatchObject([{ event: 'request.deferred', reason: 'InstanceBusy', name }]);
  });

  it('not known to be queued → OutcomeUnknown', async () => {
    always('instanceBusy');
    const answer = await post(event(ASYNC), { ...UNREACHABLE_AWS, DEFERRED_FUNCTION: ARN });
    expect(answer).toMatchObject({ statusCode: 504, body: { reason: 'OutcomeUnknown' } });
  });

  it('permanent refusal → as without it', async () => {
    always('noSuchInstance');
    expect(await post(event(ASYNC))).toMatchObject({ statusCode: 404, body: { reason: 'InstanceNotFound' } });
  });
});

describe('http: DDS does not answer', () => {
  it.each([
    [{ kind: 'reset', when: 'before' }, 502, 'UpstreamUnreachable'],
    [{ kind: 'html', status: 200 }, 502, 'UpstreamInvalid'],
    [{ kind: 'html', status: 502 }, 502, 'DdsUnavailable'],
    [{ kind: 'redirect', location: 'https://example.com/' }, 502, 'UpstreamInvalid'],
    [{ kind: 'hang', when: 'before' }, 504, 'UpstreamTimeout'],
  ] as const)('%o → %i %s, and the backup may exist', async (fault, status, reason) => {
    emulator.faults.decide = () => fault;
    // Waiting costs no real time, but each attempt that hangs does.
    const { statusCode, body } = await post(event(), {}, () => 1);
    expect({ statusCode, body }).toEqual({
      statusCode: status,
      body: { error_code: reason, error_msg: expect.stringContaining('The backup may exist'), reason },
    });
    expect(lines).toMatchObject([{ level: 'error', event: 'request.failed', reason, outcome_unknown: true }]);
  });

  it('no connection → 502 UpstreamUnreachable, and the outcome is known', async () => {
    const { statusCode, body } = await post(event(), { DDS_ENDPOINT: 'http://127.0.0.1:1' }, () => 1);
    expect({ statusCode, body }).toEqual({
      statusCode: 502,
      body: {
        error_code: 'UpstreamUnreachable',
        error_msg: expect.not.stringContaining('may exist'),
        reason: 'UpstreamUnreachable',
      },
    });
    expect(lines[0]).not.toHaveProperty('outcome_unknown');
  });

  it('answer lost after the effect → replayed', async () => {
    emulator.faults.next({ kind: 'reset', when: 'after' });
    expect(await post(event())).toMatchObject({
      statusCode: 200,
      headers: REPLAYED,
      body: { backup_id: emulator.backups[0]?.id },
    });
  });
});

describe('http: invalid request', () => {
  it.each([
    ['no content type', { headers: {} }, 415],
    ['another content type', { headers: { 'content-type': 'text/plain' } }, 415],
    ['malformed JSON', { body: '{"backup":' }, 422],
    ['no body', { body: undefined }, 422],
    ['a body of null', { body: null }, 422],
    ['an empty body', { body: '' }, 422],
    ['a compressed body', { headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } }, 415],
    ['a body that is no text', { body: 7 }, 422],
    ['a polluting body', { body: '{"__proto__":{"a":1}}' }, 422],
    ['broken base64', { isBase64Encoded: true }, 422],
    ['nesting without end', { body: '['.repeat(60_000) }, 422],
    ['64 kB', { body: `"${'x'.repeat(64 * 1024 - 2)}"` }, 400],
    ['more than 64 kB', { body: `"${'x'.repeat(64 * 1024 - 1)}"` }, 413],
    ['more than 64 kB in base64', { body: Buffer.alloc(64 * 1024 + 1).toString('base64'), isBase64Encoded: true }, 413],
    ['an id that is empty', { headers: { 'content-type': 'application/json', 'idempotency-key': '' } }, 400],
    ['an id that is too long', { headers: { 'content-type': 'application/json', 'webhook-id': 'x'.repeat(257) } }, 400],
  ])('%s → refused in the one shape of errors, and DDS is not asked', async (_, more, status) => {
    const { statusCode, body } = await post(event(more));
    expect({ statusCode, body }).toMatchObject({
      statusCode: status,
      body: { error_code: 'InvalidRequest', error_msg: expect.any(String), reason: 'InvalidRequest' },
    });
    expect(emulator.requests).toEqual([]);
    expect(lines).toMatchObject([{ event: 'request.rejected', reason: 'InvalidRequest' }]);
  });

  it('byte order mark before the JSON → accepted', async () => {
    expect((await post(event({ body: `\ufeff${JSON.stringify(REQUEST)}` }))).statusCode).toBe(200);
  });

  it('several violations → each of them, by its path in the request', async () => {
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

describe('http: who may call', () => {
  const gateway = (requestContext: object) =>
    event({ requestContext: { requestId: 'r', timeEpoch: time.now().getTime(), ...requestContext } });

  it.each([
    ['IAM', { authorizer: { iam: { userArn: 'arn:aws:iam::1:user/u' } } }],
    ['a JWT', { authorizer: { jwt: { claims: { sub: 'u' }, scopes: null } } }],
    ['a Lambda authorizer', { authorizer: { lambda: { user: 'u' } } }],
    ["REST's IAM", { identity: { userArn: 'arn:aws:iam::1:user/u' } }],
    ["REST's Cognito", { authorizer: { claims: { sub: 'u' } } }],
    ["REST's Lambda authorizer", { authorizer: { principalId: 'u' } }],
  ])('authorized by %s → let in', async (_, context) => {
    expect((await post(gateway(context))).statusCode).toBe(200);
  });

  it.each([
    ['no authorizer', {}],
    ['a null authorizer', { authorizer: null, identity: null }],
    ['an empty authorizer', { authorizer: {} }],
    ['IAM without a user', { authorizer: { iam: { userArn: '' } } }],
    ['IAM that is null', { authorizer: { iam: null } }],
    ['a JWT without claims', { authorizer: { jwt: { claims: {}, scopes: [] } } }],
    [
      'undefined claims, as serverless-offline gives',
      { authorizer: { jwt: { claims: undefined, scopes: undefined } } },
    ],
    ['a Lambda authorizer without context', { authorizer: { lambda: null } }],
    ['an empty Lambda context', { authorizer: { lambda: {} } }],
    ['REST without a user', { identity: { userArn: null, sourceIp: '203.0.113.10' } }],
    ['REST with an empty principal', { authorizer: { principalId: '' } }],
    ['an authorizer that is true', { authorizer: true }],
    ['CloudFront, which signs for every viewer', { authorizer: { iam: { userArn: CLOUDFRONT } } }],
    ["CloudFront, through REST's IAM", { identity: { userArn: CLOUDFRONT } }],
    ['an authorizer that is text', { authorizer: 'admin' }],
  ])('%s → 401', async (_, context) => {
    const { statusCode, body } = await post(gateway(context));
    expect({ statusCode, body }).toMatchObject({
      statusCode: 401,
      body: { error_code: 'Unauthorized', reason: 'Unauthorized' },
    });
    expect(emulator.requests).toEqual([]);
    expect(lines).toMatchObject([{ event: 'request.rejected', reason: 'Unauthorized' }]);
  });

  it('401 → says that a Lambda authorizer must return a context', async () => {
    const { body } = await post(gateway({ authorizer: { lambda: {} } }));
    expect(body).toMatchObject({ error_msg: expect.stringContaining('a Lambda authorizer must return a context') });
  });

  it('unknown caller, no configuration → 401, which says nothing of the configuration', async () => {
    const answer = await post(gateway({}), { OTC_SDK_PROJECT_ID: '', OTC_SDK_AK: '' });
    expect(answer).toMatchObject({ statusCode: 401 });
  });

  it('HTTP_AUTH=none → everyone is let in', async () => {
    expect((await post(gateway({}), { HTTP_AUTH: 'none' })).statusCode).toBe(200);
  });

  it('HTTP_AUTH of another value → 401', async () => {
    expect((await post(gateway({}), { HTTP_AUTH: 'None' })).statusCode).toBe(401);
  });
});

describe('http: signed webhook', () => {
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

  it('redelivery with a new time and signature → replayed', async () => {
    const first = await post(webhook(), { WEBHOOK_SECRET: SECRET });
    expect(first).toMatchObject({ statusCode: 200, body: { backup_id: emulator.backups[0]?.id } });
    time.advance(3_600_000);
    const again = await post(webhook(), { WEBHOOK_SECRET: SECRET });
    expect(again).toMatchObject({ statusCode: 200, headers: REPLAYED, body: { backup_id: emulator.backups[0]?.id } });
    expect(emulator.backups).toHaveLength(1);
  });

  it('unsigned id headers → only the signed id counts', async () => {
    await post(webhook(), { WEBHOOK_SECRET: SECRET });
    const again = webhook({ headers: { 'Idempotency-Key': 'other', 'Svix-Id': 'another' } });
    expect(await post(again, { WEBHOOK_SECRET: SECRET })).toMatchObject({ statusCode: 200, headers: REPLAYED });
    expect(lines).toMatchObject([{ idempotency_key: 'msg_1' }, { idempotency_key: 'msg_1' }]);
  });

  it('POST /webhooks → no Location, and busy is deferred without asking for it', async () => {
    await using aws = await startAws({ clock: time.now });
    const env = { ...aws.env, WEBHOOK_SECRET: SECRET, DEFERRED_FUNCTION: 'deferred' };
    const accepted = await post({ ...webhook(), rawPath: '/webhooks' }, env);
    expect(accepted.statusCode).toBe(200);
    expect(accepted.headers).not.toHaveProperty('location');
    const busy = await post({ ...webhook({ id: 'msg_2' }), rawPath: '/webhooks' }, env);
    expect(busy).toMatchObject({ statusCode: 202, body: { status: 'DEFERRED' } });
    expect(busy.headers).not.toHaveProperty('location');
    expect(aws.invocations).toHaveLength(1);
  });

  it('body in base64 → let in: the signature covers the bytes', async () => {
    const event = { ...webhook(), isBase64Encoded: true, body: Buffer.from(PREFIXED).toString('base64') };
    expect((await post(event, { WEBHOOK_SECRET: SECRET })).statusCode).toBe(200);
  });

  it.each([SECRET, NEW_SECRET])('two secrets, signed with %s → let in', async (secret) => {
    expect((await post(webhook({ secret }), { WEBHOOK_SECRET: `${SECRET} ${NEW_SECRET}` })).statusCode).toBe(200);
  });

  it('several signatures, one of them right → let in', async () => {
    const good = webhook().headers['Webhook-Signature'];
    const headers = { 'Webhook-Signature': `v1a,asymmetric v1,${'A'.repeat(43)}= garbage ${good}` };
    expect((await post(webhook({ headers }), { WEBHOOK_SECRET: SECRET })).statusCode).toBe(200);
  });

  it.each([-300, 300])('timestamp %i seconds off → let in', async (seconds) => {
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
    ['with a malformed time', () => webhook({ headers: { 'Webhook-Timestamp': 'NaN' } })],
    ['without a signature', () => webhook({ headers: { 'Webhook-Signature': '' } })],
    [
      'with half a signature',
      () => webhook({ headers: { 'Webhook-Signature': webhook().headers['Webhook-Signature'].slice(0, 20) } }),
    ],
    [
      'with a signature of another version',
      () => webhook({ headers: { 'Webhook-Signature': webhook().headers['Webhook-Signature'].replace('v1,', 'v2,') } }),
    ],
  ])('%s → 401', async (_, make) => {
    const { statusCode, body } = await post(make(), { WEBHOOK_SECRET: SECRET });
    expect({ statusCode, body }).toMatchObject({
      statusCode: 401,
      body: { error_code: 'Unauthorized', reason: 'Unauthorized' },
    });
    expect(emulator.requests).toEqual([]);
  });

  it.each([
    ['a backup', '/backups/x', {}],
    ['a list', '/backups', { instance_id: DEMO_INSTANCE.id }],
  ])('signed, and asks for %s → 401: its signature covers neither method nor path', async (_, path, query) => {
    const signed = { ...webhook(), httpMethod: 'GET', path, queryStringParameters: query };
    expect(await post(signed, { WEBHOOK_SECRET: SECRET })).toMatchObject({
      statusCode: 401,
      body: { reason: 'Unauthorized' },
    });
    expect(emulator.requests).toEqual([]);
  });

  it('no secret is configured → 401', async () => {
    expect((await post(webhook())).statusCode).toBe(401);
    expect(emulator.requests).toEqual([]);
  });

  it.each([
    ['malformed', { WEBHOOK_SECRET: 'not-a-secret' }, 500, 'ConfigurationError', 'webhook_secret'],
    [
      'in a configuration that is incomplete',
      { WEBHOOK_SECRET: '', OTC_CREDENTIALS_SECRET: 'prod/key', OTC_SDK_PROJECT_ID: '' },
      500,
      'ConfigurationError',
      'OTC_SDK_PROJECT_ID',
    ],
    [
      'unreadable at the moment',
      { ...UNREACHABLE_AWS, OTC_CREDENTIALS_SECRET: 'prod/key' },
      503,
      'AuthenticationUnavailable',
      'The secret prod/key',
    ],
  ])('secret %s → the caller reads no reason, the log does', async (_, env, status, reason, cause) => {
    const { statusCode, headers, body } = await post(webhook({ secret: NEW_SECRET }), env);
    expect({ statusCode, body }).toEqual({
      statusCode: status,
      body: {
        error_code: reason,
        error_msg: expect.stringMatching(/^Signatures cannot be verified[ a-z]*\. /),
        reason,
      },
    });
    expect(headers['retry-after']).toBe(status === 503 ? '30' : undefined);
    expect(lines).toMatchObject([{ reason, cause: expect.stringContaining(cause) }]);
  });

  it('secret in the environment, the rest of the configuration missing → a wrong signature is 401', async () => {
    const answer = await post(webhook({ secret: NEW_SECRET }), { WEBHOOK_SECRET: SECRET, OTC_SDK_AK: '' });
    expect(answer).toMatchObject({ statusCode: 401 });
  });
});

describe('http: no configuration', () => {
  it('→ 500 that names everything that is missing', async () => {
    const { statusCode, body } = await post(event(), { OTC_SDK_AK: '', OTC_SDK_SK: '', OTC_SDK_PROJECT_ID: '' });
    expect(statusCode).toBe(500);
    expect(body).toEqual({
      error_code: 'ConfigurationError',
      error_msg: expect.stringMatching(/(?=.*OTC_SDK_PROJECT_ID)(?=.*OTC_SDK_AK)(?=.*OTC_SDK_SK)/),
      reason: 'ConfigurationError',
    });
    expect(lines).toMatchObject([{ level: 'error', event: 'request.failed', reason: 'ConfigurationError' }]);
  });
});

describe('http: end of the invocation', () => {
  it('everything hangs → answered before Lambda would end it', async () => {
    emulator.faults.decide = () => ({ kind: 'hang', when: 'before' });
    const service = awsService({
      env: environment(emulator),
      timing: { ...time, random: () => 1 },
      attemptMillis: 60_000,
      reserveMillis: 0,
    });
    expect(httpAnswer(await call(httpHandler(service), event(), lambdaContext(600)))).toMatchObject({
      statusCode: 504,
      body: {
        error_code: 'UpstreamTimeout',
        error_msg: expect.stringContaining('The backup may exist'),
        reason: 'UpstreamTimeout',
      },
    });
  });
});
