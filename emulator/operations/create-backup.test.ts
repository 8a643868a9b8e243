import { describe, expect, it } from 'vitest';
import type { Backup } from '../../lib/dds/types.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from '../emulator.ts';
import { DEMO_FAULTY_INSTANCE, DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../seed.ts';
import { type CallResult, call } from '../signed-call.ts';

const NOW = Date.parse('2026-03-01T12:00:00.789Z');
const BACKUP = { instance_id: DEMO_INSTANCE.id, name: 'nightly' };

const create = (emulator: Emulator, body: unknown, headers?: Record<string, string>): Promise<CallResult> =>
  call(emulator, { method: 'POST', body, ...(headers && { headers }) });

async function startAt(options: EmulatorOptions = {}) {
  let now = NOW;
  const emulator = await startEmulator({ clock: () => new Date(now), backupMillis: 60_000, ...options });
  return Object.assign(emulator, { pass: (millis: number) => (now += millis) });
}

const PARAMETER_ERROR = [400, 'DBS.200001', 'Parameter error.'] as const;
const INVALID_NAME = [400, 'DBS.280277', 'Invalid backup name.'] as const;
const INVALID_DESCRIPTION = [400, 'DBS.280127', 'Invalid backup description.'] as const;
const NO_SUCH_INSTANCE = [404, 'DBS.200002', 'The DB instance does not exist.'] as const;
const TAKEN = [400, 'DBS.201201', 'The backup already exists.'] as const;
const BUSY = [
  403,
  'DBS.201015',
  'This operation cannot be performed because another operation is being performed.',
] as const;

function expectRefusal({ status, body }: CallResult, [code, error_code, error_msg]: readonly [number, string, string]) {
  expect([status, body]).toEqual([code, { error_code, error_msg }]);
}

describe('a backup that is created', () => {
  it('is answered with the ids of a job and a backup in the form of the samples', async () => {
    await using emulator = await startAt();
    const { status, body } = await create(emulator, { backup: BACKUP });
    expect(status).toBe(200);
    expect(body).toEqual({
      job_id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      backup_id: expect.stringMatching(/^[0-9a-f]{32}br02$/),
    });
  });

  it('is BUILDING at first and COMPLETED when its time has passed', async () => {
    await using emulator = await startAt();
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
    expect(emulator.backups).toEqual([building]);
    emulator.pass(59_999);
    expect(emulator.backups).toEqual([building]);
    emulator.pass(1);
    expect(emulator.backups).toEqual([
      { ...building, status: 'COMPLETED', end_time: '2026-03-01 12:01:00', size: 2803 },
    ]);
  });

  it('is FAILED in the end when so decided', async () => {
    await using emulator = await startAt({ outcome: ({ name }) => (name === 'nightly' ? 'FAILED' : 'COMPLETED') });
    await create(emulator, { backup: BACKUP });
    expect(emulator.backups[0]?.status).toBe('BUILDING');
    emulator.pass(60_000);
    expect(emulator.backups[0]?.status).toBe('FAILED');
  });
});

describe('the limits of the rules are inside them', () => {
  const accepted: Record<string, object> = {
    'a name of 4 characters': { name: 'Abc1' },
    'a name of 64 characters': { name: `z${'-_'.repeat(31)}9` },
    'an empty description': { description: '' },
    'a description of 256 characters': { description: 'ü'.repeat(256) },
    'a description of 256 characters outside the Basic Multilingual Plane': { description: '💾'.repeat(256) },
    'a description with a line feed': { description: 'a\nb' },
  };
  it.each(Object.entries(accepted))('%s', async (_name, changes) => {
    await using emulator = await startAt();
    expect((await create(emulator, { backup: { ...BACKUP, ...changes } })).status).toBe(200);
  });

  it('a content type with a charset, in whatever case', async () => {
    await using emulator = await startAt();
    const headers = { 'content-type': 'Application/JSON;charset=utf8' };
    expect((await create(emulator, { backup: BACKUP }, headers)).status).toBe(200);
  });
});

describe('creating is refused for', () => {
  const bodies: [string, unknown, readonly [number, string, string]][] = [
    ['no body', undefined, PARAMETER_ERROR],
    ['a body that is no JSON', '{"backup":', PARAMETER_ERROR],
    ['a body that is no object', '[]', PARAMETER_ERROR],
    ['null', 'null', PARAMETER_ERROR],
    ['no backup', {}, PARAMETER_ERROR],
    ['a backup that is no object', { backup: 'nightly' }, PARAMETER_ERROR],
    ['a member beside backup', { backup: BACKUP, id: '1' }, PARAMETER_ERROR],
    ['a member that is not documented', { backup: { ...BACKUP, name_prefix: 'nightly' } }, PARAMETER_ERROR],
    ['a member __proto__', '{"backup":{"__proto__":{}}}', PARAMETER_ERROR],
  ];
  it.each(bodies)('%s', async (_name, body, refusal) => {
    await using emulator = await startAt();
    expectRefusal(await create(emulator, body, { 'content-type': 'application/json' }), refusal);
    expect(emulator.backups).toEqual([]);
  });

  const members: [string, object, readonly [number, string, string]][] = [
    ['no instance id', { instance_id: undefined }, PARAMETER_ERROR],
    ['an instance id that is no string', { instance_id: 7 }, PARAMETER_ERROR],
    ['an empty instance id', { instance_id: '' }, [400, 'DBS.280404', 'Invalid DB instance ID.']],
    ['an unknown instance', { instance_id: '00000000000000000000000000000000in02' }, NO_SUCH_INSTANCE],
    ['no name', { name: undefined }, PARAMETER_ERROR],
    ['a name that is null', { name: null }, PARAMETER_ERROR],
    ['a name of 3 characters', { name: 'abc' }, INVALID_NAME],
    ['a name of 65 characters', { name: 'a'.repeat(65) }, INVALID_NAME],
    ['a name that starts with a digit', { name: '1abc' }, INVALID_NAME],
    ['a name with a dot', { name: 'night.ly' }, INVALID_NAME],
    ['a name with a letter beyond A to Z', { name: 'nächtlich' }, INVALID_NAME],
    ['a name that ends in a line feed', { name: 'nightly\n' }, INVALID_NAME],
    ['a description that is null', { description: null }, PARAMETER_ERROR],
    ['a description of 257 characters', { description: 'a'.repeat(257) }, INVALID_DESCRIPTION],
    ...[...'>!<"&\'=\r'].map((char): [string, object, readonly [number, string, string]] => [
      `a description with ${JSON.stringify(char)}`,
      { description: `a${char}b` },
      INVALID_DESCRIPTION,
    ]),
  ];
  it.each(members)('%s', async (_name, changes, refusal) => {
    await using emulator = await startAt();
    expectRefusal(await create(emulator, { backup: { ...BACKUP, ...changes } }), refusal);
    expect(emulator.backups).toEqual([]);
  });

  it.each([{}, { 'content-type': 'text/plain' }])('the content type %j', async (headers) => {
    await using emulator = await startAt();
    expectRefusal(await create(emulator, JSON.stringify({ backup: BACKUP }), headers), PARAMETER_ERROR);
  });

  it('an instance that is not normal', async () => {
    await using emulator = await startAt();
    const answer = await create(emulator, { backup: { ...BACKUP, instance_id: DEMO_FAULTY_INSTANCE.id } });
    expectRefusal(answer, [403, 'DBS.200018', 'This DB instance is not available.']);
    emulator.state.setInstance({ ...DEMO_FAULTY_INSTANCE, status: 'normal' });
    expect((await create(emulator, { backup: { ...BACKUP, instance_id: DEMO_FAULTY_INSTANCE.id } })).status).toBe(200);
  });
});

describe('an instance runs one operation at a time', () => {
  it('and is busy until the backup has ended', async () => {
    await using emulator = await startAt();
    await create(emulator, { backup: BACKUP });
    emulator.pass(59_999);
    expectRefusal(await create(emulator, { backup: { ...BACKUP, name: 'second' } }), BUSY);
    emulator.pass(1);
    expect((await create(emulator, { backup: { ...BACKUP, name: 'second' } })).status).toBe(200);
  });

  it('while others are free', async () => {
    await using emulator = await startAt();
    await create(emulator, { backup: BACKUP });
    const other = { instance_id: DEMO_OTHER_INSTANCE.id, name: 'second' };
    expect((await create(emulator, { backup: other })).status).toBe(200);
  });

  it('an automated backup counts too', async () => {
    const auto = { name: 'auto', instance_id: DEMO_INSTANCE.id, begin: new Date(NOW), end: new Date(NOW + 1000) };
    await using emulator = await startAt({ backups: [auto] });
    expectRefusal(await create(emulator, { backup: BACKUP }), BUSY);
  });

  it('so that of many requests at once one takes effect', async () => {
    await using emulator = await startAt();
    const names = Array.from({ length: 20 }, (_, index) => `name-${index}`);
    const answers = await Promise.all(names.map((name) => create(emulator, { backup: { ...BACKUP, name } })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(19);
    expect(emulator.requests.filter(({ tookEffect }) => tookEffect)).toHaveLength(1);
  });
});

describe('a name is unique among all backups of the project', () => {
  const onOther = { backup: { instance_id: DEMO_OTHER_INSTANCE.id, name: 'nightly' } };

  it('while the first is BUILDING, on whatever instance', async () => {
    await using emulator = await startAt();
    await create(emulator, { backup: BACKUP });
    expectRefusal(await create(emulator, { backup: BACKUP }), TAKEN);
    expectRefusal(await create(emulator, onOther), TAKEN);
  });

  it.each(['COMPLETED', 'FAILED'] as const)('once the first has %s', async (outcome) => {
    await using emulator = await startAt({ outcome: () => outcome });
    await create(emulator, { backup: BACKUP });
    emulator.pass(60_000);
    expectRefusal(await create(emulator, { backup: BACKUP }), TAKEN);
  });

  it('automated ones included', async () => {
    const auto = { name: 'nightly', instance_id: DEMO_OTHER_INSTANCE.id, begin: new Date(0) };
    await using emulator = await startAt({ backups: [auto] });
    expectRefusal(await create(emulator, { backup: BACKUP }), TAKEN);
  });

  it('case-sensitively', async () => {
    await using emulator = await startAt({ backupMillis: 0 });
    await create(emulator, { backup: BACKUP });
    expect((await create(emulator, { backup: { ...BACKUP, name: 'Nightly' } })).status).toBe(200);
  });

  it('or the instance’s state is looked at first, when so configured', async () => {
    await using emulator = await startAt({ busyFirst: true });
    await create(emulator, { backup: BACKUP });
    expectRefusal(await create(emulator, { backup: BACKUP }), BUSY);
    emulator.pass(60_000);
    expectRefusal(await create(emulator, { backup: BACKUP }), TAKEN);
  });
});
