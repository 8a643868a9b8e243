/** The arguments of the control's actions, as they must look when they come in as JSON. */
import type { ActionName, Argument, BackupChange, BackupSelector, BackupSeries, ControlAction } from './control.ts';
import type { Credentials, User } from './credentials.ts';
import type { Fault, FaultEffect, FaultScope } from './faults.ts';
import {
  anything,
  dictionary,
  flag,
  type Guard,
  list,
  type Members,
  number,
  object,
  oneOf,
  optional,
  orNull,
  text,
  time,
  whole,
} from './guards.ts';
import type { BackupPolicy, Instance, Override, SeededBackup } from './records.ts';
import { OPERATION_NAMES } from './routes.ts';
import type { Settings } from './settings.ts';

/** As long as a timer of Node can wait; more than any test needs. */
const count = whole(0, 2 ** 31 - 1);
const project = optional(text);
const status = oneOf('BUILDING', 'COMPLETED', 'FAILED', 'DISABLED');
const type = oneOf('Auto', 'Manual', 'auto', 'manual');
const outcome = oneOf('COMPLETED', 'FAILED');
const override = object<Override>({ set: optional(dictionary(anything)), omit: optional(list(text)) });

const credentials = list(object<Credentials>({ ak: text, sk: text, securityToken: optional(text) }));
const users = list(object<User>({ name: text, password: text, domain: text }));

const instanceMembers: Members<Instance> = {
  id: text,
  name: text,
  status: oneOf('normal', 'abnormal', 'creating', 'frozen', 'data_disk_full', 'createfail', 'enlargefail'),
  mode: oneOf('Sharding', 'ReplicaSet', 'Single'),
  datastore: object<Instance['datastore']>({ type: text, version: text }),
  createdAt: number,
  vpc_id: optional(text),
  subnet_id: optional(text),
  tags: optional(list(object<{ readonly key: string; readonly value: string }>({ key: text, value: text }))),
  policy: optional(object<BackupPolicy>({ keep_days: number, start_time: text, period: text })),
  actions: optional(list(text)),
  override: optional(override),
};
const partialInstance = object<Pick<Instance, 'id'> & Partial<Instance>>({
  ...instanceMembers,
  name: optional(instanceMembers.name),
  status: optional(instanceMembers.status),
  mode: optional(instanceMembers.mode),
  datastore: optional(instanceMembers.datastore),
  createdAt: optional(instanceMembers.createdAt),
});

const seedMembers: Members<SeededBackup> = {
  name: text,
  instance_id: text,
  begin: time,
  end: optional(time),
  type: optional(type),
  outcome: optional(outcome),
  description: optional(text),
  size: optional(number),
  override: optional(override),
};
const { name: _name, end: _end, ...seriesMembers } = seedMembers;
const seeds = list(object(seedMembers));
const series = object<BackupSeries>({
  ...seriesMembers,
  name_prefix: text,
  count: whole(0, 1_000_000),
  everyMillis: number,
});

const selectorMembers: Members<Omit<BackupSelector, 'project'>> = {
  id: optional(text),
  name: optional(text),
  instance_id: optional(text),
  type: optional(type),
  status: optional(status),
};
const change = object<BackupChange>({
  olderByMillis: optional(number),
  begin: optional(time),
  end: optional(time),
  status: optional(status),
  name: optional(text),
  description: optional(text),
  size: optional(number),
  restoringUntil: optional(orNull(time)),
  override: optional(orNull(override)),
});

const regularExpression: Guard<string> = (value, problems, at): value is string => {
  if (!text(value, problems, at)) return false;
  try {
    new RegExp(value);
    return true;
  } catch {
    problems.push(`${at}: a regular expression expected`);
    return false;
  }
};

const settings = object<Partial<Settings>>({
  backupMillis: optional(count),
  deletionMillis: optional(count),
  jobDelayMillis: optional(count),
  tokenMillis: optional(count),
  failNames: optional(orNull(regularExpression)),
  busyFirst: optional(flag),
  deletionIsBusy: optional(flag),
  unknownInstance: optional(oneOf('refused', 'empty')),
  lockKeys: optional(flag),
  listLagMillis: optional(count),
  pageCap: optional(orNull(count)),
  ignoreOffset: optional(flag),
  totalCount: optional(oneOf('right', 'zero', 'page', 'one too high')),
  descriptions: optional(oneOf('as sent', 'trimmed', 'normalised', 'trimmed and normalised')),
  timeFormat: optional(oneOf('space', 'T', 'Z', '+0000', 'fraction', 'null')),
  statusCase: optional(oneOf('upper', 'lower', 'capitalised')),
  clockSkewMillis: optional(number),
  clockSkewOf: optional(oneOf('all', 'date', 'backups')),
  dateHeader: optional(flag),
});

const scope: Members<FaultScope> = { operation: optional(oneOf(...OPERATION_NAMES)), project };
const when = oneOf('before', 'after');
const headers = optional(dictionary(text));
const httpStatus = whole(200, 599);

type Kind = FaultEffect['kind'];
type OfKind<Each extends Kind> = Extract<FaultEffect, { readonly kind: Each }> & FaultScope;

const faults: { readonly [Each in Kind]: Guard<OfKind<Each>> } = {
  reset: object<OfKind<'reset'>>({ ...scope, kind: oneOf('reset'), when }),
  hang: object<OfKind<'hang'>>({ ...scope, kind: oneOf('hang'), when }),
  delay: object<OfKind<'delay'>>({ ...scope, kind: oneOf('delay'), millis: count, when: optional(when) }),
  error: object<OfKind<'error'>>({
    ...scope,
    kind: oneOf('error'),
    status: httpStatus,
    error_code: text,
    error_msg: text,
    headers,
    when: optional(when),
  }),
  answer: object<OfKind<'answer'>>({
    ...scope,
    kind: oneOf('answer'),
    status: httpStatus,
    headers,
    text: optional(text),
    when: optional(when),
  }),
  status: object<OfKind<'status'>>({ ...scope, kind: oneOf('status'), status: httpStatus }),
  truncated: object<OfKind<'truncated'>>({ ...scope, kind: oneOf('truncated') }),
  stall: object<OfKind<'stall'>>({ ...scope, kind: oneOf('stall') }),
  html: object<OfKind<'html'>>({ ...scope, kind: oneOf('html'), status: httpStatus, when: optional(when) }),
  endless: object<OfKind<'endless'>>({ ...scope, kind: oneOf('endless'), when: optional(when) }),
  empty: object<OfKind<'empty'>>({
    ...scope,
    kind: oneOf('empty'),
    status: optional(httpStatus),
    when: optional(when),
  }),
  json: object<OfKind<'json'>>({
    ...scope,
    kind: oneOf('json'),
    body: anything,
    status: optional(httpStatus),
    when: optional(when),
  }),
  redirect: object<OfKind<'redirect'>>({
    ...scope,
    kind: oneOf('redirect'),
    location: text,
    status: optional(httpStatus),
    when: optional(when),
  }),
  control: object<OfKind<'control'>>({
    ...scope,
    kind: oneOf('control'),
    actions: list((value, problems, at): value is ControlAction => action(value, problems, at)),
    when: optional(when),
  }),
};

const hasMember = <Name extends string, T extends string>(
  name: Name,
  values: Guard<T>,
): Guard<Readonly<Record<Name, T>>> => {
  return (value, problems, at): value is Readonly<Record<Name, T>> =>
    values(
      typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined,
      problems,
      `${at}.${name}`,
    );
};

const namesOf = <Name extends string>(table: Readonly<Record<Name, unknown>>): Name[] => {
  const names: Name[] = [];
  for (const name in table) names.push(name);
  return names;
};

const fault: Guard<Fault> = (value, problems, at): value is Fault =>
  hasMember('kind', oneOf(...namesOf(faults)))(value, problems, at) && faults[value.kind](value, problems, at);

/** The argument of each action. */
export const actionShapes: { readonly [Name in ActionName]: Guard<Argument<Name>> } = {
  advance: object<Argument<'advance'>>({ millis: number }),
  changeSettings: settings,
  inject: object<Argument<'inject'>>({ faults: list(fault), times: optional(count) }),
  clearFaults: object<Argument<'clearFaults'>>({}),
  addProject: object<Argument<'addProject'>>({
    id: text,
    name: optional(text),
    credentials: optional(credentials),
    users: optional(users),
    instances: optional(list(object(instanceMembers))),
    backups: optional(seeds),
  }),
  changeProject: object<Argument<'changeProject'>>({
    project,
    credentials: optional(credentials),
    users: optional(users),
  }),
  setInstance: object<Argument<'setInstance'>>({ project, instance: partialInstance }),
  removeInstance: object<Argument<'removeInstance'>>({ project, id: text }),
  addBackups: object<Argument<'addBackups'>>({ project, backups: optional(seeds), series: optional(series) }),
  changeBackups: object<Argument<'changeBackups'>>({ project, where: optional(object(selectorMembers)), set: change }),
  removeBackups: object<BackupSelector>({ ...selectorMembers, project }),
};

export const ACTION_NAMES = namesOf(actionShapes);

const action: Guard<ControlAction> = (value, problems, at): value is ControlAction => {
  if (!hasMember('do', oneOf(...ACTION_NAMES))(value, problems, at)) return false;
  return actionShapes[value.do](Reflect.get(value, 'with'), problems, `${at}.with`);
};

export const backupSelector = object<BackupSelector>({ ...selectorMembers, project });
