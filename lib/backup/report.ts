/** The daily report: what was backed up, and what a person should look at. */
import type { DdsClient } from '../dds/client.ts';
import type { Budget } from '../dds/retry.ts';
import type { ListedBackup, ListedInstance } from '../dds/types.ts';
import { Failure } from '../errors.ts';
import { DAY, isoSeconds, MINUTE } from '../time.ts';
import type { BackupAge } from './age.ts';
import { type BegunBackup, endOf } from './lifecycle.ts';
import { COMPARED, suspiciousSizes } from './size.ts';

export interface Report {
  /** The day, `yyyy-mm-dd`. */
  readonly day: string;
  readonly instances: readonly InstanceReport[];
  /** Those of the last 48 hours that FAILED. An event may have missed one that DDS reported late. */
  readonly failed: readonly BackupLine[];
  /** Those of the last 24 hours whose size is suspicious. */
  readonly suspicious: readonly BackupLine[];
  /** Plain text, for a mail. */
  readonly summary: string;
}

export interface InstanceReport extends BackupAge {
  /** DDS's own, such as `normal`. */
  readonly status?: string;
  readonly last_size_kb?: number;
  readonly completed_24h: number;
  readonly failed_24h: number;
  /** Manual backups that are kept. Missing where they could not all be read. */
  readonly manual_backups?: number;
  readonly manual_size_kb?: number;
}

export interface BackupLine {
  readonly backup_id: string;
  readonly name: string;
  readonly instance_id: string;
  readonly instance_name?: string;
  readonly began_at: string;
  readonly size_kb?: number;
}

/** Whether the run of `time` is the first at or after the minute of a day. */
export const isReportDue = (time: Date, interval: number, minute: number): boolean =>
  dayOf(time.getTime(), minute) !== dayOf(time.getTime() - interval, minute);

const dayOf = (millis: number, minute: number): number => Math.floor((millis - minute * MINUTE) / DAY);

export interface ReportInput {
  readonly time: Date;
  /** The same moment by DDS's clock. */
  readonly at: number;
  readonly ages: readonly BackupAge[];
  readonly instances: readonly ListedInstance[];
  /** Of the last 48 hours at least. */
  readonly recent: readonly BegunBackup[];
  readonly dds: DdsClient;
  readonly budget: Budget;
}

export async function reportOf({ time, at, ages, instances, recent, dds, budget }: ReportInput): Promise<Report> {
  const { totals: kept, older } = await readManual(dds, budget, new Set(recent.map(({ id }) => id)));
  const status = new Map(instances.map((instance) => [instance.id, instance.status]));
  const size = new Map(recent.map(({ id, sizeKb }) => [id, sizeKb]));
  const within = (backup: BegunBackup, millis: number) => (endOf(backup) ?? backup.beganAt) > at - millis;
  const count = (id: string, of: string) =>
    recent.filter((backup) => backup.instance_id === id && backup.status === of && within(backup, DAY)).length;

  const lines = ages.map((age): InstanceReport => {
    const total = kept?.get(age.instance_id) ?? (kept && { count: 0, sizeKb: 0 });
    const ddsStatus = status.get(age.instance_id);
    const lastSize = size.get(age.last_backup_id ?? '');
    return {
      ...age,
      ...(ddsStatus !== undefined && { status: ddsStatus }),
      ...(lastSize !== undefined && { last_size_kb: lastSize }),
      completed_24h: count(age.instance_id, 'COMPLETED'),
      failed_24h: count(age.instance_id, 'FAILED'),
      ...(total && { manual_backups: total.count, manual_size_kb: total.sizeKb }),
    };
  });
  const failed = recent.filter((backup) => backup.status === 'FAILED' && within(backup, 2 * DAY)).map(lineOf);
  const flagged = suspiciousSizes([...recent, ...older]);
  const suspicious = recent.filter((backup) => flagged.has(backup.id) && within(backup, DAY)).map(lineOf);
  const day = isoSeconds(time.getTime()).slice(0, 10);
  return { day, instances: lines, failed, suspicious, summary: summaryOf(day, lines, failed, suspicious) };
}

/**
 * Reads all manual backups: their totals by instance, which are missing where they cannot all be read in time, and of each
 * instance the newest completed ones that are not recent, to compare sizes with.
 */
async function readManual(dds: DdsClient, budget: Budget, recent: ReadonlySet<string>) {
  const totals = new Map<string, { count: number; sizeKb: number }>();
  const older = new Map<string, ListedBackup[]>();
  try {
    for await (const backup of dds.listBackups({ backup_type: 'Manual' }, budget)) {
      const { id, instance_id, status, sizeKb = 0 } = backup;
      const { count, sizeKb: sum } = totals.get(instance_id) ?? { count: 0, sizeKb: 0 };
      totals.set(instance_id, { count: count + 1, sizeKb: sum + sizeKb });
      const kept = older.get(instance_id) ?? [];
      if (status === 'COMPLETED' && !recent.has(id) && kept.length < COMPARED)
        older.set(instance_id, [...kept, backup]);
    }
    return { totals, older: [...older.values()].flat() };
  } catch (error) {
    if (error instanceof Failure) return { totals: undefined, older: [...older.values()].flat() };
    throw error;
  }
}

const lineOf = ({ id, name, instance_id, instance_name, beganAt, sizeKb }: ListedBackup): BackupLine => ({
  backup_id: id,
  name,
  instance_id,
  ...(instance_name !== undefined && { instance_name }),
  began_at: isoSeconds(beganAt ?? 0),
  ...(sizeKb !== undefined && { size_kb: sizeKb }),
});

const MAX_LINES = 100;

function summaryOf(
  day: string,
  instances: readonly InstanceReport[],
  failed: readonly BackupLine[],
  suspicious: readonly BackupLine[],
): string {
  const overdue = instances.filter(
    ({ hours = Number.POSITIVE_INFINITY, limit_hours }) => limit_hours !== undefined && hours > limit_hours,
  );
  const section = <T>(title: string, items: readonly T[], line: (item: T) => string): readonly string[] => {
    const more = items.length > MAX_LINES ? [`  and ${items.length - MAX_LINES} more`] : [];
    return items.length === 0
      ? []
      : ['', title, ...items.slice(0, MAX_LINES).map((item) => `  ${line(item)}`), ...more];
  };
  return [
    `DDS backups, ${day}: ${instances.length} instances, ${overdue.length} overdue, backups failed in 48 hours: ${failed.length}.`,
    ...section('Overdue:', overdue, (one) => `${nameOf(one)}: ${hoursOf(one)}, at most ${one.limit_hours} h allowed`),
    ...section('Failed:', failed, (one) => `${nameOf(one)}: ${one.name}, began ${one.began_at}`),
    ...section('Suspicious size:', suspicious, (one) => `${nameOf(one)}: ${one.name}, ${sizeOf(one.size_kb)}`),
    ...section('All instances:', instances, (one) =>
      [
        `${nameOf(one)}: ${lastOf(one)}`,
        `${one.completed_24h} completed and ${one.failed_24h} failed in 24 h`,
        `${one.manual_backups ?? '?'} manual kept, ${sizeOf(one.manual_size_kb)}`,
        one.status ?? 'status unknown',
      ].join('; '),
    ),
  ].join('\n');
}

const nameOf = ({ instance_id, instance_name }: { instance_id: string; instance_name?: string }): string =>
  instance_name === undefined ? instance_id : `${instance_name} (${instance_id})`;

const lastOf = (one: InstanceReport): string =>
  one.last_backup_id === undefined && !one.at_least
    ? `no completed backup${one.hours === undefined ? '' : `, created ${hoursOf(one)} ago`}`
    : `last backup ${hoursOf(one)} ago, ${sizeOf(one.last_size_kb)}`;

const hoursOf = ({ hours, at_least }: BackupAge): string =>
  hours === undefined ? 'unknown' : `${at_least ? 'at least ' : ''}${hours.toFixed(1)} h`;

const UNITS = ['kB', 'MB', 'GB', 'TB'] as const;

function sizeOf(kilobytes: number | undefined): string {
  if (kilobytes === undefined) return 'size unknown';
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, kilobytes)) / 10));
  return `${(kilobytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${UNITS[power]}`;
}
