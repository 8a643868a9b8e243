/** `npm start` after its build, and `serverless invoke local`: real processes, on ports that are free. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type InvocationType, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startEmulator } from '../emulator/dds/emulator.ts';
import { DEMO_FAULTY_INSTANCE, DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../emulator/dds/seed.ts';
import { isFree } from '../scripts/local/ports.ts';
import { type Ports, startLocally } from '../scripts/local/run.ts';
import { freePorts } from './clients/local-service.ts';
import { serverless } from './serverless.ts';

const CREATED = {
  job_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
  backup_id: expect.stringMatching(/^[0-9a-f]{32}br02$/),
};

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

  const post = (headers: Record<string, string>, backup: object) =>
    fetch(`http://127.0.0.1:${ports.http}/backups`, {
      method: 'POST',
      headers,
      // Of bytes, fetch states no type.
      body: Buffer.from(JSON.stringify({ backup })),
    });
  const read = (path: string) => fetch(`http://127.0.0.1:${ports.http}/${path}`).then((response) => response.json());

  it('request without a content type → 415', async () => {
    const response = await post({}, { instance_id: DEMO_INSTANCE.id, name: 'without-a-type' });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ reason: 'InvalidRequest' });
  });

  it('path without a route → the answer of API Gateway', async () => {
    const response = await fetch(`http://127.0.0.1:${ports.http}/other`);
    expect([response.status, await response.json()]).toEqual([404, { message: 'Not Found' }]);
  });

  /** Makes the other instance busy for three seconds. */
  async function makeBusy(name: string) {
    const backup = { instance_id: DEMO_OTHER_INSTANCE.id, name };
    const isAccepted = () => post({ 'content-type': 'application/json' }, backup).then(({ status }) => status);
    await expect.poll(isAccepted, { timeout: 10_000, interval: 300 }).toBe(200);
  }

  it('instance busy, Prefer: respond-async → 202, then deferred makes the backup', async () => {
    await makeBusy('before-respond-async');
    const headers = { 'content-type': 'application/json', prefer: 'respond-async' };
    const response = await post(headers, { instance_id: DEMO_OTHER_INSTANCE.id, name: 'asynchronous' });
    expect([response.status, await response.json()]).toEqual([202, expect.objectContaining({ status: 'DEFERRED' })]);
    const location = response.headers.get('location') ?? '';
    expect(location).toContain('name=asynchronous');
    const made = { backups: [expect.objectContaining({ name: 'asynchronous' })] };
    await expect.poll(() => read(location), { timeout: 10_000, interval: 300 }).toEqual(made);
    expect(local.printed()).toMatch(/^deferred: published: DDS Backup Request Deferred \{.*"trigger":"http"/m);
    expect(local.printed()).toContain('deferred: pause-1: 60 s, here 1 s\n');
    await expect.poll(local.printed).toMatch(/^deferred: succeeded: \{"job_id":"[^"]+","backup_id":"[^"]+"\}$/m);
  });

  const lambda = () =>
    new LambdaClient({
      endpoint: `http://127.0.0.1:${ports.lambda}`,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
      maxAttempts: 1,
    });
  const invoke = async (payload: object, InvocationType: InvocationType = 'RequestResponse') => {
    const FunctionName = 'dds-backup-trigger-dev-invoke';
    const { FunctionError, Payload, StatusCode, $metadata } = await lambda().send(
      new InvokeCommand({ FunctionName, InvocationType, Payload: JSON.stringify(payload) }),
    );
    const text = Payload?.transformToString() ?? '';
    const result = text === '' ? undefined : JSON.parse(text);
    return { status: StatusCode, error: FunctionError, result, id: $metadata.requestId };
  };

  it('invoke through the AWS SDK → one backup', async () => {
    const backup = { instance_id: DEMO_INSTANCE.id, name: 'called-by-a-function' };
    const made = { status: 200, error: undefined, result: CREATED };
    await expect.poll(() => invoke({ backup }), { timeout: 10_000, interval: 300 }).toMatchObject(made);
  });

  it('invalid payload → the function reads what is wrong with it', async () => {
    const { error, result } = await invoke({ backup: { instance_id: DEMO_OTHER_INSTANCE.id, name: '1st' } });
    expect(error).toBe('Unhandled');
    expect(result.errorMessage).toContain('/backup/name');
    expect(result.errorType).toBe('InvalidRequest');
  });

  it('asynchronous call, instance busy → 202, then deferred makes the backup of the same trigger', async () => {
    await makeBusy('before-event');
    const backup = { instance_id: DEMO_OTHER_INSTANCE.id, name_prefix: 'event' };
    const { status, result, id } = await invoke({ backup }, 'Event');
    expect([status, result]).toEqual([202, undefined]);
    const list = () => read(`backups?instance_id=${DEMO_OTHER_INSTANCE.id}`);
    const made = expect.objectContaining({ name: expect.stringMatching(/^event-[a-z2-7]{14}$/) });
    await expect.poll(list, { timeout: 10_000, interval: 300 }).toEqual({ backups: expect.arrayContaining([made]) });
    const printed = local.printed();
    expect(printed).toMatch(/^dds-backup-trigger-dev-invoke failed: InstanceBusy: /m);
    const lines = printed
      .split('\n')
      .filter((line) => line.startsWith('{') && line.includes(`"idempotency_key":"${id}"`));
    const events = lines.map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({ event: 'request.rejected', trigger: 'invoke', reason: 'InstanceBusy' });
    expect(new Set(events.map(({ name }) => name)).size).toBe(1);
  });

  it('asynchronous call that no retry mends → published, and npm start goes on', async () => {
    const backup = { instance_id: DEMO_OTHER_INSTANCE.id, name: '1st' };
    expect(await invoke({ backup }, 'Event')).toMatchObject({ status: 202 });
    const published = /^deferred: published: DDS Backup Request Failed \{.*"reason":"InvalidRequest"/m;
    await expect.poll(local.printed, { timeout: 5000 }).toMatch(published);
    expect(await invoke({ backup })).toMatchObject({ error: 'Unhandled' });
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

  it.concurrent('while deferred waits → nothing stays either, at once', async () => {
    const ports = await freePorts();
    await using local = start(ports);
    await local.ready;
    const body = JSON.stringify({ backup: { instance_id: DEMO_FAULTY_INSTANCE.id, name: 'never' } });
    const headers = { 'content-type': 'application/json', prefer: 'respond-async' };
    const response = await fetch(`http://127.0.0.1:${ports.http}/backups`, { method: 'POST', headers, body });
    expect(response.status).toBe(202);
    await vi.waitUntil(() => local.printed().includes('deferred: pause-2'), { timeout: 10_000 });
    local.interrupt('SIGINT');
    expect(await local.exit).toBe(0);
    expect(local.leftBehind()).toBe(false);
    expect(local.printed()).not.toContain('Abort');
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
