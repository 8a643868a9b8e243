/** What DDS keeps: instances, backups and jobs; and how its answers show them. */
import type { Settings } from './settings.ts';
import { formatTime, formatTimeAs } from './times.ts';

/** A moment; as text in a format that `Date` reads. */
export type Time = Date | string;

/** Throws for a text that is no time. */
export function millisOf(time: Time): number {
  const millis = new Date(time).getTime();
  if (Number.isNaN(millis)) throw new RangeError(`not a time: ${time}`);
  return millis;
}

/** Changes to a record as an answer shows it: members to set, whatever their type, and members to leave out. */
export interface Override {
  readonly set?: Readonly<Record<string, unknown>>;
  readonly omit?: readonly string[];
}

export interface BackupPolicy {
  /** 0: no automated backups. */
  readonly keep_days: number;
  readonly start_time: string;
  readonly period: string;
}

export interface Instance {
  readonly id: string;
  readonly name: string;
  /** Only an instance that is `normal` takes a backup. */
  readonly status: 'normal' | 'abnormal' | 'creating' | 'frozen' | 'data_disk_full' | 'createfail' | 'enlargefail';
  readonly mode: 'Sharding' | 'ReplicaSet' | 'Single';
  readonly datastore: { readonly type: string; readonly version: string };
  /** Milliseconds; instances are listed newest first. */
  readonly createdAt: number;
  readonly vpc_id?: string;
  readonly subnet_id?: string;
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
  /** Of its automated backups. */
  readonly policy?: BackupPolicy;
  /** Operations other than backups that run on it, `RESTARTING` for one: they make it busy. */
  readonly actions?: readonly string[];
  readonly override?: Override;
}

export type BackupStatus = 'BUILDING' | 'COMPLETED' | 'FAILED' | 'DISABLED';
export type BackupType = 'Auto' | 'Manual' | 'auto' | 'manual';

/** How a backup ends. */
export type Outcome = 'COMPLETED' | 'FAILED';

export interface BackupRecord {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly type: BackupType;
  /** As it was when the backup began: a backup outlives its instance. */
  readonly instance: Instance;
  /** By DDS's clock, as every time here. */
  readonly beginAt: number;
  readonly endAt: number;
  readonly outcome: Outcome;
  /** Kilobytes, once it has ended. */
  readonly size: number;
  /** When deletion began. */
  readonly deletedAt?: number | undefined;
  /** When deletion ends. */
  readonly goneAt?: number | undefined;
  /** Until when a restore reads it. */
  readonly restoringUntil?: number | undefined;
  readonly override?: Override | undefined;
}

/** What makes or deletes a backup. */
export interface JobRecord {
  readonly id: string;
  readonly kind: 'backup' | 'deletion';
  readonly backup: BackupRecord;
  readonly beginAt: number;
  /** As the backup has it now. */
  readonly endAt: number;
}

/** A backup that is there from the start, an automated one for instance. */
export interface SeededBackup {
  readonly name: string;
  readonly instance_id: string;
  readonly begin: Time;
  /** Default: a minute after `begin`. In the future, it is BUILDING until then. */
  readonly end?: Time;
  /** Default `Auto`. */
  readonly type?: BackupType;
  readonly outcome?: Outcome;
  readonly description?: string;
  readonly size?: number;
  readonly override?: Override;
}

/** A backup as the list shows it. */
export interface Backup {
  readonly id: string;
  readonly name: string;
  readonly instance_id: string;
  readonly instance_name: string;
  readonly datastore: Instance['datastore'];
  readonly type: BackupType;
  readonly begin_time: string;
  readonly end_time: string;
  readonly status: BackupStatus;
  readonly size: number;
  readonly description: string;
}

/** While it is BUILDING its end is unknown and its size 0. */
export function describeBackup(backup: BackupRecord, status: BackupStatus): Backup {
  const ended = status !== 'BUILDING' && backup.endAt !== Infinity;
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

/** The same with times, case and members as the settings and the record itself have it. */
export function listBackup(
  backup: BackupRecord,
  status: BackupStatus,
  { timeFormat, statusCase }: Settings,
): Readonly<Record<string, unknown>> {
  const listed = describeBackup(backup, status);
  const begin_time = formatTimeAs(timeFormat, backup.beginAt);
  const end_time = listed.end_time === '' ? '' : formatTimeAs(timeFormat, backup.endAt);
  return overridden({ ...listed, begin_time, end_time, status: inCase(status, statusCase) }, backup.override);
}

export function overridden(
  record: Readonly<Record<string, unknown>>,
  { set = {}, omit = [] }: Override = {},
): Readonly<Record<string, unknown>> {
  const members = Object.entries({ ...record, ...set }).filter(([name]) => !omit.includes(name));
  return Object.fromEntries(members);
}

function inCase(status: BackupStatus, how: Settings['statusCase']): string {
  if (how === 'upper') return status;
  const lower = status.toLowerCase();
  return how === 'lower' ? lower : `${status[0]}${lower.slice(1)}`;
}
