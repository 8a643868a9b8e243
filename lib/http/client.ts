/** One HTTP exchange: a request and its whole answer, within a time and a size. */
import type { Agent, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import * as https from 'node:https';
import { Failure, type Reason } from '../errors.ts';

/** In UTF-16 code units: as many characters as a megabyte of ASCII. */
const MAX_ANSWER = 1024 * 1024;

export interface HttpRequest {
  readonly method: string;
  /** With the query, percent-encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RequestLimits {
  /** For the whole answer, at least 1. */
  readonly timeoutMillis: number;
  /** Ends the request early. */
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  /** By lower-case name; what came twice is joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/**
 * Sends a request and reads the answer, up to 1 MB. A redirect is an answer like any other.
 * @throws Failure `UpstreamTimeout` after `timeoutMillis` or on `signal`, `UpstreamUnreachable` without an answer,
 * `UpstreamInvalid` when the answer breaks off, is not HTTP or is too large. Its `outcomeUnknown` is false where no
 * connection came about: then nothing was sent.
 */
export type HttpClient = (request: HttpRequest, limits: RequestLimits) => Promise<HttpAnswer>;

/** Connects to `{scheme}://{authority}` when there is something to send. Connections are kept alive. */
export function httpClient(origin: string): HttpClient {
  const { protocol, hostname, port, host } = new URL(origin);
  const connected = protocol === 'https:' ? 'secureConnect' : 'connect';
  let transport: Promise<Transport> | undefined;

  return async ({ method, path, headers, body }, { timeoutMillis, signal }) => {
    transport ??= loadTransport(protocol);
    const { open, agent } = await transport;
    await dropUnaskedAnswers();

    return new Promise((resolve, reject) => {
      let isSent = false;
      let isTimeUp = false;
      const giveUp = () => {
        isTimeUp = true;
        outgoing.destroy();
      };

      const fail = (reason: Reason, what: string, cause?: NodeJS.ErrnoException) => {
        // A parser's error carries the bytes that it stumbled over.
        if (cause) Reflect.deleteProperty(cause, 'rawPacket');
        const [target] = path.split('?');
        const about = `${method} ${host}${target}`;
        const options = { outcomeUnknown: isSent, ...(cause && { cause }) };
        if (isTimeUp)
          reject(
            new Failure('UpstreamTimeout', `${about} was not ${isSent ? 'answered' : 'connected'} in time.`, options),
          );
        else reject(new Failure(reason, `${about} ${what}.`, options));
      };

      const read = (incoming: IncomingMessage) => {
        let text = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (chunk: string) => {
          text += chunk;
          if (text.length <= MAX_ANSWER) return;
          fail('UpstreamInvalid', 'was answered with more than 1 MB');
          outgoing.destroy();
        });
        incoming.on('error', (cause) => fail('UpstreamInvalid', 'was answered in part', cause));
        incoming.on('end', () => {
          resolve({ status: incoming.statusCode ?? 0, headers: joined(incoming.headers), text });
        });
      };

      const address = { hostname: hostname.replace(/^\[|\]$/g, ''), port };
      const outgoing = open({ ...address, agent, method, path, headers }, read);
      outgoing.on('socket', (socket) => {
        if (outgoing.reusedSocket) isSent = true;
        else
          socket.once(connected, () => {
            isSent = true;
          });
      });
      outgoing.on('upgrade', (_, socket) => {
        socket.destroy();
        fail('UpstreamInvalid', 'was answered with another protocol');
      });
      outgoing.on('error', (cause: NodeJS.ErrnoException) =>
        cause.code?.startsWith('HPE_')
          ? fail('UpstreamInvalid', `was answered with something that is not HTTP (${cause.code})`, cause)
          : fail('UpstreamUnreachable', `was not answered (${cause.code ?? cause.message})`, cause),
      );

      // AbortSignal.timeout would stay on the heap until the time is up, long after the answer.
      const timer = setTimeout(giveUp, timeoutMillis);
      signal?.addEventListener('abort', giveUp);
      outgoing.on('close', () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
      });
      if (signal?.aborted) giveUp();
      outgoing.end(body);
    });
  };
}

const joined = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

interface Transport {
  readonly open: typeof https.request;
  readonly agent: Agent;
}

/** Only a local server needs node:http, and its ESM form costs 20 ms of a cold start. */
async function loadTransport(protocol: string): Promise<Transport> {
  const { Agent, request } = protocol === 'https:' ? https : await import('node:http');
  return { open: request, agent: new Agent({ keepAlive: true }) };
}

/**
 * What arrived on an idle connection while the function was frozen is unread, and the next request would take it for
 * its answer. Node reads it between two immediates, and the agent then drops the connection.
 */
const dropUnaskedAnswers = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
