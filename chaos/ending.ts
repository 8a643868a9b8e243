/** How a delivery ended, as whoever sent it can tell. */
import type { Answer } from './deliveries.ts';

export type Ending =
  | { readonly kind: 'success'; readonly backupId: string; readonly jobId?: string }
  | { readonly kind: 'failure'; readonly name: string }
  /** None that is documented. */
  | { readonly kind: 'undocumented'; readonly what: string };

/** The names of errors that event-bus and invoke throw and http answers as `error_code`, besides DDS's own codes. */
export const ERROR_NAMES: readonly string[] = [
  'InvalidRequest',
  'BackupNameTaken',
  'InstanceBusy',
  'Throttled',
  'DdsUnavailable',
  'DdsRejected',
  'CredentialsRefused',
  'UpstreamUnreachable',
  'UpstreamTimeout',
  'UpstreamInvalid',
  'ConfigurationError',
];

/** What our own errors are over http. */
const OWN_STATUS: Readonly<Record<string, readonly number[]>> = {
  InvalidRequest: [400, 413, 415, 422],
  Unauthorized: [401],
  ConfigurationError: [500],
  UpstreamUnreachable: [502],
  UpstreamInvalid: [502],
  UpstreamTimeout: [504],
};

export function endingOf(answer: Answer): Ending {
  switch (answer.kind) {
    case 'returned':
      return success(answer.value) ?? { kind: 'undocumented', what: `returned ${JSON.stringify(answer.value)}` };
    case 'thrown': {
      const { error } = answer;
      const name = error instanceof Error ? error.name : typeof error;
      return ERROR_NAMES.includes(name) ? { kind: 'failure', name } : { kind: 'undocumented', what: `threw ${error}` };
    }
    case 'answered': {
      const { status, body } = answer;
      const ending = status >= 200 && status < 300 ? success(body) : refusal(status, body);
      return ending ?? { kind: 'undocumented', what: `answered ${status} ${JSON.stringify(body)}` };
    }
  }
}

function success(value: unknown): Ending | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { backup_id: backupId, job_id: jobId, ...rest }: { backup_id?: unknown; job_id?: unknown } = value;
  if (typeof backupId !== 'string' || Object.keys(rest).length > 0) return undefined;
  if (jobId === undefined) return { kind: 'success', backupId };
  return typeof jobId === 'string' ? { kind: 'success', backupId, jobId } : undefined;
}

function refusal(status: number, { error_code: code, error_msg: text }: Readonly<Record<string, unknown>>) {
  if (typeof code !== 'string' || typeof text !== 'string') return undefined;
  const documented = OWN_STATUS[code]?.includes(status) ?? isOfDds(status, code);
  return documented ? ({ kind: 'failure', name: code } as const) : undefined;
}

/** DDS's status and code, verbatim; 502 for what the gateway says of us. */
const isOfDds = (status: number, code: string): boolean =>
  (/^DBS\.\d+$/.test(code) && [400, 403, 404, 429, 500, 502].includes(status)) ||
  (/^APIGW\.\d+$/.test(code) && [429, 502].includes(status));
