import { describe, expect, it } from 'vitest';
import { testServers } from '../../test/support/servers.ts';
import { type OtcRequest, signingClient } from './signing-client.ts';

const KEY = { ak: 'ACCESSKEY', sk: 'SECRETKEY', securityToken: 'SECURITY/TOKEN+=' };
const NOW = new Date('2026-03-01T12:00:00.789Z');

const { serve } = testServers();

const send = (endpoint: string, more: Partial<OtcRequest> = {}) =>
  signingClient(endpoint)({ method: 'POST', path: '/v3/p/backups', ...more }, KEY, NOW, { timeoutMillis: 5000 });

describe('a signed request', () => {
  it('path and query: encoded as they were signed; body: with its length', async () => {
    let received = {};
    const endpoint = await serve(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      received = { url: request.url, method: request.method, body, length: request.headers['content-length'] };
      response.end('{}');
    });
    await send(endpoint, { path: '/a b', query: { q: 'ä&', list: ['2', '1'] }, body: '"é"' });
    expect(received).toEqual({ url: '/a%20b?list=1&list=2&q=%C3%A4%26', method: 'POST', body: '"é"', length: '4' });
  });

  it('headers: those given and those of the signature, all signed', async () => {
    let headers: Readonly<Record<string, unknown>> = {};
    const endpoint = await serve((request, response) => {
      ({ headers } = request);
      response.end('{}');
    });
    await send(endpoint, { headers: { 'x-project-id': 'p' } });
    expect(headers).toMatchObject({
      'x-project-id': 'p',
      'x-sdk-date': '20260301T120000Z',
      'x-security-token': KEY.securityToken,
      host: new URL(endpoint).host,
      authorization: expect.stringMatching(
        /^SDK-HMAC-SHA256 Access=ACCESSKEY, SignedHeaders=host;x-project-id;x-sdk-date;x-security-token, Signature=[0-9a-f]{64}$/,
      ),
    });
  });

  it('answer: any status → status, Retry-After, Date and text', async () => {
    const date = 'Sun, 01 Mar 2026 12:00:00 GMT';
    const endpoint = await serve((_, response) => response.writeHead(429, { 'retry-after': '3', date }).end('slow'));
    expect(await send(endpoint)).toMatchObject({ status: 429, headers: { 'retry-after': '3', date }, text: 'slow' });
  });
});

describe('an answer that quotes the key', () => {
  it.each([
    ['as it is', (quoted: string) => quoted],
    ['in JSON', (quoted: string) => JSON.stringify({ error_msg: quoted })],
    ['with escaped slashes', (quoted: string) => JSON.stringify({ error_msg: quoted }).replaceAll('/', '\\/')],
    [
      'with every character escaped',
      (quoted: string) => `"${Array.from(quoted, (char) => `\\u00${char.charCodeAt(0).toString(16)}`).join('')}"`,
    ],
    [
      'in a member that comes twice',
      (quoted: string) => `{"error_msg":${JSON.stringify(quoted)},"error_msg":"https:\\/\\/x"}`,
    ],
    ['with escapes outside JSON', (quoted: string) => `\\ ${quoted}`],
  ])('quoted %s → redacted', async (_, write) => {
    const endpoint = await serve((request, response) =>
      response.writeHead(401).end(write(`${request.headers.authorization} ${request.headers['x-security-token']}`)),
    );
    const { text } = await send(endpoint);
    expect(text).toContain('Access=[redacted]');
    expect(text).toContain('Signature=[redacted]');
    expect(text).toContain(' [redacted]');
    expect(text).not.toMatch(/ACCESSKEY|SECURITY|[0-9a-f]{64}/);
  });

  it('nothing quoted → verbatim, escapes included', async () => {
    const text = '{ "error_msg": "a\\/b \\u00e4" }';
    const endpoint = await serve((_, response) => response.end(text));
    expect((await send(endpoint)).text).toBe(text);
  });
});
