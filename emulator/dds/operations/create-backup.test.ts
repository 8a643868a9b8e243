import { describe, expect, it } from 'vitest';
import { type Emulator, type EmulatorOptions, startEmulator } from '../emulator.ts';
import type { Backup } from '../records.ts';
import { refusals } from '../refusals.ts';
import { DEMO_FAULTY_INSTANCE, DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../seed.ts';
import { type CallResult, call } from '../signed-call.ts';

const NOW = Date.parse('2026-03-01T12:00:00.789Z');
const BACKUP = { instance_id: DEMO_INSTANCE.id, name: 'nightly' };

const start = (options: EmulatorOptions = {}): Promise<Emulator> =>
  startEmulator({ clock: () => new Date(NOW), backupMillis: 60_000, ...options });
const create = (emulator: Emulator, body: unknown, headers?: Record<string, string>): Promise<CallResult> =>
  call(emulator, { method: 'POST', body, ...(headers && { headers }) });

type RefusalName = keyof typeof refusals;

function expectRefusal({ status, body }: CallResult, name: RefusalName) {
  const { status: expected, error_code, error_msg } = refusals[name];
  expect([status, body]).toEqual([expected, { error_code, error_msg }]);
}

describe('POST /backups', () => {
  it('valid request → 200 with the ids of a job and a backup in the form of the samples', async () => {
    await using emulator = await start();
    const { status, body } = await create(emulator, { backup: BACKUP });
    expect(status).toBe(200);
    expect(body).toEqual({
      job_id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      backup_id: expect.stringMatching(/^[0-9a-f]{32}br02$/),
    });
  });

  it('time passes → BUILDING, then COMPLETED', async () => {
    await using emulator = await start();
    await create(emulator, { backup: { ...BACKUP, description: 'The first Manual backup' } });
    const building: Backup = {
      id: expect.any(String),
      name: 'nightly',
      instance_id: DEMO_INSTANCE.id,
      instance_name: 'orders',
      datastore: { type: 'DDS-Community', version: '4.4' },
      type: 'Manual',
      begin_time: '2026-03-01 12:00:00',
      end_time: '',
      status: 'BUILDING',
      size: 0,
      description: 'The first Manual backup',
    };
    emulator.control.advance({ millis: 59_999 });
    expect(emulator.backups).toEqual([building]);
    emulator.control.advance({ millis: 1 });
    expect(emulator.backups).toEqual([
      { ...building, status: 'COMPLETED', end_time: '2026-03-01 12:01:00', size: 2803 },
    ]);
  });

  it.each([
    ['outcome', { outcome: ({ name }: Backup) => (name === 'nightly' ? 'FAILED' : 'COMPLETED') }],
    ['failNames', { failNames: '^night' }],
  ] as const)('option %s → FAILED in the end', async (_, options) => {
    await using emulator = await start(options);
    await create(emulator, { backup: BACKUP });
    await create(emulator, { backup: { ...BACKUP, name: 'other', instance_id: DEMO_OTHER_INSTANCE.id } });
    emulator.control.advance({ millis: 60_000 });
    expect(emulator.backups.map(({ name, status }) => [name, status])).toEqual([
      ['other', 'COMPLETED'],
      ['nightly', 'FAILED'],
    ]);
  });

  it.each([
    ['a name of 4 characters', { name: 'Abc1' }],
    ['a name of 64 characters', { name: `z${'-_'.repeat(31)}9` }],
    ['an empty description', { description: '' }],
    ['a description of 256 characters', { description: 'ü'.repeat(256) }],
    ['a description of 256 characters outside the Basic Multilingual Plane', { description: '💾'.repeat(256) }],
    ['a description with a line feed', { description: 'a\nb' }],
  ])('%s → 200', async (_, changes) => {
    await using emulator = await start();
    expect((await create(emulator, { backup: { ...BACKUP, ...changes } })).status).toBe(200);
  });

  it('a content type with a charset, in whatever case → 200', async () => {
    await using emulator = await start();
    const headers = { 'content-type': 'Application/JSON;charset=utf8' };
    expect((await create(emulator, { backup: BACKUP }, headers)).status).toBe(200);
  });

  it.each([
    ['no body', undefined],
    ['a body that is no JSON', '{"backup":'],
    ['a body that is no object', '[]'],
    ['null', 'null'],
    ['no backup', {}],
    ['a backup that is no object', { backup: 'nightly' }],
    ['a member beside backup', { backup: BACKUP, id: '1' }],
    ['a member that is not documented', { backup: { ...BACKUP, name_prefix: 'nightly' } }],
    ['a member __proto__', '{"backup":{"__proto__":{}}}'],
  ])('%s → 400 DBS.200001', async (_, body) => {
    await using emulator = await start();
    expectRefusal(await create(emulator, body, { 'content-type': 'application/json' }), 'parameterError');
    expect(emulator.backups).toEqual([]);
  });

  const members: [string, object, RefusalName][] = [
    ['no instance id', { instance_id: undefined }, 'parameterError'],
    ['an instance id that is no string', { instance_id: 7 }, 'parameterError'],
    ['an empty instance id', { instance_id: '' }, 'invalidInstanceId'],
    ['an unknown instance', { instance_id: '00000000000000000000000000000000in02' }, 'noSuchInstance'],
    ['no name', { name: undefined }, 'parameterError'],
    ['a name that is null', { name: null }, 'parameterError'],
    ['a name of 3 characters', { name: 'abc' }, 'invalidName'],
    ['a name of 65 characters', { name: 'a'.repeat(65) }, 'invalidName'],
    ['a name that starts with a digit', { name: '1abc' }, 'invalidName'],
    ['a name with a dot', { name: 'night.ly' }, 'invalidName'],
    ['a name with a letter beyond A to Z', { name: 'nächtlich' }, 'invalidName'],
    ['a name that ends in a line feed', { name: 'nightly\n' }, 'invalidName'],
    ['a description that is null', { description: null }, 'parameterError'],
    ['a description of 257 characters', { description: 'a'.repeat(257) }, 'invalidDescription'],
    ...[...'>!<"&\'=\r'].map((char): [string, object, RefusalName] => [
      `a description with ${JSON.stringify(char)}`,
      { description: `a${char}b` },
      'invalidDescription',
    ]),
  ];
  it.each(members)('%s → refused', async (_, changes, refusal) => {
    await using emulator = await start();
    expectRefusal(await create(emulator, { backup: { ...BACKUP, ...changes } }), refusal);
    expect(emulator.backups).toEqual([]);
  });

  it.each([{}, { 'content-type': 'text/plain' }])('content type %j → 400 DBS.200001', async (headers) => {
    await using emulator = await start();
    expectRefusal(await create(emulator, JSON.stringify({ backup: BACKUP }), headers), 'parameterError');
  });

  it.each([
    ['as sent', 'as sent', ' e\u0301\n'],
    ['trimmed', 'trimmed', 'e\u0301'],
    ['normalised', 'normalised', ' é\n'],
    ['trimmed and normalised', 'trimmed and normalised', 'é'],
  ] as const)('descriptions are kept %s → so listed', async (_, descriptions, expected) => {
    await using emulator = await start({ descriptions });
    await create(emulator, { backup: { ...BACKUP, description: ' e\u0301\n' } });
    expect(emulator.backups[0]?.description).toBe(expected);
  });
});

describe('POST /backups, state of the instance', () => {
  const second = { ...BACKUP, name: 'second' };

  it('not normal → 403 DBS.200018 until it is', async () => {
    await using emulator = await start();
    const backup = { ...BACKUP, instance_id: DEMO_FAULTY_INSTANCE.id };
    expectRefusal(await create(emulator, { backup }), 'instanceUnavailable');
    emulator.control.setInstance({ instance: { id: DEMO_FAULTY_INSTANCE.id, status: 'normal' } });
    expect((await create(emulator, { backup })).status).toBe(200);
  });

  it('a manual backup runs → 403 DBS.201015 until it has ended', async () => {
    await using emulator = await start();
    await create(emulator, { backup: BACKUP });
    emulator.control.advance({ millis: 59_999 });
    expectRefusal(await create(emulator, { backup: second }), 'instanceBusy');
    emulator.control.advance({ millis: 1 });
    expect((await create(emulator, { backup: second })).status).toBe(200);
  });

  it('a backup of another instance runs → 200', async () => {
    await using emulator = await start();
    await create(emulator, { backup: BACKUP });
    expect((await create(emulator, { backup: { ...second, instance_id: DEMO_OTHER_INSTANCE.id } })).status).toBe(200);
  });

  it('an automated backup runs → 403 DBS.201015', async () => {
    const auto = { name: 'auto', instance_id: DEMO_INSTANCE.id, begin: new Date(NOW), end: new Date(NOW + 1000) };
    await using emulator = await start({ backups: [auto] });
    expectRefusal(await create(emulator, { backup: BACKUP }), 'instanceBusy');
  });

  it('another operation runs → 403 DBS.201015', async () => {
    await using emulator = await start();
    emulator.control.setInstance({ instance: { id: DEMO_INSTANCE.id, actions: ['RESTARTING'] } });
    expectRefusal(await create(emulator, { backup: BACKUP }), 'instanceBusy');
  });

  it.each([
    [false, 200],
    [true, 403],
  ])('a deletion runs, deletionIsBusy %s → %i', async (deletionIsBusy, expected) => {
    const old = { name: 'manual', instance_id: DEMO_INSTANCE.id, begin: new Date(0), type: 'Manual' as const };
    await using emulator = await start({ deletionIsBusy, backups: [old] });
    await call(emulator, { method: 'DELETE', path: `backups/${emulator.backups[0]?.id}` });
    expect((await create(emulator, { backup: BACKUP })).status).toBe(expected);
    emulator.control.advance({ millis: 60_000 });
    expect((await create(emulator, { backup: second })).status).toBe(200);
  });

  it('many requests at once → one takes effect', async () => {
    await using emulator = await start();
    const names = Array.from({ length: 20 }, (_, index) => `name-${index}`);
    const answers = await Promise.all(names.map((name) => create(emulator, { backup: { ...BACKUP, name } })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(19);
    expect(emulator.requests.filter(({ tookEffect }) => tookEffect)).toHaveLength(1);
  });
});

describe('POST /backups, name that is taken', () => {
  const onOther = { backup: { instance_id: DEMO_OTHER_INSTANCE.id, name: 'nightly' } };

  it('by one that is BUILDING, on whatever instance → 400 DBS.201201', async () => {
    await using emulator = await start();
    await create(emulator, { backup: BACKUP });
    expectRefusal(await create(emulator, { backup: BACKUP }), 'nameTaken');
    expectRefusal(await create(emulator, onOther), 'nameTaken');
  });

  it.each(['COMPLETED', 'FAILED'] as const)('by one that has %s → 400 DBS.201201', async (outcome) => {
    await using emulator = await start({ outcome: () => outcome });
    await create(emulator, { backup: BACKUP });
    emulator.control.advance({ millis: 60_000 });
    expectRefusal(await create(emulator, { backup: BACKUP }), 'nameTaken');
  });

  it('by an automated one → 400 DBS.201201', async () => {
    const auto = { name: 'nightly', instance_id: DEMO_OTHER_INSTANCE.id, begin: new Date(0) };
    await using emulator = await start({ backups: [auto] });
    expectRefusal(await create(emulator, { backup: BACKUP }), 'nameTaken');
  });

  it('in another case → 200', async () => {
    await using emulator = await start({ backupMillis: 0 });
    await create(emulator, { backup: BACKUP });
    expect((await create(emulator, { backup: { ...BACKUP, name: 'Nightly' } })).status).toBe(200);
  });

  it('busyFirst → the instance’s state is looked at before the name', async () => {
    await using emulator = await start({ busyFirst: true });
    await create(emulator, { backup: BACKUP });
    expectRefusal(await create(emulator, { backup: BACKUP }), 'instanceBusy');
    emulator.control.advance({ millis: 60_000 });
    expectRefusal(await create(emulator, { backup: BACKUP }), 'nameTaken');
  });
});
