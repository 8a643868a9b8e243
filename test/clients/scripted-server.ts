/** The HTTP API as far as a client sees it: a real server on a free port that gives one answer after the other. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Answer = (request: Received, response: ServerResponse) => void;

export const ID = '3f1f4c2f8a5e4a53a7d5ce6a2f4f7f11br02';

export const answer =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

export const accepted = answer(200, { job_id: '6a8ebf0d-8f3d-4b1c-9d52-0f5f4e0a1c57', backup_id: ID });

/** An error of the service, in the shape of the contract. */
export const error = (status: number, reason: string, headers: Record<string, string> = {}): Answer =>
  answer(status, { error_code: 'DBS.200000', error_msg: `The text of ${reason}.`, reason }, headers);

export const busy = error(403, 'InstanceBusy', { 'retry-after': '7' });

export const backup = (status: string, headers: Record<string, string> = {}): Answer =>
  answer(200, { backup: { id: ID, status } }, { 'backup-status': status, ...headers });

export const building = backup('BUILDING', { 'retry-after': '3' });
export const completed = backup('COMPLETED');

export const notFound = error(404, 'BackupNotFound');

/** The connection ends without an answer. */
export const hangUp: Answer = (_, response) => response.destroy();

/** The connection ends in the middle of an answer that looks whole. */
export const truncated: Answer = (_, response) => {
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': '200',
    'backup-status': 'COMPLETED',
  });
  response.write(`{"backup_id":"${ID}"}`, () => response.destroy());
};

/** The connection stays open, without an answer. */
export const silence: Answer = () => {};

async function receive(request: IncomingMessage): Promise<Received> {
  const { method = '', url = '', headers } = request;
  return { method, path: url, headers, body: await text(request) };
}

/** What is asked after the last answer is refused, so that a client that asks too often is seen. */
const tooMuch = error(400, 'InvalidRequest');

export interface ServerSettings {
  readonly port?: number;
  readonly tls?: { readonly key: string; readonly cert: string };
}

export async function scriptedServer(answers: readonly Answer[], { port = 0, tls }: ServerSettings = {}) {
  const received: Received[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const one = await receive(request);
    received.push(one);
    (answers[received.length - 1] ?? tooMuch)(one, response);
  };
  const server = tls ? createTlsServer(tls, respond) : createServer(respond);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((closed) => server.close(closed));
  };
  const origin = `${tls ? 'https' : 'http'}://127.0.0.1:${address.port}`;
  return {
    port: address.port,
    origin,
    url: `${origin}/backups`,
    received,
    close,
    [Symbol.asyncDispose]: close,
  };
}
