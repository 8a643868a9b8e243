import { describe, expect, it } from 'vitest';
import { refusals } from '../../emulator/dds/refusals.ts';
import type { Settings } from '../../emulator/dds/settings.ts';
import { directDds } from '../../test/simulation/direct-dds.ts';
import { createWorld, instanceOf } from '../../test/simulation/world.ts';
import { HOUR, MINUTE, SECOND } from '../time.ts';
import { statusReader } from './status.ts';
import { attemptNames, derivedName } from './trigger.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const BUDGET = { timeLeft: () => 10 * SECOND };

function given({ isDown = false, ...settings }: Partial<Settings> & { readonly isDown?: boolean } = {}) {
  const now = () => new Date(NOW);
  const world = createWorld({ now, instances: ['a', 'b'].map((id) => instanceOf(id, 0)), ...settings });
  const requests: string[] = [];
  const dds = directDds({
    ...world,
    timing: { now, wait: async () => {}, random: () => 0 },
    carry: async (operation, perform) => {
      requests.push(operation);
      return isDown ? refusals.permissionDenied : perform();
    },
  });
  const seed = (name: string, begunAgo: number, end: number, instance_id = 'a') =>
    world.state.seedBackup({
      name,
      instance_id,
      type: 'Manual',
      begin: new Date(world.clock.dds() - begunAgo),
      end: new Date(world.clock.dds() + end),
    });
  return { ...world, requests, seed, reader: statusReader(dds, now) };
}

describe('status: read', () => {
  it('backup that ended → as DDS lists it, in one request, and nothing to poll for', async () => {
    const { reader, seed, requests } = given();
    const { id } = seed('done', HOUR, -MINUTE);
    const { backup, ...rest } = await reader.read(id, BUDGET);
    expect(backup).toMatchObject({ id, status: 'COMPLETED', verbatim: { id, status: 'COMPLETED' } });
    expect(rest).toEqual({});
    expect(requests).toEqual(['list-backups']);
  });

  it.each([
    ['just begun', 0, 1],
    ['4 seconds old', 4 * SECOND, 1],
    ['100 seconds old', 100 * SECOND, 10],
    ['5 minutes old', 5 * MINUTE, 30],
    ['a day old', 24 * HOUR, 30],
  ])('BUILDING, %s → poll after a tenth of its age, 1 to 30 seconds', async (_, age, seconds) => {
    const { reader, seed } = given();
    const { id } = seed('building', age, HOUR);
    expect(await reader.read(id, BUDGET)).toMatchObject({ pollAfterSeconds: seconds });
  });

  it.each([-10, 10])("DDS's clock %i minutes ahead → the age by its clock", async (minutes) => {
    const { reader, seed } = given({ clockSkewMillis: minutes * MINUTE });
    const { id } = seed('building', 100 * SECOND, HOUR);
    expect(await reader.read(id, BUDGET)).toMatchObject({ pollAfterSeconds: 10 });
  });

  it('begin that cannot be read → poll after a second', async () => {
    const { reader, seed, state } = given();
    const building = seed('building', HOUR, HOUR);
    state.changeBackups([building], () => ({ override: { set: { begin_time: null } } }));
    expect(await reader.read(building.id, BUDGET)).toMatchObject({ pollAfterSeconds: 1 });
  });

  it('unknown id → BackupNotFound', async () => {
    const { reader, seed } = given();
    seed('another', HOUR, -MINUTE);
    await expect(reader.read('unknown', BUDGET)).rejects.toMatchObject({ name: 'BackupNotFound' });
  });

  it('DDS refuses → its refusal', async () => {
    await expect(given({ isDown: true }).reader.read('x', BUDGET)).rejects.toMatchObject({
      name: 'CredentialsRefused',
    });
  });
});

describe('status: list', () => {
  it('→ the newest hundred of the instance, newest first', async () => {
    const { reader, seed } = given();
    for (let i = 0; i < 120; i++) seed(`backup-${i}`, (i + 1) * HOUR, -MINUTE);
    seed('another', MINUTE, -SECOND, 'b');
    const names = (await reader.list('a', undefined, BUDGET)).map(({ name }) => name);
    expect(names).toEqual(Array.from({ length: 100 }, (_, i) => `backup-${i}`));
  });

  it('name → that one and its further attempts, however old', async () => {
    const { reader, seed } = given();
    const name = derivedName('nightly', { kind: 'invoke', id: 'x' }, 'a');
    for (const [i, one] of attemptNames(name).entries()) seed(one, (200 + i) * HOUR, -MINUTE);
    for (let i = 0; i < 150; i++) seed(`backup-${i}`, (i + 1) * HOUR, -MINUTE);
    seed(`${name}-6`, HOUR, -MINUTE);
    const names = (await reader.list('a', name, BUDGET)).map((one) => one.name);
    expect(names).toEqual(attemptNames(name));
  });

  it('instance without backups → none', async () => {
    expect(await given().reader.list('a', undefined, BUDGET)).toEqual([]);
  });
});
