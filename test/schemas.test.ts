/** docs/schemas against the request's own schema, and against the events that the functions publish. */
import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runDurableExecution } from '../emulator/aws/durable-execution.ts';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import type { SeededBackup } from '../emulator/dds/records.ts';
import { refusals } from '../emulator/dds/refusals.ts';
import { DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../emulator/dds/seed.ts';
import { deferredHandler } from '../functions/deferred.ts';
import { monitorHandler } from '../functions/monitor.ts';
import { retentionHandler } from '../functions/retention.ts';
import { awsService } from '../lib/aws/platform.ts';
import { derivedName } from '../lib/backup/trigger.ts';
import { fieldsOf, isObject } from '../lib/json.ts';
import { DAY, HOUR, MINUTE } from '../lib/time.ts';
import { type Aws, type PublishedEvent, startAws } from './support/aws.ts';
import { closed } from './support/closed.ts';
import { environment } from './support/emulated.ts';
import { lambdaContext, sample } from './support/lambda.ts';
import { logLines } from './support/log-lines.ts';
import { virtualTime } from './support/virtual-time.ts';

const folder = new URL('../docs/schemas/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const schemas: ReadonlyMap<string, Record<string, unknown>> = new Map(
  readdirSync(folder).map((name) => [name, JSON.parse(read(name))]),
);
const eventSchemas = [...schemas.values()].filter(({ title }) => String(title).startsWith('DDS Backup '));

/** Allows no member that a schema does not name: an event may not hold more than what is documented. */
const ajv = new Ajv({ allErrors: true, schemas: [...schemas.values()].map((schema) => Object(closed(schema))) });
formats.default(ajv);

/** What is wrong with an event, by its schema. */
function problemsOf({ type, detail }: Pick<PublishedEvent, 'type' | 'detail'>): readonly string[] {
  const { $id } = eventSchemas.find(({ title }) => title === type) ?? {};
  const validate = typeof $id === 'string' ? ajv.getSchema($id) : undefined;
  if (!validate) return [`${type} has no schema`];
  return validate(detail)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

describe('schemas', () => {
  it.each([...schemas.keys()])('%s → valid, strictly, with an $id of its own', (name) => {
    const strict = new Ajv({ strict: true, strictRequired: false, schemas: [...schemas.values()] });
    formats.default(strict);
    const { $id } = schemas.get(name) ?? {};
    expect($id).toBe(`urn:dds-backup-trigger:${name.replace('.json', '')}`);
    expect(strict.getSchema(String($id))).toBeTypeOf('function');
  });

  it('request.json → lib/backup/request.schema.json with an $id (vitest -u writes it again)', async () => {
    const source = readFileSync(new URL('../lib/backup/request.schema.json', import.meta.url), 'utf8');
    const expected = source.replace(/"\$schema": .*\n/, '$&  "$id": "urn:dds-backup-trigger:request",\n');
    await expect(expected).toMatchFileSnapshot('../docs/schemas/request.json');
  });

  it('events → a schema for each type in lib/service/ports.ts', () => {
    const source = readFileSync(new URL('../lib/service/ports.ts', import.meta.url), 'utf8');
    const types = new Set(Array.from(source.matchAll(/'(DDS Backup [\w ]+)'/g), ([, type]) => type));
    expect(eventSchemas.map(({ title }) => title).sort()).toEqual([...types].sort());
  });

  it.each([
    [{ id: 'x' }, /required property 'instance_id'/],
    [{ id: 'x', instance_id: 'i', hours: 30, limit_hours: 26, other: 1 }, /additional properties/],
    [{ id: 'x', instance_id: 'i', hours: 30, limit_hours: '26' }, /limit_hours must be number/],
  ])('%j → its problem is found', (detail, problem) => {
    expect(problemsOf({ type: 'DDS Backup Overdue', detail }).join()).toMatch(problem);
  });
});

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
let aws: Aws;
beforeEach(async () => {
  time = virtualTime('2026-03-01T12:10:02Z');
  emulator = await startEmulator({ clock: time.now, backupMillis: 10 * MINUTE });
  aws = await startAws({ clock: time.now });
});
afterEach(async () => {
  published.push(...aws.events);
  await emulator.close();
  await aws.close();
});
logLines();

/** By all tests of this file. */
const published: PublishedEvent[] = [];

const serviceOf = (env: Readonly<Record<string, string>>) =>
  awsService({
    env: { ...environment(emulator), ...aws.env, EVENT_BUS: 'orders', STAGE: 'prod', OTC_SDK_REGION: 'eu-de', ...env },
    timing: { now: time.now, wait: time.wait, random: () => 1 },
    attemptMillis: 100,
  });

const invocation = (millis: number) => {
  const end = time.now().getTime() + millis;
  return lambdaContext(() => end - time.now().getTime());
};

const refuse = (...names: readonly (keyof typeof refusals)[]) =>
  emulator.control.inject({
    faults: names.map((name) => ({ kind: 'error', ...refusals[name], operation: 'create-backup' })),
  });
const seed = (more: Partial<SeededBackup> = {}) =>
  emulator.control.addBackups({
    backups: [
      { name: 'nightly', instance_id: DEMO_INSTANCE.id, begin: '2026-03-01T11:00:00Z', type: 'Manual', ...more },
    ],
  });
const seen = () => aws.events.map(({ type }) => type);
const allProblems = () => aws.events.flatMap(problemsOf);

describe('events of deferred', () => {
  const { requestPayload, ...rest } = sample('deferred');
  const record = {
    ...rest,
    timestamp: '2026-03-01T12:10:00Z',
    requestPayload: { ...requestPayload, time: '2026-03-01T12:09:00Z' },
  };
  const failedWith = (errorType: string, errorMessage = 'it failed') => ({
    ...record,
    responsePayload: { errorType, errorMessage },
  });
  const handedOver = {
    handed_over: {
      request: { backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'ci' } },
      trigger: { kind: 'http', id: 'release-7' },
      first_delivery: '2026-03-01T12:10:00Z',
      outcome_unknown: false,
      error: { reason: 'InstanceBusy', message: 'DDS answered 403 DBS.201015: busy', dds_code: 'DBS.201015' },
    },
  };
  const DEFERRED = 'DDS Backup Request Deferred';
  const FAILED = 'DDS Backup Request Failed';
  const named = { detail: { backup: { instance_id: DEMO_INSTANCE.id, name: 'before-migration' } } };
  const nothing = () => {};

  it.each<[string, () => void, unknown, readonly string[]]>([
    ['busy, then accepted', () => refuse('instanceBusy'), record, [DEFERRED]],
    ['handed over by http', nothing, handedOver, [DEFERRED]],
    ['a crash', nothing, failedWith('Sandbox.Timedout', 'Task timed out after 60.00 seconds'), [DEFERRED]],
    ['refused for good', () => refuse('noSuchInstance'), record, [DEFERRED, FAILED]],
    ['permanent from the start', nothing, failedWith('InstanceNotFound'), [FAILED]],
    [
      'another backup has the name',
      () => void seed({ name: 'before-migration', begin: '2026-02-01T11:00:00Z' }),
      { ...record, requestPayload: { ...record.requestPayload, ...named } },
      [DEFERRED, FAILED],
    ],
    ['no record at all', nothing, 'nonsense', [FAILED]],
    ['a record without a request', nothing, { requestPayload: {} }, [FAILED]],
  ])('%s → as documented', async (_, before, payload, types) => {
    before();
    await runDurableExecution({
      handler: deferredHandler(serviceOf({})),
      payload,
      context: () => invocation(MINUTE),
      now: time.now,
      wait: async (millis) => time.advance(millis),
    });
    expect(seen()).toEqual(types);
    expect(allProblems()).toEqual([]);
  });
});

describe('events of the monitor', () => {
  const run = (at = '2026-03-01T12:10:00Z', env: Readonly<Record<string, string>> = {}) =>
    monitorHandler(serviceOf(env))({ time: at }, invocation(MINUTE));

  it('backups that ended, are stuck, are of a suspicious size; an overdue instance → as documented', async () => {
    seed({ end: '2026-03-01T12:03:00Z' });
    seed({ name: 'bad', begin: '2026-03-01T11:00:01Z', end: '2026-03-01T12:02:00Z', outcome: 'FAILED' });
    seed({ name: 'empty', begin: '2026-03-01T11:30:00Z', end: '2026-03-01T12:04:00Z', size: 0 });
    seed({ name: 'slow', begin: '2026-03-01T00:03:00Z', end: '2026-03-09T00:00:00Z', type: 'auto' });
    const other = { instance_id: DEMO_OTHER_INSTANCE.id };
    seed({ ...other, begin: '2026-02-28T09:00:00Z', end: '2026-02-28T10:03:00Z' });
    await run();
    const names = ['Completed', 'Completed', 'Failed', 'Overdue', 'Stuck'].map((name) => `DDS Backup ${name}`);
    expect(seen().sort()).toEqual(expect.arrayContaining(names));
    expect(allProblems()).toEqual([]);
  });

  it('more instances without a backup than a run asks for → as documented', async () => {
    for (let index = 0; index < 1000; index++)
      emulator.control.setInstance({ instance: { ...DEMO_INSTANCE, id: `instance-${index}` } });
    await run('2026-03-01T12:10:00Z', { REPORT_TIME: '12:08', ALARM_TOPIC_ARN: 'arn:aws:sns:eu-central-1:1:t' });
    expect(seen()).toContain('DDS Backup Report');
    expect(allProblems()).toEqual([]);
  });

  it('daily report, with failed and suspicious backups → as documented', async () => {
    for (let day = 20; day < 26; day++) seed({ name: `nightly-${day}`, begin: `2026-02-${day}T05:00:00Z` });
    seed({ name: 'empty', begin: '2026-03-01T11:30:00Z', end: '2026-03-01T11:40:00Z', size: 0 });
    seed({ name: 'bad', begin: '2026-03-01T11:00:01Z', end: '2026-03-01T11:02:00Z', outcome: 'FAILED' });
    await run('2026-03-01T12:10:00Z', { REPORT_TIME: '12:08', ALARM_TOPIC_ARN: 'arn:aws:sns:eu-central-1:1:t' });
    expect(seen()).toContain('DDS Backup Report');
    expect(allProblems()).toEqual([]);
  });
});

describe('events of retention', () => {
  it('a backup that expires → as documented', async () => {
    const now = time.now().getTime();
    for (const days of [2, 10, 40, 50]) {
      const begin = new Date(now - days * DAY);
      const name = derivedName('nightly', { kind: 'invoke', id: 's', time: begin }, DEMO_INSTANCE.id);
      seed({ name, begin, end: new Date(begin.getTime() + HOUR) });
    }
    const rules = { RETENTION: 'nightly: keep-within 30d, keep-last 1', RETENTION_MODE: 'delete' };
    const run = retentionHandler(serviceOf({ ...rules, RETENTION_INSTANCES: 'all' }));
    await run({ time: time.now().toISOString() }, invocation(15 * MINUTE));
    expect(seen()).toEqual(['DDS Backup Expired', 'DDS Backup Expired']);
    expect(allProblems()).toEqual([]);
  });
});

describe('all events of these tests', () => {
  /** The paths of all members that a schema names, or that a value has. */
  const members = (schema: Record<string, unknown>, at = ''): readonly string[] =>
    Object.entries(fieldsOf(schema.properties)).flatMap(([name, part]) => {
      const { items, ...inner } = fieldsOf(resolve(part));
      const list = items === undefined ? [] : members(fieldsOf(resolve(items)), `${at}${name}.`);
      return [`${at}${name}`, ...list, ...members(inner, `${at}${name}.`)];
    });
  const resolve = (part: unknown): unknown => {
    const [, name] = /#\/definitions\/(\w+)$/.exec(String(fieldsOf(part).$ref)) ?? [];
    return name === undefined ? part : fieldsOf(schemas.get('common.json')?.definitions)[name];
  };
  const found = (value: unknown, at = ''): readonly string[] => {
    if (Array.isArray(value)) return value.flatMap((item) => found(item, at));
    if (!isObject(value)) return [];
    return Object.entries(value).flatMap(([name, part]) => [`${at}${name}`, ...found(part, `${at}${name}.`)]);
  };

  it.each(eventSchemas)('$title: every documented field → was published', (schema) => {
    const events = published.filter(({ type }) => type === schema.title);
    const given = new Set(events.flatMap(({ detail }) => found(detail)));
    expect(members(schema).filter((member) => !given.has(member))).toEqual([]);
  });
});
