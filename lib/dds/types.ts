/** What the DDS v3 API sends and answers, as far as it is used here. Reference: the API's "Backup and Restoration". */

/** `POST /v3/{project_id}/backups`. */
export interface CreateBackupRequest {
  readonly backup: {
    readonly instance_id: string;
    readonly name: string;
    readonly description?: string;
  };
}

export interface CreateBackupResponse {
  readonly job_id: string;
  readonly backup_id: string;
}

/** `DISABLED` is being deleted. */
export type BackupStatus = 'BUILDING' | 'COMPLETED' | 'FAILED' | 'DISABLED';

export interface Backup {
  readonly id: string;
  readonly name: string;
  readonly instance_id: string;
  readonly instance_name: string;
  readonly datastore: { readonly type: string; readonly version: string };
  /** Seen in lower case too. */
  readonly type: 'Auto' | 'Manual' | 'auto' | 'manual';
  /** `yyyy-mm-dd hh:mm:ss`, UTC. */
  readonly begin_time: string;
  readonly end_time: string;
  readonly status: BackupStatus;
  /** Kilobytes. */
  readonly size: number;
  readonly description?: string | null;
}

/** `GET /v3/{project_id}/backups`. Each of the two times is mandatory once the other is given; `limit` is 1 to 100. */
export interface ListBackupsQuery {
  readonly instance_id?: string;
  readonly backup_id?: string;
  readonly backup_type?: 'Auto' | 'Manual';
  readonly begin_time?: string;
  readonly end_time?: string;
  readonly mode?: string;
  readonly offset?: number;
  readonly limit?: number;
}

/** Newest first; `total_count` counts all that match, whatever the page. */
export interface ListBackupsResponse {
  readonly backups: readonly Backup[];
  readonly total_count: number;
}

/** Of `GET /v3/{project_id}/instances`, "Querying Instances and Details". */
export interface Instance {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  /** `2019-01-17T07:05:52`, UTC, as in the reference's samples. */
  readonly created: string;
}

/** What DDS and the gateway before it answer instead. */
export interface ErrorResponse {
  readonly error_code: string;
  readonly error_msg: string;
}
