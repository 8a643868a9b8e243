/**
 * What DDS remembers of one project. Nothing runs in the background: every status follows from DDS's clock at the moment
 * of asking, so a test that moves the clock moves the backups.
 */
import { type BackupFilter, backupStore, type Changes, type Selection } from './backup-store.ts';
import type { EmulatorClock } from './clock.ts';
import type { Ids } from './ids.ts';
import {
  type Backup,
  type BackupRecord,
  type BackupStatus,
  describeBackup,
  type Instance,
  type JobRecord,
  millisOf,
  type Outcome,
  type SeededBackup,
} from './records.ts';
import type { Settings } from './settings.ts';

export interface StateOptions {
  readonly clock: EmulatorClock;
  readonly ids: Ids;
  readonly instances: readonly Instance[];
  readonly settings: () => Settings;
  /** Asked once, when a backup begins. */
  readonly outcome: (backup: Backup) => Outcome;
}

export interface State {
  /** DDS's clock, in milliseconds. */
  now(): number;
  /** Newest first. */
  instances(): readonly Instance[];
  instance(id: string): Instance | undefined;
  /** Adds an instance, or replaces the one with its id: another status, for example. */
  setInstance(instance: Instance): void;
  /** Its manual backups stay; its automated ones go with it (DDS user manual). */
  removeInstance(id: string): void;
  /** All that exist, whatever their status, newest first. */
  backups(): readonly BackupRecord[];
  /** One that exists. */
  backup(id: string): BackupRecord | undefined;
  /** The instance of a backup that existed once. */
  instanceOfDeleted(backupId: string): string | undefined;
  isNameTaken(name: string): boolean;
  status(backup: BackupRecord): BackupStatus;
  /** What the list shows, which may lag. */
  list(filter: BackupFilter): Selection;
  listedStatus(backup: BackupRecord): BackupStatus;
  isBackingUp(instanceId: string): boolean;
  /** Whether an operation runs on it: an instance runs one at a time. */
  isBusy(instanceId: string): boolean;
  beginBackup(
    instance: Instance,
    name: string,
    description: string,
  ): { readonly job_id: string; readonly backup_id: string };
  /** Throws for an instance that is not there. */
  seedBackup(backup: SeededBackup): BackupRecord;
  seedBackups(backups: readonly SeededBackup[]): readonly BackupRecord[];
  changeBackups(backups: readonly BackupRecord[], changes: (backup: BackupRecord) => Changes): void;
  /** They are gone at once. */
  removeBackups(backups: readonly BackupRecord[]): void;
  /** Returns the id of the job that deletes it. */
  beginDeletion(backup: BackupRecord): string;
  job(id: string): JobRecord | undefined;
}

/** The size in the reference's sample, in kilobytes. */
const SAMPLE_SIZE = 2803;

export function createState({ clock, ids, settings, outcome, ...options }: StateOptions): State {
  const instances = new Map(options.instances.map((instance) => [instance.id, instance]));
  const store = backupStore();
  const jobs = new Map<string, () => JobRecord>();
  const deleted = new Map<string, string>();
  const now = clock.dds;

  const isGone = ({ goneAt }: BackupRecord): boolean => goneAt !== undefined && now() >= goneAt;
  const statusAt = ({ deletedAt, endAt, outcome }: BackupRecord, at: number): BackupStatus => {
    if (deletedAt !== undefined && deletedAt <= at) return 'DISABLED';
    return at < endAt ? 'BUILDING' : outcome;
  };
  const status = (backup: BackupRecord): BackupStatus => statusAt(backup, now());
  const listedAt = (): number => now() - settings().listLagMillis;

  const isBackingUp = (instanceId: string): boolean =>
    store.endingAfter(instanceId, now()).some((backup) => !isGone(backup) && status(backup) === 'BUILDING');
  const isDeleting = (instanceId: string): boolean =>
    store.deleting().some((backup) => backup.instance.id === instanceId && !isGone(backup));

  const seeded = (seed: SeededBackup): BackupRecord => {
    const instance = instances.get(seed.instance_id);
    if (!instance) throw new Error(`The emulator has no instance ${seed.instance_id} to seed a backup of.`);
    const beginAt = millisOf(seed.begin);
    return {
      id: ids.backup(),
      name: seed.name,
      description: seed.description ?? '',
      type: seed.type ?? 'Auto',
      instance,
      beginAt,
      endAt: seed.end === undefined ? beginAt + 60_000 : millisOf(seed.end),
      outcome: seed.outcome ?? 'COMPLETED',
      size: seed.size ?? SAMPLE_SIZE,
      override: seed.override,
    };
  };
  const seedBackups = (seeds: readonly SeededBackup[]): readonly BackupRecord[] => {
    const records = seeds.map(seeded);
    store.add(records, -Infinity);
    return records.map((record) => store.get(record.id) ?? record);
  };

  return {
    now,
    instances: () => [...instances.values()].sort((a, b) => b.createdAt - a.createdAt),
    instance: (id) => instances.get(id),
    setInstance: (instance) => {
      instances.set(instance.id, instance);
    },
    removeInstance: (id) => {
      instances.delete(id);
      store.remove(store.all().filter(({ instance, type }) => instance.id === id && type.toLowerCase() === 'auto'));
    },
    backups: () => store.all().filter((backup) => !isGone(backup)),
    backup: (id) => {
      const backup = store.get(id);
      return backup && !isGone(backup) ? backup : undefined;
    },
    instanceOfDeleted: (backupId) => deleted.get(backupId),
    isNameTaken: (name) => store.named(name).some((backup) => !isGone(backup)),
    status,
    list: (filter) => store.select(filter, listedAt()),
    listedStatus: (backup) => statusAt(backup, listedAt()),
    isBackingUp,
    isBusy: (instanceId) =>
      isBackingUp(instanceId) ||
      (instances.get(instanceId)?.actions?.length ?? 0) > 0 ||
      (settings().deletionIsBusy && isDeleting(instanceId)),
    beginBackup: (instance, name, description) => {
      const { backupMillis, failNames, descriptions } = settings();
      const beginAt = now();
      const building: BackupRecord = {
        id: ids.backup(),
        name,
        description: storedDescription(description, descriptions),
        type: 'Manual',
        instance,
        beginAt,
        endAt: beginAt + backupMillis,
        outcome: failNames !== null && new RegExp(failNames).test(name) ? 'FAILED' : 'COMPLETED',
        size: SAMPLE_SIZE,
      };
      const decided = outcome(describeBackup(building, 'BUILDING'));
      const backup: BackupRecord = decided === 'FAILED' ? { ...building, outcome: decided } : building;
      const id = ids.job();
      store.add([backup], beginAt);
      const record = store.get(backup.id) ?? backup;
      jobs.set(id, () => ({ id, kind: 'backup', backup: record, beginAt: record.beginAt, endAt: record.endAt }));
      return { job_id: id, backup_id: backup.id };
    },
    seedBackup: (seed) => {
      const [record = seeded(seed)] = seedBackups([seed]);
      return record;
    },
    seedBackups,
    changeBackups: store.change,
    removeBackups: (backups) => {
      for (const { id, instance } of backups) deleted.set(id, instance.id);
      store.remove(backups);
    },
    beginDeletion: (backup) => {
      const id = ids.job();
      const [beginAt, endAt] = [now(), now() + settings().deletionMillis];
      store.change([backup], () => ({ deletedAt: beginAt, goneAt: endAt }));
      deleted.set(backup.id, backup.instance.id);
      jobs.set(id, () => ({ id, kind: 'deletion', backup, beginAt, endAt }));
      return id;
    },
    job: (id) => jobs.get(id)?.(),
  };
}

function storedDescription(text: string, how: Settings['descriptions']): string {
  const trimmed = how.startsWith('trimmed') ? text.trim() : text;
  return how.endsWith('normalised') ? trimmed.normalize('NFC') : trimmed;
}
