/** The log: one JSON line for each thing that happened, in the same words in every function. */
import type { Result } from '../backup/create.ts';
import type { Trigger } from '../backup/trigger.ts';
import { DdsError } from '../dds/errors.ts';
import { Failure, isReason, REASONS } from '../errors.ts';
import { fieldsOf } from '../json.ts';
import type { Environment } from './config.ts';
import type { Deferred, ErrorDescription, EventDescription, Origin } from './ports.ts';

/** `request.accepted`, `request.replayed` or `request.deferred` */
export function logResult(about: object, result: Result | Deferred): void {
  log('info', { event: `request.${result.kind}`, ...about, ...describeResult(result) });
}

function describeResult(result: (Result & { readonly origin?: Origin }) | Deferred): object {
  const { kind, name } = result;
  if (kind === 'deferred') return { name, not_after: result.not_after, ...result.error };
  const job = kind === 'accepted' && { job_id: result.job_id };
  return { name, backup_id: result.backup_id, ...job, attempts: result.attempts, ...result.origin };
}

export const logFailure = (about: object, error: unknown): void => logRejected(about, describeError(error));

/** `request.rejected`, by the caller's or DDS's rules, or `request.failed`, for the operator to fix. */
export function logRejected(about: object, error: ErrorDescription): void {
  const level = isReason(error.reason) ? REASONS[error.reason].level : 'error';
  log(level, { event: level === 'warn' ? 'request.rejected' : 'request.failed', ...about, ...error });
}

export function describeError(error: unknown): ErrorDescription {
  // An error that is not ours is thrown on, and the platform logs it. What it holds is not known here.
  if (!(error instanceof Failure)) return { reason: 'Unexpected' };
  return {
    ...error.annotation,
    reason: error.name,
    message: error.message,
    ...(error.outcomeUnknown && { outcome_unknown: true }),
    ...(error.cause instanceof Failure && { cause: error.cause.message }),
    ...(error instanceof DdsError && { dds_status: error.status, dds_code: error.code }),
  };
}

export const MAX_ID_LENGTH = 256;

/** What of an event, however malformed, can be logged. */
export const describeEvent = (trigger: Trigger['kind'], id: unknown, request: unknown): EventDescription => ({
  trigger,
  ...(typeof id === 'string' && id !== '' && { idempotency_key: id.slice(0, MAX_ID_LENGTH) }),
  ...describeRequest(request),
});

/** What a request that may be malformed says of its instance. */
export function describeRequest(request: unknown): Pick<EventDescription, 'instance_id'> {
  const { instance_id } = fieldsOf(fieldsOf(request).backup);
  return typeof instance_id === 'string' ? { instance_id: instance_id.slice(0, 64) } : {};
}

/** Where a log line or an event comes from, as far as the environment says: with several projects only the stage. */
export const originOf = (env: Environment): object => {
  const { OTC_SDK_PROJECTS: several, OTC_SDK_PROJECT_ID, OTC_SDK_REGION, STAGE } = env;
  return {
    ...(!several && OTC_SDK_PROJECT_ID && { project_id: OTC_SDK_PROJECT_ID }),
    ...(!several && OTC_SDK_REGION && { region: OTC_SDK_REGION }),
    ...(STAGE && { stage: STAGE }),
  };
};

/** Under Lambda's JSON log format an object becomes part of the line. Elsewhere the line is made here. */
export function log(level: 'info' | 'warn' | 'error', entry: object): void {
  // Twice: its fields come first in the line, and win over those of the environment.
  const line = { ...entry, ...originOf(process.env), ...entry };
  console[level](process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON' ? line : JSON.stringify(line));
}
