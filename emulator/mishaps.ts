import type { ServerResponse } from 'node:http';
import type { Mishap } from './faults.ts';
import { type Reply, replyTo, send, writeHead } from './reply.ts';

interface Victim {
  readonly response: ServerResponse;
  readonly requestId: string;
  /** Carries the operation out, once. */
  perform(): Reply;
  wait(millis: number): Promise<void>;
}

const PAGE = '<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>';

/** Lets a request suffer a fault; returns when all is sent that will be, or what never ends has begun. */
export async function suffer(mishap: Mishap, { response, requestId, perform, wait }: Victim): Promise<void> {
  if ('when' in mishap && mishap.when === 'after' && mishap.kind !== 'delay') perform();
  switch (mishap.kind) {
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'hang':
      return;
    case 'delay': {
      const late = mishap.when === 'after' ? perform() : undefined;
      await wait(mishap.millis);
      return send(response, late ?? perform());
    }
    case 'error':
      return send(response, replyTo(mishap, requestId));
    case 'status':
      return send(response, { ...perform(), status: mishap.status });
    case 'truncated':
      return sendHalf(response, perform(), () => response.destroy());
    case 'stall':
      return sendHalf(response, perform());
    case 'html':
      return send(response, { status: mishap.status, headers: { 'content-type': 'text/html' }, text: PAGE });
    case 'endless':
      return sendForever(response);
    case 'empty':
      return send(response, { status: mishap.status ?? 200, headers: {}, text: '' });
    case 'json':
      return send(response, {
        status: mishap.status ?? 200,
        headers: { 'content-type': 'application/json' },
        text: JSON.stringify(mishap.body) ?? '',
      });
    case 'redirect':
      return send(response, { status: mishap.status ?? 307, headers: { location: mishap.location }, text: '' });
  }
}

function sendHalf(response: ServerResponse, reply: Reply, then?: () => void): void {
  writeHead(response, reply);
  response.write(reply.text.slice(0, reply.text.length / 2), then);
}

function sendForever(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"job_id":"');
  const more = 'a'.repeat(16_384);
  const pump = (): void => {
    let room = true;
    while (room && !response.destroyed) room = response.write(more);
    if (!response.destroyed) response.once('drain', pump);
  };
  pump();
}
