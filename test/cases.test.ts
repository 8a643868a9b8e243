/** Inputs that went wrong once, and what is right: each through the functions as they are deployed. */
import { describe, expect, it, vi } from 'vitest';
import type { Fault } from '../emulator/dds/faults.ts';
import { refusals } from '../emulator/dds/refusals.ts';
import { DEMO_CREDENTIALS, DEMO_OTHER_INSTANCE } from '../emulator/dds/seed.ts';
import {
  busEvent,
  DAY,
  HOUR,
  instance_id,
  lost,
  MINUTE,
  type Outcome,
  recordOf,
  refused,
  SECOND,
  START,
  signed,
  stage,
  WEBHOOK_SECRET,
} from './case-tables/stage.ts';
import { unusedOrigin } from './case-tables/unused-origin.ts';

const on = stage();
const GIVEN = { name: 'before-migration' };
const DERIVED = { name_prefix: 'nightly' };
const request = (backup: object) => ({ backup: { instance_id, ...backup } });
const own = () => ({ backup_id: on.backups()[0]?.id });

/** A row: what it is, what comes in, and what must come out. */
type Row = readonly [what: string, deliver: () => Promise<unknown>, right: () => unknown];
const rows = (table: readonly Row[]) =>
  it.each(table)('%s', async (_, deliver, right) => {
    expect(await deliver()).toMatchObject(Object(right()));
  });

describe('cases: the backup is there, and its answer was lost', () => {
  /** Backups that begin after our own and before the list is read. */
  const newer = (count: number): Fault => {
    const begin = new Date(START + 3 * HOUR);
    const series = { name_prefix: 'new', count, everyMillis: MINUTE, begin, instance_id, type: 'Manual' } as const;
    return { kind: 'control', operation: 'list-backups', actions: [{ do: 'addBackups', with: { series } }] };
  };
  const described = (backup: object, description: string) => busEvent({ ...backup, description });

  rows([
    [
      '100 newer backups, and the newest goes between two pages → replayed',
      async () => {
        const control = on.control();
        const series = { everyMillis: MINUTE, instance_id, type: 'Manual' } as const;
        control.addBackups({ series: { ...series, name_prefix: 'old', count: 50, begin: new Date(START - HOUR) } });
        on.inject(lost(), newer(100), {
          kind: 'control',
          operation: 'list-backups',
          actions: [{ do: 'removeBackups', with: { name: 'new-0' } }],
        });
        return on.bus(busEvent(GIVEN));
      },
      () => ({ backup_id: on.backups().find(({ name }) => name === GIVEN.name)?.id }),
    ],
    [
      'the list shows it two seconds later → replayed',
      async () => {
        on.control().changeSettings({ listLagMillis: 2000 });
        on.inject(lost());
        return on.bus(busEvent(GIVEN));
      },
      own,
    ],
    [
      'the list shows it after the invocation → an unknown outcome, to be retried',
      async () => {
        on.control().changeSettings({ listLagMillis: 5 * MINUTE });
        on.inject(lost());
        return on.bus(busEvent(GIVEN));
      },
      () => ({ reason: 'OutcomeUnknown', message: expect.stringMatching(/, outcome unknown\]$/) }),
    ],
    ...[GIVEN, DERIVED].flatMap((backup): Row[] => [
      [
        `under ${Object.keys(backup)}, the description is kept trimmed → replayed`,
        async () => {
          on.control().changeSettings({ descriptions: 'trimmed' });
          on.inject(lost());
          return on.bus(described(backup, 'release 7\n'));
        },
        own,
      ],
      [
        `under ${Object.keys(backup)}, the description is kept in NFC → replayed`,
        async () => {
          on.control().changeSettings({ descriptions: 'normalised' });
          on.inject(lost());
          return on.bus(described(backup, 'Gro\u0308\u00dfe'));
        },
        own,
      ],
    ]),
    ...[-3, -5, -60, -14 * 60, 14 * 60].map(
      (seconds): Row => [
        `given name, DDS's clock ${seconds} s ahead → replayed`,
        async () => {
          on.control().changeSettings({ clockSkewMillis: seconds * SECOND });
          on.inject(lost());
          return on.bus(busEvent(GIVEN));
        },
        own,
      ],
    ),
    ...(['T', 'Z', '+0000', 'fraction'] as const).map(
      (timeFormat): Row => [
        `given name, times in the format ${timeFormat} → replayed`,
        async () => {
          on.control().changeSettings({ timeFormat });
          on.inject(lost());
          return on.bus(busEvent(GIVEN));
        },
        own,
      ],
    ),
    ...(['zero', 'page', 'one too high'] as const).map(
      (totalCount): Row => [
        `total_count is ${totalCount} → replayed`,
        async () => {
          on.control().changeSettings({ totalCount, pageCap: 2 });
          on.inject(lost(), newer(7));
          return on.bus(busEvent(GIVEN));
        },
        () => ({ backup_id: on.backups().find(({ name }) => name === GIVEN.name)?.id }),
      ],
    ),
    [
      'every page of the list is the first one → an unknown outcome within a hundred requests',
      async () => {
        on.control().changeSettings({ ignoreOffset: true, pageCap: 50 });
        on.inject(lost(), newer(60));
        const { reason } = await on.bus(busEvent(GIVEN));
        return { reason, isBounded: on.control().requests().length < 100 };
      },
      () => ({ reason: 'OutcomeUnknown', isBounded: true }),
    ],
  ]);

  it('DDS then says busy, and the list lags → an unknown outcome, which deferred replays', async () => {
    on.control().changeSettings({ listLagMillis: 90 * SECOND, busyFirst: true, backupMillis: 10 * MINUTE });
    on.inject(lost());
    const payload = request(GIVEN);
    const failed = await on.invoke(payload);
    expect(failed).toMatchObject({ reason: 'OutcomeUnknown' });
    const { result } = await on.defer(recordOf('invoke', payload, failed));
    expect(result).toEqual(own());
    expect(on.backups()).toHaveLength(1);
  });
});

describe('cases: delivered again', () => {
  it('key with a prefix, its backup FAILED → a new backup under the next name', async () => {
    on.fail(true);
    const headers = { 'idempotency-key': 'commit-1' };
    await on.http(request(DERIVED), { headers });
    on.fail(false);
    on.later(2 * MINUTE);
    expect(await on.http(request(DERIVED), { headers })).toMatchObject({ status: 200, body: own() });
    const [second, first] = on.backups();
    expect(second?.name).toBe(`${first?.name}-2`);
  });

  it('given name, its backup FAILED → the answer says so, with its id', async () => {
    on.fail(true);
    await on.http(request(GIVEN), { headers: { 'idempotency-key': 'commit-1' } });
    on.later(2 * MINUTE);
    expect(await on.http(request(GIVEN), { headers: { 'idempotency-key': 'commit-1' } })).toMatchObject({
      reason: 'BackupNameTaken',
      body: { backup: { id: on.backups()[0]?.id, status: 'FAILED' } },
    });
  });

  it.each([25 * HOUR, 13 * DAY])('event with a given name, %i ms later → replayed', async (millis) => {
    await on.bus(busEvent(GIVEN));
    on.later(millis);
    expect(await on.bus(busEvent(GIVEN))).toMatchObject(own());
    expect(on.backups()).toHaveLength(1);
  });

  it('key with a prefix, 21 days later → refused, with the old backup', async () => {
    const headers = { 'idempotency-key': 'commit-1' };
    await on.http(request(DERIVED), { headers });
    on.later(21 * DAY);
    expect(await on.http(request(DERIVED), { headers })).toMatchObject({
      reason: 'BackupNameTaken',
      body: { backup: { id: on.backups()[0]?.id, began_at: '2026-03-01T12:00:00Z' } },
    });
  });

  it('after its not_after, and it was fulfilled → replayed', async () => {
    const event = busEvent(GIVEN, { not_after: new Date(START + MINUTE).toISOString() });
    await on.bus(event);
    on.later(HOUR);
    expect(await on.bus(event)).toMatchObject(own());
  });

  it('after its not_after, and there is no backup → DeadlinePassed, nothing is submitted', async () => {
    const not_after = new Date(START + MINUTE).toISOString();
    on.later(HOUR);
    expect(await on.http({ ...request(GIVEN), not_after })).toMatchObject({ status: 409, reason: 'DeadlinePassed' });
    expect(on.posts()).toEqual([]);
  });

  it('not_after passes while the outcome is unknown → looked up, and an unknown outcome', async () => {
    on.control().changeSettings({ listLagMillis: MINUTE });
    on.always(lost());
    const not_after = new Date(START + 3 * SECOND).toISOString();
    expect(await on.http({ ...request(GIVEN), not_after })).toMatchObject({
      reason: expect.stringMatching(/Unknown|Unreachable/),
    });
  });

  it.each([
    ['3 s', 3],
    ['a minute', 60],
    ['14 minutes', 840],
    ['14 minutes slow', -840],
  ])('another event 3.3 s later with the same name, DDS is %s ahead → taken', async (_, seconds) => {
    on.control().changeSettings({ clockSkewMillis: seconds * SECOND });
    await on.bus(busEvent(GIVEN));
    on.later(3300);
    const another = busEvent(GIVEN, {}, 'event-2', new Date());
    expect(await on.bus(another)).toMatchObject({ reason: 'BackupNameTaken' });
    expect(on.backups()).toHaveLength(1);
  });

  it('two triggers whose parts make the same text → two names', async () => {
    const time = new Date(START).toISOString();
    await on.invoke({ id: 'x', time, ...request({ name_prefix: 'a' }) });
    on.later(2 * MINUTE);
    await on.invoke({ id: 'x', ...request({ name_prefix: 'a-20260301T120000Z' }) });
    expect(new Set(on.backups().map(({ name }) => name)).size).toBe(2);
  });
});

describe('cases: whose name it is', () => {
  rows(
    (
      [
        ['another instance', { instance_id: DEMO_OTHER_INSTANCE.id, type: 'Manual' }],
        ['DDS itself', { instance_id, type: 'Auto' }],
        ['another event', { instance_id, type: 'Manual' }],
      ] as const
    ).map(
      ([whose, seed]): Row => [
        `given name, held by a backup of ${whose} → its id, status and begin`,
        async () => {
          on.control().addBackups({ backups: [{ ...GIVEN, begin: new Date(START - HOUR), ...seed }] });
          return on.http(request(GIVEN));
        },
        () => ({
          reason: 'BackupNameTaken',
          body: {
            backup: {
              id: on.backups()[0]?.id,
              instance_id: seed.instance_id,
              status: 'COMPLETED',
              began_at: '2026-03-01T11:00:00Z',
            },
          },
        }),
      ],
    ),
  );

  it('names made by hand that look like derived ones → retention lets them be', async () => {
    for (const name of ['nightly-customerdata', 'nightly-verification', 'nightly-20250101T000000Z-abcdefghijklmn'])
      on.control().addBackups({ backups: [{ name, instance_id, begin: new Date(START - 90 * DAY), type: 'Manual' }] });
    const rules = { RETENTION: 'nightly: keep-within 14d', RETENTION_MODE: 'delete', RETENTION_INSTANCES: 'all' };
    await on.retention(new Date(START), rules);
    expect(on.lines).toMatchObject([{ event: 'retention.done', due: 0, expired: 0 }]);
    expect(on.backups()).toHaveLength(3);
  });
});

describe('cases: what DDS answers', () => {
  const bare = (status: number, text: string, headers: Readonly<Record<string, string>> = {}) =>
    ({ kind: 'answer', status, text, headers, operation: 'create-backup' }) as const;

  it('a text of 3,000 characters → a message of at most 1,000, the advice kept', async () => {
    on.control().changeSettings({ listLagMillis: HOUR });
    on.inject(lost());
    on.always({ kind: 'error', status: 400, error_code: 'DBS.200001', error_msg: 'x'.repeat(3000) });
    const { lines } = on;
    await on.http(request(GIVEN));
    const [{ message = '' } = {}] = lines.map((line) => ({ message: String(line.message) }));
    expect(message.length).toBeLessThanOrEqual(1000);
    expect(message).toContain('The backup may exist');
  });

  it.each([408, 409, 425])('%i with an unknown code → retried by deferred', async (status) => {
    on.always({ kind: 'error', status, error_code: 'DBS.999999', error_msg: 'Conflict.' });
    const failed = await on.bus(busEvent(DERIVED));
    expect(failed).toMatchObject({ reason: 'DdsRejected', message: expect.stringMatching(/, retry later\]$/) });
    on.always(undefined);
    expect(await on.defer(recordOf('event-bus', busEvent(DERIVED), failed))).toMatchObject({ result: own() });
  });

  rows([
    ...['', '<html>'].flatMap((text): Row[] => [
      [
        `429 with "${text}" → Throttled, its Retry-After, no word of a backup`,
        async () => {
          on.always(bare(429, text, { 'retry-after': '77' }));
          return on.http(request(GIVEN));
        },
        () => ({
          ...{ status: 429, reason: 'Throttled', headers: { 'retry-after': '77' } },
          message: expect.not.stringContaining('may exist'),
        }),
      ],
      [
        `503 with "${text}" → DdsUnavailable, its Retry-After`,
        async () => {
          on.always(bare(503, text, { 'retry-after': '77' }));
          return on.http(request(GIVEN));
        },
        () => ({ status: 503, reason: 'DdsUnavailable', headers: { 'retry-after': '77' } }),
      ],
      [
        `403 with "${text}" → CredentialsRefused, no word of a backup`,
        async () => {
          on.always(bare(403, text));
          return on.http(request(GIVEN));
        },
        () => ({ status: 502, reason: 'CredentialsRefused', message: expect.not.stringContaining('may exist') }),
      ],
    ]),
    [
      '413 with HTML → refused for good',
      async () => {
        on.always(bare(413, '<html>'));
        const { reason, message } = await on.bus(busEvent(GIVEN));
        return { reason, message, posts: on.posts().length };
      },
      () => ({ reason: 'DdsRejected', message: expect.not.stringContaining('retry later'), posts: 1 }),
    ],
    [
      '200 with an error_code and both ids → no success; asked again',
      async () => {
        on.inject({
          kind: 'json',
          body: { error_code: 'DBS.280005', error_msg: 'Server error.', job_id: 'job', backup_id: 'backup' },
        });
        return on.bus(busEvent(GIVEN));
      },
      own,
    ],
    ...(['-5', 'soon', 'Sun, 01 Mar 2026 12:00:02 GMT', '2'] as const).map(
      (retryAfter): Row => [
        `429 with Retry-After ${retryAfter} → retried, accepted`,
        async () => {
          on.inject({ kind: 'error', ...refusals.tooManyCalls, headers: { 'retry-after': retryAfter } });
          return on.http(request(GIVEN));
        },
        () => ({ status: 200, body: own() }),
      ],
    ),
    [
      '429 twice with Retry-After 86400 → deferred pauses for 15 minutes at most',
      async () => {
        const fault = { kind: 'error', ...refusals.tooManyCalls, headers: { 'retry-after': '86400' } } as const;
        on.inject(fault, fault);
        const failed = await on.bus(busEvent(DERIVED));
        const { pauses, result } = await on.defer(recordOf('event-bus', busEvent(DERIVED), failed));
        return { reason: failed.reason, isCapped: Math.max(...pauses) <= 15, result };
      },
      () => ({ reason: 'Throttled', isCapped: true, result: own() }),
    ],
    [
      'a connection that is refused → UpstreamUnreachable, no word of a backup',
      async () => on.http(request(GIVEN), { env: { DDS_ENDPOINT: await unusedOrigin() } }),
      () => ({ status: 502, reason: 'UpstreamUnreachable', message: expect.not.stringContaining('may exist') }),
    ],
  ]);

  it.each([
    'permissionDenied',
    'permissionDenied280063',
    'accountSuspended',
    'permissionDenied280015',
    'authenticationFailed',
    'notOwner',
    'accessDenied',
  ] as const)('%s → our credentials: 502, logged as failed, retried by deferred', async (name) => {
    on.always(refused(name));
    expect(await on.http(request(GIVEN))).toMatchObject({ status: 502, reason: 'CredentialsRefused' });
    expect(on.lines).toMatchObject([{ level: 'error', event: 'request.failed', reason: 'CredentialsRefused' }]);
    const failed = await on.bus(busEvent(DERIVED));
    on.always(undefined);
    expect(await on.defer(recordOf('event-bus', busEvent(DERIVED), failed))).toMatchObject({ status: 'SUCCEEDED' });
  });

  const TOKEN = 'security/token+of=a-temporary-key=='.repeat(6);
  it.each([
    ['whole', TOKEN],
    ['cut', TOKEN.slice(0, 150)],
    ['wrapped at 76', TOKEN.replace(/(.{76})/g, '$1\r\n')],
    ['URI-encoded', encodeURIComponent(TOKEN)],
    ['as JSON in JSON', JSON.stringify(JSON.stringify({ token: TOKEN }))],
    ['with escapes', TOKEN.replaceAll('=', '\\u003d')],
  ])('401 repeats our headers, %s → nothing of them reaches the caller or the log', async (_, echo) => {
    await on.restart({ credentials: [{ ...DEMO_CREDENTIALS, securityToken: TOKEN }] });
    const error_msg = `Incorrect IAM authentication information: x-security-token: ${echo}`;
    on.always({ kind: 'error', status: 401, error_code: 'APIGW.0301', error_msg });
    const { body } = await on.http(request(GIVEN), { env: { OTC_SDK_SECURITY_TOKEN: TOKEN } });
    const seen = JSON.stringify([body, on.lines]);
    expect(seen).toContain('APIGW.0301');
    expect(seen).not.toContain('security/token');
    expect(seen).not.toContain(encodeURIComponent('security/token'));
  });
});

describe('cases: the secret', () => {
  const temporary = { kind: 'error', status: 400, type: 'InternalServiceError' } as const;

  it('the store answers 400 once → accepted', async () => {
    on.aws().next(temporary);
    expect(await on.bus(busEvent(GIVEN), on.secretEnv())).toMatchObject(own());
  });

  it('the store answers 400 all the time → SecretUnavailable, and deferred fulfils the request later', async () => {
    on.aws().decide = () => temporary;
    const failed = await on.bus(busEvent(DERIVED), on.secretEnv());
    expect(failed).toMatchObject({ reason: 'SecretUnavailable' });
    on.aws().decide = () => undefined;
    const record = recordOf('event-bus', busEvent(DERIVED), failed);
    expect(await on.defer(record, { env: on.secretEnv() })).toMatchObject({ result: own() });
  });

  it.each([
    ['v1,whsec_ before it', `v1,${WEBHOOK_SECRET}`, 500],
    ['base64url', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La_aS-', 500],
    ['quotes around it', `"${WEBHOOK_SECRET}"`, 500],
    ['no whsec_', WEBHOOK_SECRET.replace('whsec_', ''), 200],
  ])('webhook_secret with %s → only signatures depend on it', async (_, webhook_secret, status) => {
    on.aws().secrets.dds = JSON.stringify({ ...DEMO_CREDENTIALS, webhook_secret });
    expect(await on.bus(busEvent(GIVEN), on.secretEnv())).toMatchObject(own());
    on.later(2 * MINUTE);
    const text = JSON.stringify(request({ name: 'signed-one' }));
    const options = { text, headers: signed('message-1', text), requestContext: {} };
    const env = { ...on.secretEnv(), WEBHOOK_SECRET: '' };
    expect(await on.http(undefined, { ...options, env })).toMatchObject({ status });
    if (status === 500) expect(JSON.stringify(on.lines)).toContain('webhook_secret');
  });
});

describe('cases: who may call', () => {
  const text = JSON.stringify(request(GIVEN));
  const viewer = 'arn:aws:sts::856369053181:assumed-role/OriginAccessControlRole/OriginAccessSession';

  rows([
    [
      'CloudFront signs for a viewer, whose own signature is forged → 401',
      () =>
        on.http(undefined, {
          text,
          headers: signed('message-1', 'another body'),
          requestContext: { authorizer: { iam: { userArn: viewer } } },
        }),
      () => ({ status: 401, reason: 'Unauthorized' }),
    ],
    [
      'a Lambda authorizer that returns no context → 401, which says what to do',
      () => on.http(request(GIVEN), { requestContext: { authorizer: { lambda: null } } }),
      () => ({ status: 401, message: expect.stringContaining('a Lambda authorizer must return a context') }),
    ],
    ...(['webhook', 'svix'] as const).map(
      (prefix): Row => [
        `signed under the header names of ${prefix} → accepted`,
        () => on.http(undefined, { text, headers: signed('message-1', text, prefix), requestContext: {} }),
        () => ({ status: 200, body: own() }),
      ],
    ),
    [
      'a date that no calendar has → 400',
      () => on.http({ ...request(GIVEN), not_after: '2026-02-30T12:00:00Z' }),
      () => ({ status: 400, reason: 'InvalidRequest' }),
    ],
  ]);
});

describe('cases: monitor', () => {
  const at = (minutes: number) => new Date(START + minutes * MINUTE);
  const failed = (name: string, more: object = {}) => ({
    ...({ name, instance_id, type: 'Manual', begin: at(-30), end: at(-7), outcome: 'FAILED' } as const),
    ...more,
  });
  const types = () => on.aws().events.map(({ type }) => type);
  const logged = (event: string) => on.lines.filter((line) => line.event === event);

  it('a record without a begin → logged by its id, and the rest is published', async () => {
    const [unreadable] = on.control().addBackups({
      backups: [failed('no-begin', { override: { set: { begin_time: null } } }), failed('one')],
    });
    expect(await on.monitor(at(0))).not.toHaveProperty('error');
    expect(logged('monitor.unreadable')).toMatchObject([{ id: unreadable, field: 'begin_time' }]);
    expect(types()).toContain('DDS Backup Failed');
    expect(logged('backup.age').length).toBeGreaterThan(0);
  });

  it('the bus refuses one of two events → the log has both, and all ages', async () => {
    on.control().addBackups({ backups: [failed('one'), failed('two', { instance_id: DEMO_OTHER_INSTANCE.id })] });
    on.aws().next({ kind: 'refuse', entries: { 0: 'InternalFailure' } });
    expect(await on.monitor(at(0))).toMatchObject({ reason: 'PublishFailed' });
    expect(logged('backup.failed')).toHaveLength(2);
    expect(logged('backup.age').length).toBeGreaterThan(0);
    expect(on.aws().events.length).toBeGreaterThan(0);
  });

  it.each([
    ['with fractions', '2026-02-27T12:00:00.123Z', 48],
    ['with an offset', '2026-02-27T14:00:00+0200', 48],
    ['missing', undefined, undefined],
  ])('instance without a backup, created %s → its age from then, or none', async (_, created, hours) => {
    const override = created === undefined ? { omit: ['created'] } : { set: { created } };
    on.control().setInstance({ instance: { id: 'fresh', override } });
    await on.monitor(at(0));
    const age = logged('backup.age').find((line) => line.instance_id === 'fresh');
    expect(age).toBeDefined();
    expect(age?.hours === undefined ? undefined : Math.floor(Number(age.hours))).toBe(hours);
  });

  it.each(['begin_time', 'end_time'])(
    'a backup with a %s in 2099 → reported, and no backup of today',
    async (field) => {
      const old = { name: 'old', instance_id, begin: at(-30 * 24 * 60), type: 'Manual' } as const;
      on.control().addBackups({ backups: [{ ...old, override: { set: { [field]: '2099-01-01 00:00:00' } } }] });
      await on.monitor(at(0));
      expect(logged('monitor.unreadable')).toContainEqual(expect.objectContaining({ field }));
      const age = logged('backup.age').find((line) => line.instance_id === instance_id);
      expect(age?.hours ?? Number.POSITIVE_INFINITY).toBeGreaterThan(24 * 20);
    },
  );

  it('an instance created in 2099 → reported', async () => {
    on.control().setInstance({ instance: { id: 'fresh', override: { set: { created: '2099-01-01T00:00:00' } } } });
    await on.monitor(at(0));
    expect(logged('monitor.unreadable')).toContainEqual(expect.objectContaining({ id: 'fresh', field: 'created' }));
  });

  it.each(['lower', 'capitalised'] as const)('statuses in %s case → published as FAILED', async (statusCase) => {
    on.control().changeSettings({ statusCase });
    on.control().addBackups({ backups: [failed('one')] });
    await on.monitor(at(0));
    expect(types()).toEqual(['DDS Backup Failed']);
  });

  it.each([8, 11, 14])('DDS is %i minutes slow, and ten backups FAILED → all are published, once', async (minutes) => {
    const slow = minutes * MINUTE;
    on.control().changeSettings({ clockSkewMillis: -slow });
    // Half a minute apart, by DDS's clock.
    const ends = Array.from({ length: 10 }, (_, index) => new Date(START + index * 30 * SECOND - slow));
    on.control().addBackups({
      backups: ends.map((end, index) => failed(`one-${index}`, { begin: new Date(end.getTime() - 5 * MINUTE), end })),
    });
    for (let run = 0; run < 5; run++) {
      on.later(5 * MINUTE);
      await on.monitor(at(5 * (run + 1)));
    }
    expect(types().filter((type) => type === 'DDS Backup Failed').length).toBeGreaterThanOrEqual(10);
    expect(new Set(on.aws().events.map(({ detail }) => detail.id)).size).toBe(10);
    expect(logged('monitor.skewed').length).toBeGreaterThan(0);
  });
});

describe('cases: the platform', () => {
  it('an error of DDS → its class has its real name, as Lambda logs it', async () => {
    on.always(refused('parameterError'));
    const { error } = await on.bus(busEvent(GIVEN));
    expect(error?.constructor.name).toBe('DdsError');
  });

  it('every attempt of deferred is killed → the maximum age counts all the same', async () => {
    const record = recordOf('event-bus', busEvent(DERIVED), failedOf('InstanceBusy'));
    const { status, error } = await on.defer(record, {
      onCheckpoint: (updates, when) => {
        const isAttempt = updates.some(({ Name, Action }) => Name === 'attempt-1' && Action === 'SUCCEED');
        if (when !== 'before' || !isAttempt || Date.now() > START + 25 * HOUR) return;
        vi.setSystemTime(Date.now() + 4 * HOUR);
        throw new Error('the sandbox is gone');
      },
    });
    expect(status).toBe('FAILED');
    expect(error).toMatchObject({ ErrorType: 'OutcomeUnknown' });
    expect(on.lines.at(-1)).toMatchObject({ level: 'error', event: 'request.failed' });
  });

  it('a record with an error type of 100 kB → a short log line', async () => {
    const record = recordOf('event-bus', busEvent(DERIVED), failedOf('x'.repeat(100_000)));
    await on.defer(record);
    for (const line of on.lines) expect(JSON.stringify(line).length).toBeLessThan(4000);
  });

  const failedOf = (reason: string): Outcome => ({ reason, message: 'it failed' });
});
