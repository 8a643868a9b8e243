/** The log: one JSON line for each thing that happened, in the same words whichever function it happened in. */
import type { Accepted, Recognised } from '../backup/create-backup.ts';
import type { Trigger } from '../backup/trigger.ts';
import { DdsError } from '../dds/dds-error.ts';
import { Failure } from '../failure.ts';
import { isObject } from './http-event.ts';

/** What every line tells of the event. */
export interface Facts {
  readonly trigger: Trigger['kind'] | undefined;
  readonly trigger_id: string | undefined;
  readonly instance_id: string | undefined;
  readonly duration_ms?: number;
}

/** The caller's doing, or the moment's; every other failure is for the operator. */
const REFUSALS: readonly string[] = [
  'InvalidRequest',
  'Unauthorized',
  'BackupNameTaken',
  'InstanceBusy',
  'Throttled',
  'DdsRejected',
];

/** `backup.accepted` or `backup.recognised` */
export function logCreated(facts: Facts, created: Accepted | Recognised): void {
  const { kind, name, backup_id, attempts } = created;
  const job = created.kind === 'accepted' && { job_id: created.job_id };
  log('info', { event: `backup.${kind}`, ...facts, name, backup_id, ...job, attempts });
}

/** `backup.refused` or `backup.failed`: the end of an event that got no backup, or of the function's part in it. */
export function logNotCreated(facts: Facts, { error, ...reason }: Reason): void {
  const refused = REFUSALS.includes(error);
  log(refused ? 'warn' : 'error', { event: refused ? 'backup.refused' : 'backup.failed', ...facts, error, ...reason });
}

export interface Reason {
  readonly error: string;
  readonly message?: string;
  readonly [field: string]: unknown;
}

/** Why there is no backup, as far as it may be told. */
export const reasonOf = (error: unknown): Reason =>
  error instanceof Failure
    ? {
        ...error.backup,
        error: error.name,
        message: error.message,
        ...(error.cause instanceof Failure && { cause: error.cause.message }),
        ...(error instanceof DdsError && { dds_status: error.status, dds_code: error.code }),
      }
    : // It is thrown on, and Lambda keeps it; what it holds is not known here.
      { error: 'Unexpected' };

/** Of a request that may be none. */
export function instanceId(request: unknown): string | undefined {
  const backup = isObject(request) ? request.backup : undefined;
  const id = isObject(backup) ? backup.instance_id : undefined;
  return typeof id === 'string' ? id.slice(0, 64) : undefined;
}

/** With Lambda's JSON log format an object becomes part of the line; elsewhere the line is made here. */
export function log(level: 'info' | 'warn' | 'error', entry: object): void {
  console[level](process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON' ? entry : JSON.stringify(entry));
}
