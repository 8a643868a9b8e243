import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, it } from 'vitest';
import { testServers } from '../../test/support/servers.ts';
import { Failure } from '../errors.ts';
import { type HttpClient, type HttpRequest, httpClient, type RequestLimits } from './client.ts';

const LIMITS = { timeoutMillis: 5000 };
const REQUEST = { method: 'POST', path: '/v3/p/backups?limit=1', headers: {}, body: '' };

const { listen, serve, unused } = testServers();

const send = (
  target: string | HttpClient,
  more: Partial<HttpRequest> = {},
  limits: RequestLimits = LIMITS,
): ReturnType<HttpClient> => {
  const client = typeof target === 'string' ? httpClient(target) : target;
  return client({ ...REQUEST, ...more }, limits);
};

const failureOf = async (sent: Promise<unknown>): Promise<Failure> => {
  const error = await sent.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure) return error;
  throw new Error(`not a Failure: ${error}`);
};

/** A certificate for `localhost` that no client trusts by default. */
const selfSigned = () =>
  generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });

const serveTls = async () => {
  const { private: key, cert } = await selfSigned();
  const requests: (string | undefined)[] = [];
  const server = createTlsServer({ key, cert }, (request, response) => {
    requests.push(request.headers.host);
    response.end('{}');
  });
  const { port } = new URL(await listen(server));
  return { origin: `https://localhost:${port}`, cert, requests };
};

const trusted = getCACertificates('default');
afterEach(() => setDefaultCACertificates(trusted));

describe('an exchange', () => {
  it('request: method, path, headers and body as given → received so', async () => {
    let received = {};
    const origin = await serve(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      received = { url: request.url, method: request.method, body, x: request.headers['x-a'] };
      response.end('{}');
    });
    await send(origin, { method: 'PUT', path: '/a%20b?q=%C3%A4', headers: { 'x-a': '1' }, body: '"é"' });
    expect(received).toEqual({ url: '/a%20b?q=%C3%A4', method: 'PUT', body: '"é"', x: '1' });
  });

  it('answer: any status → status, Retry-After, Date and text', async () => {
    const date = 'Sun, 01 Mar 2026 12:00:00 GMT';
    const origin = await serve((_, response) => response.writeHead(429, { 'retry-after': '3', date }).end('slow'));
    expect(await send(origin)).toMatchObject({ status: 429, headers: { 'retry-after': '3', date }, text: 'slow' });
  });

  it('answer: neither Retry-After nor Date → both undefined', async () => {
    const origin = await serve((_, response) => {
      response.sendDate = false;
      response.end();
    });
    expect(await send(origin)).toMatchObject({ status: 200, headers: {}, text: '' });
  });

  it('connection: several requests → one connection', async () => {
    const ports = new Set<number | undefined>();
    const client = httpClient(
      await serve((request, response) => {
        ports.add(request.socket.remotePort);
        response.end('{}');
      }),
    );
    for (let i = 0; i < 3; i++) await send(client);
    expect(ports.size).toBe(1);
  });

  it('redirect: → an answer, not followed', async () => {
    let followed = 0;
    const elsewhere = await serve((_, response) => {
      followed += 1;
      response.end('{}');
    });
    const origin = await serve((_, response) => response.writeHead(307, { location: elsewhere }).end());
    expect(await send(origin)).toMatchObject({ status: 307 });
    expect(followed).toBe(0);
  });

  it('answer of 1 MB → whole', async () => {
    const megabyte = 'x'.repeat(1024 * 1024);
    const origin = await serve((_, response) => response.end(megabyte));
    expect((await send(origin)).text).toHaveLength(megabyte.length);
  });

  it('idle connection: an answer arrives unasked → not taken for that of the next request', async () => {
    const answer = (text: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
    let writeUnasked: () => void = () => {};
    let answers = 0;
    const client = httpClient(
      await listen(
        createTcpServer((socket) => {
          socket.on('data', () => socket.write(answer(`answer ${++answers}`)));
          writeUnasked = () => socket.write(answer('unasked'));
        }),
      ),
    );
    expect((await send(client)).text).toBe('answer 1');
    // Still unread when the next request begins, as after a freeze.
    writeUnasked();
    expect((await send(client)).text).toBe('answer 2');
  });
});

/** What each failure says of the outcome: whether any of the request may have been sent. */
describe('no connection → outcome known', () => {
  it('connection refused → UpstreamUnreachable with the cause', async () => {
    const failure = await failureOf(send(await unused()));
    expect(failure).toMatchObject({ name: 'UpstreamUnreachable', outcomeUnknown: false });
    expect(failure.message).toMatch(/^POST 127\.0\.0\.1:\d+\/v3\/p\/backups was not answered \(ECONNREFUSED\)\.$/);
    expect(failure.cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('name that does not resolve → UpstreamUnreachable', async () => {
    // A label of more than 63 characters is refused without asking a server.
    const failure = await failureOf(send(`http://${'x'.repeat(64)}.invalid`));
    expect(failure).toMatchObject({
      name: 'UpstreamUnreachable',
      message: expect.stringContaining('ENOTFOUND'),
      outcomeUnknown: false,
    });
  });

  it('TLS: certificate that is not trusted → UpstreamUnreachable, the server reads no request', async () => {
    const { origin, requests } = await serveTls();
    const failure = await failureOf(send(origin));
    expect(failure).toMatchObject({
      name: 'UpstreamUnreachable',
      message: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
      outcomeUnknown: false,
    });
    expect(requests).toEqual([]);
  });

  it.each([
    ['closes the connection', 'end', ''],
    ['does not speak TLS', 'end', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['resets the connection', 'resetAndDestroy', ''],
  ] as const)('TLS: server %s during the handshake → UpstreamUnreachable', async (_, how, answer) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => (how === 'end' ? socket.end(answer) : socket.resetAndDestroy()));
    });
    const { port } = new URL(await listen(server));
    const failure = await failureOf(send(`https://127.0.0.1:${port}`));
    expect(failure).toMatchObject({ name: 'UpstreamUnreachable', outcomeUnknown: false });
  });

  it('time-out before the connection is up → UpstreamTimeout', async () => {
    const { port } = new URL(await listen(createTcpServer(() => {})));
    const failure = await failureOf(send(`https://127.0.0.1:${port}`, {}, { timeoutMillis: 30 }));
    expect(failure).toMatchObject({
      name: 'UpstreamTimeout',
      message: `POST 127.0.0.1:${port}/v3/p/backups was not connected in time.`,
      outcomeUnknown: false,
    });
  });

  it.each(['first', 'later'])('signal aborted before the %s request → UpstreamTimeout', async (which) => {
    let requests = 0;
    const client = httpClient(
      await serve((_, response) => {
        requests += 1;
        response.end();
      }),
    );
    if (which === 'later') await send(client);
    requests = 0;
    const failure = await failureOf(send(client, {}, { ...LIMITS, signal: AbortSignal.abort() }));
    expect(failure).toMatchObject({ name: 'UpstreamTimeout', outcomeUnknown: false });
    expect(requests).toBe(0);
  });
});

describe('no answer after the connection is up → outcome unknown', () => {
  it.each([
    ['time-out without an answer', 'nothing'],
    ['time-out within an answer', 'a part'],
  ])('%s → UpstreamTimeout', async (_, what) => {
    const origin = await serve((_, response) => void (what === 'a part' && response.write('{')));
    const failure = await failureOf(send(origin, {}, { timeoutMillis: 50 }));
    expect(failure).toMatchObject({ name: 'UpstreamTimeout', outcomeUnknown: true });
    expect(failure.message).toMatch(/^POST 127\.0\.0\.1:\d+\/v3\/p\/backups was not answered in time\.$/);
  });

  it('signal aborted while waiting → UpstreamTimeout', async () => {
    const invocation = new AbortController();
    const origin = await serve(() => invocation.abort());
    const failure = await failureOf(send(origin, {}, { ...LIMITS, signal: invocation.signal }));
    expect(failure).toMatchObject({ name: 'UpstreamTimeout', outcomeUnknown: true });
  });

  it('connection reset after the request → UpstreamUnreachable', async () => {
    const origin = await serve((request) => request.socket.resetAndDestroy());
    const failure = await failureOf(send(origin));
    expect(failure).toMatchObject({ name: 'UpstreamUnreachable', outcomeUnknown: true });
  });

  it('connection that is used again, reset → UpstreamUnreachable', async () => {
    const ports = new Set<number | undefined>();
    let requests = 0;
    const client = httpClient(
      await serve((request, response) => {
        ports.add(request.socket.remotePort);
        if (++requests === 1) response.end();
        else request.socket.resetAndDestroy();
      }),
    );
    await send(client);
    expect(await failureOf(send(client))).toMatchObject({ name: 'UpstreamUnreachable', outcomeUnknown: true });
    expect({ requests, connections: ports.size }).toEqual({ requests: 2, connections: 1 });
  });

  it('TLS: connection closed after the request → UpstreamUnreachable', async () => {
    const { private: key, cert } = await selfSigned();
    setDefaultCACertificates([...trusted, cert]);
    const server = createTlsServer({ key, cert }, (request) => request.socket.destroy());
    const { port } = new URL(await listen(server));
    const failure = await failureOf(send(`https://localhost:${port}`));
    expect(failure).toMatchObject({ name: 'UpstreamUnreachable', outcomeUnknown: true });
  });
});

describe('an answer that cannot be read → UpstreamInvalid, outcome unknown', () => {
  it('breaks off', async () => {
    const origin = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{', () => response.destroy());
    });
    expect(await failureOf(send(origin))).toMatchObject({
      name: 'UpstreamInvalid',
      message: expect.stringContaining('answered in part'),
      outcomeUnknown: true,
    });
  });

  it('is not HTTP → none of it is kept', async () => {
    const origin = await listen(createTcpServer((socket) => socket.end('SSH-2.0-private\r\n')));
    const failure = await failureOf(send(origin));
    expect(failure).toMatchObject({
      name: 'UpstreamInvalid',
      message: expect.stringContaining('not HTTP (HPE_'),
      outcomeUnknown: true,
    });
    expect(failure.cause).not.toHaveProperty('rawPacket');
  });

  it('switches the protocol', async () => {
    const answer = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n';
    const origin = await listen(createTcpServer((socket) => socket.end(answer)));
    expect(await failureOf(send(origin))).toMatchObject({
      name: 'UpstreamInvalid',
      message: expect.stringContaining('another protocol'),
      outcomeUnknown: true,
    });
  });

  it('is larger than 1 MB → the connection is cut', async () => {
    const chunk = 'x'.repeat(64 * 1024);
    const { promise: isCut, resolve: cut } = Promise.withResolvers<void>();
    const origin = await serve((_, response) => {
      const more = () => {
        while (response.write(chunk));
      };
      response.on('drain', more).on('close', cut);
      more();
    });
    expect(await failureOf(send(origin))).toMatchObject({
      name: 'UpstreamInvalid',
      message: expect.stringContaining('1 MB'),
      outcomeUnknown: true,
    });
    await isCut;
  });
});

it('TLS: trusted certificate → the server is asked under its name and port', async () => {
  const { origin, cert, requests } = await serveTls();
  setDefaultCACertificates([...trusted, cert]);
  expect(await send(origin)).toMatchObject({ status: 200 });
  expect(requests).toEqual([new URL(origin).host]);
});

it('failure: query → not in its message', async () => {
  const failure = await failureOf(send(await unused(), { path: '/a?secret=1' }));
  expect(failure.message).not.toContain('secret');
});
