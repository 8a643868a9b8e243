/** The DDS v3 API, as far as it is used here. Reference: Document Database Service API, "Backup and Restoration". */
import { Failure } from '../failure.ts';
import type { Answer, Limits } from '../otc/connection.ts';
import { type OtcRequest, signedRequests } from '../otc/signed-request.ts';
import type { Credentials } from '../otc/signer.ts';
import { DdsError } from './dds-error.ts';
import type {
  Backup,
  CreateBackupRequest,
  CreateBackupResponse,
  ListBackupsQuery,
  ListBackupsResponse,
} from './types.ts';

const PAGE = 100;

export interface DdsClientOptions {
  /** Scheme and authority, such as `https://dds.eu-de.otc.t-systems.com`. */
  readonly endpoint: string;
  readonly projectId: string;
  /** Asked before every request; `renew` after the gateway refused what it gave. */
  readonly credentials: (options?: { readonly renew: boolean }) => Promise<Credentials>;
  readonly now: () => Date;
}

/** An accepted backup: what DDS answered, and that verbatim. */
export interface AcceptedBackup extends CreateBackupResponse {
  readonly status: number;
  readonly text: string;
}

export type DdsClient = ReturnType<typeof ddsClient>;

/**
 * Every call asks `limits` before each request, and throws DdsError where DDS or its gateway refuses, and Failure
 * `UpstreamUnreachable`, `UpstreamTimeout` or `UpstreamInvalid` where there is no answer or none that the reference
 * promises. None is repeated, but once with renewed credentials after APIGW.0301.
 */
export function ddsClient({ endpoint, projectId, credentials, now }: DdsClientOptions) {
  const send = signedRequests(endpoint);
  const headers = { 'content-type': 'application/json', 'x-project-id': projectId };

  async function call(request: Omit<OtcRequest, 'headers'>, limits: () => Limits): Promise<Answer & { body: object }> {
    const attempt = async (key: Credentials) => jsonAnswer(await send({ ...request, headers }, key, now(), limits()));

    const key = await credentials();
    const answer = await attempt(key);
    if (!isGatewayRefusal(answer)) return succeeded(answer);
    const renewed = await credentials({ renew: true });
    return succeeded(renewed.ak === key.ak && renewed.sk === key.sk ? answer : await attempt(renewed));
  }

  return {
    /** `POST /v3/{project_id}/backups`: DDS takes the backup in and makes it later, under `job_id`. */
    async createBackup(backup: CreateBackupRequest, limits: () => Limits): Promise<AcceptedBackup> {
      const path = `/v3/${projectId}/backups`;
      const { status, text, body } = await call({ method: 'POST', path, body: JSON.stringify(backup) }, limits);
      if (!isCreateBackupResponse(body)) throw invalid('without job_id and backup_id');
      return { status, text, job_id: body.job_id, backup_id: body.backup_id };
    },

    /** `GET /v3/{project_id}/backups`: every backup that matches, newest first, a page of 100 at a time. */
    async *listBackups(
      query: Omit<ListBackupsQuery, 'offset' | 'limit'>,
      limits: () => Limits,
    ): AsyncGenerator<Backup> {
      for (let offset = 0; ; offset += PAGE) {
        const page = { ...query, offset: String(offset), limit: String(PAGE) };
        const { body } = await call({ method: 'GET', path: `/v3/${projectId}/backups`, query: page }, limits);
        if (!isListBackupsResponse(body)) throw invalid('without a list of backups');
        yield* body.backups;
        if (body.backups.length < PAGE || offset + PAGE >= body.total_count) return;
      }
    },
  };
}

const invalid = (how: string) => new Failure('UpstreamInvalid', `DDS answered ${how}.`);

function jsonAnswer(answer: Answer): Answer & { body: object } {
  let body: unknown;
  try {
    body = JSON.parse(answer.text);
  } catch {
    // The parser's message quotes the text.
  }
  if (typeof body !== 'object' || body === null) throw invalid(`${answer.status} and no JSON object`);
  return { ...answer, body };
}

function succeeded<A extends Answer & { body: object }>(answer: A): A {
  if (answer.status >= 200 && answer.status < 300) return answer;
  if (answer.status >= 400 && answer.status < 600) throw new DdsError(answer, answer.body);
  throw invalid(`${answer.status}, which is neither success nor error`);
}

const isGatewayRefusal = ({ status, body }: Answer & { body: { error_code?: unknown } }) =>
  status >= 400 && body.error_code === 'APIGW.0301';

const isCreateBackupResponse = (body: object): body is CreateBackupResponse =>
  'job_id' in body && isId(body.job_id) && 'backup_id' in body && isId(body.backup_id);

const isId = (value: unknown): boolean => typeof value === 'string' && /^[\w-]{1,64}$/.test(value);

const isListBackupsResponse = (body: object): body is ListBackupsResponse =>
  'total_count' in body &&
  typeof body.total_count === 'number' &&
  'backups' in body &&
  Array.isArray(body.backups) &&
  body.backups.every(isBackup);

const isBackup = (item: Partial<Record<keyof Backup, unknown>> | null): boolean =>
  [item?.id, item?.name, item?.instance_id, item?.status, item?.begin_time].every((field) => typeof field === 'string');
