import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type Emulator, type EmulatorOptions, startEmulator } from './emulator.ts';
import { DEMO_INSTANCE } from './seed.ts';
import { call, send } from './signed-call.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const MINUTE = 60_000;
const start = (options: EmulatorOptions = {}): Promise<Emulator> => startEmulator({ clock: () => NOW, ...options });
const create = (emulator: Emulator) =>
  call(emulator, { method: 'POST', body: { backup: { instance_id: DEMO_INSTANCE.id, name: 'nightly' } } });

describe('clock skew', () => {
  it.each([
    [0, 'all', 'Sun, 01 Mar 2026 12:00:00 GMT', '2026-03-01 12:00:00'],
    [-15 * MINUTE, 'all', 'Sun, 01 Mar 2026 11:45:00 GMT', '2026-03-01 11:45:00'],
    [15 * MINUTE, 'all', 'Sun, 01 Mar 2026 12:15:00 GMT', '2026-03-01 12:15:00'],
    [3000, 'date', 'Sun, 01 Mar 2026 12:00:03 GMT', '2026-03-01 12:00:00'],
    [3000, 'backups', 'Sun, 01 Mar 2026 12:00:00 GMT', '2026-03-01 12:00:03'],
  ] as const)('%i ms of %s → Date %s, begin_time %s', async (clockSkewMillis, clockSkewOf, date, begin_time) => {
    await using emulator = await start({ clockSkewMillis, clockSkewOf });
    expect((await create(emulator)).headers.date).toBe(date);
    expect(emulator.backups).toMatchObject([{ begin_time }]);
    expect(emulator.control.now()).toEqual(NOW);
  });

  it.each([
    ['all', 401],
    ['date', 401],
    ['backups', 200],
  ] as const)('more than 15 minutes of %s → a request signed in time is answered %i', async (clockSkewOf, status) => {
    await using emulator = await start({ clockSkewMillis: 16 * MINUTE, clockSkewOf });
    expect((await call(emulator)).status).toBe(status);
  });

  it('set later → what comes then is dated by it', async () => {
    await using emulator = await start();
    emulator.control.changeSettings({ clockSkewMillis: -8 * MINUTE });
    await create(emulator);
    expect(emulator.backups).toMatchObject([{ begin_time: '2026-03-01 11:52:00' }]);
  });
});

describe('Date header', () => {
  const answers: [string, (emulator: Emulator) => Promise<string | undefined>][] = [
    ['an operation', async (emulator) => (await call(emulator)).headers.date],
    ['a refusal of DDS', async (emulator) => (await call(emulator, { query: { limit: '0' } })).headers.date],
    ['a refusal of the gateway', async (emulator) => (await send(emulator, { target: '/' })).headers.date],
    ['a token', async (emulator) => (await send(emulator, { method: 'POST', target: '/v3/auth/tokens' })).headers.date],
    [
      'a fault',
      async (emulator) => {
        emulator.control.inject({ faults: [{ kind: 'html', status: 503 }] });
        return (await call(emulator)).headers.date;
      },
    ],
    [
      'a function of the test that throws',
      async (emulator) => {
        emulator.control.decideFaults(() => {
          throw new Error('no idea');
        });
        return (await call(emulator)).headers.date;
      },
    ],
    [
      'no HTTP',
      async (emulator) => {
        const socket = connect(Number(new URL(emulator.url).port), '127.0.0.1');
        let received = '';
        socket.on('data', (chunk) => {
          received += chunk.toString();
        });
        socket.end('no HTTP\r\n\r\n');
        await once(socket, 'close');
        return /^date: (.*)$/im.exec(received)?.[1];
      },
    ],
  ];
  it.each(answers)('%s → from the emulator’s clock, or none', async (_, dateOf) => {
    await using emulator = await start({ clockSkewMillis: -8 * MINUTE });
    emulator.control.advance({ millis: MINUTE });
    expect(await dateOf(emulator)).toBe('Sun, 01 Mar 2026 11:53:00 GMT');
    emulator.control.changeSettings({ dateHeader: false });
    expect(await dateOf(emulator)).toBeUndefined();
  });
});
