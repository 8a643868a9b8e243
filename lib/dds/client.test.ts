import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import {
  DEMO_CREDENTIALS,
  DEMO_INSTANCE,
  DEMO_PROJECT_ID,
  DEMO_TEMPORARY_CREDENTIALS,
} from '../../emulator/dds/seed.ts';
import type { Credentials } from '../otc/signer.ts';
import { ddsClient } from './client.ts';
import type { Backup } from './types.ts';

const LIMITS = { timeoutMillis: 5000 };
const WANTED = {
  backup: { instance_id: DEMO_INSTANCE.id, name: 'before-migration', description: 'release 7 – größer' },
};

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.close());

const client = (credentials: (options?: { renew: boolean }) => Promise<Credentials> = async () => DEMO_CREDENTIALS) =>
  ddsClient({ endpoint: emulator.url, projectId: DEMO_PROJECT_ID, credentials, now: () => new Date() });

const listed = async (query: Parameters<ReturnType<typeof client>['listBackups']>[0] = {}): Promise<Backup[]> => {
  const backups: Backup[] = [];
  for await (const backup of client().listBackups(query, () => LIMITS)) backups.push(backup);
  return backups;
};

describe('creating a backup', () => {
  it('gives the ids and the answer, verbatim', async () => {
    const accepted = await client().createBackup(WANTED, () => LIMITS);
    expect(accepted).toMatchObject({ status: 200, backup_id: emulator.backups[0]?.id });
    expect(JSON.parse(accepted.text)).toEqual({ job_id: accepted.job_id, backup_id: accepted.backup_id });
    expect(emulator.requests).toMatchObject([{ operation: 'create-backup', body: WANTED }]);
  });

  it('takes any other success, with its status', async () => {
    emulator.faults.next({ kind: 'status', status: 202 });
    expect(await client().createBackup(WANTED, () => LIMITS)).toMatchObject({ status: 202 });
  });

  it('signs with a temporary key', async () => {
    expect(await client(async () => DEMO_TEMPORARY_CREDENTIALS).createBackup(WANTED, () => LIMITS)).toMatchObject({
      status: 200,
    });
  });

  it('throws what DDS refuses with its code and text', async () => {
    emulator.faults.next({ kind: 'error', ...refusals.tooManyCalls, headers: { 'retry-after': '7' } });
    await expect(client().createBackup(WANTED, () => LIMITS)).rejects.toMatchObject({
      name: 'Throttled',
      code: 'DBS.280443',
      status: 429,
      retryAfter: 7,
    });
  });

  it.each([
    ['an empty body', { kind: 'empty' }],
    ['a page', { kind: 'html', status: 502 }],
    ['a list', { kind: 'json', body: [] }],
    ['a number', { kind: 'json', body: 7 }],
    ['null', { kind: 'json', body: null }],
    ['no job_id', { kind: 'json', body: { backup_id: 'b' } }],
    ['a backup_id that is no string', { kind: 'json', body: { job_id: 'j', backup_id: 7 } }],
    ['an empty job_id', { kind: 'json', body: { job_id: '', backup_id: 'b' } }],
    ['a huge backup_id', { kind: 'json', body: { job_id: 'j', backup_id: 'b'.repeat(65) } }],
    ['a status that is none', { kind: 'json', status: 999, body: { error_code: 'X', error_msg: 'x' } }],
    ['a redirect', { kind: 'json', status: 307, body: { job_id: 'j', backup_id: 'b' } }],
    ['half an answer', { kind: 'truncated' }],
    ['an endless answer', { kind: 'endless' }],
  ] as const)('throws UpstreamInvalid for %s', async (_, fault) => {
    emulator.faults.next(fault);
    await expect(client().createBackup(WANTED, () => LIMITS)).rejects.toMatchObject({ name: 'UpstreamInvalid' });
    expect(emulator.requests).toHaveLength(1);
  });

  it('reads an error without code and text', async () => {
    emulator.faults.next({ kind: 'json', status: 503, body: { message: 'x' } });
    await expect(client().createBackup(WANTED, () => LIMITS)).rejects.toMatchObject({
      name: 'DdsUnavailable',
      message: 'DDS answered 503: no reason given',
    });
  });
});

describe('a key that the gateway refuses', () => {
  const WRONG = { ...DEMO_CREDENTIALS, sk: 'wrong' };

  it('is renewed once, and the request repeated with the new one', async () => {
    const asked: unknown[] = [];
    const rotated = async (options?: { renew: boolean }) => {
      asked.push(options);
      return options?.renew ? DEMO_CREDENTIALS : WRONG;
    };
    expect(await client(rotated).createBackup(WANTED, () => LIMITS)).toMatchObject({ status: 200 });
    expect(asked).toEqual([undefined, { renew: true }]);
    expect(emulator.requests.map(({ status }) => status)).toEqual([401, 200]);
  });

  it('leaves the repeated request the time that is then left', async () => {
    const times = [5000, 4000];
    const asked: number[] = [];
    const limits = () => {
      asked.push(times[0] ?? 0);
      return { timeoutMillis: times.shift() ?? 0 };
    };
    await client(async (options) => (options?.renew ? DEMO_CREDENTIALS : WRONG)).createBackup(WANTED, limits);
    expect(asked).toEqual([5000, 4000]);
  });

  it('is CredentialsRefused, without another request, when there is no new one', async () => {
    await expect(client(async () => WRONG).createBackup(WANTED, () => LIMITS)).rejects.toMatchObject({
      name: 'CredentialsRefused',
      code: 'APIGW.0301',
    });
    expect(emulator.requests).toHaveLength(1);
  });

  it('is CredentialsRefused when the new one is refused as well', async () => {
    const rotated = async (options?: { renew: boolean }) => ({ ...WRONG, sk: options?.renew ? 'wrong-too' : 'wrong' });
    await expect(client(rotated).createBackup(WANTED, () => LIMITS)).rejects.toMatchObject({
      name: 'CredentialsRefused',
    });
    expect(emulator.requests).toHaveLength(2);
  });
});

describe('listing backups', () => {
  const seed = (count: number) => {
    for (let i = 0; i < count; i++) {
      emulator.state.seedBackup({
        name: `backup-${i}`,
        instance_id: DEMO_INSTANCE.id,
        type: 'Manual',
        begin: new Date(Date.now() - (i + 2) * 60_000),
      });
    }
  };

  it.each([
    [0, 1],
    [1, 1],
    [100, 1],
    [101, 2],
    [250, 3],
  ])('of %i backups takes %i requests and gives each once, newest first', async (count, requests) => {
    seed(count);
    const names = (await listed()).map(({ name }) => name);
    expect(names).toEqual(Array.from({ length: count }, (_, i) => `backup-${i}`));
    expect(emulator.requests).toHaveLength(requests);
  });

  it('asks for no page more than its reader wants', async () => {
    seed(250);
    for await (const _ of client().listBackups({}, () => LIMITS)) break;
    expect(emulator.requests).toHaveLength(1);
  });

  it('ends with a page that is not full, whatever the count', async () => {
    emulator.faults.next({ kind: 'json', body: { backups: [], total_count: 1_000_000 } });
    expect(await listed()).toEqual([]);
    expect(emulator.requests).toHaveLength(1);
  });

  it('passes the filter on', async () => {
    seed(2);
    expect(await listed({ backup_type: 'Auto' })).toEqual([]);
  });

  it.each([
    ['no list', { total_count: 1 }],
    ['no count', { backups: [] }],
    ['a backup without a name', { total_count: 1, backups: [{ id: 'b' }] }],
    ['a backup that is null', { total_count: 1, backups: [null] }],
  ])('throws UpstreamInvalid for %s', async (_, body) => {
    emulator.faults.next({ kind: 'json', body });
    await expect(listed()).rejects.toMatchObject({ name: 'UpstreamInvalid' });
  });
});
