/** The DDS v3 API, as far as it is used here. Reference: Document Database Service API, "Backup and Restoration". */
import type { Limits } from '../otc/connection.ts';
import { type DdsCallOptions, ddsCall, invalid } from './call.ts';
import type {
  Backup,
  CreateBackupRequest,
  CreateBackupResponse,
  ListBackupsQuery,
  ListBackupsResponse,
} from './types.ts';

const PAGE = 100;

/** An accepted backup: what DDS answered, and that verbatim. */
export interface AcceptedBackup extends CreateBackupResponse {
  readonly status: number;
  readonly text: string;
}

export type DdsClient = ReturnType<typeof ddsClient>;

/** Every call throws what `ddsCall` throws, and Failure `UpstreamInvalid` where the reference promises another answer. */
export function ddsClient(options: DdsCallOptions) {
  const call = ddsCall(options);

  return {
    /** `POST /v3/{project_id}/backups`: DDS takes the backup in and makes it later, under `job_id`. */
    async createBackup(backup: CreateBackupRequest, limits: () => Limits): Promise<AcceptedBackup> {
      const { status, text, body } = await call(
        { method: 'POST', path: 'backups', body: JSON.stringify(backup) },
        limits,
      );
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
        const { body } = await call({ method: 'GET', path: 'backups', query: page }, limits);
        if (!isListBackupsResponse(body)) throw invalid('without a list of backups');
        yield* body.backups;
        if (body.backups.length < PAGE || offset + PAGE >= body.total_count) return;
      }
    },
  };
}

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
