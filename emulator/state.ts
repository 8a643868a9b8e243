/**
 * What DDS remembers: instances, backups, and the jobs that make them. Nothing runs in the background: every status
 * follows from the clock at the moment of asking, so a test that moves the clock moves the backups.
 */
import type { Backup, BackupStatus, CreateBackupResponse } from '../lib/dds/types.ts';
import type { Ids } from './ids.ts';
import { formatTime } from './times.ts';

export interface Instance {
  readonly id: string;
  readonly name: string;
  /** Only an instance that is `normal` takes a backup. */
  readonly status: 'normal' | 'abnormal' | 'creating' | 'frozen' | 'data_disk_full' | 'createfail' | 'enlargefail';
  readonly mode: 'Sharding' | 'ReplicaSet' | 'Single';
  readonly datastore: Backup['datastore'];
  /** Milliseconds; instances are listed newest first. */
  readonly createdAt: number;
}

/** How a backup ends. */
export type Outcome = 'COMPLETED' | 'FAILED';

export interface BackupRecord {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly type: Backup['type'];
  /** As it was when the backup began: a backup outlives its instance. */
  readonly instance: Instance;
  readonly beginAt: number;
  readonly endAt: number;
  readonly outcome: Outcome;
  /** Kilobytes, once it has ended. */
  readonly size: number;
  /** When deletion began. */
  readonly deletedAt?: number;
}

export interface JobRecord {
  readonly id: string;
  readonly backup: BackupRecord;
}

/** A backup that is there from the start, an automated one for instance. */
export interface SeededBackup {
  readonly name: string;
  readonly instance_id: string;
  readonly begin: Date;
  /** Default: a minute after `begin`. In the future, it is BUILDING until then. */
  readonly end?: Date;
  /** Default `Auto`. */
  readonly type?: Backup['type'];
  readonly outcome?: Outcome;
  readonly description?: string;
  readonly size?: number;
}

export interface StateOptions {
  readonly clock: () => Date;
  readonly ids: Ids;
  readonly instances: readonly Instance[];
  /** How long a manual backup takes. */
  readonly backupMillis: number;
  /** How long a backup is DISABLED before it is gone. */
  readonly deletionMillis: number;
  /** How long after its creation a job can be asked for. */
  readonly jobDelayMillis: number;
  /** Asked once, when a backup begins. */
  readonly outcome: (backup: Backup) => Outcome;
}

export interface State {
  readonly jobDelayMillis: number;
  /** Milliseconds. */
  now(): number;
  instances(): readonly Instance[];
  instance(id: string): Instance | undefined;
  /** Adds an instance, or replaces the one with its id: another status, for example. */
  setInstance(instance: Instance): void;
  /** Its manual backups stay; its automated ones go with it (DDS user manual). */
  removeInstance(id: string): void;
  /** All that exist, whatever their status, newest first. */
  backups(): readonly BackupRecord[];
  status(backup: BackupRecord): BackupStatus;
  /** Whether an operation runs on it: an instance runs one at a time. */
  isBusy(instanceId: string): boolean;
  beginBackup(instance: Instance, name: string, description: string): CreateBackupResponse;
  /** Throws for an instance that is not there. */
  seedBackup(backup: SeededBackup): BackupRecord;
  /** Returns the id of the job that deletes it. */
  beginDeletion(backup: BackupRecord): string;
  job(id: string): JobRecord | undefined;
}

/** A backup as the list shows it. While it is BUILDING its end is unknown and its size 0. */
export function describeBackup(backup: BackupRecord, status: BackupStatus): Backup {
  const ended = status !== 'BUILDING';
  return {
    id: backup.id,
    name: backup.name,
    instance_id: backup.instance.id,
    instance_name: backup.instance.name,
    datastore: backup.instance.datastore,
    type: backup.type,
    begin_time: formatTime(backup.beginAt),
    end_time: ended ? formatTime(backup.endAt) : '',
    status,
    size: ended ? backup.size : 0,
    description: backup.description,
  };
}

/** The size in the reference's sample, in kilobytes. */
const SAMPLE_SIZE = 2803;

export function createState(options: StateOptions): State {
  const { clock, ids, backupMillis, deletionMillis } = options;
  const instances = new Map(options.instances.map((instance) => [instance.id, instance]));
  const backups = new Map<string, BackupRecord>();
  const jobs = new Map<string, string>();
  const now = (): number => clock().getTime();

  const isGone = ({ deletedAt }: BackupRecord): boolean =>
    deletedAt !== undefined && now() >= deletedAt + deletionMillis;

  const status = (backup: BackupRecord): BackupStatus => {
    if (backup.deletedAt !== undefined) return 'DISABLED';
    return now() < backup.endAt ? 'BUILDING' : backup.outcome;
  };

  /** The later insertion stands first among those of the same millisecond. */
  const existing = (): BackupRecord[] =>
    [...backups.values()]
      .filter((backup) => !isGone(backup))
      .reverse()
      .sort((a, b) => b.beginAt - a.beginAt);

  return {
    jobDelayMillis: options.jobDelayMillis,
    now,
    instances: () => [...instances.values()].sort((a, b) => b.createdAt - a.createdAt),
    instance: (id) => instances.get(id),
    setInstance: (instance) => {
      instances.set(instance.id, instance);
    },
    removeInstance: (id) => {
      instances.delete(id);
      for (const backup of backups.values())
        if (backup.instance.id === id && backup.type.toLowerCase() === 'auto') backups.delete(backup.id);
    },
    backups: existing,
    status,
    isBusy: (instanceId) =>
      existing().some((backup) => backup.instance.id === instanceId && status(backup) === 'BUILDING'),
    beginBackup: (instance, name, description) => {
      const beginAt = now();
      const building: BackupRecord = {
        id: ids.backup(),
        name,
        description,
        type: 'Manual',
        instance,
        beginAt,
        endAt: beginAt + backupMillis,
        outcome: 'COMPLETED',
        size: SAMPLE_SIZE,
      };
      const backup = { ...building, outcome: options.outcome(describeBackup(building, 'BUILDING')) };
      const jobId = ids.job();
      backups.set(backup.id, backup);
      jobs.set(jobId, backup.id);
      return { job_id: jobId, backup_id: backup.id };
    },
    seedBackup: (seed) => {
      const instance = instances.get(seed.instance_id);
      if (!instance) throw new Error(`The emulator has no instance ${seed.instance_id} to seed a backup of.`);
      const backup: BackupRecord = {
        id: ids.backup(),
        name: seed.name,
        description: seed.description ?? '',
        type: seed.type ?? 'Auto',
        instance,
        beginAt: seed.begin.getTime(),
        endAt: seed.end?.getTime() ?? seed.begin.getTime() + 60_000,
        outcome: seed.outcome ?? 'COMPLETED',
        size: seed.size ?? SAMPLE_SIZE,
      };
      backups.set(backup.id, backup);
      return backup;
    },
    beginDeletion: (backup) => {
      backups.set(backup.id, { ...backup, deletedAt: now() });
      return ids.job();
    },
    job: (id) => {
      const backup = backups.get(jobs.get(id) ?? '');
      return backup && { id, backup };
    },
  };
}
