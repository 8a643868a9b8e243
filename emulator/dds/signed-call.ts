/** For tests: one signed request to an emulator, on a connection of its own. */
import { type IncomingHttpHeaders, request } from 'node:http';
import { type Credentials, canonicalQueryString, encodePath, type Query, sign } from '../../lib/otc/signer.ts';
import type { Emulator } from './emulator.ts';
import { DEMO_CREDENTIALS, DEMO_PROJECT_ID } from './seed.ts';

export interface SignedCall {
  readonly method?: string;
  /** What follows `/v3/{project_id}/`. */
  readonly path?: string;
  readonly projectId?: string;
  readonly query?: Query;
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly credentials?: Credentials;
  /** Default: the emulator's own time. */
  readonly time?: Date;
  /** Changes the headers after signing; one that is undefined is left out. */
  readonly tamper?: (headers: Readonly<Record<string, string>>) => Readonly<Record<string, string | undefined>>;
}

export interface CallResult {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Parsed; undefined when it is no JSON. */
  readonly body: unknown;
}

/** Rejects when no whole answer comes. */
export async function call(emulator: Emulator, options: SignedCall = {}): Promise<CallResult> {
  const { method = 'GET', projectId = DEMO_PROJECT_ID, query = {}, credentials = DEMO_CREDENTIALS } = options;
  const path = `/v3/${projectId}/${options.path ?? 'backups'}`;
  const body = encodeBody(options.body);
  const headers = options.headers ?? (options.body === undefined ? {} : { 'content-type': 'application/json' });
  const time = options.time ?? emulator.control.now();
  const host = new URL(emulator.url).host;
  const signed = sign({ method, host, path, query, headers, body }, credentials, time);
  const search = canonicalQueryString(query);
  return send(emulator, {
    method,
    target: encodePath(path) + (search && `?${search}`),
    headers: options.tamper?.(signed) ?? signed,
    body,
  });
}

const encodeBody = (body: unknown): string =>
  body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);

export interface PlainCall {
  readonly method?: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Buffer;
}

/** The same, unsigned and with the target as it is. */
export function send(
  emulator: Emulator,
  { method = 'GET', target, headers = {}, body = '' }: PlainCall,
): Promise<CallResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CallResult>();
  const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
  const { hostname, port } = new URL(emulator.url);
  const outgoing = request({ hostname, port, method, path: target, headers: given, agent: false }, async (response) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parse(text) });
    } catch (error) {
      reject(error);
    }
  });
  outgoing.on('error', reject).end(body);
  return promise;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
