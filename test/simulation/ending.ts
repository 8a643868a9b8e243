/** How a delivery ended, as its sender sees it. The contract is written out once more: the code is under test. */
import type { Answer } from './history.ts';

export type Ending =
  | { readonly kind: 'success'; readonly backupId: string; readonly jobId?: string }
  | { readonly kind: 'failure'; readonly reason: string }
  /** It is queued for `deferred`. */
  | { readonly kind: 'deferred'; readonly name: string }
  /** Not documented. */
  | { readonly kind: 'undocumented'; readonly what: string };

/** The reasons that a request may fail for, and the statuses over HTTP: ours, and those of DDS that are passed on. */
const STATUSES: Readonly<Record<string, readonly number[]>> = {
  InvalidRequest: [400, 404, 405, 413, 415, 422],
  Unauthorized: [401],
  InstanceNotFound: [404],
  BackupNotFound: [404],
  BackupNameTaken: [400, 409],
  BackupFailed: [409],
  DeadlinePassed: [409],
  InstanceBusy: [403, 409],
  Throttled: [400, 429],
  DdsRejected: [400, 403, 404, 408, 409, 425],
  DdsUnavailable: [500, 502, 503, 504],
  CredentialsRefused: [502],
  UpstreamUnreachable: [502],
  UpstreamInvalid: [502],
  UpstreamTimeout: [504],
  OutcomeUnknown: [504],
  SecretUnavailable: [503],
  AuthenticationUnavailable: [503],
  ConfigurationError: [500],
};

/** What event-bus and invoke of AWS add to the message of an error. */
export const TRAILER =
  / \[first delivery \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z(, outcome unknown)?(, retry later)?\]$/;

/** Of an execution of `deferred`: it returns the ids, or fails with the name of a reason. */
export function endingOfExecution({ result, error }: { readonly result?: unknown; readonly error?: unknown }): Ending {
  if (error === undefined) return success(result) ?? undocumented('returned', result);
  const { ErrorType: reason, errorType = reason } = membersOf(error);
  const isDocumented = typeof errorType === 'string' && Object.hasOwn(STATUSES, errorType);
  return isDocumented ? { kind: 'failure', reason: errorType } : undocumented('failed with', error);
}

/** `any`: DDS may answer any status, code and further members, which are passed on. */
type Statuses = 'documented' | 'any';

export function endingOf(answer: Answer, statuses: Statuses = 'documented'): Ending {
  switch (answer.kind) {
    case 'returned':
      return success(answer.value) ?? undocumented('returned', answer.value);
    case 'thrown': {
      const { error } = answer;
      const isDocumented = error instanceof Error && Object.hasOwn(STATUSES, error.name);
      return isDocumented ? { kind: 'failure', reason: error.name } : undocumented('threw', String(error));
    }
    case 'answered': {
      const { status, headers, body } = answer;
      const ending =
        status === 202 && membersOf(body).status === 'DEFERRED'
          ? httpDeferred(headers, body)
          : status >= 200 && status < 300
            ? httpSuccess(headers, body, statuses)
            : httpFailure(status, body, statuses);
      return ending ?? undocumented(`answered ${status}`, body);
    }
  }
}

const undocumented = (how: string, value: unknown): Ending => ({
  kind: 'undocumented',
  what: `${how} ${JSON.stringify(value)}`,
});

function success(
  value: unknown,
  statuses: Statuses = 'documented',
): (Ending & { readonly kind: 'success' }) | undefined {
  const { backup_id: backupId, job_id: jobId, ...rest } = membersOf(value);
  if (typeof backupId !== 'string') return undefined;
  // DDS's answer is passed on as it is.
  if (statuses === 'documented' && Object.keys(rest).length > 0) return undefined;
  if (jobId === undefined) return { kind: 'success', backupId };
  return typeof jobId === 'string' ? { kind: 'success', backupId, jobId } : undefined;
}

/** A replay says so in a header, and has no job. */
function httpSuccess(
  headers: Readonly<Record<string, unknown>>,
  body: unknown,
  statuses: Statuses,
): Ending | undefined {
  const ending = success(body, statuses);
  const isReplay = headers['idempotent-replayed'] === 'true';
  return ending && isReplay === (ending.jobId === undefined) ? ending : undefined;
}

function httpDeferred(headers: Readonly<Record<string, unknown>>, body: unknown): Ending | undefined {
  const { status: _, name, instance_id, not_after, ...rest } = membersOf(body);
  const isDocumented =
    headers['preference-applied'] === 'respond-async' &&
    [name, instance_id, not_after].every((text) => typeof text === 'string') &&
    Object.keys(rest).length === 0;
  return isDocumented ? { kind: 'deferred', name: String(name) } : undefined;
}

function httpFailure(status: number, body: unknown, statuses: Statuses): Ending | undefined {
  const { error_code: code, error_msg: text, reason, details, backup, ...rest } = membersOf(body);
  if (typeof code !== 'string' || typeof text !== 'string' || typeof reason !== 'string') return undefined;
  const isStatus = statuses === 'any' ? status >= 400 && status < 600 : STATUSES[reason]?.includes(status);
  const codes = statuses === 'any' ? /^[\w.-]{1,64}$/ : /^(DBS|APIGW)\.\d+$/;
  const isDocumented =
    isStatus &&
    Object.hasOwn(STATUSES, reason) &&
    (code === reason || codes.test(code)) &&
    (details === undefined || Array.isArray(details)) &&
    (backup === undefined || typeof membersOf(backup).id === 'string') &&
    Object.keys(rest).length === 0;
  return isDocumented ? { kind: 'failure', reason } : undefined;
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {};
