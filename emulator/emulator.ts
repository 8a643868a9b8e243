/**
 * A DDS that runs on this machine: the DDS v3 API and the gateway before it, over HTTP on 127.0.0.1, state in memory,
 * signatures verified. The order of checks stands at `exchange`, `authenticate` and each operation.
 */
import { createServer, type Server } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import type { Backup } from '../lib/dds/types.ts';
import type { Credentials } from '../lib/otc/signer.ts';
import { exchange, type Service } from './exchange.ts';
import { type Faults, faultQueue } from './faults.ts';
import { idSource } from './ids.ts';
import { replyTo, send } from './reply.ts';
import type { OpenRecord, RecordedRequest } from './request-log.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCES, DEMO_PROJECT_ID, DEMO_TEMPORARY_CREDENTIALS } from './seed.ts';
import { createState, describeBackup, type Instance, type Outcome, type SeededBackup, type State } from './state.ts';

export interface EmulatorOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  readonly projectId?: string;
  /** The access keys of the project; one with a `securityToken` is a temporary one. Default: the two of seed.ts. */
  readonly credentials?: readonly Credentials[];
  readonly instances?: readonly Instance[];
  readonly backups?: readonly SeededBackup[];
  readonly clock?: () => Date;
  /** What ids are drawn from, 0 to below 1; a seeded one makes a run repeatable. */
  readonly random?: () => number;
  /** What the fault `delay` waits with; the signal is that of `close()`. */
  readonly wait?: (millis: number, signal: AbortSignal) => Promise<void>;
  /** How long a backup takes. Default 30 000. */
  readonly backupMillis?: number;
  /** How long a backup that is being deleted is DISABLED. Default 5000. */
  readonly deletionMillis?: number;
  /** How long after its creation a job can be asked for. Default 3000. */
  readonly jobDelayMillis?: number;
  /** How a backup ends; asked when it begins. Default: COMPLETED. */
  readonly outcome?: (backup: Backup) => Outcome;
  /** Whether creating checks the instance's state before the name; the reference does not say. Default false. */
  readonly busyFirst?: boolean;
  /** Bytes of a request's body that the gateway takes. Default 12 MB, as the signing guide has it. */
  readonly bodyLimit?: number;
  /** Told of each request when all that will be answered is on its way. */
  readonly onRequest?: (request: RecordedRequest) => void;
}

export interface Emulator {
  /** `http://127.0.0.1:{port}` */
  readonly url: string;
  /** All backups that exist, as the list shows them, newest first. */
  readonly backups: readonly Backup[];
  readonly state: State;
  /** All requests in the order of their arrival, those refused by the gateway included. */
  readonly requests: readonly RecordedRequest[];
  readonly faults: Faults;
  /** Ends every connection, hanging ones too; resolves when the port is free. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Rejects when the port is taken. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { random = Math.random, wait = waitInRealTime, onRequest } = options;
  const ids = idSource(random);
  const state = createState({
    clock: options.clock ?? (() => new Date()),
    ids,
    instances: options.instances ?? DEMO_INSTANCES,
    backupMillis: options.backupMillis ?? 30_000,
    deletionMillis: options.deletionMillis ?? 5000,
    jobDelayMillis: options.jobDelayMillis ?? 3000,
    outcome: options.outcome ?? (() => 'COMPLETED'),
  });
  for (const backup of options.backups ?? []) state.seedBackup(backup);
  const { faults, take } = faultQueue();
  const requests: RecordedRequest[] = [];
  const closing = new AbortController();
  const service: Service = {
    state,
    ids,
    projectId: options.projectId ?? DEMO_PROJECT_ID,
    keys: options.credentials ?? [DEMO_CREDENTIALS, DEMO_TEMPORARY_CREDENTIALS],
    bodyLimit: options.bodyLimit ?? 12 * 1024 * 1024,
    busyFirst: options.busyFirst ?? false,
    takeFault: take,
    wait: (millis) => wait(millis, closing.signal),
  };

  const server = createEmulatorServer(service, requests, onRequest);
  const port = await listen(server, options.port ?? 0);
  const close = async (): Promise<void> => {
    closing.abort();
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    get backups() {
      return state.backups().map((backup) => describeBackup(backup, state.status(backup)));
    },
    state,
    requests,
    faults,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function createEmulatorServer(
  service: Service,
  requests: RecordedRequest[],
  onRequest: EmulatorOptions['onRequest'],
): Server {
  return createServer((request, response) => {
    const record: OpenRecord = {
      method: request.method ?? '',
      path: request.url ?? '',
      operation: undefined,
      body: undefined,
      status: undefined,
      errorCode: undefined,
      tookEffect: false,
      fault: undefined,
    };
    requests.push(record);
    response.on('error', () => {});
    exchange(service, request, response, record)
      .catch((error: unknown) => {
        // Either the caller is gone, or the emulator is closing, or a function that a test handed in has thrown.
        if (request.destroyed && !request.complete) return;
        if (response.headersSent || response.destroyed) response.destroy();
        else send(response, replyTo({ status: 500, error_code: 'EMULATOR', error_msg: String(error) }, ''));
      })
      .finally(() => {
        if (response.headersSent) record.status = response.statusCode;
        onRequest?.(record);
      });
  }).on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
    else socket.destroy();
  });
}

function listen(server: Server, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', reject);
  server.listen(port, '127.0.0.1', () => {
    server.off('error', reject);
    const address = server.address();
    resolve(typeof address === 'object' && address ? address.port : port);
  });
  return promise;
}

const waitInRealTime = (millis: number, signal: AbortSignal): Promise<void> =>
  setTimeout(millis, undefined, { signal });
