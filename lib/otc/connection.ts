/** Requests to one server, each with its whole answer, within a time and a size. */
import type { IncomingMessage } from 'node:http';
import * as https from 'node:https';
import { Failure, type FailureName } from '../failure.ts';

/** In UTF-16, which text is held in: as many characters as a megabyte of ASCII. */
const LONGEST_ANSWER = 1024 * 1024;

export interface PlainRequest {
  readonly method: string;
  /** With the query, percent-encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Limits {
  /** For the whole answer, from 1. */
  readonly timeoutMillis: number;
  /** Ends the request, whatever time it has left. */
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

/**
 * Sends a request and reads the answer, up to 1 MB. A redirect is an answer like any other.
 * @throws Failure `UpstreamTimeout` after `timeoutMillis` or on `signal`, `UpstreamUnreachable` without an answer,
 * `UpstreamInvalid` when the answer breaks off, is not HTTP or is too large
 */
export type Send = (request: PlainRequest, limits: Limits) => Promise<Answer>;

/** Connects, when there is something to send, to `{scheme}://{authority}`; connections are kept alive. */
export function connection(origin: string): Send {
  const { protocol, hostname, port, host } = new URL(origin);
  // Only a local server needs it, and the ESM facade of node:http costs 20 ms of a cold start: it loads undici.
  const { Agent, request: open } = protocol === 'https:' ? https : process.getBuiltinModule('node:http');
  const agent = new Agent({ keepAlive: true });
  const server = { hostname: hostname.replace(/^\[|\]$/g, ''), port, agent };

  return async ({ method, path, headers, body }, { timeoutMillis, signal }) => {
    // What came in for an idle connection while the function was frozen is unread yet, and the next request would take it
    // for its answer. It is read between two immediates, and the agent drops the connection.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

    return new Promise((resolve, reject) => {
      let timeIsUp = false;
      const giveUp = () => {
        timeIsUp = true;
        outgoing.destroy();
      };

      const fail = (name: FailureName, what: string, cause?: NodeJS.ErrnoException) => {
        const [failure, happened] = timeIsUp
          ? (['UpstreamTimeout', 'was not answered in time'] as const)
          : [name, what];
        // A parser error carries the bytes it stumbled over.
        if (cause) Reflect.deleteProperty(cause, 'rawPacket');
        const [target] = path.split('?');
        reject(new Failure(failure, `${method} ${host}${target} ${happened}.`, cause && { cause }));
      };

      const outgoing = open({ ...server, method, path, headers }, (incoming: IncomingMessage) => {
        let text = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (chunk: string) => {
          text += chunk;
          if (text.length <= LONGEST_ANSWER) return;
          fail('UpstreamInvalid', 'was answered with more than 1 MB');
          outgoing.destroy();
        });
        incoming.on('error', (cause) => fail('UpstreamInvalid', 'was answered in part', cause));
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode ?? 0, retryAfter: incoming.headers['retry-after'], text }),
        );
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

      // AbortSignal.timeout and any would stay on the heap until the time is up, ten seconds after each answer.
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
