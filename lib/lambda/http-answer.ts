/** What an http caller reads: DDS's own answer, verbatim, or ours in the same shape. */
import type { APIGatewayProxyResult } from 'aws-lambda';
import { DdsError } from '../dds/dds-error.ts';
import type { Failure, FailureName } from '../failure.ts';
import { InvalidRequest } from './invalid-request.ts';
import type { Created } from './outcome.ts';

const STATUS: Readonly<Partial<Record<FailureName, number>>> = {
  Unauthorized: 401,
  UpstreamUnreachable: 502,
  UpstreamInvalid: 502,
  UpstreamTimeout: 504,
};

/** Seconds, where DDS gives none. */
const RETRY_AFTER: Readonly<Partial<Record<FailureName, number>>> = { InstanceBusy: 60, Throttled: 5 };

/** DDS's status and body; 200 and the `backup_id` for a backup that was there already. */
export const created = (backup: Created): APIGatewayProxyResult =>
  backup.kind === 'accepted'
    ? json(backup.status, backup.text)
    : json(200, JSON.stringify({ backup_id: backup.backup_id }));

/** `{ error_code, error_msg, details? }`, from DDS or from us. */
export function refused(failure: Failure): APIGatewayProxyResult {
  const { name: error_code, message: error_msg } = failure;
  if (failure instanceof DdsError) {
    const retryAfter = failure.retryAfter ?? RETRY_AFTER[failure.name];
    return json(
      isAboutUs(failure) ? 502 : failure.status,
      // Without a code it is the answer of something before DDS, in a shape of its own.
      failure.code === undefined ? JSON.stringify({ error_code, error_msg }) : failure.text,
      retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) },
    );
  }
  const invalid = failure instanceof InvalidRequest ? failure : undefined;
  const details = invalid?.details.length ? { details: invalid.details } : {};
  return json(invalid?.status ?? STATUS[failure.name] ?? 500, JSON.stringify({ error_code, error_msg, ...details }));
}

/** What the gateway says of our key is no statement about the caller's. */
const isAboutUs = ({ status, code, meaning }: DdsError): boolean =>
  status === 401 || (code?.startsWith('APIGW.') === true && meaning !== 'throttled');

const json = (statusCode: number, body: string, headers = {}): APIGatewayProxyResult => ({
  statusCode,
  headers: { 'content-type': 'application/json', ...headers },
  body,
});
