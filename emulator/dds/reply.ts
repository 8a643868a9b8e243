import type { ServerResponse } from 'node:http';
import type { Answer } from './operations/operation.ts';
import { isRefusal, type Refusal } from './refusals.ts';

type Headers = Readonly<Record<string, string>>;

/** What goes over the wire. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Sends what is answered to one request, with a `Date` of the emulator's own. */
export interface Responder {
  readonly response: ServerResponse;
  send(reply: Reply): void;
  writeHead(status: number, headers: Headers): void;
}

const json = { 'content-type': 'application/json' };

/** A refusal by the gateway names the request, one by DDS does not. */
export function replyTo(outcome: Answer | Refusal, requestId: string): Reply {
  if (!isRefusal(outcome))
    return {
      status: outcome.status,
      headers: { ...json, ...outcome.headers },
      text: JSON.stringify(outcome.body),
    };
  const { status, error_code, error_msg, headers } = outcome;
  const body = error_code.startsWith('APIGW.')
    ? { error_code, error_msg, request_id: requestId }
    : { error_code, error_msg };
  return { status, headers: { ...json, ...headers }, text: JSON.stringify(body) };
}

/** @param date the header's value when the answer begins; undefined for none */
export function responder(response: ServerResponse, date: () => string | undefined): Responder {
  response.sendDate = false;
  const writeHead = (status: number, headers: Headers): void => {
    const now = date();
    if (now !== undefined) response.setHeader('date', now);
    response.writeHead(status, headers);
  };
  const send = ({ status, headers, text }: Reply): void => {
    writeHead(status, { ...headers, 'content-length': String(Buffer.byteLength(text)) });
    response.end(text);
  };
  return { response, send, writeHead };
}
