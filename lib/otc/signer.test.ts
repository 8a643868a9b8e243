import { AKSKSigner } from '@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compactTime } from '../time.ts';
import {
  authorizationHeader,
  canonicalHeaders,
  canonicalQueryString,
  canonicalRequest,
  canonicalUri,
  sign,
  signature,
  signedHeaders,
  stringToSign,
} from './signer.ts';

describe("the signing guide's example", () => {
  // https://docs.otc.t-systems.com/api-usage/guidelines/calling_apis/ak_sk_authentication/
  const credentials = { ak: 'QTWAOYTTINDUT2QVKYUC', sk: 'MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc' };
  const time = new Date('2019-11-15T03:36:55Z');
  const date = '20191115T033655Z';
  const request = {
    method: 'GET',
    host: 'service.region.example.com',
    path: '/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs',
    query: { limit: '2', marker: '13551d6b-755d-4757-b956-536f674975c0' },
    headers: { 'content-type': 'application/json' },
    body: '',
  };
  const all = { ...request.headers, host: request.host, 'x-sdk-date': date };
  const canonical = `GET
/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs/
limit=2&marker=13551d6b-755d-4757-b956-536f674975c0
content-type:application/json
host:service.region.example.com
x-sdk-date:20191115T033655Z

content-type;host;x-sdk-date
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`;
  const toSign = `SDK-HMAC-SHA256
20191115T033655Z
b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a`;
  const expected = '7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe';

  it('X-Sdk-Date', () => expect(compactTime(time)).toBe(date));

  it('canonical URI', () => expect(canonicalUri(request.path)).toBe('/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs/'));

  it('canonical query string', () =>
    expect(canonicalQueryString(request.query)).toBe('limit=2&marker=13551d6b-755d-4757-b956-536f674975c0'));

  it('canonical headers', () =>
    expect(canonicalHeaders(all)).toBe(
      'content-type:application/json\nhost:service.region.example.com\nx-sdk-date:20191115T033655Z\n',
    ));

  it('signed headers', () => expect(signedHeaders(all)).toBe('content-type;host;x-sdk-date'));

  it('canonical request', () => expect(canonicalRequest({ ...request, headers: all })).toBe(canonical));

  it('string to sign', () => expect(stringToSign(date, canonical)).toBe(toSign));

  it('signature', () => expect(signature(credentials.sk, toSign)).toBe(expected));

  const header = `SDK-HMAC-SHA256 Access=QTWAOYTTINDUT2QVKYUC, SignedHeaders=content-type;host;x-sdk-date, Signature=${expected}`;

  it('authorization header', () =>
    expect(authorizationHeader(credentials.ak, 'content-type;host;x-sdk-date', expected)).toBe(header));

  it('signed request', () =>
    expect(sign(request, credentials, time)).toEqual({
      'content-type': 'application/json',
      host: 'service.region.example.com',
      'x-sdk-date': date,
      authorization: header,
    }));
});

describe('the canonical form', () => {
  it('encodes all but letters, digits and -._~, byte by byte', () => {
    expect(canonicalUri("/a b/ä!'()*/-._~")).toBe('/a%20b/%C3%A4%21%27%28%29%2A/-._~/');
  });

  it('leaves a path that ends in / as it is, and an empty one is /', () => {
    expect(canonicalUri('/v3/')).toBe('/v3/');
    expect(canonicalUri('')).toBe('/');
  });

  it('sorts parameters by key and then by value, and gives one without a value an equals sign', () => {
    expect(canonicalQueryString({ b: ['2', '1'], a: '', c: 'x y&=' })).toBe('a=&b=1&b=2&c=x%20y%26%3D');
  });

  it('sorts headers by name and trims their values', () => {
    const headers = { 'x-b': '  two ', 'x-a': 'one', host: 'h' };
    expect(canonicalHeaders(headers)).toBe('host:h\nx-a:one\nx-b:two\n');
    expect(signedHeaders(headers)).toBe('host;x-a;x-b');
  });

  it('refuses a lone surrogate, which has no UTF-8 form', () => {
    expect(() => canonicalUri('/\ud800')).toThrow(URIError);
  });
});

describe('a temporary key', () => {
  it('sends its token and signs it', () => {
    const request = { method: 'GET', host: 'h', path: '/', query: {}, headers: {}, body: '' };
    const signed = sign(request, { ak: 'AK', sk: 'SK', securityToken: 'TOKEN' }, new Date(0));
    expect(signed).toMatchObject({ 'x-security-token': 'TOKEN' });
    expect(signed.authorization).toContain('SignedHeaders=host;x-sdk-date;x-security-token,');
    const other = sign(request, { ak: 'AK', sk: 'SK', securityToken: 'OTHER' }, new Date(0));
    expect(other.authorization).not.toBe(signed.authorization);
  });
});

/** The official signer, whose types hide what it takes. */
const official: {
  sign(request: object, credential: object): Record<string, string>;
} = AKSKSigner;

describe('beside the official signer', () => {
  const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((value) => value.isWellFormed());
  // The official signer reads the path out of a URL, whose parser escapes these by itself.
  const segment = text.map((value) => value.replace(/[\p{Cc}\s"#<>?\\^`{|}';/%]/gu, ''));
  const path = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => `/${segments.join('/')}`);
  const value = fc.oneof(text, fc.constant(''), fc.array(text, { maxLength: 4 }));
  const query = fc.dictionary(text, value, { maxKeys: 5 });
  const headerName = fc.stringMatching(/^x-[a-z]{1,8}(-[a-z]{1,4})?$/).filter((name) => name !== 'x-sdk-date');
  const headerValue = fc.stringMatching(/^[!-~]([ -~]{0,10}[!-~])?$/);
  const headers = fc.dictionary(headerName, headerValue, { maxKeys: 5, noNullPrototype: true });
  const host = fc
    .tuple(fc.domain(), fc.option(fc.integer({ min: 1024, max: 65_535 })))
    .map(([domain, port]) => (port ? `${domain}:${port}` : domain));
  const time = fc.date({ min: new Date('2015-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD');
  const body = fc.option(fc.dictionary(text, fc.jsonValue(), { maxKeys: 4 }), { nil: undefined });
  const key = fc.record({
    ak: fc.stringMatching(/^[A-Z0-9]{20}$/),
    sk: fc.stringMatching(/^[A-Za-z0-9]{40}$/),
    securityToken: fc.option(fc.stringMatching(/^[A-Za-z0-9+/=]{20}$/), { nil: undefined }),
  });

  it('signs any request as it does', () => {
    fc.assert(
      fc.property(
        method,
        host,
        path,
        query,
        headers,
        body,
        key,
        time,
        (method, host, path, query, headers, body, key, time) => {
          const { ak, sk, securityToken } = key;
          const ours = sign(
            {
              method,
              host,
              path,
              query,
              headers: { 'content-type': 'application/json', ...headers },
              body: body ? JSON.stringify(body) : '',
            },
            { ak, sk, ...(securityToken !== undefined && { securityToken }) },
            time,
          );
          const theirs = official.sign(
            {
              method,
              endpoint: `https://${host}${path}`,
              queryParams: structuredClone(query),
              headers: {
                'content-type': 'application/json',
                ...headers,
                host,
                'X-Sdk-Date': compactTime(time),
                ...(securityToken !== undefined && { 'x-security-token': securityToken }),
              },
              data: body,
            },
            { getAk: () => ak, getSk: () => sk },
          );
          const signatureOf = (header: string | undefined) =>
            /SignedHeaders=\S+ Signature=\w{64}$/.exec(header ?? '')?.[0];
          expect(signatureOf(ours.authorization)).toBeDefined();
          return signatureOf(ours.authorization) === signatureOf(theirs.Authorization);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
