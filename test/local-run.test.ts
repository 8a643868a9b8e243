/** `npm start` after its build, and `serverless invoke local`: real processes, on ports that are free. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startEmulator } from '../emulator/dds/emulator.ts';
import { DEMO_OTHER_INSTANCE } from '../emulator/dds/seed.ts';
import { isFree } from '../scripts/local/ports.ts';
import { type Ports, startLocally } from '../scripts/local/run.ts';
import { serverless } from './serverless.ts';

const CREATED = {
  job_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
  backup_id: expect.stringMatching(/^[0-9a-f]{32}br02$/),
};

/** Below the ports that the system hands out by itself, to this file's connections and to all that runs beside it. */
let lastPort = 20_000 + (process.pid % 1000) * 10;

async function freePort(): Promise<number> {
  lastPort += 1;
  const port = lastPort;
  return (await isFree(port)) ? port : freePort();
}

const freePorts = async (): Promise<Ports> => ({
  http: await freePort(),
  lambda: await freePort(),
  emulator: await freePort(),
});

const areFree = async (ports: Ports): Promise<boolean> =>
  (await Promise.all(Object.values(ports).map(isFree))).every((free) => free);

/** In a process group of its own, so that whatever stays is found, and ended with it. */
function start(ports: Ports) {
  const program = `
    import { explain } from './scripts/local/command.ts';
    import { run } from './scripts/local/start.ts';
    process.exitCode = await run(${JSON.stringify(ports)}).catch(explain);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  ready.catch(() => {});
  const listen = (chunk: Buffer) => {
    printed += chunk;
    if (printed.includes('Ctrl-C ends everything.')) resolve();
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  const exit = once(child, 'close').then(([code]): unknown => code);
  exit.finally(() => reject(new Error(`ended without getting ready:\n${printed}`)));

  const signalAll = (signal: NodeJS.Signals | 0) => {
    try {
      return child.pid !== undefined && process.kill(-child.pid, signal);
    } catch {
      return false;
    }
  };
  return {
    ready,
    exit,
    printed: () => printed,
    interrupt: (signal: NodeJS.Signals) => child.kill(signal),
    leftBehind: () => signalAll(0),
    [Symbol.asyncDispose]: async () => {
      signalAll('SIGKILL');
      await exit;
    },
  };
}

describe('npm start', { timeout: 30_000 }, () => {
  let ports: Ports;
  let local: ReturnType<typeof start>;
  beforeAll(async () => {
    ports = await freePorts();
    local = start(ports);
    await local.ready;
  }, 60_000);
  afterAll(() => local[Symbol.asyncDispose]());

  it('printed curl line → one backup, and another once the first has ended', async () => {
    const line = /curl (?<url>\S+) -H '(?<name>[^:']+): (?<value>[^']+)' -d '(?<body>[^']+)'/.exec(local.printed());
    const { url = '', name = '', value = '', body = '' } = line?.groups ?? {};
    expect(url).toBe(`http://localhost:${ports.http}/backups`);
    const paste = async () => {
      const response = await fetch(url, { method: 'POST', headers: { [name]: value }, body });
      return { status: response.status, answer: await response.json() };
    };

    const first = await paste();
    expect(first).toEqual({ status: 200, answer: CREATED });
    const again = { status: 200, answer: CREATED };
    const second = await expect.poll(paste, { timeout: 10_000, interval: 300 }).toEqual(again);
    expect(second).not.toEqual(first);
  });

  const lambda = () =>
    new LambdaClient({
      endpoint: `http://127.0.0.1:${ports.lambda}`,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
      maxAttempts: 1,
    });
  const invoke = async (payload: object) => {
    const FunctionName = 'dds-backup-trigger-dev-invoke';
    const { FunctionError, Payload } = await lambda().send(
      new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload) }),
    );
    return { error: FunctionError, result: JSON.parse(Payload?.transformToString() ?? '') };
  };

  it('invoke through the AWS SDK → one backup', async () => {
    const backup = { instance_id: DEMO_OTHER_INSTANCE.id, name: 'called-by-a-function' };
    expect(await invoke({ backup })).toEqual({ error: undefined, result: CREATED });
  });

  it('invalid payload → the function reads what is wrong with it', async () => {
    const { error, result } = await invoke({ backup: { instance_id: DEMO_OTHER_INSTANCE.id, name: '1st' } });
    expect(error).toBe('Unhandled');
    expect(result.errorMessage).toContain('/backup/name');
    // Lambda puts the error's name into errorType; serverless-offline always writes "Error" there.
    expect(result.trace[0]).toMatch(/^InvalidRequest: /);
  });
});

describe('npm start: end', { timeout: 30_000 }, () => {
  it.concurrent.each(['SIGINT', 'SIGTERM'] as const)('%s → no process and no port stays', async (signal) => {
    const ports = await freePorts();
    await using local = start(ports);
    await local.ready;
    local.interrupt(signal);
    expect(await local.exit).toBe(0);
    expect(local.leftBehind()).toBe(false);
    expect(await areFree(ports)).toBe(true);
  });

  it.concurrent('before it is ready → nothing stays either', async () => {
    const ports = await freePorts();
    await using local = start(ports);
    await vi.waitFor(() => fetch(`http://127.0.0.1:${ports.emulator}`), { timeout: 10_000 });
    local.interrupt('SIGINT');
    expect(await local.exit).toBe(0);
    expect(local.leftBehind()).toBe(false);
  });

  it.concurrent('serverless-offline ends → so does all, with its exit code', async () => {
    const ports = await freePorts();
    const { answers, ended, pid } = await startLocally(ports, new AbortController().signal);
    expect(answers).toBe(true);
    process.kill(pid ?? 0, 'SIGKILL');
    expect(await ended).toBe(1);
    expect(await areFree(ports)).toBe(true);
  });
});

describe('npm start: port that is taken', () => {
  it.each(['http', 'lambda', 'emulator'] as const)('for %s → named, and nothing is started', async (purpose) => {
    const ports = await freePorts();
    await using other = createServer().listen(ports[purpose], '127.0.0.1');
    await once(other, 'listening');
    await using local = start(ports);
    expect(await local.exit).toBe(1);
    const taken = `Port ${ports[purpose]} is taken by another program. End it, or choose other ports: npm start -- --help\n`;
    expect(local.printed()).toBe(taken);
  });
});

describe('serverless invoke local', { timeout: 30_000 }, () => {
  it('event-bus, sample event → one backup in a running emulator, and a replay of it', async () => {
    await using emulator = await startEmulator();
    const invoke = () =>
      serverless([
        ...['invoke', 'local', '--function', 'event-bus', '--path', 'events/event-bus.json'],
        ...['--param', `ddsEndpoint=${emulator.url}`],
      ]);
    const { code, output } = await invoke();
    expect(code).toBe(0);
    const [created] = emulator.backups;
    expect(created?.name).toMatch(/^before-migration-\d{8}T040506Z-[a-z2-7]{14}$/);
    expect(output).toMatch(new RegExp(`"job_id": "[^"]+",\\s+"backup_id": "${created?.id}"`));
    expect((await invoke()).output).toContain(`"backup_id": "${created?.id}"`);
    expect(emulator.backups).toHaveLength(1);
  });
});
