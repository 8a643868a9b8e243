import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import {
  DEMO_CREDENTIALS,
  DEMO_INSTANCE,
  DEMO_PROJECT_ID,
  DEMO_TEMPORARY_CREDENTIALS,
} from '../../emulator/dds/seed.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { Failure } from '../errors.ts';
import type { Credentials } from '../otc/signer.ts';
import { MINUTE, SECOND } from '../time.ts';
import { type DdsClient, ddsClient } from './client.ts';
import type { Budget } from './retry.ts';
import { MAX_SKEW } from './time.ts';
import type { ListBackupsQuery, ListInstancesQuery, UnreadableRecord } from './types.ts';

const WANTED = {
  backup: { instance_id: DEMO_INSTANCE.id, name: 'before-migration', description: 'release 7 – größer' },
};
const WRONG = { ...DEMO_CREDENTIALS, sk: 'wrong' };

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
/** How far DDS's clock is ahead, in milliseconds. */
let skew: number;
beforeEach(async () => {
  time = virtualTime();
  skew = 0;
  emulator = await startEmulator({
    clock: () => new Date(time.now().getTime() + skew),
    wait: async (millis) => time.advance(millis),
    deletionMillis: 0,
  });
});
afterEach(() => emulator.close());

type AskCredentials = (options?: { readonly renew: boolean }) => Promise<Credentials>;

const client = (credentials: AskCredentials = async () => DEMO_CREDENTIALS, attemptMillis = 5 * SECOND) =>
  ddsClient({
    endpoint: emulator.url,
    projectId: DEMO_PROJECT_ID,
    credentials,
    timing: { now: time.now, wait: time.wait, random: () => 0.5 },
    attemptMillis,
  });

/** Ends so many milliseconds from now. */
function budget(millis = 30 * SECOND): Budget {
  const end = time.now().getTime() + millis;
  return { timeLeft: () => end - time.now().getTime() };
}

/** Enough for one attempt, too little for another. */
function once(): Budget {
  let asked = 0;
  return { timeLeft: () => (asked++ === 0 ? 5 * SECOND : 0) };
}

const renewing =
  (first: Credentials, renewed: Credentials): AskCredentials =>
  async (options) =>
    options?.renew ? renewed : first;

const submit = (dds: DdsClient = client(), within: Budget = budget()) => dds.submitBackup(WANTED, within);

const statuses = () => emulator.requests.map(({ status }) => status);

describe('submitBackup', () => {
  it('accepted → the ids and the answer, verbatim', async () => {
    const submitted = await submit();
    if (!('answer' in submitted)) throw submitted.refusal;
    const { answer, attempts } = submitted;
    expect(answer).toMatchObject({ status: 200, backup_id: emulator.backups[0]?.id });
    expect(JSON.parse(answer.text)).toEqual({ job_id: answer.job_id, backup_id: answer.backup_id });
    expect(attempts).toBe(1);
    expect(emulator.requests).toMatchObject([{ operation: 'create-backup', body: WANTED }]);
  });

  it('any other success → with its status', async () => {
    emulator.faults.next({ kind: 'status', status: 202 });
    expect(await submit()).toMatchObject({ answer: { status: 202 } });
  });

  it('temporary key → accepted', async () => {
    expect(await submit(client(async () => DEMO_TEMPORARY_CREDENTIALS))).toMatchObject({ answer: { status: 200 } });
  });

  it('refused → returned with code, text and status, after one attempt', async () => {
    emulator.faults.next({ kind: 'error', ...refusals.noSuchInstance });
    expect(await submit()).toMatchObject({
      refusal: { name: 'InstanceNotFound', code: 'DBS.200002', status: 404, text: 'The DB instance does not exist.' },
      attempts: 1,
      outcomeUnknown: false,
    });
    expect(emulator.requests).toHaveLength(1);
  });

  it('throttled → asked again after Retry-After and a backoff', async () => {
    emulator.faults.next({ kind: 'error', ...refusals.tooManyCalls, headers: { 'retry-after': '7' } });
    expect(await submit()).toMatchObject({ answer: { status: 200 }, attempts: 2 });
    expect(time.waits).toEqual([7100]);
  });

  it('Retry-After as a date: held against the Date of the answer', async () => {
    skew = 5 * MINUTE;
    const retryAfter = new Date(time.now().getTime() + skew + 9 * SECOND).toUTCString();
    emulator.faults.next({ kind: 'error', ...refusals.tooManyCalls, headers: { 'retry-after': retryAfter } });
    await submit();
    expect(time.waits).toEqual([9100]);
  });

  it('Retry-After longer than the time left → the refusal, no wait', async () => {
    emulator.faults.next({ kind: 'error', ...refusals.tooManyCalls, headers: { 'retry-after': '30' } });
    expect(await submit()).toMatchObject({
      refusal: { name: 'Throttled', retryAfterMillis: 30_000 },
      attempts: 1,
      outcomeUnknown: false,
    });
    expect(time.waits).toEqual([]);
  });

  it('server errors → full-jitter backoff, doubled up to 5 s, until the time is up; outcome unknown', async () => {
    emulator.faults.decide = () => ({ kind: 'error', ...refusals.serverError });
    const submitted = await submit();
    expect(submitted).toMatchObject({ refusal: { name: 'DdsUnavailable' }, outcomeUnknown: true });
    expect(time.waits.slice(0, 7)).toEqual([100, 200, 400, 800, 1600, 2500, 2500]);
    expect(submitted.attempts).toBe(time.waits.length + 1);
    expect(emulator.requests).toHaveLength(submitted.attempts);
  });

  it('outcome unknown once → unknown whatever DDS refuses with later', async () => {
    emulator.faults.next({ kind: 'reset', when: 'before' }, { kind: 'error', ...refusals.noSuchInstance });
    expect(await submit()).toMatchObject({ refusal: { name: 'InstanceNotFound' }, attempts: 2, outcomeUnknown: true });
  });

  it('ambiguous refusal → asked once more', async () => {
    emulator.faults.decide = () => ({ kind: 'error', ...refusals.notPermitted });
    expect(await submit()).toMatchObject({ refusal: { name: 'DdsRejected', isAmbiguous: true }, attempts: 2 });
    expect(emulator.requests).toHaveLength(2);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['attemptMillis', () => submit(client(undefined, 20), once())],
    ['the time left', () => submit(client(), { timeLeft: () => 20 })],
  ])('no answer → UpstreamTimeout after %s', async (_, act) => {
    emulator.faults.decide = () => ({ kind: 'hang', when: 'before' });
    expect(await act()).toMatchObject({ refusal: { name: 'UpstreamTimeout' }, attempts: 1 });
  });

  it('signal → no further attempt', async () => {
    const invocation = new AbortController();
    emulator.faults.decide = () => {
      invocation.abort();
      return { kind: 'hang', when: 'before' };
    };
    expect(await submit(client(), { ...budget(), signal: invocation.signal })).toMatchObject({ attempts: 1 });
    expect(emulator.requests).toHaveLength(1);
  });

  it('server not reached → UpstreamUnreachable, outcome known', async () => {
    const dds = client();
    await emulator.close();
    expect(await submit(dds, once())).toMatchObject({
      refusal: { name: 'UpstreamUnreachable' },
      outcomeUnknown: false,
    });
  });

  it.each([
    ['an empty body', { kind: 'empty' }],
    ['a page', { kind: 'html', status: 200 }],
    ['a list', { kind: 'json', body: [] }],
    ['a number', { kind: 'json', body: 7 }],
    ['null', { kind: 'json', body: null }],
    ['no job_id', { kind: 'json', body: { backup_id: 'b' } }],
    ['a backup_id that is a number', { kind: 'json', body: { job_id: 'j', backup_id: 7 } }],
    ['an empty job_id', { kind: 'json', body: { job_id: '', backup_id: 'b' } }],
    ['a backup_id of 65 characters', { kind: 'json', body: { job_id: 'j', backup_id: 'b'.repeat(65) } }],
    ['a backup_id with a slash', { kind: 'json', body: { job_id: 'j', backup_id: '../b' } }],
    ['ids and an error_code', { kind: 'json', body: { job_id: 'j', backup_id: 'b', error_code: 'X' } }],
    ['a status beyond 599', { kind: 'json', status: 999, body: { error_code: 'X', error_msg: 'x' } }],
    ['a redirect', { kind: 'json', status: 307, body: { job_id: 'j', backup_id: 'b' } }],
    ['half an answer', { kind: 'truncated' }],
    ['an endless answer', { kind: 'endless' }],
  ] as const)('answered with %s → UpstreamInvalid, outcome unknown', async (_, fault) => {
    emulator.faults.next(fault);
    expect(await submit(client(), once())).toMatchObject({
      refusal: { name: 'UpstreamInvalid' },
      attempts: 1,
      outcomeUnknown: true,
    });
    expect(emulator.requests).toHaveLength(1);
  });

  it.each([
    [429, 'Throttled', false],
    [502, 'DdsUnavailable', true],
    [403, 'CredentialsRefused', false],
    [413, 'DdsRejected', false],
  ] as const)('a page with status %i → %s', async (status, name, outcomeUnknown) => {
    emulator.faults.next({ kind: 'html', status });
    expect(await submit(client(), once())).toMatchObject({ refusal: { name, status }, outcomeUnknown });
  });

  it('credentials that cannot be read → the refusal, DDS is not asked', async () => {
    const failing = client(async () => {
      throw new Failure('SecretUnavailable', 'No answer.');
    });
    expect(await submit(failing)).toMatchObject({ refusal: { name: 'SecretUnavailable' }, outcomeUnknown: false });
    expect(emulator.requests).toEqual([]);
  });

  it('error that is not a Failure → thrown', async () => {
    const failing = client(async () => {
      throw new TypeError('a bug');
    });
    await expect(submit(failing)).rejects.toThrow('a bug');
  });
});

describe('a key that the gateway refuses', () => {
  it('new key → the request is repeated with it', async () => {
    const asked: unknown[] = [];
    const dds = client((options) => {
      asked.push(options);
      return renewing(WRONG, DEMO_CREDENTIALS)(options);
    });
    expect(await submit(dds)).toMatchObject({ answer: { status: 200 }, attempts: 1 });
    expect(asked).toEqual([undefined, { renew: true }]);
    expect(statuses()).toEqual([401, 200]);
  });

  it('repeated request → has the time that is then left', async () => {
    const left = [5000, 20];
    emulator.faults.decide = () => ({ kind: 'hang', when: 'before' });
    const submitted = await submit(client(renewing(WRONG, DEMO_CREDENTIALS)), { timeLeft: () => left.shift() ?? 0 });
    expect(submitted).toMatchObject({ refusal: { name: 'UpstreamTimeout' }, attempts: 1 });
    expect(emulator.requests).toHaveLength(2);
  });

  it.each<[string, AskCredentials, number]>([
    ['no new key', async () => WRONG, 1],
    ['new key refused as well', renewing(WRONG, { ...WRONG, sk: 'wrong-too' }), 2],
  ])('%s → CredentialsRefused after %i requests in all', async (_, credentials, requests) => {
    expect(await submit(client(credentials))).toMatchObject({
      refusal: { name: 'CredentialsRefused', code: 'APIGW.0301', text: undefined },
      attempts: 1,
      outcomeUnknown: false,
    });
    expect(emulator.requests).toHaveLength(requests);
  });

  it('another access key ID → the request is repeated with it', async () => {
    const wrong = { ...DEMO_CREDENTIALS, ak: 'ANOTHER' };
    expect(await submit(client(renewing(wrong, DEMO_CREDENTIALS)))).toMatchObject({ answer: { status: 200 } });
  });

  it.each([
    ['accepted', undefined],
    ['refused for another reason', { kind: 'error', ...refusals.permissionDenied }],
  ] as const)('%s → no new key is asked for', async (_, fault) => {
    if (fault) emulator.faults.next(fault);
    const asked: unknown[] = [];
    const credentials: AskCredentials = async (options) => {
      asked.push(options);
      return DEMO_CREDENTIALS;
    };
    await submit(client(credentials), once());
    expect(asked).toEqual([undefined]);
  });

  it('list → renewed as well', async () => {
    expect(await listed({}, client(renewing(WRONG, DEMO_CREDENTIALS)))).toEqual({ names: [], unreadable: [] });
    expect(statuses()).toEqual([401, 200]);
  });
});

describe('deleteBackup', () => {
  it('→ asked for by its id, without a body', async () => {
    const { id } = emulator.state.seedBackup({
      name: 'old',
      instance_id: DEMO_INSTANCE.id,
      type: 'Manual',
      begin: new Date(time.now().getTime() - 2 * MINUTE),
      end: new Date(time.now().getTime() - MINUTE),
    });
    expect(await client().deleteBackup(id, budget())).toMatchObject({ answer: expect.any(Object), attempts: 1 });
    expect(emulator.requests).toMatchObject([{ method: 'DELETE', operation: 'delete-backup', body: undefined }]);
    expect(emulator.requests[0]?.path).toMatch(`/backups/${id}`);
    time.advance(SECOND);
    expect(await listed({})).toEqual({ names: [], unreadable: [] });
  });

  it('no such backup → BackupNotFound', async () => {
    expect(await client().deleteBackup('unknown', once())).toMatchObject({ refusal: { name: 'BackupNotFound' } });
  });
});

const seed = (count: number) => {
  for (let i = 0; i < count; i++) seedOne(`backup-${i}`, i + 2);
};
const seedOne = (name: string, minutesAgo: number) =>
  emulator.state.seedBackup({
    name,
    instance_id: DEMO_INSTANCE.id,
    type: 'Manual',
    begin: new Date(time.now().getTime() - minutesAgo * MINUTE),
  });
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `backup-${i}`);

async function listed(query: ListBackupsQuery = {}, dds = client(), within = budget()) {
  const names: string[] = [];
  const unreadable: UnreadableRecord[] = [];
  for await (const { name } of dds.listBackups(query, within, (record) => void unreadable.push(record)))
    names.push(name);
  return { names, unreadable };
}

describe('listBackups', () => {
  it.each([
    [0, 1],
    [1, 2],
    [99, 2],
    [100, 2],
    [101, 3],
    [250, 4],
  ])('%i backups → each once, newest first, in %i requests', async (count, requests) => {
    seed(count);
    expect(await listed()).toEqual({ names: numbered(count), unreadable: [] });
    expect(emulator.requests).toHaveLength(requests);
  });

  it('manual and automated ones, of every instance and of one that is gone → all', async () => {
    seed(1);
    for (const type of ['Auto', 'Manual'] as const)
      emulator.state.seedBackup({ name: type, instance_id: DEMO_INSTANCE.id, type, begin: time.now() });
    emulator.state.removeInstance(DEMO_INSTANCE.id);
    // Those that DDS made itself go with their instance.
    expect((await listed()).names).toEqual(['Manual', 'backup-0']);
  });

  it('backups begin and go between two pages → none that stays is missed', async () => {
    seed(250);
    let requests = 0;
    const dds = client(async () => {
      requests += 1;
      if (requests === 2) {
        seedOne('new', 1);
        for (const backup of emulator.state.backups())
          if (['backup-3', 'backup-4', 'backup-5'].includes(backup.name)) emulator.state.beginDeletion(backup);
      }
      return DEMO_CREDENTIALS;
    });
    const { names } = await listed({}, dds);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(numbered(250)));
  });

  it('total_count that is wrong → the items decide', async () => {
    seed(150);
    emulator.faults.next({ kind: 'json', body: { backups: emulator.backups.slice(0, 100), total_count: 100 } });
    expect((await listed()).names).toEqual(numbered(150));
    emulator.faults.next({ kind: 'json', body: { backups: [], total_count: 1_000_000 } });
    expect((await listed()).names).toEqual([]);
  });

  it('reader that stops → no further request', async () => {
    seed(250);
    for await (const _ of client().listBackups({}, budget())) break;
    expect(emulator.requests).toHaveLength(1);
  });

  it('filter → passed on', async () => {
    seed(2);
    expect((await listed({ backup_type: 'Auto' })).names).toEqual([]);
    expect((await listed({ backup_type: 'Manual', instance_id: DEMO_INSTANCE.id })).names).toEqual(numbered(2));
  });

  it('page that fails → asked again, within the budget', async () => {
    seed(150);
    emulator.faults.next({ kind: 'error', ...refusals.serverError }, { kind: 'reset', when: 'before' });
    expect((await listed()).names).toEqual(numbered(150));
    expect(time.waits).toEqual([100, 200]);
  });

  it('page that keeps failing → thrown', async () => {
    emulator.faults.decide = () => ({ kind: 'error', ...refusals.serverError });
    await expect(listed()).rejects.toMatchObject({ name: 'DdsUnavailable' });
  });

  it.each([{ total_count: 1 }, { backups: null }, { backups: {} }, { instances: [] }])(
    'answer without a list: %j → UpstreamInvalid',
    async (body) => {
      emulator.faults.next({ kind: 'json', body });
      await expect(listed({}, client(), once())).rejects.toMatchObject({ name: 'UpstreamInvalid' });
    },
  );

  it('records that cannot be read → skipped and reported', async () => {
    const good = { id: 'good', name: 'nightly', instance_id: 'i' };
    const body = { backups: [null, { id: 'b' }, { name: 'n' }, good] };
    emulator.faults.next({ kind: 'json', body }, { kind: 'json', body: { backups: [good] } });
    expect(await listed()).toEqual({
      names: ['nightly'],
      unreadable: [
        { list: 'backups', field: 'id' },
        { list: 'backups', id: 'b', field: 'name' },
        { list: 'backups', field: 'id' },
      ],
    });
  });
});

describe('listInstances', () => {
  const instances = async (onUnreadable?: (record: UnreadableRecord) => void, query: ListInstancesQuery = {}) => {
    const ids: string[] = [];
    for await (const { id } of client().listInstances(query, budget(), onUnreadable)) ids.push(id);
    return ids;
  };

  it.each([
    [0, 1],
    [1, 2],
    [20, 2],
    [21, 3],
    [60, 5],
  ])('%i instances → each once, in %i requests', async (count, requests) => {
    await emulator.close();
    emulator = await startEmulator({ clock: time.now, instances: [] });
    for (let i = 0; i < count; i++) emulator.state.setInstance({ ...DEMO_INSTANCE, id: `instance-${i}` });
    expect(new Set(await instances()).size).toBe(count);
    expect(emulator.requests.map(({ operation }) => operation)).toEqual(Array(requests).fill('list-instances'));
  });

  it('id → that instance alone', async () => {
    expect(await instances(undefined, { id: DEMO_INSTANCE.id })).toEqual([DEMO_INSTANCE.id]);
  });

  it('instance without an id → skipped and reported', async () => {
    const body = { instances: [{ name: 'orders' }, { id: 'i' }] };
    emulator.faults.next({ kind: 'json', body }, { kind: 'json', body: { instances: [{ id: 'i' }] } });
    const unreadable: UnreadableRecord[] = [];
    expect(await instances((record) => void unreadable.push(record))).toEqual(['i']);
    expect(unreadable).toEqual([{ list: 'instances', field: 'id' }]);
  });
});

describe('clockOffset', () => {
  it('before the first answer → as far as the gateway lets a clock be off', () => {
    expect(client().clockOffset()).toBe(MAX_SKEW);
  });

  it.each([0, -3 * MINUTE, 14 * MINUTE])('DDS is %i ms ahead → between the bounds', async (millis) => {
    skew = millis;
    const dds = client();
    await submit(dds);
    const { atLeast, atMost } = dds.clockOffset();
    expect(atLeast).toBeLessThanOrEqual(millis);
    expect(atMost).toBeGreaterThanOrEqual(millis);
    expect(atMost - atLeast).toBe(SECOND);
  });

  it('slow answer first → its bounds are wider, and replaced by a fast one', async () => {
    const dds = client();
    emulator.faults.next({ kind: 'delay', millis: 3000 });
    await submit(dds);
    expect(dds.clockOffset()).toEqual({ atLeast: 0, atMost: 4 * SECOND });
    await listed({}, dds);
    expect(dds.clockOffset()).toEqual({ atLeast: 0, atMost: SECOND });
  });

  it('refusal → its Date counts as well', async () => {
    const dds = client();
    emulator.faults.next({ kind: 'error', ...refusals.noSuchInstance });
    await submit(dds);
    expect(dds.clockOffset()).toEqual({ atLeast: 0, atMost: SECOND });
  });
});
