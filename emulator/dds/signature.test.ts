import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readTarget } from './request-target.ts';
import { canonicalRequest, readAuthorization, readSdkDate, type SignedRequest, signatureOf } from './signature.ts';

const request = (target: string, headers: Record<string, string>, body = ''): SignedRequest => ({
  method: 'GET',
  ...(readTarget(target) ?? { path: '', query: {} }),
  headers,
  body: Buffer.from(body),
});

describe('signature', () => {
  it('the example of the signing guide → its signature', () => {
    const date = '20191115T033655Z';
    const example = request(
      '/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0',
      { 'content-type': 'application/json', host: 'service.region.example.com', 'x-sdk-date': date },
    );
    const canonical = canonicalRequest(example, ['content-type', 'host', 'x-sdk-date']) ?? '';
    expect(signatureOf('MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc', date, undefined, canonical)).toBe(
      '7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe',
    );
  });
});

describe('canonical request', () => {
  const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  it.each([
    ['a path', '/v3/a b', `GET\n/v3/a%20b/\n\n\n\n${EMPTY}`],
    ['a path that ends in a slash', '/v3/', `GET\n/v3/\n\n\n\n${EMPTY}`],
    ['keys in another order', '/x?b=1&a=2', `GET\n/x/\na=2&b=1\n\n\n${EMPTY}`],
    ['a key that repeats', '/x?a=2&a=1', `GET\n/x/\na=1&a=2\n\n\n${EMPTY}`],
    ['a key without a value', '/x?a', `GET\n/x/\na=\n\n\n${EMPTY}`],
    ['a plus sign, which is a space', '/x?a=1+2', `GET\n/x/\na=1%202\n\n\n${EMPTY}`],
    ['a plus sign that is encoded', '/x?a=1%2B2', `GET\n/x/\na=1%2B2\n\n\n${EMPTY}`],
    ['reserved and other characters', "/x?a=!'()*~%C3%A4", `GET\n/x/\na=%21%27%28%29%2A~%C3%A4\n\n\n${EMPTY}`],
  ])('%s → canonical', (_, target, expected) => {
    expect(canonicalRequest(request(target, {}), [])).toBe(expected);
  });

  it('header values → trimmed', () => {
    expect(canonicalRequest(request('/', { a: ' 1 ', b: '2' }), ['a', 'b'])).toBe(
      `GET\n/\n\na:1\nb:2\n\na;b\n${EMPTY}`,
    );
  });

  it.each([
    ['a header that was not sent', ['a', 'c']],
    ['a member of Object', ['__proto__']],
    ['another order', ['b', 'a']],
    ['a header twice', ['a', 'a']],
  ])('signed headers with %s → none', (_, names) => {
    expect(canonicalRequest(request('/', { a: '1', b: '2' }), names)).toBeUndefined();
  });
});

describe('authorization header', () => {
  const rest = `SignedHeaders=host;x-sdk-date, Signature=${'0'.repeat(64)}`;
  it.each([
    ['Access', `SDK-HMAC-SHA256 Access=AK, ${rest}`, { ak: 'AK', scope: undefined }],
    ['no spaces', `SDK-HMAC-SHA256 Access=AK, ${rest}`.replaceAll(', ', ','), { ak: 'AK' }],
    ['a scope', `SDK-HMAC-SHA256 Credential=AK/20260301///sdk_request, ${rest}`, { scope: ['20260301', '', ''] }],
    [
      'a full scope',
      `SDK-HMAC-SHA256 Credential=AK/20260301/r/s/sdk_request, ${rest}`,
      { scope: ['20260301', 'r', 's'] },
    ],
    ['another algorithm', `AWS4-HMAC-SHA256 Access=AK, ${rest}`, undefined],
    ['a scope with another end', `SDK-HMAC-SHA256 Credential=AK/20260301///aws4_request, ${rest}`, undefined],
    ['a short signature', 'SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=0', undefined],
  ])('%s → read or not', (_, header, claim) => {
    if (claim) expect(readAuthorization(header)).toMatchObject({ signedHeaders: ['host', 'x-sdk-date'], ...claim });
    else expect(readAuthorization(header)).toBeUndefined();
  });
});

it.each([
  ['20191115T033655Z', Date.parse('2019-11-15T03:36:55Z')],
  ['20260230T120000Z', undefined],
  ['20260301T250000Z', undefined],
  ['2026-03-01T12:00:00Z', undefined],
])('X-Sdk-Date %s → %s', (text, millis) => {
  expect(readSdkDate(text)).toBe(millis);
});

it('files of the emulator → import nothing from lib/, but for tests and their client', () => {
  const all = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
  const files = all.filter((file) => file.endsWith('.ts'));
  const importers = files.filter((file) =>
    /from '[./]+lib\//.test(readFileSync(`${import.meta.dirname}/${file}`, 'utf8')),
  );
  expect(files.length).toBeGreaterThan(20);
  expect(importers.filter((file) => !file.endsWith('.test.ts'))).toEqual(['signed-call.ts']);
});
