import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE, DEMO_INSTANCES, DEMO_PROJECT_ID } from '../../emulator/dds/seed.ts';
import { ddsCall } from './call.ts';
import { type Ask, allBackups, allInstances } from './inventory.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator({ clock: () => new Date(NOW), deletionMillis: 0 });
});
afterEach(() => emulator.close());

/** @param between called after each answer, with the number of requests so far */
function asking(between: (request: number) => void = () => {}): Ask {
  const call = ddsCall({
    endpoint: emulator.url,
    projectId: DEMO_PROJECT_ID,
    credentials: async () => DEMO_CREDENTIALS,
    now: () => new Date(NOW),
  });
  let requests = 0;
  return async (request) => {
    const answer = await call(request, () => ({ timeoutMillis: 5000 }));
    between(++requests);
    return answer;
  };
}

/** Newest first: 0 is the last to have begun. */
function seed(count: number): void {
  for (let i = 0; i < count; i++) seedOne(`backup-${i}`, NOW - (i + 2) * 60_000);
}

const seedOne = (name: string, begin: number) =>
  emulator.state.seedBackup({ name, instance_id: DEMO_INSTANCE.id, type: 'Manual', begin: new Date(begin) });

function remove(...names: string[]): void {
  for (const backup of emulator.state.backups()) if (names.includes(backup.name)) emulator.state.beginDeletion(backup);
}

async function read(ask: Ask = asking()): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of allBackups(ask)) names.push(name);
  return names;
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `backup-${from + i}`);

describe('the list of all backups', () => {
  it.each([
    [0, 1],
    [1, 1],
    [99, 1],
    [100, 2],
    [199, 3],
    [250, 3],
  ])('of %i takes %i requests and gives each once, newest first', async (count, requests) => {
    seed(count);
    expect(await read()).toEqual(numbered(0, count));
    expect(emulator.requests).toHaveLength(requests);
  });

  it('holds manual and automated ones, of every instance, and of one that is gone', async () => {
    seed(1);
    for (const [index, { id }] of DEMO_INSTANCES.entries())
      emulator.state.seedBackup({
        name: `auto-${index}`,
        instance_id: id,
        begin: new Date(NOW - (index + 5) * 60_000),
      });
    emulator.state.removeInstance(DEMO_INSTANCE.id);
    const names = await read();
    expect(names).toContain('backup-0');
    expect(names).toHaveLength(DEMO_INSTANCES.length);
  });

  it.each([
    ['before the last item of a page', ['backup-3']],
    ['and it was the last item of a page', ['backup-99']],
    ['and it was the first item of the next', ['backup-100']],
    ['with several of a page', numbered(90, 100)],
    ['with a whole page', numbered(0, 100)],
    ['with a page in the middle', numbered(50, 150)],
    ['with all that comes after', numbered(100, 250)],
    ['with all of them', numbered(0, 250)],
  ])('misses none of the others when one is deleted between two pages, %s', async (_, gone) => {
    seed(250);
    const names = await read(asking((request) => request === 1 && remove(...gone)));
    expect(names).toEqual(expect.arrayContaining(numbered(0, 250).filter((name) => !gone.includes(name))));
  });

  it('goes back by one page when one was deleted: two requests more', async () => {
    seed(450);
    await read(asking((request) => request === 3 && remove('backup-3')));
    expect(emulator.requests).toHaveLength(5 + 2);
  });

  it('gives none twice when backups begin between two pages', async () => {
    seed(250);
    const ask = asking((request) => seedOne(`new-${request}`, NOW - 60_000));
    expect(await read(ask)).toEqual(numbered(0, 250));
  });

  it('misses none that is there all the while, whatever comes and goes', async () => {
    const changes = fc.array(fc.record({ comes: fc.nat(30), goes: fc.array(fc.nat(299), { maxLength: 40 }) }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(changes, async (steps) => {
        remove(...emulator.backups.map(({ name }) => name));
        seed(300);
        const gone = new Set<string>();
        const ask = asking((request) => {
          const { comes = 0, goes = [] } = steps[request - 1] ?? {};
          for (let i = 0; i < comes; i++) seedOne(`new-${request}-${i}`, NOW - 60_000);
          const names = goes.map((i) => `backup-${i}`);
          remove(...names);
          for (const name of names) gone.add(name);
        });
        const names = new Set(await read(ask));
        expect(numbered(0, 300).filter((name) => !gone.has(name) && !names.has(name))).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('gives up on a list that never keeps still', async () => {
    const page = (from: number) => ({
      backups: Array.from({ length: 100 }, (_, i) => ({
        id: `b-${from}-${i}`,
        name: 'n',
        instance_id: 'i',
        begin_time: '2026-03-01 11:00:00',
      })),
      total_count: 1000,
    });
    let requests = 0;
    const moving: Ask = async () => ({ body: page(++requests) });
    await expect(read(moving)).rejects.toMatchObject({
      name: 'UpstreamInvalid',
      message: 'DDS answered with a list of backups that changes faster than it can be read.',
    });
  });

  it.each([
    ['a first page that is empty', { backups: [], total_count: 1 }],
    ['no list', { total_count: 0 }],
    ['no count', { backups: [] }],
    ['a backup that is null', { backups: [null], total_count: 1 }],
    ['a backup without a name', { backups: [{ id: 'b' }], total_count: 1 }],
    [
      'a backup that began nobody knows when',
      { backups: [{ id: 'b', name: 'n', instance_id: 'i', begin_time: '' }], total_count: 1 },
    ],
  ])('is UpstreamInvalid with %s', async (_, body) => {
    emulator.faults.next({ kind: 'json', body });
    await expect(read()).rejects.toMatchObject({ name: 'UpstreamInvalid' });
  });

  it('is UpstreamInvalid, and no list at all, when it breaks off before its count', async () => {
    seed(150);
    const { backups } = emulator;
    emulator.faults.next(
      { kind: 'json', body: { backups: backups.slice(0, 100), total_count: 300 } },
      { kind: 'json', body: { backups: backups.slice(99), total_count: 300 } },
      { kind: 'json', body: { backups: backups.slice(149), total_count: 300 } },
    );
    await expect(read()).rejects.toMatchObject({ message: 'DDS answered with 150 of 300 backups.' });
  });

  it('is read to its end even where the count says less', async () => {
    seed(150);
    emulator.faults.next({ kind: 'json', body: { backups: emulator.backups.slice(0, 100), total_count: 100 } });
    expect(await read()).toEqual(numbered(0, 150));
  });
});

describe('the list of all instances', () => {
  const instances = async (ask = asking()) => {
    const ids: string[] = [];
    for await (const { id } of allInstances(ask)) ids.push(id);
    return ids;
  };

  it('holds every instance, also beyond a page', async () => {
    for (let i = 0; i < 30; i++) emulator.state.setInstance({ ...DEMO_INSTANCE, id: `instance-${i}` });
    expect(new Set(await instances()).size).toBe(30 + DEMO_INSTANCES.length);
    expect(emulator.requests.map(({ operation }) => operation)).toEqual(['list-instances', 'list-instances']);
  });

  it('is UpstreamInvalid with an instance without an id', async () => {
    emulator.faults.next({ kind: 'json', body: { instances: [{ name: 'orders' }], total_count: 1 } });
    await expect(instances()).rejects.toMatchObject({ name: 'UpstreamInvalid' });
  });
});
