import type { ServerResponse } from 'node:http';
import type { Answer } from './operations/operation.ts';
import { isRefusal, type Refusal } from './refusals.ts';

/** What goes over the wire. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const json = { 'content-type': 'application/json' };

/** A refusal by the gateway names the request, one by DDS does not. */
export function replyTo(outcome: Answer | Refusal, requestId: string): Reply {
  if (!isRefusal(outcome)) return { status: outcome.status, headers: json, text: JSON.stringify(outcome.body) };
  const { status, error_code, error_msg, headers } = outcome;
  const body = error_code.startsWith('APIGW.')
    ? { error_code, error_msg, request_id: requestId }
    : { error_code, error_msg };
  return { status, headers: { ...json, ...headers }, text: JSON.stringify(body) };
}

export function send(response: ServerResponse, { status, headers, text }: Reply): void {
  writeHead(response, { status, headers, text });
  response.end(text);
}

/** Announces the whole text, for whoever sends less of it. */
export function writeHead(response: ServerResponse, { status, headers, text }: Reply): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
}
