import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE, DEMO_PROJECT_ID } from '../../emulator/dds/seed.ts';
import { instanceOf } from '../../test/simulation/world.ts';
import { environment } from '../../test/support/emulated.ts';
import { logLines } from '../../test/support/log-lines.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { derivedName } from '../backup/trigger.ts';
import { Failure } from '../errors.ts';
import { DAY, HOUR, MINUTE } from '../time.ts';
import type { BusEvent } from './ports.ts';
import { retentionRuns } from './retention-runs.ts';
import { backupService, type ServiceOptions } from './service.ts';

const TIME = new Date('2026-03-01T05:30:00Z');
const OTHER_PROJECT = '1c8de49e33e54a4e9eb2fcb3a8b1b7d5';
const RULE = 'nightly: keep-within 132h, keep-last 2';
const ORIGIN = { project_id: DEMO_PROJECT_ID, region: 'eu-de' };

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
let published: BusEvent[];
beforeEach(async () => {
  time = virtualTime('2026-03-01T05:30:03Z');
  published = [];
  emulator = await startEmulator({ clock: time.now });
});
afterEach(() => emulator.close());
const lines = logLines();

/** Nine nights, of which three are older than 132 hours. */
const nights = (instance_id: string) =>
  Array.from({ length: 9 }, (_, i) => {
    const begin = new Date(TIME.getTime() - i * DAY - 3 * HOUR);
    return {
      name: derivedName('nightly', { kind: 'invoke', id: 'night', time: begin }, instance_id),
      instance_id,
      type: 'Manual' as const,
      begin,
      end: new Date(begin.getTime() + HOUR),
    };
  });

function run(env: Record<string, string> = {}, options: Partial<ServiceOptions> = {}) {
  const service = backupService({
    env: {
      ...environment(emulator),
      EVENT_BUS: 'orders',
      RETENTION: RULE,
      RETENTION_MODE: 'delete',
      RETENTION_INSTANCES: 'all',
      ...env,
    },
    timing: { ...time, random: () => 1 },
    readSecret: async () => '{}',
    notify: async () => {},
    handover: async () => {},
    publish: async (events) => void published.push(...events),
    ...options,
  });
  const end = time.now().getTime() + 15 * MINUTE;
  return retentionRuns(service)(TIME, { getRemainingTimeInMillis: () => end - time.now().getTime() });
}

const linesOf = (name: string) => lines.filter(({ event }) => event === name);

describe('retentionRuns', () => {
  beforeEach(() => void emulator.control.addBackups({ backups: nights(DEMO_INSTANCE.id) }));

  it('mode delete → a line and an event for each deletion, then the counts', async () => {
    const [oldest] = emulator.backups.toReversed();
    await run();
    expect(emulator.backups).toHaveLength(6);
    const detail = {
      id: `${oldest?.id}-expired`,
      backup_id: oldest?.id,
      name: oldest?.name,
      instance_id: DEMO_INSTANCE.id,
      instance_name: 'orders',
      began_at: '2026-02-21T02:30:00Z',
      size_kb: 2803,
      rule: RULE,
      remaining: expect.any(Number),
      ...ORIGIN,
    };
    expect(published).toHaveLength(3);
    expect(published.every(({ type }) => type === 'DDS Backup Expired')).toBe(true);
    expect(published.map((event) => event.detail)).toContainEqual(detail);
    expect(linesOf('backup.expired')).toContainEqual({ level: 'info', event: 'backup.expired', ...detail });
    expect(lines.at(-1)).toMatchObject({
      level: 'info',
      event: 'retention.done',
      ...ORIGIN,
      time: TIME.toISOString(),
      backups: 9,
      due: 0,
      expired: 3,
      postponed: 0,
    });
  });

  it.each<[string, Record<string, string>]>([
    ['report', { RETENTION_MODE: 'report', RETENTION_INSTANCES: '' }],
    ['not given', { RETENTION_MODE: '', RETENTION_INSTANCES: '' }],
  ])('mode %s → a line for each that is due, with the reason; nothing is deleted', async (_, env) => {
    await run(env);
    expect(emulator.backups).toHaveLength(9);
    expect(published).toEqual([]);
    expect(linesOf('retention.due')).toHaveLength(3);
    expect(lines[0]).toMatchObject({ event: 'retention.due', rule: RULE, reason: 'older than keep-within', ...ORIGIN });
    expect(lines.at(-1)).toMatchObject({ event: 'retention.done', due: 3, expired: 0 });
    expect(emulator.requests.every(({ method }) => method === 'GET')).toBe(true);
  });

  it('DDS refuses a deletion → postponed and still due, and the others go', async () => {
    emulator.control.inject({ faults: [{ kind: 'error', ...refusals.backupInRestore, operation: 'delete-backup' }] });
    await run();
    expect(linesOf('retention.postponed')).toMatchObject([
      { level: 'warn', reason: 'InstanceBusy', dds_code: 'DBS.201319', backup_id: expect.any(String), ...ORIGIN },
    ]);
    expect(lines.at(-1)).toMatchObject({ due: 1, expired: 2, postponed: 1 });
  });

  it('bus does not take the event → the log has it, and the run goes on', async () => {
    await run({}, { publish: () => Promise.reject(new Failure('PublishFailed', 'The bus is down.')) });
    expect(emulator.backups).toHaveLength(6);
    expect(linesOf('publish.failed')).toHaveLength(3);
    expect(linesOf('publish.failed')[0]).toMatchObject({ level: 'error', rule: RULE, reason: 'PublishFailed' });
    expect(lines.at(-1)).toMatchObject({ event: 'retention.done', expired: 3 });
  });

  it('hold and selection → what is left out stays', async () => {
    const oldest = emulator.backups.at(-1);
    await run({ RETENTION_HOLDS: oldest?.id ?? '' });
    expect(emulator.backups.map(({ id }) => id)).toContain(oldest?.id);
    expect(emulator.backups).toHaveLength(7);
    await run({ RETENTION_INSTANCES: 'tag:retention=on' });
    expect(emulator.backups).toHaveLength(7);
  });

  it('record that cannot be read → one line, however often the list is read', async () => {
    const [newest] = emulator.backups;
    emulator.control.changeBackups({ where: { id: newest?.id ?? '' }, set: { override: { set: { name: null } } } });
    await run();
    expect(linesOf('retention.unreadable')).toMatchObject([
      { level: 'error', list: 'backups', id: newest?.id, field: 'name', ...ORIGIN },
    ]);
  });

  it.each([
    ['RETENTION', { RETENTION: '' }],
    ['RETENTION_INSTANCES', { RETENTION_INSTANCES: '' }],
    ['keep-within', { RETENTION: 'nightly: keep-within 1d' }],
    ['EVENT_BUS', { EVENT_BUS: '' }],
  ])('%s is wrong → ConfigurationError that names it, and DDS is not asked', async (name, env) => {
    await expect(run(env)).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining(name),
    });
    expect(emulator.requests).toEqual([]);
  });

  it('several projects, one without the right → the other is done; the error names the one', async () => {
    emulator.control.addProject({
      id: OTHER_PROJECT,
      credentials: [DEMO_CREDENTIALS],
      instances: [instanceOf('archive', 0)],
      backups: nights('archive'),
    });
    emulator.control.decideFaults(({ project }) =>
      project === DEMO_PROJECT_ID ? { kind: 'error', ...refusals.permissionDenied } : undefined,
    );
    const env = { OTC_SDK_PROJECT_ID: '', OTC_SDK_PROJECTS: `eu-de:${DEMO_PROJECT_ID},eu-nl:${OTHER_PROJECT}` };
    await expect(run(env)).rejects.toMatchObject({ name: 'CredentialsRefused', annotation: ORIGIN });
    expect(emulator.backups).toHaveLength(9);
    expect(emulator.control.backups({ project: OTHER_PROJECT })).toHaveLength(6);
    expect(published.map(({ detail }) => detail.region)).toEqual(['eu-nl', 'eu-nl', 'eu-nl']);
  });
});
