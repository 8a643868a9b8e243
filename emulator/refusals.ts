/**
 * What DDS and the gateway before it answer instead, with the exact texts.
 * DDS: API reference, "Error Code" (dds_error_code). Gateway: "API Request Signing Guide", error codes and FAQ.
 */
import type { ErrorResponse } from '../lib/dds/types.ts';

export interface Refusal extends ErrorResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const refusal = (status: number, error_code: string, error_msg: string): Refusal => ({ status, error_code, error_msg });

/** The documented errors that the emulator answers by itself, or that a test is most likely to inject. */
export const refusals = {
  parameterError: refusal(400, 'DBS.200001', 'Parameter error.'),
  invalidInstanceId: refusal(400, 'DBS.280404', 'Invalid DB instance ID.'),
  invalidName: refusal(400, 'DBS.280277', 'Invalid backup name.'),
  invalidDescription: refusal(400, 'DBS.280127', 'Invalid backup description.'),
  invalidBackup: refusal(400, 'DBS.280124', 'Invalid backup.'),
  invalidMode: refusal(400, 'DBS.280342', 'Invalid DB instance mode.'),
  invalidLimit: refusal(400, 'DBS.280439', 'Invalid query limit.'),
  invalidOffset: refusal(400, 'DBS.280440', 'Invalid offset.'),
  nameTaken: refusal(400, 'DBS.201201', 'The backup already exists.'),
  noSuchInstance: refusal(404, 'DBS.200002', 'The DB instance does not exist.'),
  noSuchBackup: refusal(400, 'DBS.201204', 'The backup file does not exist.'),
  noSuchJob: refusal(400, 'DBS.280016', 'Resource not found.'),
  instanceUnavailable: refusal(403, 'DBS.200018', 'This DB instance is not available.'),
  instanceState: refusal(403, 'DBS.201014', 'Operation cannot be executed in current state of the DB instance.'),
  instanceBusy: refusal(
    403,
    'DBS.201015',
    'This operation cannot be performed because another operation is being performed.',
  ),
  authenticationFailed: refusal(400, 'DBS.200010', 'Authentication failed'),
  permissionDenied: refusal(403, 'DBS.280032', 'Permission denied.'),
  notPermitted: refusal(400, 'DBS.212003', 'This operation is not permitted.'),
  invalidRequest: refusal(403, 'DBS.280042', 'Invalid request.'),
  systemBusy: refusal(400, 'DBS.200998', 'The system is busy. Try again later.'),
  tooManyCalls: refusal(429, 'DBS.280443', 'The maximum number of connections has been reached.'),
  serverError: refusal(500, 'DBS.280005', 'Server error. Try again later.'),
  throttled: refusal(429, 'APIGW.0308', 'The throttling threshold has been reached.'),
  noSuchApi: refusal(404, 'APIGW.0101', 'The API does not exist or has not been published in the environment.'),
  noSuchMethod: refusal(404, 'APIGW.0101', 'The API does not exist.'),
  malformedRequest: refusal(400, 'APIGW.0201', 'API request error.'),
  bodyTooLarge: refusal(413, 'APIGW.0201', 'Request entity too large.'),
} as const satisfies Record<string, Refusal>;

/** Tells one from whatever else a check may return. */
export const isRefusal = (value: unknown): value is Refusal =>
  typeof value === 'object' && value !== null && 'error_code' in value && 'error_msg' in value && 'status' in value;
