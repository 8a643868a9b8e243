/** The HTTP API: routes, and results and errors as status, headers and body. */
import type { Result } from '../backup/create.ts';
import type { BackupStatus } from '../backup/status.ts';
import { DdsError } from '../dds/errors.ts';
import type { ListedBackup } from '../dds/types.ts';
import { type Failure, InvalidRequest, type Violation } from '../errors.ts';
import { SECOND } from '../time.ts';
import type { Deferred, HttpRequest, HttpResponse, ParsedEvent } from './ports.ts';

export type Route =
  /** `POST /backups`, or `/` where the gateway has no paths; `POST /webhooks`. */
  | { readonly kind: 'create'; readonly isWebhook: boolean; readonly respondAsync: boolean }
  /** `GET /backups/{backup_id}` */
  | { readonly kind: 'read'; readonly id: string }
  /** `GET /backups?instance_id=…[&name=…]` */
  | { readonly kind: 'list'; readonly instanceId: string; readonly name: string | undefined };

const ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Finds the route at the end of the path; a stage or a base path may stand before it.
 * @throws InvalidRequest 404 for another path, 405 for another method, 400 for another query
 */
export function routeOf({ method, path, query, headers }: HttpRequest): Route {
  const [, collection, id] = /(?:^|.*\/)(backups|webhooks)(?:\/([^/]*))?\/?$/.exec(path) ?? [];
  if (collection === undefined && path !== '/' && path !== '') throw notFound();
  if (id && (collection === 'webhooks' || !ID.test(id))) throw notFound();
  const isWebhook = collection === 'webhooks';
  const respondAsync = isWebhook || prefersAsync(headers.prefer);
  if (id) return only(['GET'], method, { kind: 'read', id });
  if (collection !== 'backups' || method !== 'GET')
    return only(collection === 'backups' ? ['GET', 'POST'] : ['POST'], method, {
      kind: 'create',
      isWebhook,
      respondAsync,
    });
  return listRoute(query);
}

function only(methods: readonly string[], method: string, route: Route): Route {
  if (methods.includes(method)) return route;
  throw new InvalidRequest(405, `The method ${method.slice(0, 16)} is not allowed here`, [], {
    allow: methods.join(', '),
  });
}

const notFound = (): InvalidRequest =>
  new InvalidRequest(404, 'There is no such path. Use /backups or /backups/{backup_id}');

function listRoute({ instance_id, name, ...others }: HttpRequest['query']): Route {
  const details: Violation[] = Object.keys(others).map((key) => ({
    path: `/query/${key.slice(0, 64)}`,
    message: 'is not a known parameter',
  }));
  if (instance_id === undefined) details.push({ path: '/query/instance_id', message: 'is required' });
  else if (!ID.test(instance_id))
    details.push({ path: '/query/instance_id', message: 'must be the id of an instance' });
  if (details.length > 0 || instance_id === undefined) throw new InvalidRequest(400, 'The query is invalid', details);
  return { kind: 'list', instanceId: instance_id, name };
}

/** RFC 7240, section 4.1. Other preferences are ignored. */
const prefersAsync = (prefer = ''): boolean =>
  prefer.split(',').some((preference) => /^\s*respond-async\s*(;|$)/i.test(preference));

const MAX_BODY_BYTES = 64 * 1024;

/** @throws InvalidRequest 413 for a body over 64 kB */
export function checkSize({ body, isBase64Encoded }: HttpRequest): void {
  if (typeof body === 'string' && Buffer.byteLength(body, isBase64Encoded ? 'base64' : 'utf8') > MAX_BODY_BYTES)
    throw new InvalidRequest(413, 'The request body is larger than 64 kB');
}

/**
 * The text of a body that JSON can be read from: without its byte order mark.
 * @throws InvalidRequest 422 for an empty one, 415 for a compressed one
 */
export function readBody({ body, isBase64Encoded, headers }: HttpRequest): string {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.trim().toLowerCase() !== 'identity')
    throw new InvalidRequest(415, 'Content-Encoding must be identity. Send the body uncompressed');
  const text = typeof body === 'string' ? Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8').toString() : '';
  const content = text.replace(/^\ufeff/, '');
  if (content.trim() === '') throw new InvalidRequest(422, 'The request body is empty. Send {"backup":{…}}');
  return content;
}

/**
 * The answer to a request: DDS's status and body where it accepted; 200 and the `backup_id` for a replay, of which DDS
 * gives no job; 202 where it is deferred.
 * A sender of webhooks cannot read backups, and gets no Location.
 */
export function created(
  result: Result | Deferred,
  { isWebhook = false }: Pick<ParsedEvent, 'isWebhook'>,
): HttpResponse {
  if (result.kind === 'deferred') {
    const { name, instance_id, not_after } = result;
    const query = new URLSearchParams({ instance_id, name });
    return response(202, JSON.stringify({ status: 'DEFERRED', name, instance_id, not_after }), {
      'preference-applied': 'respond-async',
      ...(!isWebhook && { location: `backups?${query}` }),
    });
  }
  const location = isWebhook ? {} : { location: `backups/${result.backup_id}` };
  return result.kind === 'accepted'
    ? response(result.status, result.text, location)
    : response(200, JSON.stringify({ backup_id: result.backup_id }), { 'idempotent-replayed': 'true', ...location });
}

/** 200 `{ backup }` as DDS lists it. */
export const found = ({ backup, pollAfterSeconds }: BackupStatus): HttpResponse =>
  response(200, JSON.stringify({ backup: backup.verbatim }), {
    'backup-status': backup.status,
    ...(pollAfterSeconds !== undefined && { 'retry-after': String(pollAfterSeconds) }),
  });

/** 200 `{ backups }` as DDS lists them. */
export const listed = (backups: readonly ListedBackup[]): HttpResponse =>
  response(200, JSON.stringify({ backups: backups.map(({ verbatim }) => verbatim) }));

/**
 * `{ error_code, error_msg, reason, details?, backup? }`. Code and text are DDS's where it gave them; `reason` is always
 * ours.
 */
export function refused(failure: Failure): HttpResponse {
  const { name: reason, message, meaning, annotation } = failure;
  const dds = failure instanceof DdsError ? failure : undefined;
  const invalid = failure instanceof InvalidRequest ? failure : undefined;
  const status = invalid?.status ?? (meaning.hidesStatus ? undefined : dds?.status) ?? meaning.status;
  const retryAfter =
    dds?.retryAfterMillis === undefined ? meaning.retryAfterSeconds : Math.ceil(dds.retryAfterMillis / SECOND);
  const body = {
    error_code: dds?.code ?? reason,
    error_msg: dds?.text || message,
    reason,
    ...(invalid?.details.length && { details: invalid.details }),
    ...(annotation?.backup && { backup: annotation.backup }),
  };
  return response(status, JSON.stringify(body), {
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    ...invalid?.headers,
  });
}

const response = (statusCode: number, body: string, headers = {}): HttpResponse => ({
  statusCode,
  headers: { 'content-type': 'application/json', ...headers },
  body,
});
