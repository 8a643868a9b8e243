/** What a list costs beside many backups: `node emulator/dds/bench.ts [backups]`. */
import { startEmulator } from './emulator.ts';
import { DEMO_INSTANCE } from './seed.ts';
import { call } from './signed-call.ts';

const count = Number(process.argv[2] ?? 100_000);
const NEWEST = Date.parse('2026-03-01T12:00:00Z');
const ROUNDS = 50;

const millis = async (run: () => unknown): Promise<number> => {
  const begin = performance.now();
  await run();
  return performance.now() - begin;
};

const backups = Array.from({ length: count }, (_, index) => ({
  name: `backup-${index}`,
  instance_id: DEMO_INSTANCE.id,
  type: 'Manual' as const,
  begin: new Date(NEWEST - index * 60_000),
}));
let started: Promise<Awaited<ReturnType<typeof startEmulator>>> | undefined;
const start = await millis(() => {
  started = startEmulator({ backups, backupMillis: 0, jobDelayMillis: 0 });
  return started;
});
if (!started) throw new Error('not started');
await using emulator = await started;

const ask = async (query: Record<string, string>): Promise<number> => {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) times.push(await millis(() => call(emulator, { query })));
  return times.sort((a, b) => a - b)[ROUNDS / 2] ?? 0;
};
let created = 0;
const create = async (): Promise<number> => {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const body = { backup: { instance_id: DEMO_INSTANCE.id, name: `new-${++created}` } };
    times.push(await millis(() => call(emulator, { method: 'POST', body })));
  }
  return times.sort((a, b) => a - b)[ROUNDS / 2] ?? 0;
};

const window = { begin_time: '2026-02-28 12:00:00', end_time: '2026-03-01 12:00:00' };
const rows: [string, number][] = [
  [`start with ${count} backups`, start],
  ['first page of 100', await ask({})],
  ['page of 100 in the middle', await ask({ offset: String(Math.floor(count / 2)) })],
  ['page of 100, manual ones of an instance', await ask({ instance_id: DEMO_INSTANCE.id, backup_type: 'Manual' })],
  ['page of 100 within a day', await ask(window)],
  ['page of 1', await ask({ limit: '1' })],
  ['create', await create()],
];
for (const [name, time] of rows) console.log(`${name.padEnd(42)} ${time.toFixed(2).padStart(9)} ms`);
