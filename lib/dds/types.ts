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

/** `GET /v3/{project_id}/backups`. Each of the two times is mandatory once the other is given. */
export interface ListBackupsQuery {
  readonly instance_id?: string;
  readonly backup_id?: string;
  readonly backup_type?: 'Auto' | 'Manual';
  /** `yyyy-mm-dd hh:mm:ss`, UTC; see `formatDdsTime`. The filter is on the begin. */
  readonly begin_time?: string;
  readonly end_time?: string;
}

/** `GET /v3/{project_id}/instances`. An unknown `id` is refused in some regions, and an empty list in others. */
export interface ListInstancesQuery {
  readonly id?: string;
}

/** A listed backup as far as it could be read. The reference promises no end of a backup that FAILED. */
export interface ListedBackup {
  readonly id: string;
  readonly name: string;
  readonly instance_id: string;
  readonly instance_name?: string;
  readonly type?: 'Auto' | 'Manual';
  /** In capitals. */
  readonly status: string;
  /** Milliseconds since 1970 by DDS's clock, to the second. */
  readonly beganAt?: number;
  readonly endedAt?: number;
  readonly sizeKb?: number;
  readonly description: string;
  /** As DDS lists it. */
  readonly verbatim: unknown;
}

/** A listed instance as far as it could be read. */
export interface ListedInstance {
  readonly id: string;
  readonly name?: string;
  /** `normal`, or why it is not; missing where DDS gives none. */
  readonly status?: string;
  readonly tags: ReadonlyMap<string, string>;
  /** Milliseconds since 1970. */
  readonly createdAt?: number;
}

/** A listed record that cannot be read, and the first field that is wrong. */
export interface UnreadableRecord {
  readonly list: 'backups' | 'instances';
  readonly id?: string;
  readonly field: string;
}
