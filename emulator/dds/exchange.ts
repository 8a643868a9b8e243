/** The course of one request, in the order in which the real gateway and the real DDS look at it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { applyFault } from './apply-fault.ts';
import type { ControlAction } from './control.ts';
import type { Fault } from './faults.ts';
import type { Caller } from './gateway.ts';
import type { Ids } from './ids.ts';
import { parseJson } from './json.ts';
import type { Projects } from './projects.ts';
import { isRefusal, type Refusal, refusals } from './refusals.ts';
import { type Reply, replyTo, responder } from './reply.ts';
import type { OpenRecord } from './request-log.ts';
import { readTarget } from './request-target.ts';
import { findRoute } from './routes.ts';
import type { Settings } from './settings.ts';
import type { SignedRequest } from './signature.ts';
import type { Tokens } from './tokens.ts';

export interface Service {
  readonly ids: Ids;
  readonly projects: Projects;
  readonly tokens: Tokens;
  readonly bodyLimit: number;
  readonly settings: () => Settings;
  /** What the `Date` header says. */
  readonly date: () => string | undefined;
  readonly authenticate: (request: SignedRequest) => Caller | Refusal;
  readonly takeFault: (record: OpenRecord) => Fault | undefined;
  readonly runActions: (actions: readonly ControlAction[]) => void;
  readonly wait: (millis: number) => Promise<void>;
}

/**
 * URL malformed, no such API, body too large, authentication: the gateway. Then the fault, if one is due. Then DDS:
 * whose project, and the operation's own checks. A project that is not the caller's own is answered with 400 DBS.200010,
 * "check whether the tenant and instance match": of the documented ownership errors the one that speaks of tenants, which
 * is what the reference calls the owner of a project id; 280032 and 280063 speak of the rights of a user group. A request
 * for a token needs no authentication.
 */
export async function exchange(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
  record: OpenRecord,
): Promise<void> {
  const requestId = service.ids.request();
  const respond = responder(response, service.date);
  response.setHeader('x-request-id', requestId);
  const refuse = (refusal: Refusal): void => {
    record.errorCode = refusal.error_code;
    respond.send(replyTo(refusal, requestId));
  };

  const target = readTarget(request.url ?? '');
  if (!target) return refuse(refusals.malformedRequest);
  record.path = target.path;
  record.query = target.query;
  const route = findRoute(record.method, target.path);
  if (isRefusal(route)) return refuse(route);
  record.operation = route.name;
  if (route.operation) record.project = route.projectId;
  const body = await readBody(request, service.bodyLimit);
  if (!body) return refuse(refusals.bodyTooLarge);
  if (route.operation) record.body = parseJson(body);

  const caller = route.operation
    ? service.authenticate({ ...target, method: record.method, headers: request.headers, body })
    : [];
  if (isRefusal(caller)) return refuse(caller);

  const outcome = () => {
    if (!route.operation) return service.tokens.create(body);
    const project = caller.includes(route.projectId) ? service.projects.get(route.projectId) : undefined;
    if (!project) return refusals.authenticationFailed;
    return route.operation({
      state: project.state,
      settings: service.settings(),
      query: target.query,
      id: route.id,
      contentType: request.headers['content-type'],
      body,
    });
  };
  const perform = (): Reply => {
    const answer = outcome();
    if (isRefusal(answer)) record.errorCode = answer.error_code;
    else record.tookEffect = answer.tookEffect;
    return replyTo(answer, requestId);
  };
  const fault = service.takeFault(record);
  if (!fault) return respond.send(perform());
  record.fault = fault.kind;
  await applyFault(fault, { responder: respond, requestId, perform, wait: service.wait, run: service.runActions });
  if (fault.kind === 'error') record.errorCode = fault.error_code;
}

/** Undefined when it is larger than the limit; the rest is drained by node, so that the caller can read the refusal. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
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
