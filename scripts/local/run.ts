/** The emulator and serverless-offline side by side: the real `serverless.yml` and bundles, with a DDS on this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startEmulator } from '../../emulator/dds/emulator.ts';
import type { RecordedRequest } from '../../emulator/dds/request-log.ts';
import { Unusable } from './command.ts';
import { isListening, listenError } from './ports.ts';

export interface Ports {
  /** The HTTP API. */
  readonly http: number;
  /** Lambda's own API, which the AWS SDK and CLI call. */
  readonly lambda: number;
  readonly emulator: number;
}

const SERVERLESS = fileURLToPath(import.meta.resolve('serverless/bin/serverless.js'));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface LocalRun {
  /** Whether requests are answered; false where it ended before. */
  readonly answers: boolean;
  /** The exit code: 0 where the signal ended it, otherwise that of serverless-offline. */
  readonly ended: Promise<number>;
  /** Of serverless-offline. */
  readonly pid: number | undefined;
}

/** Resolves once requests are answered, or never will be. The bundles must be built. */
export async function startLocally(ports: Ports, signal: AbortSignal): Promise<LocalRun> {
  await refuseTakenPorts(ports);
  // Long enough to find the instance busy, and short enough to wait for.
  const emulator = await startEmulator({ port: ports.emulator, backupMillis: 3000, onRequest: logRequest });
  const offline = spawn(
    process.execPath,
    [
      ...[SERVERLESS, 'offline', 'start', '--noSponsor', '--param', `ddsEndpoint=${emulator.url}`],
      ...['--httpPort', String(ports.http), '--lambdaPort', String(ports.lambda)],
    ],
    // It has nothing to save, and on SIGTERM it waits five seconds for idle connections.
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' },
  );
  const ended = exitOf(offline).then(async (code) => {
    await emulator.close();
    return signal.aborted ? 0 : code;
  });

  // Its banner names routes of its own, which do not matter here. It is shown only where it may explain an early end.
  const [output, errors] = [holdBack(offline.stdout, process.stdout), holdBack(offline.stderr, process.stderr)];
  const answers = await Promise.race([untilAnswered(ports.http, signal), ended.then(() => false)]);
  output.release(!answers);
  errors.release(!answers);
  return { answers, ended, pid: offline.pid };
}

function exitOf(child: ChildProcess): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('exit', (code) => resolve(code ?? 1));
  // An abort is an error too, but the exit is still to come.
  child.on('error', () => child.pid ?? resolve(1));
  return promise;
}

/**
 * Called before anything is started, since the second server to fail would leave the first one running.
 * @throws Unusable
 */
export async function refuseTakenPorts(ports: Ports): Promise<void> {
  const taken: number[] = [];
  for (const port of Object.values(ports)) {
    const error = await listenError(port);
    if (error === 'EADDRINUSE') taken.push(port);
    else if (error !== undefined) throw new Unusable(`Cannot listen on port ${port}: ${error}.`);
  }
  if (taken.length === 0) return;
  const [which, verb] = taken.length === 1 ? ['Port', 'is'] : ['Ports', 'are'];
  throw new Unusable(
    `${which} ${taken.join(', ')} ${verb} taken by another program. End it, or choose other ports: npm start -- --help`,
  );
}

async function untilAnswered(port: number, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (await isListening(port)) return true;
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
