import type { ControlAction } from './control.ts';
import type { FaultEffect } from './faults.ts';
import { type Reply, type Responder, replyTo } from './reply.ts';

interface Exchange {
  readonly responder: Responder;
  readonly requestId: string;
  /** Carries the operation out, once. */
  perform(): Reply;
  wait(millis: number): Promise<void>;
  run(actions: readonly ControlAction[]): void;
}

const PAGE = '<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>';

/** Applies a fault to a request; returns when all is sent that will be, or what never ends has begun. */
export async function applyFault(
  fault: FaultEffect,
  { responder, requestId, perform, wait, run }: Exchange,
): Promise<void> {
  const { send, response } = responder;
  const isAfter = 'when' in fault && fault.when === 'after';
  if (isAfter && fault.kind !== 'delay' && fault.kind !== 'control') perform();
  switch (fault.kind) {
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'hang':
      return;
    case 'delay': {
      const late = isAfter ? perform() : undefined;
      await wait(fault.millis);
      return send(late ?? perform());
    }
    case 'control': {
      const early = isAfter ? perform() : undefined;
      run(fault.actions);
      return send(early ?? perform());
    }
    case 'error':
      return send(replyTo(fault, requestId));
    case 'answer':
      return send({ status: fault.status, headers: fault.headers ?? {}, text: fault.text ?? '' });
    case 'status':
      return send({ ...perform(), status: fault.status });
    case 'truncated':
      return sendHalf(responder, perform(), () => response.destroy());
    case 'stall':
      return sendHalf(responder, perform());
    case 'html':
      return send({ status: fault.status, headers: { 'content-type': 'text/html' }, text: PAGE });
    case 'endless':
      return sendForever(responder);
    case 'empty':
      return send({ status: fault.status ?? 200, headers: {}, text: '' });
    case 'json':
      return send({
        status: fault.status ?? 200,
        headers: { 'content-type': 'application/json' },
        text: JSON.stringify(fault.body) ?? '',
      });
    case 'redirect':
      return send({ status: fault.status ?? 307, headers: { location: fault.location }, text: '' });
  }
}

function sendHalf({ response, writeHead }: Responder, reply: Reply, then?: () => void): void {
  writeHead(reply.status, { ...reply.headers, 'content-length': String(Buffer.byteLength(reply.text)) });
  response.write(reply.text.slice(0, reply.text.length / 2), then);
}

function sendForever({ response, writeHead }: Responder): void {
  writeHead(200, { 'content-type': 'application/json' });
  response.write('{"job_id":"');
  const more = 'a'.repeat(16_384);
  const pump = (): void => {
    let room = true;
    while (room && !response.destroyed) room = response.write(more);
    if (!response.destroyed) response.once('drain', pump);
  };
  pump();
}
