import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { lambdaContext, sample } from '../../test/support/lambda.ts';
import type { HttpRequest } from '../service/ports.ts';
import { httpRequest } from './http-event.ts';

/** A gateway sends what it likes; the types of middy hold what comes out of the middleware. */
const handler: { invoke(event: unknown, context: Context): Promise<HttpRequest> } = {
  invoke: middy<HttpRequest, HttpRequest>()
    .use(httpRequest())
    .handler(async (request) => request),
};

/** What the middleware makes of an event. */
const read = (event: unknown): Promise<HttpRequest> => handler.invoke(event, lambdaContext());

describe('the events of each gateway', () => {
  it.each<[string, Partial<HttpRequest>]>([
    [
      'http-api',
      {
        method: 'POST',
        path: '/backups',
        requestId: 'JKJaXmPLvHcESHA=',
        time: new Date(1772366400000),
        isAuthorized: true,
        isBase64Encoded: false,
      },
    ],
    [
      'rest',
      {
        method: 'POST',
        path: '/backups',
        requestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
        time: new Date(1772366400000),
        isAuthorized: true,
      },
    ],
    ['function-url', { method: 'POST', path: '/', isAuthorized: true }],
  ])('%s → one form', async (name, expected) => {
    const event = sample(name);
    const request = await read(event);
    expect(request).toMatchObject({ ...expected, body: event.body });
    expect(request.headers['content-type']).toMatch(/^application\/json/);
  });

  it('names of headers → lower case; values that are not text → left out', async () => {
    const { headers } = await read({ headers: { 'Content-Type': 'a', 'X-B': 7, 'x-c': null, 'x-d': ['e'] } });
    expect(headers).toEqual({ 'content-type': 'a' });
  });

  it('method and path that are not even printable → as without them', async () => {
    const unprintable = { toString: null };
    const event = { rawPath: unprintable, requestContext: { http: { method: unprintable } } };
    expect(await read(event)).toMatchObject({ method: 'POST', path: '/' });
  });

  it.each([undefined, null, 7, 'text', [], {}, { headers: null, requestContext: null }, { requestContext: 'x' }])(
    'event %j → no headers, not authorised, no id, no time',
    async (event) => {
      expect(await read(event)).toMatchObject({
        headers: {},
        isAuthorized: false,
        isBase64Encoded: false,
        requestId: undefined,
        time: undefined,
      });
    },
  );

  it.each([null, '1772366400000', [], Number.NaN, -1, 1e300, { valueOf: 1 }])(
    'timeEpoch %j → no time',
    async (timeEpoch) => {
      expect((await read({ requestContext: { timeEpoch } })).time).toBeUndefined();
    },
  );

  it.each(['', 7, null])('requestId %j → none', async (requestId) => {
    expect((await read({ requestContext: { requestId } })).requestId).toBeUndefined();
  });
});

describe('the size of a body', () => {
  const KB_64 = 64 * 1024;

  it.each<[string, unknown, boolean]>([
    ['64 kB', 'x'.repeat(KB_64), false],
    ['64 kB in base64', Buffer.alloc(KB_64).toString('base64'), true],
    ['no text', 7, false],
  ])('%s → as it came', async (_, body, isBase64Encoded) => {
    expect(await read({ body, isBase64Encoded })).toMatchObject({ body, isBase64Encoded });
  });

  it.each<[string, string, boolean]>([
    ['in ASCII', 'x'.repeat(KB_64 + 1), false],
    ['in two-byte characters', 'é'.repeat(KB_64 / 2 + 1), false],
    ['in base64', Buffer.alloc(KB_64 + 1).toString('base64'), true],
  ])('more than 64 kB %s → 413', async (_, body, isBase64Encoded) => {
    await expect(read({ body, isBase64Encoded })).rejects.toMatchObject({ name: 'InvalidRequest', status: 413 });
  });
});

describe('caller', () => {
  const USER = 'arn:aws:iam::1:user/u';
  const ROLE = 'arn:aws:sts::1:assumed-role/ci/session';

  it.each<[string, object, string | undefined]>([
    ['IAM of an HTTP API', { authorizer: { iam: { userArn: USER } } }, USER],
    ['IAM of REST', { identity: { userArn: ROLE } }, ROLE],
    ['a JWT', { authorizer: { jwt: { claims: { sub: 'u' } } } }, undefined],
    ['no authorizer', { identity: { sourceIp: '203.0.113.10' } }, undefined],
    ['no text', { authorizer: { iam: { userArn: 7 } }, identity: { userArn: {} } }, undefined],
    [
      'CloudFront for a viewer',
      { authorizer: { iam: { userArn: 'arn:aws:sts::1:assumed-role/cloudfront/OriginAccessSession' } } },
      undefined,
    ],
  ])('%s → %3$s', async (_, requestContext, caller) => {
    expect((await read({ requestContext })).caller).toBe(caller);
  });
});

describe('who is authorised', () => {
  const isAuthorized = async (requestContext: unknown) => (await read({ requestContext })).isAuthorized;

  it.each<[string, object]>([
    ['IAM', { authorizer: { iam: { userArn: 'arn:aws:iam::1:user/u' } } }],
    ['a role', { authorizer: { iam: { userArn: 'arn:aws:sts::1:assumed-role/ci/OriginAccess' } } }],
    ['a JWT', { authorizer: { jwt: { claims: { sub: 'u' }, scopes: null } } }],
    ['a Lambda authorizer', { authorizer: { lambda: { user: 'u' } } }],
    ['IAM of REST', { identity: { userArn: 'arn:aws:iam::1:user/u' } }],
    ['Cognito of REST', { authorizer: { claims: { sub: 'u' } } }],
    ['a Lambda authorizer of REST', { authorizer: { principalId: 'u' } }],
  ])('%s → authorised', async (_, context) => {
    expect(await isAuthorized(context)).toBe(true);
  });

  const ORIGIN_ACCESS = 'arn:aws:sts::856369053181:assumed-role/OriginAccessControlRole/OriginAccessSession';

  it.each<[string, object]>([
    ['no authorizer', {}],
    ['null', { authorizer: null, identity: null }],
    ['an empty authorizer', { authorizer: {} }],
    ['IAM without a user', { authorizer: { iam: { userArn: '' } } }],
    ['IAM that is null', { authorizer: { iam: null } }],
    ['a JWT without claims', { authorizer: { jwt: { claims: {}, scopes: [] } } }],
    ['undefined claims, as serverless-offline gives', { authorizer: { jwt: { claims: undefined } } }],
    ['a Lambda authorizer without a context', { authorizer: { lambda: null } }],
    ['a Lambda authorizer with an empty context', { authorizer: { lambda: {} } }],
    ['REST without a user', { identity: { userArn: null, sourceIp: '203.0.113.10' } }],
    ['REST with an empty principal', { authorizer: { principalId: '' } }],
    ['true', { authorizer: true }],
    ['text', { authorizer: 'admin' }],
    ['the identity that CloudFront signs with for every viewer', { authorizer: { iam: { userArn: ORIGIN_ACCESS } } }],
    ['the same over REST', { identity: { userArn: ORIGIN_ACCESS } }],
  ])('%s → not authorised', async (_, context) => {
    expect(await isAuthorized(context)).toBe(false);
  });
});
