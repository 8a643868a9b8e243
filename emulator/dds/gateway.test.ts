import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type Emulator, type EmulatorOptions, startEmulator } from './emulator.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE, DEMO_PROJECT_ID, DEMO_TEMPORARY_CREDENTIALS } from './seed.ts';
import { type CallResult, call, type SignedCall, send } from './signed-call.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const DATE = '20260301T120000Z';
const start = (options: EmulatorOptions = {}): Promise<Emulator> => startEmulator({ clock: () => NOW, ...options });

const refusedBy = (detail: string) => ({
  error_code: 'APIGW.0301',
  error_msg: expect.stringContaining(`Incorrect IAM authentication information: ${detail}`),
  request_id: expect.stringMatching(/^[0-9a-f]{32}$/),
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

interface ByHand {
  readonly method?: string;
  /** As it is sent, and in its canonical form. */
  readonly query?: readonly [sent: string, canonical: string];
  readonly body?: string;
  /** Beside `host` and `x-sdk-date`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What the header says is signed; default: all that is. */
  readonly names?: string;
  readonly signed?: readonly string[];
  readonly scope?: string;
  /** What stands for the body in the canonical request. */
  readonly payload?: string;
}

/** A client that follows the signing guide step by step and shares nothing with the one in lib/ or with the emulator. */
function sendByHand(emulator: Emulator, given: ByHand): Promise<CallResult> {
  const { method = 'GET', query: [sent, canonicalQuery] = ['', ''], body = '', scope } = given;
  const { signed = ['host', 'x-sdk-date'] } = given;
  const path = `/v3/${DEMO_PROJECT_ID}/backups`;
  const headers: Record<string, string> = { ...given.headers, host: new URL(emulator.url).host, 'x-sdk-date': DATE };
  const lines = signed.map((name) => `${name}:${headers[name]}\n`).join('');
  const canonical = [method, `${path}/`, canonicalQuery, lines, signed.join(';'), given.payload ?? sha256(body)].join(
    '\n',
  );
  const { ak, sk } = DEMO_CREDENTIALS;
  const key = scope?.split('/').reduce<string | Buffer>(hmac, `SDK${sk}`) ?? sk;
  const toSign = ['SDK-HMAC-SHA256', DATE, ...(scope === undefined ? [] : [scope]), sha256(canonical)].join('\n');
  const access = scope === undefined ? `Access=${ak}` : `Credential=${ak}/${scope}`;
  const authorization = `SDK-HMAC-SHA256 ${access}, SignedHeaders=${given.names ?? signed.join(';')}, Signature=${hmac(key, toSign).toString('hex')}`;
  return send(emulator, { method, target: path + (sent && `?${sent}`), headers: { ...headers, authorization }, body });
}

describe('gateway, signed by lib/', () => {
  const accepted: [string, SignedCall][] = [
    ['the permanent key', {}],
    ['a query that needs encoding', { query: { begin_time: '2026-03-01 00:00:00', end_time: '2026-03-02 00:00:00' } }],
    ['a query whose characters all need encoding', { query: { x: "ä+!'()*~ &=/", ä: '' } }],
    ['a parameter that repeats', { query: { x: ['b', 'a'] } }],
    ['further signed headers', { headers: { 'x-project-id': DEMO_PROJECT_ID, 'content-type': 'application/json' } }],
    ['a temporary key with its token, signed', { credentials: DEMO_TEMPORARY_CREDENTIALS }],
    ['a clock that is 15 minutes slow', { time: new Date(NOW.getTime() - 15 * 60_000) }],
    ['a clock that is 15 minutes fast', { time: new Date(NOW.getTime() + 15 * 60_000) }],
  ];
  it.each(accepted)('%s → 200', async (_, options) => {
    await using emulator = await start();
    expect((await call(emulator, options)).status).toBe(200);
  });

  it('a temporary key with its token, not signed → 200', async () => {
    await using emulator = await start();
    const { ak, sk, securityToken } = DEMO_TEMPORARY_CREDENTIALS;
    const tamper = (headers: Readonly<Record<string, string>>) => ({ ...headers, 'x-security-token': securityToken });
    expect((await call(emulator, { credentials: { ak, sk }, tamper })).status).toBe(200);
  });

  it('keys of its own → only these', async () => {
    const credentials = { ak: 'OWN', sk: 'own' };
    await using emulator = await start({ credentials: [credentials] });
    expect((await call(emulator, { credentials })).status).toBe(200);
    expect((await call(emulator)).status).toBe(401);
  });

  it('keys that are replaced → the old one is refused', async () => {
    await using emulator = await start();
    const credentials = { ak: 'NEW', sk: 'new' };
    emulator.control.changeProject({ credentials: [credentials] });
    expect((await call(emulator, { credentials })).status).toBe(200);
    expect((await call(emulator)).status).toBe(401);
  });

  const without = (name: string) => (headers: Readonly<Record<string, string>>) => ({ ...headers, [name]: undefined });
  const put = (name: string, value: string) => (headers: Readonly<Record<string, string>>) => ({
    ...headers,
    [name]: value,
  });
  const signedAs = (names: string) =>
    put(
      'authorization',
      `SDK-HMAC-SHA256 Access=${DEMO_CREDENTIALS.ak}, SignedHeaders=${names}, Signature=${'0'.repeat(64)}`,
    );
  const refused: [string, string, SignedCall][] = [
    ['no authorization', 'x-auth-token not found', { tamper: without('authorization') }],
    ['another algorithm', 'Authorization format incorrect', { tamper: put('authorization', 'Bearer x') }],
    ['an unknown key', 'Get secretKey failed,ak:UNKNOWN,err:ak not exist', { credentials: { ak: 'UNKNOWN', sk: 'x' } }],
    ['a wrong secret', 'verify aksk signature fail', { credentials: { ak: DEMO_CREDENTIALS.ak, sk: 'wrong' } }],
    ['a signed header that changed', 'verify aksk signature fail', { headers: { x: '1' }, tamper: put('x', '2') }],
    ['a signed header that is missing', 'verify aksk signature fail', { headers: { x: '1' }, tamper: without('x') }],
    ['no date', 'verify aksk signature fail', { tamper: without('x-sdk-date') }],
    ['a date of no calendar', 'verify aksk signature fail', { tamper: put('x-sdk-date', '20260230T120000Z') }],
    ['a slow clock', 'verify aksk signature fail', { time: new Date(NOW.getTime() - 901_000) }],
    ['a fast clock', 'verify aksk signature fail', { time: new Date(NOW.getTime() + 901_000) }],
    [
      'a temporary key without its token',
      'decrypt token fail',
      { credentials: { ...DEMO_TEMPORARY_CREDENTIALS, securityToken: '' } },
    ],
    [
      'a temporary key with another token',
      'decrypt token fail',
      { credentials: { ...DEMO_TEMPORARY_CREDENTIALS, securityToken: 'x' } },
    ],
    [
      'a permanent key with a token',
      'decrypt token fail',
      { credentials: { ...DEMO_CREDENTIALS, securityToken: 'x' } },
    ],
    ['a signed header __proto__', 'verify aksk signature fail', { tamper: signedAs('__proto__') }],
    ['a signed header constructor', 'verify aksk signature fail', { tamper: signedAs('constructor;x-sdk-date') }],
  ];
  it.each(refused)('%s → 401 %s', async (_, detail, options) => {
    await using emulator = await start();
    const answer = await call(emulator, options);
    expect([answer.status, answer.body]).toEqual([401, refusedBy(detail)]);
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
  });

  it('another body than the one signed → 401', async () => {
    await using emulator = await start();
    const headers: Record<string, string> = {};
    await call(emulator, { method: 'POST', body: '{}', tamper: (signed) => Object.assign(headers, signed) });
    const target = `/v3/${DEMO_PROJECT_ID}/backups`;
    const answer = await send(emulator, { method: 'POST', target, headers, body: '[]' });
    expect(answer.body).toEqual(refusedBy('verify aksk signature fail'));
  });
});

const UNSIGNED = { 'x-sdk-content-sha256': 'UNSIGNED-PAYLOAD' };
const BACKUP = JSON.stringify({ backup: { instance_id: DEMO_INSTANCE.id, name: 'by-hand' } });
const POST = { method: 'POST', body: BACKUP, headers: { 'content-type': 'application/json' } };
const SCOPE = '20260301///sdk_request';

describe('gateway, signed by hand', () => {
  const accepted: [string, ByHand][] = [
    ['host and date', {}],
    ['only the date', { signed: ['x-sdk-date'] }],
    ['a body', POST],
    ['a body that is not signed', { ...POST, headers: { ...POST.headers, ...UNSIGNED }, payload: 'UNSIGNED-PAYLOAD' }],
    ['no body, not signed', { headers: UNSIGNED, payload: 'UNSIGNED-PAYLOAD' }],
    ['a derived key', { scope: SCOPE }],
    ['a derived key, and only the date', { scope: SCOPE, signed: ['x-sdk-date'] }],
    ['a derived key with region and service', { scope: '20260301/eu-de/dds/sdk_request' }],
    ['a derived key, and a body', { ...POST, scope: SCOPE }],
    [
      'a space in the query sent as +',
      {
        query: [
          'begin_time=2026-03-01+00:00:00&end_time=2026-03-02+00%3A00%3A00',
          'begin_time=2026-03-01%2000%3A00%3A00&end_time=2026-03-02%2000%3A00%3A00',
        ],
      },
    ],
  ];
  it.each(accepted)('%s → 200', async (_, options) => {
    await using emulator = await start();
    expect(await sendByHand(emulator, options)).toMatchObject({ status: 200 });
  });

  const refused: [string, string, ByHand][] = [
    ['a date that is not signed', 'verify aksk signature fail, SignedHeaders', { signed: ['host'] }],
    ['a list that is not sorted', 'verify aksk signature fail', { names: 'x-sdk-date;host' }],
    ['a list with a header that was not sent', 'verify aksk signature fail', { names: 'host;x;x-sdk-date' }],
    ['a list with a header twice', 'verify aksk signature fail', { names: 'host;host;x-sdk-date' }],
    ['a hash of another body', 'verify aksk signature fail', { ...POST, payload: sha256('') }],
    ['UNSIGNED-PAYLOAD that no header names', 'verify aksk signature fail', { ...POST, payload: 'UNSIGNED-PAYLOAD' }],
    ['a derived key of another day', 'verify aksk signature fail, Credential', { scope: '20260228///sdk_request' }],
    ['a + that is signed as +', 'verify aksk signature fail', { query: ['x=a+b', 'x=a%2Bb'] }],
  ];
  it.each(refused)('%s → 401 %s', async (_, detail, options) => {
    await using emulator = await start();
    const answer = await sendByHand(emulator, options);
    expect([answer.status, answer.body]).toEqual([401, refusedBy(detail)]);
  });
});

describe('gateway, key that fails again and again', () => {
  const wrong = { credentials: { ...DEMO_CREDENTIALS, sk: 'wrong' } };
  const fail = async (emulator: Emulator, times: number): Promise<void> => {
    for (let time = 0; time < times; time++) expect((await call(emulator, wrong)).status).toBe(401);
  };

  it.each([
    [6, 0, { body: refusedBy('AK access failed to reach the limit,forbidden') }],
    [6, 5 * 60_000 - 1, { status: 401 }],
    [6, 5 * 60_000, { status: 200 }],
    [5, 0, { status: 200 }],
  ])('%i failures, then %i ms, locking on → locked or not', async (failures, millis, expected) => {
    await using emulator = await start({ lockKeys: true });
    await fail(emulator, failures);
    emulator.control.advance({ millis });
    expect(await call(emulator)).toMatchObject(expected);
  });

  it('success in between → counted anew', async () => {
    await using emulator = await start({ lockKeys: true });
    await fail(emulator, 5);
    await call(emulator);
    await fail(emulator, 5);
    expect((await call(emulator)).status).toBe(200);
  });

  it('locking off → never locked', async () => {
    await using emulator = await start();
    await fail(emulator, 10);
    expect((await call(emulator)).status).toBe(200);
  });
});

describe('gateway, path', () => {
  const other = 'The API does not exist or has not been published in the environment.';
  const unknown: [string, string, string][] = [
    ['GET', '/', other],
    ['GET', '/v3', other],
    ['GET', `/v3/${DEMO_PROJECT_ID}`, other],
    ['GET', `/v3/${DEMO_PROJECT_ID}/backups/`, other],
    ['GET', `/v1/${DEMO_PROJECT_ID}/backups`, other],
    ['GET', '/v3//backups', other],
    ['DELETE', `/v3/${DEMO_PROJECT_ID}/backups/a/b`, other],
    ['GET', `/v3/${DEMO_PROJECT_ID}/instances//backups/policy`, other],
    ['PUT', `/v3/${DEMO_PROJECT_ID}/backups`, 'The API does not exist.'],
    ['GET', `/v3/${DEMO_PROJECT_ID}/backups/a`, 'The API does not exist.'],
    ['GET', '/v3/auth/tokens', 'The API does not exist.'],
  ];
  it.each(unknown)('%s %s → 404 APIGW.0101', async (method, target, error_msg) => {
    await using emulator = await start();
    const answer = await send(emulator, { method, target });
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual({ error_code: 'APIGW.0101', error_msg, request_id: expect.any(String) });
  });

  it.each(['/v3/%zz/backups', '/v3/x/backups?limit=%', '/v3/x/backups?%ff', 'http://elsewhere/v3/x/backups'])(
    '%s, which cannot be read → 400 APIGW.0201',
    async (target) => {
      await using emulator = await start();
      expect(await send(emulator, { target })).toMatchObject({
        status: 400,
        body: { error_code: 'APIGW.0201', error_msg: 'API request error.' },
      });
    },
  );
});

describe('gateway, body over the limit', () => {
  const target = `/v3/${DEMO_PROJECT_ID}/backups`;

  it.each([{ 'content-length': '101' }, { 'transfer-encoding': 'chunked' }])('%j → 413', async (headers) => {
    await using emulator = await start({ bodyLimit: 100 });
    expect(await send(emulator, { method: 'POST', target, headers, body: 'x'.repeat(101) })).toMatchObject({
      status: 413,
      body: { error_code: 'APIGW.0201', error_msg: 'Request entity too large.' },
    });
  });

  it('stated and not sent → 413 at once', async () => {
    await using emulator = await start({ bodyLimit: 100 });
    const { hostname, port } = new URL(emulator.url);
    const outgoing = request({ hostname, port, method: 'POST', path: target, headers: { 'content-length': '101' } });
    outgoing.on('error', () => {}).flushHeaders();
    const [response] = await once(outgoing, 'response');
    expect(response.statusCode).toBe(413);
  });
});

it.each(['GET', 'POST'])('%s of a project that is not the key’s own → 400 DBS.200010', async (method) => {
  await using emulator = await start();
  expect(await call(emulator, { method, projectId: '97b026aa9cc4417888c14c84a1ad9860' })).toMatchObject({
    status: 400,
    body: { error_code: 'DBS.200010', error_msg: 'Authentication failed.' },
  });
});
