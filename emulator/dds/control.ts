/**
 * The one way for a test to change what the emulator holds and how it behaves. In the same process it is
 * `emulator.control`; over HTTP each action is `POST /emulator/control/{action}` with its argument as JSON.
 */
import type { Changes } from './backup-store.ts';
import type { EmulatorClock } from './clock.ts';
import type { Decide, Fault, FaultQueue } from './faults.ts';
import type { Project, ProjectSetup, Projects } from './projects.ts';
import {
  type Backup,
  type BackupRecord,
  type BackupStatus,
  type BackupType,
  describeBackup,
  type Instance,
  millisOf,
  type Override,
  type SeededBackup,
  type Time,
} from './records.ts';
import type { RecordedRequest } from './request-log.ts';
import type { Settings } from './settings.ts';

/** Which project; default the first one. */
export interface InProject {
  readonly project?: string;
}

/** Backups one after the other: `{name_prefix}-0` is the newest, each further one began `everyMillis` earlier. */
export interface BackupSeries extends Omit<SeededBackup, 'name' | 'end'> {
  readonly name_prefix: string;
  readonly count: number;
  readonly everyMillis: number;
}

export interface AddBackups extends InProject {
  readonly backups?: readonly SeededBackup[];
  readonly series?: BackupSeries;
}

/** Those that fit all of it; all of the project when nothing is given. */
export interface BackupSelector extends InProject {
  readonly id?: string;
  readonly name?: string;
  readonly instance_id?: string;
  readonly type?: BackupType;
  readonly status?: BackupStatus;
}

export interface BackupChange {
  /** Moves begin and end into the past. */
  readonly olderByMillis?: number;
  readonly begin?: Time;
  readonly end?: Time;
  /**
   * COMPLETED or FAILED: ended, now if it was to end later. BUILDING: until `end`, for ever without one. DISABLED: being
   * deleted, until it is changed again.
   */
  readonly status?: BackupStatus;
  readonly name?: string;
  readonly description?: string;
  readonly size?: number;
  /** Until when a restore reads it; null for no longer. */
  readonly restoringUntil?: Time | null;
  /** How the list shows it; null for as it is. */
  readonly override?: Override | null;
}

export interface ChangeBackups extends InProject {
  readonly where?: Omit<BackupSelector, 'project'>;
  readonly set: BackupChange;
}

/** Members that are not given stay, or have a default for an instance that is new: one that is normal, created now. */
export interface SetInstance extends InProject {
  readonly instance: Pick<Instance, 'id'> & Partial<Instance>;
}

export interface Overview {
  readonly now: string;
  readonly settings: Settings;
  readonly projects: readonly {
    readonly id: string;
    readonly name: string;
    readonly instances: readonly Instance[];
    readonly backups: number;
  }[];
  readonly faults: readonly Fault[];
  readonly requests: number;
}

/** What changes something; each takes one argument, all of it JSON but for times, which may be dates. */
export interface Actions {
  /** Lets time pass. */
  advance(by: { readonly millis: number }): void;
  changeSettings(settings: Partial<Settings>): void;
  /** Queues faults; each is applied `times` times, once by default. */
  inject(injection: { readonly faults: readonly Fault[]; readonly times?: number }): void;
  /** Forgets the faults that are queued, and `decideFaults`. */
  clearFaults(nothing?: Readonly<Record<string, never>>): void;
  addProject(project: ProjectSetup): void;
  /** Replaces the keys or the users of a project. */
  changeProject(project: InProject & Pick<ProjectSetup, 'credentials' | 'users'>): void;
  setInstance(instance: SetInstance): void;
  /** Its manual backups stay; its automated ones go with it. */
  removeInstance(instance: InProject & Pick<Instance, 'id'>): void;
  /** Adds backups that the list shows at once; returns their ids. */
  addBackups(backups: AddBackups): readonly string[];
  /** Returns how many were changed. The list shows a change at once. */
  changeBackups(change: ChangeBackups): number;
  /** Removes backups at once, with their names; returns how many. */
  removeBackups(backups: BackupSelector): number;
}

export interface Control extends Actions {
  /** The emulator's time, without skew. */
  now(): Date;
  overview(): Overview;
  /** Those that exist, as the list shows them, newest first; lag, overrides and formats left aside. */
  backups(selector?: BackupSelector): readonly Backup[];
  /** All requests in the order of their arrival, those refused by the gateway included. */
  requests(): readonly RecordedRequest[];
  /** Asked for each request for which no queued fault fits. Not to be had over HTTP. */
  decideFaults(decide: Decide | undefined): void;
}

export type ActionName = keyof Actions;
export type Argument<Name extends ActionName> = NonNullable<Parameters<Actions[Name]>[0]>;

/** An action as data: what a fault does between two requests. */
export type ControlAction<Name extends ActionName = ActionName> = {
  [Each in Name]: { readonly do: Each; readonly with: Argument<Each> };
}[Name];

type Handlers = { readonly [Name in ActionName]: (argument: Argument<Name>) => unknown };

/** Carries out an action that is given as data. */
export function runAction<Name extends ActionName>(handlers: Handlers, action: ControlAction<Name>): unknown {
  return handlers[action.do](action.with);
}

export interface ControlOptions {
  readonly clock: EmulatorClock;
  readonly projects: Projects;
  readonly queue: FaultQueue;
  readonly requests: readonly RecordedRequest[];
  readonly settings: () => Settings;
  readonly changeSettings: (settings: Partial<Settings>) => void;
}

export function createControl({ clock, projects, queue, requests, settings, changeSettings }: ControlOptions): Control {
  const select = (project: Project, { id, name, instance_id, type, status }: BackupSelector): BackupRecord[] => {
    const { state } = project;
    const one = id === undefined ? undefined : state.backup(id);
    const candidates = id === undefined ? state.backups() : one ? [one] : [];
    return candidates.filter(
      (backup) =>
        (name === undefined || backup.name === name) &&
        (instance_id === undefined || backup.instance.id === instance_id) &&
        (type === undefined || backup.type === type) &&
        (status === undefined || state.status(backup) === status),
    );
  };

  return {
    now: () => new Date(clock.now()),
    advance: ({ millis }) => clock.advance(millis),
    changeSettings,
    inject: ({ faults, times = 1 }) => queue.repeat(faults, times),
    clearFaults: () => queue.faults.clear(),
    decideFaults: (decide) => {
      queue.faults.decide = decide;
    },
    addProject: (setup) => void projects.add(setup),
    changeProject: ({ project, ...who }) => projects.change(project, who),
    setInstance: ({ project, instance }) => {
      const { state } = projects.one(project);
      state.setInstance({ ...newInstance(instance.id, clock.now()), ...state.instance(instance.id), ...instance });
    },
    removeInstance: ({ project, id }) => projects.one(project).state.removeInstance(id),
    addBackups: ({ project, backups = [], series }) =>
      projects
        .one(project)
        .state.seedBackups([...backups, ...(series ? seedsOf(series) : [])])
        .map(({ id }) => id),
    changeBackups: ({ project: id, where = {}, set }) => {
      const project = projects.one(id);
      const backups = select(project, where);
      project.state.changeBackups(backups, (backup) => changesOf(backup, set, project.state.now()));
      return backups.length;
    },
    removeBackups: (selector) => {
      const project = projects.one(selector.project);
      const backups = select(project, selector);
      project.state.removeBackups(backups);
      return backups.length;
    },
    backups: (selector = {}) => {
      const project = projects.one(selector.project);
      return select(project, selector).map((backup) => describeBackup(backup, project.state.status(backup)));
    },
    requests: () => requests,
    overview: () => ({
      now: new Date(clock.now()).toISOString(),
      settings: settings(),
      projects: projects.all.map(({ id, name, state }) => ({
        id,
        name,
        instances: state.instances(),
        backups: state.backups().length,
      })),
      faults: queue.faults.pending,
      requests: requests.length,
    }),
  };
}

const newInstance = (id: string, now: number): Instance => ({
  id,
  name: id,
  status: 'normal',
  mode: 'ReplicaSet',
  datastore: { type: 'DDS-Community', version: '4.4' },
  createdAt: now,
});

function seedsOf({ name_prefix, count, everyMillis, begin, ...rest }: BackupSeries): SeededBackup[] {
  const newest = millisOf(begin);
  return Array.from({ length: count }, (_, index) => ({
    ...rest,
    name: `${name_prefix}-${index}`,
    begin: new Date(newest - index * everyMillis),
  }));
}

function changesOf(backup: BackupRecord, change: BackupChange, now: number): Changes {
  const { olderByMillis = 0, begin, end, status, restoringUntil, override, ...plain } = change;
  const changes: Changes = { ...plain };
  if (begin !== undefined || olderByMillis !== 0)
    changes.beginAt = begin === undefined ? backup.beginAt - olderByMillis : millisOf(begin);
  if (end !== undefined || olderByMillis !== 0)
    changes.endAt = end === undefined ? backup.endAt - olderByMillis : millisOf(end);
  if (restoringUntil !== undefined)
    changes.restoringUntil = restoringUntil === null ? undefined : millisOf(restoringUntil);
  if (override !== undefined) changes.override = override ?? undefined;
  if (status === 'DISABLED') return { ...changes, deletedAt: now, goneAt: Infinity };
  if (status === undefined) return changes;
  const endAt = changes.endAt ?? backup.endAt;
  if (status === 'BUILDING') changes.endAt = end === undefined ? Infinity : endAt;
  else changes.endAt = Math.min(endAt, now);
  return {
    ...changes,
    ...(status !== 'BUILDING' && { outcome: status }),
    deletedAt: undefined,
    goneAt: undefined,
  };
}
