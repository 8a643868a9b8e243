/**
 * What DDS and the gateway before it answer instead, in the words of the column "Error Information" of the reference.
 * DDS: API reference, "Error Code" (dds_error_code). Gateway: "API Request Signing Guide", error codes and FAQ.
 */

export interface Refusal {
  readonly status: number;
  readonly error_code: string;
  readonly error_msg: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const refusal = (status: number, error_code: string, error_msg: string): Refusal => ({ status, error_code, error_msg });

const CURRENT_STATE = 'Operation cannot be executed in current state of the DB instance.';
const NO_SUCH_INSTANCE = 'The DB instance does not exist.';
const PARAMETER_ERROR = 'Parameter error.';

/** The errors that the emulator answers by itself, and those that a test may inject. */
export const refusals = {
  // The request
  parameterError: refusal(400, 'DBS.200001', 'Parameter Error'),
  parameterError201006: refusal(400, 'DBS.201006', PARAMETER_ERROR),
  parameterError280001: refusal(400, 'DBS.280001', PARAMETER_ERROR),
  parameterError290000: refusal(400, 'DBS.290000', PARAMETER_ERROR),
  invalidInstanceId: refusal(400, 'DBS.280404', 'Invalid DB instance ID.'),
  invalidName: refusal(400, 'DBS.280277', 'Invalid backup name.'),
  invalidDescription: refusal(400, 'DBS.280127', 'Invalid backup description.'),
  invalidBackup: refusal(400, 'DBS.280124', 'Invalid backup.'),
  invalidMode: refusal(400, 'DBS.280342', 'Invalid DB instance mode.'),
  invalidLimit: refusal(400, 'DBS.280439', 'Invalid limit.'),
  invalidOffset: refusal(400, 'DBS.280440', 'Invalid offset.'),

  // What it names
  nameTaken: refusal(400, 'DBS.201201', 'The backup already exists.'),
  noSuchInstance: refusal(404, 'DBS.200002', NO_SUCH_INSTANCE),
  noSuchInstance201028: refusal(403, 'DBS.201028', NO_SUCH_INSTANCE),
  noSuchInstance201501: refusal(400, 'DBS.201501', NO_SUCH_INSTANCE),
  noSuchInstance201502: refusal(400, 'DBS.201502', NO_SUCH_INSTANCE),
  noSuchInstance280110: refusal(400, 'DBS.280110', NO_SUCH_INSTANCE),
  noSuchBackup: refusal(400, 'DBS.201214', 'The backup file does not exist.'),
  noSuchJob: refusal(400, 'DBS.200543', 'The job does not exist.'),
  noSuchResource: refusal(400, 'DBS.280016', 'Resource not found.'),

  // The state of the instance or the backup
  instanceUnavailable: refusal(
    403,
    'DBS.200018',
    "This instance's status or its node's status makes it not be allowed to do this operation now.",
  ),
  instanceState200011: refusal(
    403,
    'DBS.200011',
    'This instance {0} status makes it not be allowed to do this {1} operation now.',
  ),
  instanceState200019: refusal(
    403,
    'DBS.200019',
    'Another operation is being performed on the DB instance or the DB instance is faulty.',
  ),
  instanceState200047: refusal(
    400,
    'DBS.200047',
    'Operation cannot be executed in current state of the DB instance or node.',
  ),
  instanceState200076: refusal(403, 'DBS.200076', CURRENT_STATE),
  instanceState201000: refusal(403, 'DBS.201000', 'The status of DB instance {0} does not allow the {1} operation.'),
  instanceState: refusal(403, 'DBS.201014', CURRENT_STATE),
  instanceBusy: refusal(
    403,
    'DBS.201015',
    'This operation cannot be performed because another operation is being performed on the DB instance or the DB instance is faulty. Try again later.',
  ),
  instanceState201202: refusal(400, 'DBS.201202', CURRENT_STATE),
  stateConflict: refusal(400, 'DBS.201204', CURRENT_STATE),
  instanceState00010009: refusal(403, 'DBS.00010009', CURRENT_STATE),
  /** Only a client (Huawei's Terraform provider) knows this code; the text is assumed. */
  backupBuilding: refusal(403, 'DBS.201208', 'The backup is being created.'),
  backupInRestore: refusal(
    400,
    'DBS.201319',
    'Deleting backup file is not allowed because a restoration task is currently in progress. Please wait.',
  ),
  notPermitted: refusal(400, 'DBS.212003', 'This operation is not permitted.'),
  invalidRequest: refusal(403, 'DBS.280042', 'Invalid request.'),

  // The key, its rights and its account
  authenticationFailed: refusal(400, 'DBS.200010', 'Authentication failed.'),
  notOwner: refusal(403, 'DBS.200604', 'The instance is not owned by the current user.'),
  permissionDenied280015: refusal(400, 'DBS.280015', 'Permission denied.'),
  accountSuspended: refusal(403, 'DBS.280019', 'Account suspended.'),
  permissionDenied: refusal(
    403,
    'DBS.280032',
    'You do not have permission to perform this operation. Contact the administrator to obtain permission.',
  ),
  permissionDenied280063: refusal(
    403,
    'DBS.280063',
    'You do not have following permission to perform this operation: {0}. Contact the administrator to obtain permission.',
  ),
  invalidToken: refusal(401, 'DBS.280056', 'Invalid token.'),
  permissionCheckFailed: refusal(401, 'DBS.280064', 'Check PDP permissions failed.'),
  incorrectAuthentication: refusal(401, 'APIGW.0301', 'Incorrect IAM authentication information.'),
  accessDenied: refusal(403, 'APIGW.0302', 'The IAM user is not authorized to access the API.'),
  incorrectAppAuthentication: refusal(401, 'APIGW.0303', 'Incorrect app authentication information.'),
  apiAccessDenied: refusal(403, 'APIGW.0306', 'API access denied.'),
  tokenUpdateNeeded: refusal(401, 'APIGW.0307', 'The token must be updated.'),
  projectUnavailable: refusal(403, 'APIGW.0310', 'The project is unavailable.'),

  // Too much, or out of order
  systemBusy: refusal(400, 'DBS.200998', 'The system is busy. Try again later.'),
  tooManyCalls: refusal(429, 'DBS.280443', 'The maximum number of connections has been reached.'),
  serverError: refusal(500, 'DBS.280005', 'Server error. Try again later.'),
  storageError: refusal(500, 'DBS.201509', 'Failed to access OBS.'),
  throttled: refusal(
    429,
    'APIGW.0308',
    'The throttling threshold has been reached: policy user over ratelimit,limit:60,time:1 second',
  ),

  // The gateway's own
  noSuchApi: refusal(404, 'APIGW.0101', 'The API does not exist or has not been published in the environment.'),
  noSuchMethod: refusal(404, 'APIGW.0101', 'The API does not exist.'),
  malformedRequest: refusal(400, 'APIGW.0201', 'API request error.'),
  bodyTooLarge: refusal(413, 'APIGW.0201', 'Request entity too large.'),
} as const satisfies Record<string, Refusal>;

/** Tells one from whatever else a check may return. */
export const isRefusal = (value: unknown): value is Refusal =>
  typeof value === 'object' && value !== null && 'error_code' in value && 'error_msg' in value && 'status' in value;
