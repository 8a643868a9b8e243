/** The middy wrappers of the functions: log, authenticate, route, parse, validate. */
import type { MiddlewareObj, Request } from '@middy/core';
import validator from '@middy/validator';
import { MAY_EXIST, type Result } from '../backup/create.ts';
import { violationsOf } from '../backup/request.ts';
import type { BackupStatus } from '../backup/status.ts';
import type { ValidEvent } from '../backup/trigger.ts';
import { Failure, InvalidRequest } from '../errors.ts';
import { fieldsOf, isObject } from '../json.ts';
import type { Authenticate } from './authentication.ts';
import { found, listed, readBody, refused, routeOf } from './http-api.ts';
import { describeError, describeRequest, log, logFailure, logResult } from './log.ts';
import type { EventDescription, HttpRequest, HttpResponse, ParsedEvent, Source } from './ports.ts';
import { findBackup } from './projects.ts';
import type { Service } from './service.ts';

/** middy ends an invocation half a second before the platform would cut it, should anything outlast its deadline. */
const timeoutEarlyInMillis = 500;

export const endEarly = {
  timeoutEarlyInMillis,
  timeoutEarlyResponse: (): never => {
    throw new Failure('UpstreamTimeout', `No time is left. ${MAY_EXIST}`);
  },
};

/** The same for a function that makes no backup. */
export const endRunEarly = {
  timeoutEarlyInMillis,
  timeoutEarlyResponse: (): never => {
    throw new Failure('UpstreamTimeout', 'No time is left.');
  },
};

interface Internal extends Record<string, unknown> {
  startedAt: Date;
}

type Logged<Event> = Request<Event, unknown, Error, Request['context'], Internal>;

export interface Answers {
  readonly answer: (result: Result, event: ParsedEvent) => unknown;
  /**
   * Answers a failure. Where it gives nothing, the failure is thrown on.
   * @param startedAt when the invocation began
   */
  readonly refuse: (failure: Failure, startedAt: Date) => unknown;
}

/** Logs how the event ended and forms the answer. The first of a stack, so that it sees what all others throw. */
export function logged<Event>(
  { describe }: Source<Event>,
  now: () => Date,
  { answer, refuse }: Answers,
): MiddlewareObj<Event, unknown, Error, Request['context'], Internal> {
  const about = ({ event, internal }: Logged<Event>) => ({
    ...(isParsed(event) ? describeParsed(event) : describe(event)),
    duration_ms: now().getTime() - internal.startedAt.getTime(),
  });

  return {
    before: ({ internal }) => {
      internal.startedAt = now();
    },
    after: (request) => {
      const result = request.response as Result;
      logResult(about(request), result);
      if (isParsed(request.event)) request.response = answer(result, request.event);
    },
    onError: (request) => {
      const failure = asFailure(request.error);
      logFailure(about(request), failure ?? request.error);
      if (!failure) return;
      request.error = failure;
      request.response = refuse(failure, request.internal.startedAt);
    },
  };
}

/** Logs `monitor.failed`, `retention.failed` or `nightly.failed` for a run that failed, after whatever the run logged itself. */
export const loggedRun = (
  kind: 'monitor' | 'retention' | 'nightly',
  now: () => Date,
): MiddlewareObj<unknown, unknown, Error, Request['context'], Internal> => ({
  before: ({ internal }) => {
    internal.startedAt = now();
  },
  onError: ({ event, internal, error }) => {
    const { time } = fieldsOf(event);
    log('error', {
      event: `${kind}.failed`,
      ...(typeof time === 'string' && { time: time.slice(0, 64) }),
      duration_ms: now().getTime() - internal.startedAt.getTime(),
      ...describeError(error),
    });
  },
});

/** Lets in whom `authenticate` knows. Runs before the body is parsed: a signature covers its bytes. */
export const authenticated = (authenticate: Authenticate): MiddlewareObj<HttpRequest> => ({
  before: async ({ event }) => {
    Object.assign(event, await authenticate(event));
  },
});

/** Answers questions about backups at once. What asks for a backup goes on, with a body that JSON can be read from. */
export const routed = ({ projects, budget }: Service): MiddlewareObj<HttpRequest, HttpResponse> => ({
  before: async (request) => {
    const { event, context } = request;
    const route = routeOf(event);
    if (route.kind === 'create') {
      const { respondAsync, isWebhook } = route;
      request.event = { ...event, body: readBody(event), isBase64Encoded: false, respondAsync, isWebhook };
      return undefined;
    }
    // The signature of a webhook covers neither the method nor the path.
    if (event.signedId !== undefined) throw new Failure('Unauthorized', 'A signed request may only ask for a backup.');
    const left = budget(context);
    if (route.kind === 'read') return answerRead(findBackup(projects(), route.id, left));
    const { status } = await projects().locate(route.instanceId, left);
    return listed(await status.list(route.instanceId, route.name, left));
  },
});

/** That a backup is not listed, or not yet, is an answer like any other, and not logged as a failure. */
const answerRead = (reading: Promise<BackupStatus>): Promise<HttpResponse> =>
  reading.then(found, (error: unknown) => {
    if (error instanceof Failure && error.name === 'BackupNotFound') return refused(error);
    throw error;
  });

/** Replaces the event by what its source finds in it. */
export const parsed = <Event>({ parse }: Source<Event>): MiddlewareObj<Event> => ({
  before: (request) => {
    const found: unknown = parse(request.event, request.context);
    request.event = found as Event;
  },
});

/** Refuses a parsed event whose request breaks a rule of the schema. */
export function validated(): MiddlewareObj<ValidEvent> {
  const eventSchema = ({ request }: ParsedEvent): boolean => {
    eventSchema.errors = violationsOf(request);
    return eventSchema.errors.length === 0;
  };
  eventSchema.errors = violationsOf({});

  // middy's types ask for an Ajv instance; its code, for the compiled function.
  const options: { eventSchema: unknown } = { eventSchema };
  return validator(options as Parameters<typeof validator>[0]);
}

const describeParsed = ({ request, trigger, caller }: ParsedEvent): EventDescription => ({
  trigger: trigger.kind,
  idempotency_key: trigger.id,
  ...describeRequest(request),
  ...(caller !== undefined && { caller }),
});

const isParsed = (event: unknown): event is ParsedEvent => isObject(event) && 'trigger' in event && 'request' in event;

/** The errors of middy's own middlewares as ours. Their causes hold the body, so they are not kept. */
function asFailure(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error;
  if (!(error instanceof Error) || !isObject(error.cause)) return undefined;
  const { package: thrownBy, data } = error.cause;
  if (thrownBy === '@middy/validator' && Array.isArray(data))
    return new InvalidRequest(400, 'The request is invalid', data);
  if (thrownBy !== '@middy/http-json-body-parser') return undefined;
  return 'statusCode' in error && error.statusCode === 415
    ? new InvalidRequest(415, 'The request must be JSON. Send Content-Type: application/json')
    : new InvalidRequest(422, 'The request body is not well-formed JSON');
}
