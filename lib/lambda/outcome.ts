/** How an event ended: one log line and one answer, whatever happened. */
import type { MiddlewareObj, Request } from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Accepted, Recognised } from '../backup/create-backup.ts';
import { Failure } from '../failure.ts';
import { isObject } from './http-event.ts';
import { InvalidRequest } from './invalid-request.ts';
import { type Facts, instanceId, logCreated, logNotCreated, reasonOf } from './log.ts';
import type { TriggerSource } from './trigger-source.ts';

export type Created = Accepted | Recognised;

/** What the functions return that no http caller reads; a failure they throw. */
export const ids = (created: Created): { job_id?: string; backup_id: string } =>
  created.kind === 'accepted'
    ? { job_id: created.job_id, backup_id: created.backup_id }
    : { backup_id: created.backup_id };

interface Started extends Record<string, unknown> {
  startedAt: number;
}

/**
 * Logs how the event ended, as `backup.accepted`, `.recognised`, `.refused` or `.failed`, and gives the end its form.
 * The first of a stack: it hears of all that the others throw.
 * @param answer what the function returns when the backup is there
 * @param refuse what it returns when it is not; without it the failure is thrown
 */
export function outcome<Event>(
  source: TriggerSource<Event>,
  answer: (created: Created) => unknown,
  refuse?: (failure: Failure) => unknown,
): MiddlewareObj<Event, unknown, Error, Context, Started> {
  const facts = ({ event, context, internal }: Request<Event, unknown, Error, Context, Started>): Facts => ({
    trigger: source.kind,
    trigger_id: triggerId(source, event, context),
    instance_id: instanceId(source.request(event)),
    duration_ms: Math.round(performance.now() - internal.startedAt),
  });

  return {
    before: ({ internal }) => {
      internal.startedAt = performance.now();
    },

    after: (request) => {
      const created = request.response as Created;
      logCreated(facts(request), created);
      request.response = answer(created);
    },

    onError: (request) => {
      const failure = asFailure(request.error);
      logNotCreated(facts(request), reasonOf(failure));
      if (!failure) return;
      request.error = failure;
      request.response = refuse?.(failure);
    },
  };
}

function triggerId<Event>(source: TriggerSource<Event>, event: Event, context: Context): string | undefined {
  try {
    return source.identify(event, context).id;
  } catch {
    return undefined;
  }
}

/** The errors of middy's own middlewares as ours. Their causes hold the body: they are not kept. */
function asFailure(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error;
  if (!(error instanceof Error) || !isObject(error.cause)) return undefined;
  const { package: thrownBy, data } = error.cause;
  if (thrownBy === '@middy/validator' && Array.isArray(data))
    return new InvalidRequest(400, 'The request is invalid', data);
  if (thrownBy !== '@middy/http-json-body-parser') return undefined;
  return 'statusCode' in error && error.statusCode === 415
    ? new InvalidRequest(415, 'The request must be JSON, with Content-Type: application/json')
    : new InvalidRequest(422, 'The request body is not well-formed JSON');
}
