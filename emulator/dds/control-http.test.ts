import { describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from './emulator.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE } from './seed.ts';
import { call, send } from './signed-call.ts';

const post = (emulator: Emulator, action: string, argument: unknown) =>
  send(emulator, { method: 'POST', target: `/emulator/control/${action}`, body: JSON.stringify(argument) });
const get = async (emulator: Emulator, path = '') =>
  JSON.parse((await send(emulator, { target: `/emulator/control${path}` })).text);

const backup = { name: 'one', instance_id: DEMO_INSTANCE.id, begin: '2026-03-01T12:00:00Z' };
const instance = { id: 'i', name: 'i', status: 'normal', mode: 'Single', createdAt: 0 };
const datastore = { type: 'DDS-Community', version: '4.4' };

describe('POST /emulator/control/{action}', () => {
  const accepted: [string, unknown, unknown][] = [
    ['advance', { millis: 1000 }, null],
    ['changeSettings', { pageCap: 50, clockSkewMillis: -480_000, failNames: '^bad', totalCount: 'zero' }, null],
    ['changeSettings', { pageCap: null, failNames: null }, null],
    ['inject', { faults: [{ kind: 'hang', when: 'after', operation: 'create-backup' }], times: 3 }, null],
    ['inject', { faults: [{ kind: 'answer', status: 429, headers: { 'retry-after': '3' }, text: '<p>' }] }, null],
    ['inject', { faults: [{ kind: 'control', actions: [{ do: 'advance', with: { millis: 1 } }] }] }, null],
    ['clearFaults', {}, null],
    ['addProject', { id: 'other', credentials: [DEMO_CREDENTIALS], instances: [{ ...instance, datastore }] }, null],
    ['changeProject', { users: [{ name: 'a', password: 'b', domain: 'c' }] }, null],
    ['setInstance', { instance: { id: 'i', status: 'frozen', tags: [{ key: 'a', value: '' }] } }, null],
    ['removeInstance', { id: 'i' }, null],
    [
      'addBackups',
      { backups: [{ ...backup, override: { set: { size: null }, omit: ['type'] } }] },
      [expect.any(String)],
    ],
    ['changeBackups', { where: { name: 'one' }, set: { status: 'FAILED', restoringUntil: null } }, 0],
    ['removeBackups', { name: 'one' }, 0],
  ];
  it.each(accepted)('%s %j → 200', async (action, argument, result) => {
    await using emulator = await startEmulator();
    const answer = await post(emulator, action, argument);
    expect([answer.status, answer.body]).toEqual([200, { result }]);
  });

  const refused: [string, unknown, string][] = [
    ['advance', {}, 'body.millis: a number expected'],
    ['advance', [], 'body: an object expected'],
    ['advance', { millis: 1, hours: 2 }, 'body: unknown: hours'],
    ['changeSettings', { pageCap: -1 }, 'body.pageCap: a whole number from 0 to 2147483647 expected'],
    ['changeSettings', { totalCount: 'x' }, 'body.totalCount: right or zero or page or one too high expected'],
    ['changeSettings', { failNames: '(' }, 'body.failNames: a regular expression expected'],
    [
      'inject',
      { faults: [{ kind: 'empty', status: 99 }] },
      'faults[0].status: a whole number from 200 to 599 expected',
    ],
    ['inject', { faults: {} }, 'body.faults: a list expected'],
    ['inject', { faults: [{ kind: 'hang' }] }, 'body.faults[0].when: before or after expected'],
    ['inject', { faults: [{ kind: 'x' }] }, 'body.faults[0].kind: reset or hang or'],
    ['inject', { faults: [null] }, 'body.faults[0].kind: reset or hang or'],
    [
      'inject',
      { faults: [{ kind: 'control', actions: [{ do: 'advance', with: {} }] }] },
      'body.faults[0].actions[0].with.millis: a number expected',
    ],
    ['inject', { faults: [{ kind: 'control', actions: [{ do: 'x' }] }] }, 'body.faults[0].actions[0].do: advance or'],
    ['addBackups', { backups: [{ ...backup, begin: 'x' }] }, 'body.backups[0].begin: a time expected'],
    ['addBackups', { backups: [{ ...backup, instance_id: 'x' }] }, 'no instance x'],
    ['addBackups', { project: 'x' }, 'no project x'],
    ['setInstance', { instance: { status: 'normal' } }, 'body.instance.id: a string expected'],
    ['removeBackups', { status: 'GONE' }, 'body.status: BUILDING or'],
  ];
  it.each(refused)('%s %j → 400 %s', async (action, argument, problem) => {
    await using emulator = await startEmulator();
    const answer = await post(emulator, action, argument);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(problem);
  });

  it.each([
    ['POST', 'unknown', 404],
    ['POST', '__proto__', 404],
    ['PUT', 'advance', 404],
    ['GET', 'advance', 404],
  ])('%s %s → %i', async (method, name, status) => {
    await using emulator = await startEmulator();
    expect((await send(emulator, { method, target: `/emulator/control/${name}` })).status).toBe(status);
  });

  it('no JSON → 400', async () => {
    await using emulator = await startEmulator();
    const answer = await send(emulator, { method: 'POST', target: '/emulator/control/advance', body: '{' });
    expect(answer).toMatchObject({ status: 400, body: { problems: ['body: an object expected'] } });
  });

  it('a fault and settings → the same as in the process', async () => {
    await using emulator = await startEmulator();
    const faults = [{ kind: 'answer', status: 503, text: '<html>', headers: { 'retry-after': '7' } }];
    await post(emulator, 'inject', { faults });
    await post(emulator, 'changeSettings', { busyFirst: true });
    expect(emulator.control.overview()).toMatchObject({ faults, settings: { busyFirst: true } });
    expect(await call(emulator)).toMatchObject({ status: 503, text: '<html>', headers: { 'retry-after': '7' } });
  });
});

describe('GET /emulator/control', () => {
  it('the path itself → overview and actions', async () => {
    await using emulator = await startEmulator();
    expect(await get(emulator)).toMatchObject({
      settings: { backupMillis: 30_000 },
      actions: expect.arrayContaining(['advance', 'removeBackups']),
    });
  });

  it('/backups and /requests → these', async () => {
    await using emulator = await startEmulator({ backups: [backup] });
    await call(emulator);
    expect(await get(emulator, '/backups')).toEqual({ backups: emulator.backups });
    expect(await get(emulator, '/backups?name=x')).toEqual({ backups: [] });
    expect(await get(emulator, '/backups?nam=x')).toEqual({ problems: ['query: unknown: nam'] });
    expect(await get(emulator, '/requests')).toMatchObject({ requests: [{ operation: 'list-backups', status: 200 }] });
  });

  it('any → neither recorded nor hit by a fault', async () => {
    await using emulator = await startEmulator();
    emulator.control.inject({ faults: [{ kind: 'empty', status: 503 }] });
    expect(await get(emulator)).toMatchObject({ faults: [{ kind: 'empty' }], requests: 0 });
  });
});
