import { Webhook } from 'standardwebhooks';
import { beforeEach, describe, expect, it } from 'vitest';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { Failure } from '../errors.ts';
import { authentication, webhookKeys } from './authentication.ts';
import type { HttpRequest } from './ports.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const NEW_SECRET = 'whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0';
const BODY = '{"backup":{"instance_id":"i","name_prefix":"größer"}}';

let time: ReturnType<typeof virtualTime>;
/** How often the secret was read. */
let reads: number;
beforeEach(() => {
  time = virtualTime();
  reads = 0;
});

const request = (more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  path: '/webhooks',
  query: {},
  headers: {},
  body: BODY,
  isBase64Encoded: false,
  isAuthorized: false,
  requestId: 'r',
  time: undefined,
  ...more,
});

interface Signing {
  readonly secret?: string;
  readonly id?: string;
  /** Seconds from now. */
  readonly seconds?: number;
  readonly signed?: string;
  readonly prefix?: 'webhook' | 'svix';
  /** Instead of what signing gives. */
  readonly headers?: Readonly<Record<string, string>>;
}

function signedHeaders({
  secret = SECRET,
  id = 'msg_1',
  seconds = 0,
  signed = BODY,
  prefix = 'webhook',
  headers,
}: Signing = {}) {
  const at = new Date(time.now().getTime() + seconds * 1000);
  return {
    [`${prefix}-id`]: id,
    [`${prefix}-timestamp`]: String(Math.floor(at.getTime() / 1000)),
    [`${prefix}-signature`]: new Webhook(secret).sign(id, at, signed),
    ...headers,
  };
}

const signatureOf = (signing?: Signing) => signedHeaders(signing)['webhook-signature'] ?? '';

/** @param secret what the configuration holds; an error where it cannot be read */
const authenticate = (from: HttpRequest, secret: string | null | Error = SECRET, isOpen = false) =>
  authentication({
    isOpen,
    now: time.now,
    webhookSecret: async () => {
      reads += 1;
      if (secret instanceof Error) throw secret;
      return secret ?? undefined;
    },
  })(from);

const UNAUTHORIZED = { name: 'Unauthorized', message: expect.stringContaining('webhook-signature') };

describe('a caller without a signature', () => {
  it.each<[string, Partial<HttpRequest>, boolean]>([
    ['authorised by the gateway', { isAuthorized: true }, false],
    ['any, on a server that is open', {}, true],
  ])('%s → let in, the secret is not read', async (_, more, isOpen) => {
    expect(await authenticate(request(more), null, isOpen)).toEqual({});
    expect(reads).toBe(0);
  });

  it('not authorised → Unauthorized, the secret is not read', async () => {
    await expect(authenticate(request())).rejects.toMatchObject(UNAUTHORIZED);
    expect(reads).toBe(0);
  });

  it('authorised, with a wrong signature → let in, the id counts as not signed', async () => {
    const headers = signedHeaders({ secret: NEW_SECRET });
    expect(await authenticate(request({ isAuthorized: true, headers }))).toEqual({});
  });
});

describe('a signed webhook', () => {
  it.each<[string, Signing]>([
    ['signed now', {}],
    ['under the older header names', { prefix: 'svix' }],
    ['300 seconds old', { seconds: -300 }],
    ['300 seconds ahead', { seconds: 300 }],
  ])('%s → let in with the id that is signed', async (_, signing) => {
    expect(await authenticate(request({ headers: signedHeaders(signing) }))).toEqual({ signedId: 'msg_1' });
    expect(reads).toBe(1);
  });

  it('body in base64 → the signature covers its bytes', async () => {
    const from = request({
      headers: signedHeaders(),
      body: Buffer.from(BODY).toString('base64'),
      isBase64Encoded: true,
    });
    expect(await authenticate(from)).toEqual({ signedId: 'msg_1' });
  });

  it('no body → the signature covers nothing', async () => {
    expect(await authenticate(request({ headers: signedHeaders({ signed: '' }), body: undefined }))).toEqual({
      signedId: 'msg_1',
    });
  });

  it.each([SECRET, NEW_SECRET])('two secrets, signed with %s → let in', async (secret) => {
    const from = request({ headers: signedHeaders({ secret }) });
    expect(await authenticate(from, `${SECRET} ${NEW_SECRET}`)).toEqual({ signedId: 'msg_1' });
  });

  it('several signatures, one of them right → let in', async () => {
    const signatures = `v1a,asymmetric v1,${'A'.repeat(43)}= garbage ${signatureOf()}`;
    const headers = signedHeaders({ headers: { 'webhook-signature': signatures } });
    expect(await authenticate(request({ headers }))).toEqual({ signedId: 'msg_1' });
  });

  it('headers of both names, one signed with another key → the id of the right one', async () => {
    const headers = { ...signedHeaders({ secret: NEW_SECRET }), ...signedHeaders({ prefix: 'svix', id: 'msg_2' }) };
    expect(await authenticate(request({ headers }))).toEqual({ signedId: 'msg_2' });
  });

  /** @returns the headers, and whether reading the secret is worth while */
  it.each<[string, () => Readonly<Record<string, string>>, boolean]>([
    ['301 seconds old', () => signedHeaders({ seconds: -301 }), false],
    ['301 seconds ahead', () => signedHeaders({ seconds: 301 }), false],
    ['with a time in milliseconds', () => signedHeaders({ headers: { 'webhook-timestamp': '1772366400000' } }), false],
    ['with a time that is not a number', () => signedHeaders({ headers: { 'webhook-timestamp': 'NaN' } }), false],
    ['without a time', () => signedHeaders({ headers: { 'webhook-timestamp': '' } }), false],
    ['without a signature', () => signedHeaders({ headers: { 'webhook-signature': '' } }), false],
    [
      'with half a signature',
      () => signedHeaders({ headers: { 'webhook-signature': signatureOf().slice(0, 20) } }),
      false,
    ],
    [
      'with a signature of another version',
      () => signedHeaders({ headers: { 'webhook-signature': signatureOf().replace('v1,', 'v2,') } }),
      false,
    ],
    ['signed with another key', () => signedHeaders({ secret: NEW_SECRET }), true],
    ['changed after signing', () => signedHeaders({ signed: `${BODY} ` }), true],
    ['under another id', () => signedHeaders({ headers: { 'webhook-id': 'msg_2' } }), true],
    ['without an id', () => signedHeaders({ headers: { 'webhook-id': '' } }), true],
    [
      'under another time',
      () => signedHeaders({ headers: { 'webhook-timestamp': `${Math.floor(time.now().getTime() / 1000) + 1}` } }),
      true,
    ],
    [
      'with the id under one name and the rest under the other',
      () => {
        const { 'webhook-id': id = '', ...rest } = signedHeaders();
        return { ...rest, 'svix-id': id };
      },
      true,
    ],
  ])('%s → Unauthorized; the secret is read: %3$s', async (_, headers, isRead) => {
    await expect(authenticate(request({ headers: headers() }))).rejects.toMatchObject(UNAUTHORIZED);
    expect(reads).toBe(isRead ? 1 : 0);
  });

  it('no secret configured → Unauthorized', async () => {
    await expect(authenticate(request({ headers: signedHeaders() }), null)).rejects.toMatchObject(UNAUTHORIZED);
  });

  it.each<[string, string | Error, string, number, string]>([
    ['malformed', 'not a secret', 'ConfigurationError', 500, 'The operator must repair it.'],
    ['one of three', `${SECRET} ${SECRET} ${SECRET}`, 'ConfigurationError', 500, 'The operator must repair it.'],
    ['not to be read', new Failure('ConfigurationError', 'private'), 'ConfigurationError', 500, 'The operator must'],
    ['not reached', new Failure('SecretUnavailable', 'private'), 'AuthenticationUnavailable', 503, 'Try again later.'],
  ])('secret %s → %3$s; why is in the cause only', async (_, secret, name, status, advice) => {
    const failure = await authenticate(request({ headers: signedHeaders() }), secret).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name,
      meaning: { status },
      message: expect.stringMatching(`^Signatures cannot be verified.*\\. ${advice}`),
      cause: expect.any(Failure),
    });
  });

  it('error that is not a Failure → thrown', async () => {
    const from = request({ headers: signedHeaders() });
    await expect(authenticate(from, new TypeError('a bug'))).rejects.toThrow('a bug');
  });
});

describe('webhookKeys', () => {
  const base64 = (bytes: number) => Buffer.alloc(bytes, 1).toString('base64');

  it.each<[string, readonly number[]]>([
    [`whsec_${base64(24)}`, [24]],
    [`whsec_${base64(64)}`, [64]],
    [base64(32), [32]],
    [` whsec_${base64(24)}\n`, [24]],
    [`whsec_${base64(24)} ${base64(25)}`, [24, 25]],
    [`whsec_${base64(24)}  whsec_${base64(24)}`, [24, 24]],
  ])('%j → keys of %j bytes', (secrets, lengths) => {
    expect(webhookKeys(secrets).map(({ length }) => length)).toEqual(lengths);
  });

  it.each([
    '',
    'whsec_',
    `whsec_${base64(23)}`,
    `whsec_${base64(65)}`,
    `whsec_${'!'.repeat(40)}`,
    `WHSEC_${base64(24)}`,
    `whsec_${base64(24)} x`,
    `${base64(24)} ${base64(24)} ${base64(24)}`,
    `whpk_${base64(24)}`,
  ])('%j → ConfigurationError, without the secret', (secrets) => {
    expect(() => webhookKeys(secrets)).toThrow(
      expect.objectContaining({
        name: 'ConfigurationError',
        message: expect.stringMatching(/^webhook_secret must be the base64 of 24 to 64 bytes/),
      }),
    );
  });
});
