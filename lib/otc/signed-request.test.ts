import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, it } from 'vitest';
import { Failure } from '../failure.ts';
import type { Limits } from './connection.ts';
import { type OtcRequest, type SignedRequest, signedRequests } from './signed-request.ts';

const KEY = { ak: 'ACCESSKEY', sk: 'SECRETKEY', securityToken: 'SECURITY/TOKEN+=' };
const LIMITS = { timeoutMillis: 5000 };

const servers: { close(): void; closeAllConnections?(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections?.();
    server.close();
  }
});

const listen = async (server: Server | ReturnType<typeof createTcpServer>): Promise<string> => {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`;
};

const serve = (listener: RequestListener) => listen(createServer(listener));

const services = new Map<string, SignedRequest>();

const send = (endpoint: string, more: Partial<OtcRequest> = {}, limits: Limits = LIMITS) => {
  const service = services.get(endpoint) ?? signedRequests(endpoint);
  services.set(endpoint, service);
  return service({ method: 'POST', path: '/v3/p/backups', ...more }, KEY, new Date(), limits);
};

const failureOf = async (sent: Promise<unknown>): Promise<Failure> => {
  const error = await sent.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure) return error;
  throw new Error(`no Failure but ${error}`);
};

describe('a signed request', () => {
  it('sends path and query encoded as they were signed, the body and its length', async () => {
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

  it('answers with status, text and Retry-After, whatever the status', async () => {
    const endpoint = await serve((_, response) => response.writeHead(429, { 'retry-after': '3' }).end('slow'));
    expect(await send(endpoint)).toEqual({ status: 429, retryAfter: '3', text: 'slow' });
  });

  it('uses a connection again', async () => {
    const ports = new Set<number | undefined>();
    const endpoint = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('{}');
    });
    for (let i = 0; i < 3; i++) await send(endpoint);
    expect(ports.size).toBe(1);
  });

  it('does not follow a redirect', async () => {
    let strangers = 0;
    const elsewhere = await serve((_, response) => {
      strangers += 1;
      response.end('{}');
    });
    const endpoint = await serve((_, response) => response.writeHead(307, { location: elsewhere }).end());
    expect(await send(endpoint)).toMatchObject({ status: 307 });
    expect(strangers).toBe(0);
  });

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
    ['with escapes in what is no JSON', (quoted: string) => `\\ ${quoted}`],
  ])('keeps from the reader what the gateway quotes of the key %s', async (_, write) => {
    const endpoint = await serve((request, response) =>
      response.writeHead(401).end(write(`${request.headers.authorization} ${request.headers['x-security-token']}`)),
    );
    const { text } = await send(endpoint);
    expect(text).toContain('Access=[redacted]');
    expect(text).toContain('Signature=[redacted]');
    expect(text).toContain(' [redacted]');
    expect(text).not.toMatch(/ACCESSKEY|SECURITY|[0-9a-f]{64}/);
  });

  it('is verbatim, escapes and all, when it quotes nothing', async () => {
    const text = '{ "error_msg": "a\\/b \\u00e4" }';
    const endpoint = await serve((_, response) => response.end(text));
    expect((await send(endpoint)).text).toBe(text);
  });
});

describe('an answer that does not come', () => {
  it('is UpstreamTimeout after the time-out', async () => {
    const endpoint = await serve(() => {});
    const failure = await failureOf(send(endpoint, {}, { timeoutMillis: 20 }));
    expect(failure.name).toBe('UpstreamTimeout');
    expect(failure.message).toMatch(/^POST 127.0.0.1:\d+\/v3\/p\/backups was not answered in time\.$/);
  });

  it('is UpstreamTimeout when it begins and stops', async () => {
    const endpoint = await serve((_, response) => response.write('{'));
    expect((await failureOf(send(endpoint, {}, { timeoutMillis: 50 }))).name).toBe('UpstreamTimeout');
  });

  it('is UpstreamTimeout when the invocation ends first', async () => {
    const invocation = new AbortController();
    const endpoint = await serve(() => invocation.abort());
    expect((await failureOf(send(endpoint, {}, { ...LIMITS, signal: invocation.signal }))).name).toBe(
      'UpstreamTimeout',
    );
    expect((await failureOf(send(endpoint, {}, { ...LIMITS, signal: invocation.signal }))).name).toBe(
      'UpstreamTimeout',
    );
  });

  it('is UpstreamUnreachable when nobody listens, with the cause', async () => {
    const endpoint = await serve(() => {});
    const [server] = servers.splice(0);
    await new Promise<void>((resolve) => (server as Server).close(() => resolve()));
    const failure = await failureOf(send(endpoint));
    expect(failure.name).toBe('UpstreamUnreachable');
    expect(failure.message).toContain('ECONNREFUSED');
    expect(failure.cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('is UpstreamUnreachable when the connection is reset', async () => {
    const endpoint = await serve((request) => request.socket.resetAndDestroy());
    expect((await failureOf(send(endpoint))).name).toBe('UpstreamUnreachable');
  });
});

describe('an answer that is none', () => {
  it('is UpstreamInvalid when it breaks off', async () => {
    const endpoint = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{', () => response.destroy());
    });
    const failure = await failureOf(send(endpoint));
    expect(failure.name).toBe('UpstreamInvalid');
    expect(failure.message).toContain('answered in part');
  });

  it('is UpstreamInvalid when it is not HTTP, and none of it is kept', async () => {
    const endpoint = await listen(createTcpServer((socket) => socket.end('SSH-2.0-private\r\n')));
    const failure = await failureOf(send(endpoint));
    expect(failure.name).toBe('UpstreamInvalid');
    expect(failure.message).toContain('not HTTP (HPE_');
    expect(failure.cause).not.toHaveProperty('rawPacket');
  });

  it('is UpstreamInvalid when it is another protocol', async () => {
    const answer = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n';
    const endpoint = await listen(createTcpServer((socket) => socket.end(answer)));
    const failure = await failureOf(send(endpoint));
    expect(failure.name).toBe('UpstreamInvalid');
    expect(failure.message).toContain('another protocol');
  });

  it('is not one that came in unasked while the connection was idle', async () => {
    const answer = (text: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
    let unasked: () => void = () => {};
    let answers = 0;
    const endpoint = await listen(
      createTcpServer((socket) => {
        socket.on('data', () => socket.write(answer(`answer ${++answers}`)));
        unasked = () => socket.write(answer('unasked'));
      }),
    );
    expect((await send(endpoint)).text).toBe('answer 1');
    // Nobody has read it yet when the next request begins, as after a freeze.
    unasked();
    expect((await send(endpoint)).text).toBe('answer 2');
  });

  it('is read up to 1 MB', async () => {
    const megabyte = 'x'.repeat(1024 * 1024);
    const endpoint = await serve((_, response) => response.end(megabyte));
    expect((await send(endpoint)).text).toHaveLength(megabyte.length);
  });

  it('is UpstreamInvalid beyond 1 MB, and the connection is cut', async () => {
    const chunk = 'x'.repeat(64 * 1024);
    let cut: () => void = () => {};
    const isCut = new Promise<void>((resolve) => {
      cut = resolve;
    });
    const endpoint = await serve((_, response) => {
      const more = () => {
        while (response.write(chunk));
      };
      response.on('drain', more).on('close', cut);
      more();
    });
    const failure = await failureOf(send(endpoint));
    expect(failure.name).toBe('UpstreamInvalid');
    expect(failure.message).toContain('1 MB');
    await isCut;
  });
});

describe('over TLS', () => {
  const trusted = getCACertificates('default');
  afterEach(() => setDefaultCACertificates(trusted));

  /** A server whose certificate nobody trusts, until it is among the default ones. */
  const serveTls = async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    });
    const requests: (string | undefined)[] = [];
    const server = createTlsServer({ key, cert }, (request, response) => {
      requests.push(request.headers.host);
      response.end('{}');
    });
    const { port } = new URL(await listen(server));
    return { endpoint: `https://localhost:${port}`, cert, requests };
  };

  it('a host with a trusted certificate is asked, under its name and port', async () => {
    const { endpoint, cert, requests } = await serveTls();
    setDefaultCACertificates([...trusted, cert]);
    expect(await send(endpoint)).toMatchObject({ status: 200 });
    expect(requests).toEqual([new URL(endpoint).host]);
  });

  it('any other hears nothing', async () => {
    const { endpoint, requests } = await serveTls();
    const failure = await failureOf(send(endpoint));
    expect(failure.name).toBe('UpstreamUnreachable');
    expect(failure.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(requests).toEqual([]);
  });
});
