/** The emulator and serverless-offline side by side: the real `serverless.yml` and bundles, with a DDS on this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startEmulator } from '../emulator/dds/emulator.ts';
import type { RecordedRequest } from '../emulator/dds/request-log.ts';

export interface Ports {
  /** The HTTP API. */
  readonly http: number;
  /** Lambda's own API, which the AWS SDK and CLI call. */
  readonly lambda: number;
  readonly emulator: number;
}

export class PortTaken extends Error {
  override readonly name = 'PortTaken';
}

const SERVERLESS = fileURLToPath(import.meta.resolve('serverless/bin/serverless.js'));
const ROOT = fileURLToPath(new URL('..', import.meta.url));

export interface LocalRun {
  /** Whether it came so far. */
  readonly answers: boolean;
  /** The exit code: 0 where the signal ended it, else that of serverless-offline. */
  readonly ended: Promise<number>;
  /** Of serverless-offline. */
  readonly pid: number | undefined;
}

/** Resolves when requests are answered, or never will be. Expects the bundles to be built. */
export async function startLocally(ports: Ports, signal: AbortSignal): Promise<LocalRun> {
  await refuseTakenPorts(ports);
  // Long enough to find the instance busy, and short enough for the curl line to work again when it is pasted again.
  const emulator = await startEmulator({ port: ports.emulator, backupMillis: 3000, onRequest: logRequest });
  const offline = spawn(
    process.execPath,
    [
      ...[SERVERLESS, 'offline', 'start', '--noSponsor', '--param', `ddsEndpoint=${emulator.url}`],
      ...['--httpPort', String(ports.http), '--lambdaPort', String(ports.lambda)],
    ],
    // It has nothing to save, and asked politely it waits five seconds for idle connections.
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' },
  );
  const ended = exitOf(offline).then(async (code) => {
    await emulator.close();
    return signal.aborted ? 0 : code;
  });

  // Its banner names routes that are none of ours: shown only where it is all there is to explain an early end.
  const [output, errors] = [holdBack(offline.stdout, process.stdout), holdBack(offline.stderr, process.stderr)];
  const answers = await Promise.race([untilAnswered(ports.http, signal), ended.then(() => false)]);
  output.release(!answers);
  errors.release(!answers);
  return { answers, ended, pid: offline.pid };
}

function exitOf(child: ChildProcess): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('exit', (code) => resolve(code ?? 1));
  // Being aborted is an error as well, but the exit is still to come.
  child.on('error', () => child.pid ?? resolve(1));
  return promise;
}

/** Before anything is started, since the second server to fail would leave the first one running. */
export async function refuseTakenPorts(ports: Ports): Promise<void> {
  const taken: number[] = [];
  for (const port of Object.values(ports)) if (!(await isFree(port))) taken.push(port);
  if (taken.length === 0) return;
  const [which, verb] = taken.length === 1 ? ['Port', 'is'] : ['Ports', 'are'];
  throw new PortTaken(
    `${which} ${taken.join(', ')} ${verb} taken: another program listens there. End it and try again.`,
  );
}

export function isFree(port: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', (error: NodeJS.ErrnoException) =>
    error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
  );
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}

async function untilAnswered(port: number, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    const socket = connect(port, '127.0.0.1');
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return true;
    await setTimeout(100);
  }
  return false;
}

function holdBack(from: Readable, to: Writable): { release(show: boolean): void } {
  const held: unknown[] = [];
  const hold = (chunk: unknown) => held.push(chunk);
  from.on('data', hold);
  return {
    release(show) {
      from.off('data', hold);
      if (show) for (const chunk of held) to.write(chunk);
      from.pipe(to, { end: false });
    },
  };
}

function logRequest({ method, path, status, errorCode }: RecordedRequest): void {
  console.log(['DDS emulator:', method, path, status, errorCode].filter((part) => part !== undefined).join(' '));
}
