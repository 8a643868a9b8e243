/** The course of one request, in the order in which the real gateway and the real DDS look at it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Credentials } from '../lib/otc/signer.ts';
import type { Fault } from './faults.ts';
import { authenticate } from './gateway.ts';
import type { Ids } from './ids.ts';
import { suffer } from './mishaps.ts';
import { isRefusal, type Refusal, refusals } from './refusals.ts';
import { type Reply, replyTo, send } from './reply.ts';
import type { OpenRecord } from './request-log.ts';
import { readTarget } from './request-target.ts';
import { findRoute } from './routes.ts';
import type { State } from './state.ts';

export interface Service {
  readonly state: State;
  readonly ids: Ids;
  readonly projectId: string;
  readonly keys: readonly Credentials[];
  readonly bodyLimit: number;
  readonly busyFirst: boolean;
  takeFault(record: OpenRecord): Fault | undefined;
  wait(millis: number): Promise<void>;
}

/**
 * URL malformed, no such API, body too large, authentication: the gateway. Then the fault, if one is due. Then DDS:
 * whose project, and the operation's own checks. A project that is not the key's own is answered with 400 DBS.200010,
 * "check whether the tenant and instance match": of the documented ownership errors the one that speaks of tenants, which
 * is what the reference calls the owner of a project id; 280032 and 280063 speak of the rights of a user group.
 */
export async function exchange(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
  record: OpenRecord,
): Promise<void> {
  const requestId = service.ids.request();
  response.setHeader('x-request-id', requestId);
  response.setHeader('date', new Date(service.state.now()).toUTCString());
  const refuse = (refusal: Refusal): void => {
    record.errorCode = refusal.error_code;
    send(response, replyTo(refusal, requestId));
  };

  const target = readTarget(request.url ?? '');
  if (!target) return refuse(refusals.malformedRequest);
  record.path = target.path;
  const route = findRoute(record.method, target.path);
  if (isRefusal(route)) return refuse(route);
  record.operation = route.name;
  const body = await readBody(request, service.bodyLimit);
  if (!body) return refuse(refusals.bodyTooLarge);
  record.body = parseJson(body);

  const signed = { ...target, method: record.method, headers: request.headers, body };
  const refusal = authenticate(signed, service.keys, new Date(service.state.now()));
  if (refusal) return refuse(refusal);

  const perform = (): Reply => {
    const { projectId, state, busyFirst } = service;
    const call = {
      state,
      busyFirst,
      query: target.query,
      id: route.id,
      contentType: request.headers['content-type'],
      body,
    };
    const outcome = route.projectId === projectId ? route.operation(call) : refusals.authenticationFailed;
    if (isRefusal(outcome)) record.errorCode = outcome.error_code;
    else record.tookEffect = outcome.tookEffect;
    return replyTo(outcome, requestId);
  };
  const fault = service.takeFault(record);
  if (!fault) return send(response, perform());
  record.fault = fault.kind;
  await suffer(fault, { response, requestId, perform, wait: service.wait });
  if (fault.kind === 'error') record.errorCode = fault.error_code;
}

/** Undefined when it is larger than the limit; the rest is drained by node, so that the caller can read the refusal. */
async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
