/**
 * The emulator and serverless-offline side by side: the real `serverless.yml` and bundles, with a DDS on this machine.
 * Before serverless-offline stand our own API Gateway and Lambda API.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startEmulator } from '../../emulator/dds/emulator.ts';
import type { RecordedRequest } from '../../emulator/dds/request-log.ts';
import { emulatorEnvironment, Unusable } from './command.ts';
import { type DeferredRun, runDeferred } from './deferred.ts';
import { gateway } from './gateway.ts';
import { type Ended, lambdaApi } from './lambda-api.ts';
import { freePort, isListening, listenError } from './ports.ts';
import { serve } from './relay.ts';

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

export interface Terminal {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** Resolves once requests are answered, or never will be. The bundles must be built. */
export async function startLocally(ports: Ports, signal: AbortSignal, terminal: Terminal = process): Promise<LocalRun> {
  const over = new AbortController();
  const print = (line: string): void => {
    if (!over.signal.aborted) terminal.stdout.write(`${line}\n`);
  };
  await refuseTakenPorts(ports);
  await using started = new AsyncDisposableStack();
  // Long enough to find the instance busy, and short enough to wait for.
  const emulator = started.use(
    await startEmulator({
      port: ports.emulator,
      backupMillis: 3000,
      onRequest: (request) => print(requestLine(request)),
    }),
  );
  const inner = { http: await freePort(), lambda: await freePort() };
  const offline = startOffline(inner, {
    ddsEndpoint: emulator.url,
    awsEndpoint: `http://127.0.0.1:${ports.lambda}`,
    signal,
  });
  started.defer(() => void offline.kill('SIGKILL'));
  const exit = exitOf(offline).finally(() => over.abort());

  // Its banner names ports and routes of its own, which do not matter here. It is shown only where it may explain an
  // early end.
  const [output, errors] = [holdBack(offline.stdout, terminal.stdout), holdBack(offline.stderr, terminal.stderr)];
  const names = await functionNames(offline, over.signal);
  const answers = names.length > 0 && (await untilListening(Object.values(inner), over.signal));
  if (answers) {
    const env = await emulatorEnvironment(ports.emulator);
    const defer = (payload: unknown) => runDeferredHere(payload, { env, print, signal: over.signal });
    const lambda = lambdaApi({ offlinePort: inner.lambda, functions: names, defer, print });
    started.use(await serve(ports.lambda, lambda));
    started.use(await serve(ports.http, gateway(inner.http)));
  }
  output.release(!answers);
  errors.release(!answers);

  const servers = started.move();
  const ended = exit.then(async (code) => {
    await servers.disposeAsync();
    return signal.aborted ? 0 : code;
  });
  return { answers, ended, pid: offline.pid };
}

interface OfflineOptions {
  readonly ddsEndpoint: string;
  readonly awsEndpoint: string;
  readonly signal: AbortSignal;
}

function startOffline(ports: Pick<Ports, 'http' | 'lambda'>, { ddsEndpoint, awsEndpoint, signal }: OfflineOptions) {
  const child = spawn(
    process.execPath,
    [
      ...[SERVERLESS, 'offline', 'start', '--noSponsor', '--param', `ddsEndpoint=${ddsEndpoint}`],
      ...['--httpPort', String(ports.http), '--lambdaPort', String(ports.lambda)],
    ],
    {
      cwd: ROOT,
      env: { ...process.env, AWS_ENDPOINT_URL: awsEndpoint },
      // Over the channel come the names of the functions (scripts/plugins/local.ts).
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // It has nothing to save, and on SIGTERM it waits five seconds for idle connections.
      signal,
      killSignal: 'SIGKILL',
    },
  );
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error('serverless-offline has no output');
  return Object.assign(child, { stdout, stderr });
}

function exitOf(child: ChildProcess): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('exit', (code) => resolve(code ?? 1));
  // An abort is an error too, but the exit is still to come.
  child.on('error', () => child.pid ?? resolve(1));
  return promise;
}

/** None where it ends before it has read serverless.yml. */
async function functionNames(child: ChildProcess, signal: AbortSignal): Promise<readonly string[]> {
  try {
    const [names]: unknown[] = await once(child, 'message', { signal });
    return Array.isArray(names) ? names.map(String) : [];
  } catch {
    // An abort, which is an error event of the child, or its end.
    return [];
  }
}

interface Surroundings extends Pick<DeferredRun, 'env' | 'print'> {
  readonly signal: AbortSignal;
}

/** In this process, from its source. */
async function runDeferredHere(payload: unknown, { env, print, signal }: Surroundings): Promise<Ended> {
  const { error, result } = await runDeferred(payload, {
    env,
    print: (line) => print(`deferred: ${line}`),
    wait: (millis) => setTimeout(millis, undefined, { signal }),
  });
  const { ErrorType: errorType = '', ErrorMessage: errorMessage = '' } = error ?? {};
  return { result, error: error && { errorType, errorMessage } };
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

async function untilListening(ports: readonly number[], signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if ((await Promise.all(ports.map(isListening))).every(Boolean)) return true;
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

const requestLine = ({ method, path, status, errorCode }: RecordedRequest): string =>
  ['DDS emulator:', method, path, status, errorCode].filter((part) => part !== undefined).join(' ');
