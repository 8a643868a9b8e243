/** A server of this machine that stands before another one, and sees whole requests and whole answers. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders, request as send } from 'node:http';
import { buffer } from 'node:stream/consumers';

const HOST = '127.0.0.1';

export interface LocalRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface LocalAnswer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer | string;
}

export type Responder = (request: LocalRequest) => Promise<LocalAnswer>;

export function json(status: number, content: unknown, headers: OutgoingHttpHeaders = {}): LocalAnswer {
  const body = JSON.stringify(content);
  return {
    status,
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
    body,
  };
}

/** Rejects when the port is taken. What the responder throws is answered with 502. */
export async function serve(port: number, respond: Responder): Promise<AsyncDisposable> {
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    try {
      const answer = await respond({ method, path: url, headers, body: await buffer(request) });
      response.writeHead(answer.status, answer.headers).end(answer.body);
    } catch (error) {
      if (request.destroyed && !request.complete) return;
      const { status, headers: ofError, body } = json(502, { message: String(error) });
      response.writeHead(status, ofError).end(body);
    }
  });
  server.listen(port, HOST);
  await once(server, 'listening');
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Sends a request to another port, as it is. */
export async function forward(port: number, { method, path, headers, body }: LocalRequest): Promise<LocalAnswer> {
  const request = send({ host: HOST, port, method, path, headers: { ...endToEnd(headers), ...lengthOf(body) } });
  const answered = once(request, 'response');
  request.end(body);
  const [response] = await answered;
  const received = await buffer(response);
  return { status: response.statusCode, headers: endToEnd(response.headers), body: received };
}

/** The body is whole here, so its length is known. */
function endToEnd({ connection: _, 'transfer-encoding': __, 'keep-alive': ___, ...headers }: IncomingHttpHeaders) {
  return headers;
}

const lengthOf = (body: Buffer) => (body.length > 0 ? { 'content-length': body.length } : {});
