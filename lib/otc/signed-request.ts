/** One signed request to an OTC service and its whole answer, within a time and a size. */
import type { IncomingMessage } from 'node:http';
import * as https from 'node:https';
import { Failure, type FailureName } from '../failure.ts';
import { type Credentials, canonicalQueryString, encodePath, type Query, sign } from './signer.ts';

const MAX_ANSWER_BYTES = 1024 * 1024;

// Only a local endpoint needs it, and the ESM facade of node:http costs 20 ms of a cold start: it loads undici.
const http = () => process.getBuiltinModule('node:http');

const agents: Partial<Record<string, https.Agent | import('node:http').Agent>> = {};

export interface OtcRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Scheme and authority, no path. */
  readonly endpoint: string;
  readonly path: string;
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
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
 * Signs `request` with `credentials` as of `now`, sends it over a kept-alive connection and reads the answer, up to
 * 1 MB. A redirect is an answer like any other: credentials go to the endpoint only.
 * @throws Failure `UpstreamTimeout` after `timeoutMillis` or on `signal`, `UpstreamUnreachable` without an answer,
 * `UpstreamInvalid` when the answer breaks off, is not HTTP or is too large
 */
export async function signedRequest(
  request: OtcRequest,
  credentials: Credentials,
  now: Date,
  limits: Limits,
): Promise<Answer> {
  // What came in for an idle connection while the function was frozen is unread yet, and the next request would take it
  // for its answer. It is read between two immediates, and the agent drops the connection.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

  const { method, path, query = {}, headers = {}, body = '' } = request;
  const { protocol, hostname, port, host } = new URL(request.endpoint);
  const secure = protocol === 'https:';
  const { Agent, request: send } = secure ? https : http();
  agents[protocol] ??= new Agent({ keepAlive: true });

  const search = canonicalQueryString(query);
  const signed = sign({ method, host, path, query, headers, body }, credentials, now);
  const signature = signed.authorization.slice(-64);
  const options = {
    method,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port,
    path: encodePath(path) + (search && `?${search}`),
    headers: {
      ...signed,
      'content-length': Buffer.byteLength(body),
    },
    agent: agents[protocol],
  };

  return new Promise((resolve, reject) => {
    let timeIsUp = false;
    const giveUp = () => {
      timeIsUp = true;
      outgoing.destroy();
    };

    const fail = (name: FailureName, what: string, cause?: NodeJS.ErrnoException) => {
      const [failure, happened] = timeIsUp ? (['UpstreamTimeout', 'was not answered in time'] as const) : [name, what];
      const message = `${method} ${host}${path} ${happened}.`;
      // A parser error carries the bytes it stumbled over.
      if (cause) Reflect.deleteProperty(cause, 'rawPacket');
      reject(new Failure(failure, message, cause && { cause }));
    };

    const outgoing = send(options, (incoming: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) {
          fail('UpstreamInvalid', 'was answered with more than 1 MB');
          outgoing.destroy();
        } else chunks.push(chunk);
      });
      incoming.on('error', (cause) => fail('UpstreamInvalid', 'was answered in part', cause));
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          retryAfter: incoming.headers['retry-after'],
          text: redacted(Buffer.concat(chunks).toString(), [...Object.values(credentials), signature]),
        }),
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
    const timer = setTimeout(giveUp, limits.timeoutMillis);
    limits.signal?.addEventListener('abort', giveUp);
    outgoing.on('close', () => {
      clearTimeout(timer);
      limits.signal?.removeEventListener('abort', giveUp);
    });
    if (limits.signal?.aborted) giveUp();
    outgoing.end(body);
  });
}

/**
 * The gateway quotes the access key and the headers that it refuses; no caller and no log is to read them. The text is
 * JSON, which may write any character as an escape: `\/`.
 */
function redacted(text: string, secrets: readonly string[]): string {
  // A security token may hold a quotation mark or a backslash, which JSON always escapes.
  const spelled = new Set(secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]));
  const hide = (from: string) => [...spelled].reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), from);
  if (!text.includes('\\')) return hide(text);
  try {
    const unescaped = JSON.stringify(JSON.parse(text));
    const hidden = hide(unescaped);
    return hidden === unescaped ? text : hidden;
  } catch {
    return hide(text);
  }
}
