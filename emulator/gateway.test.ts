import { hash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  authorizationHeader,
  canonicalHeaders,
  canonicalUri,
  signature,
  signedHeaders,
  stringToSign,
} from '../lib/otc/signer.ts';
import { compactTime } from '../lib/time.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { DEMO_CREDENTIALS, DEMO_PROJECT_ID, DEMO_TEMPORARY_CREDENTIALS } from './seed.ts';
import { type CallResult, call, type SignedCall, send } from './signed-call.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const start = (): Promise<Emulator> => startEmulator({ clock: () => NOW });

const refusedBy = (detail: string) => ({
  error_code: 'APIGW.0301',
  error_msg: expect.stringContaining(`Incorrect IAM authentication information: ${detail}`),
  request_id: expect.stringMatching(/^[0-9a-f]{32}$/),
});

type Headers = Record<string, string> & { readonly host?: string };

/** A list of backups, signed over just the headers named; `names` is what it says is signed. */
function signOnly(emulator: Emulator, headers: Headers, names: string) {
  const host = new URL(emulator.url).host;
  const target = `/v3/${DEMO_PROJECT_ID}/backups`;
  const canonical = [
    'GET',
    canonicalUri(target),
    '',
    canonicalHeaders(headers.host === '' ? { ...headers, host } : headers),
    signedHeaders(headers),
    hash('sha256', '', 'hex'),
  ].join('\n');
  const date = compactTime(NOW);
  const authorization = authorizationHeader(
    DEMO_CREDENTIALS.ak,
    names,
    signature(DEMO_CREDENTIALS.sk, stringToSign(date, canonical)),
  );
  return { target, headers: { 'x-sdk-date': date, authorization } };
}

describe('the gateway lets through', () => {
  const accepted: Record<string, SignedCall> = {
    'a request signed with the permanent key': {},
    'a query that needs encoding': { query: { begin_time: '2026-03-01 00:00:00', end_time: '2026-03-02 00:00:00' } },
    'a query whose characters all need encoding': { query: { x: "ä+!'()*~ &=/", ä: '' } },
    'a parameter that repeats': { query: { x: ['b', 'a'] } },
    'further signed headers': { headers: { 'x-project-id': DEMO_PROJECT_ID, 'content-type': 'application/json' } },
    'a temporary key with its token, signed': { credentials: DEMO_TEMPORARY_CREDENTIALS },
    'a clock that is 15 minutes slow': { time: new Date(NOW.getTime() - 15 * 60_000) },
    'a clock that is 15 minutes fast': { time: new Date(NOW.getTime() + 15 * 60_000) },
  };
  it.each(Object.entries(accepted))('%s', async (_name, request) => {
    await using emulator = await start();
    expect((await call(emulator, request)).status).toBe(200);
  });

  it('a temporary key with its token, not signed', async () => {
    await using emulator = await start();
    const { ak, sk, securityToken } = DEMO_TEMPORARY_CREDENTIALS;
    const tamper = (headers: Readonly<Record<string, string>>) => ({ ...headers, 'x-security-token': securityToken });
    expect((await call(emulator, { credentials: { ak, sk }, tamper })).status).toBe(200);
  });

  it('only the keys it was given', async () => {
    const credentials = { ak: 'OWN', sk: 'own' };
    await using emulator = await startEmulator({ credentials: [credentials] });
    expect((await call(emulator, { credentials })).status).toBe(200);
    expect((await call(emulator)).status).toBe(401);
  });
});

describe('the gateway refuses with APIGW.0301', () => {
  const without = (name: string) => (headers: Readonly<Record<string, string>>) => ({ ...headers, [name]: undefined });
  const put = (name: string, value: string) => (headers: Readonly<Record<string, string>>) => ({
    ...headers,
    [name]: value,
  });
  const refused: [string, string, SignedCall][] = [
    ['no authorization', 'x-auth-token not found', { tamper: without('authorization') }],
    ['another algorithm', 'Authorization format incorrect', { tamper: put('authorization', 'Bearer x') }],
    ['an unknown key', 'Get secretKey failed,ak:NOBODY,err:ak not exist', { credentials: { ak: 'NOBODY', sk: 'x' } }],
    ['a wrong secret', 'verify aksk signature fail', { credentials: { ak: DEMO_CREDENTIALS.ak, sk: 'wrong' } }],
    ['a signed header that changed', 'verify aksk signature fail', { headers: { x: '1' }, tamper: put('x', '2') }],
    ['a signed header that is missing', 'verify aksk signature fail', { headers: { x: '1' }, tamper: without('x') }],
    ['no date', 'verify aksk signature fail', { tamper: without('x-sdk-date') }],
    ['a date that is none', 'verify aksk signature fail', { tamper: put('x-sdk-date', '20260230T120000Z') }],
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
  ];
  it.each(refused)('%s', async (_name, detail, request) => {
    await using emulator = await start();
    const answer = await call(emulator, request);
    expect(answer.status).toBe(401);
    expect(answer.body).toEqual(refusedBy(detail));
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
  });

  const date = { 'x-sdk-date': compactTime(NOW) };
  const host = { host: '' };
  const lists: [string, Headers, string, string][] = [
    ['a date that is not signed', host, 'host', 'verify aksk signature fail, SignedHeaders'],
    ['a host that is not signed', date, 'x-sdk-date', 'verify aksk signature fail, SignedHeaders'],
    [
      'a list of signed headers that is not sorted',
      { ...date, ...host },
      'x-sdk-date;host',
      'verify aksk signature fail',
    ],
    ['a list with a header that was not sent', { ...date, ...host }, 'host;x;x-sdk-date', 'verify aksk signature fail'],
    ['a list with a header twice', { ...date, ...host }, 'host;host;x-sdk-date', 'verify aksk signature fail'],
  ];
  it.each(lists)('%s', async (_name, headers, names, detail) => {
    await using emulator = await start();
    expect((await send(emulator, signOnly(emulator, { ...date, ...host }, 'host;x-sdk-date'))).status).toBe(200);
    const answer = await send(emulator, signOnly(emulator, headers, names));
    expect(answer.status).toBe(401);
    expect(answer.body).toEqual(refusedBy(detail));
  });

  it.each(['__proto__', 'constructor', 'host;x-sdk-date;__proto__'])('signed headers "%s"', async (names) => {
    await using emulator = await start();
    const authorization = authorizationHeader(DEMO_CREDENTIALS.ak, names, '0'.repeat(64));
    expect((await call(emulator, { tamper: put('authorization', authorization) })).status).toBe(401);
  });

  it('another body than the one signed', async () => {
    await using emulator = await start();
    const headers: Record<string, string> = {};
    await call(emulator, { method: 'POST', body: '{}', tamper: (signed) => Object.assign(headers, signed) });
    const target = `/v3/${DEMO_PROJECT_ID}/backups`;
    const answer = await send(emulator, { method: 'POST', target, headers, body: '[]' });
    expect(answer.body).toEqual(refusedBy('verify aksk signature fail'));
  });
});

describe('the gateway knows no such API', () => {
  const other = 'The API does not exist or has not been published in the environment.';
  const unknown: [string, string, string][] = [
    ['GET', '/', other],
    ['GET', '/v3', other],
    ['GET', `/v3/${DEMO_PROJECT_ID}`, other],
    ['GET', `/v3/${DEMO_PROJECT_ID}/backups/`, other],
    ['GET', `/v1/${DEMO_PROJECT_ID}/backups`, other],
    ['GET', '/v3//backups', other],
    ['DELETE', `/v3/${DEMO_PROJECT_ID}/backups/a/b`, other],
    ['PUT', `/v3/${DEMO_PROJECT_ID}/backups`, 'The API does not exist.'],
    ['GET', `/v3/${DEMO_PROJECT_ID}/backups/a`, 'The API does not exist.'],
  ];
  it.each(unknown)('%s %s', async (method, target, error_msg) => {
    await using emulator = await start();
    const answer: CallResult = await send(emulator, { method, target });
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual({ error_code: 'APIGW.0101', error_msg, request_id: expect.any(String) });
  });
});

describe('the gateway refuses, before any authentication,', () => {
  it.each(['/v3/%zz/backups', '/v3/x/backups?limit=%', '/v3/x/backups?%ff', 'http://elsewhere/v3/x/backups'])(
    'a URL that cannot be read: %s',
    async (target) => {
      await using emulator = await start();
      const answer = await send(emulator, { target });
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ error_code: 'APIGW.0201', error_msg: 'API request error.' });
    },
  );

  it.each([{ 'content-length': '101' }, { 'transfer-encoding': 'chunked' }])(
    'a body over the limit: %j',
    async (headers) => {
      await using emulator = await startEmulator({ bodyLimit: 100 });
      const target = `/v3/${DEMO_PROJECT_ID}/backups`;
      const answer = await send(emulator, { method: 'POST', target, headers, body: 'x'.repeat(101) });
      expect(answer.status).toBe(413);
      expect(answer.body).toMatchObject({ error_code: 'APIGW.0201', error_msg: 'Request entity too large.' });
    },
  );
});

it('the gateway does not wait for a body that is announced over the limit', async () => {
  await using emulator = await startEmulator({ bodyLimit: 100 });
  const target = `/v3/${DEMO_PROJECT_ID}/backups`;
  const { hostname, port } = new URL(emulator.url);
  const outgoing = request({ hostname, port, method: 'POST', path: target, headers: { 'content-length': '101' } });
  outgoing.on('error', () => {}).flushHeaders();
  const [response] = await once(outgoing, 'response');
  expect(response.statusCode).toBe(413);
});

describe('DDS refuses a project that is not the key’s own', () => {
  it.each(['GET', 'POST'])('%s', async (method) => {
    await using emulator = await start();
    const answer = await call(emulator, { method, projectId: '97b026aa9cc4417888c14c84a1ad9860' });
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ error_code: 'DBS.200010', error_msg: 'Authentication failed' });
  });
});
