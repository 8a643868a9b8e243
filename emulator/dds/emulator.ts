/**
 * A DDS that runs on this machine: the DDS v3 API, the gateway before it and IAM's tokens, over HTTP on 127.0.0.1, state
 * in memory, signatures verified. The order of checks stands at `exchange`, `gateway` and each operation.
 */
import { createServer, type Server } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { emulatorClock } from './clock.ts';
import { type Control, createControl, runAction } from './control.ts';
import { answerControl, isControl } from './control-http.ts';
import type { Credentials } from './credentials.ts';
import { exchange, type Service } from './exchange.ts';
import { type Faults, faultQueue } from './faults.ts';
import { gateway } from './gateway.ts';
import { idSource } from './ids.ts';
import { createPage, type Page } from './page.ts';
import { createProjects, type ProjectSetup } from './projects.ts';
import type { Backup, Instance, Outcome, SeededBackup } from './records.ts';
import { replyTo, responder } from './reply.ts';
import { type OpenRecord, openRecord, type RecordedRequest } from './request-log.ts';
import {
  DEMO_CREDENTIALS,
  DEMO_INSTANCES,
  DEMO_PROJECT_ID,
  DEMO_PROJECT_NAME,
  DEMO_TEMPORARY_CREDENTIALS,
  DEMO_USER,
} from './seed.ts';
import { readSettings, type Settings } from './settings.ts';
import type { State } from './state.ts';
import { tokenIssuer } from './tokens.ts';

/** What the emulator begins with; `control` changes it later. */
export interface EmulatorOptions extends Partial<Settings> {
  /** Default 0: any free port. */
  readonly port?: number;
  /** The first project, which is the one where no project is named. */
  readonly projectId?: string;
  /** The access keys of the first project; one with a `securityToken` is a temporary one. Default: the two of seed.ts. */
  readonly credentials?: readonly Credentials[];
  readonly instances?: readonly Instance[];
  readonly backups?: readonly SeededBackup[];
  /** Further projects. */
  readonly projects?: readonly ProjectSetup[];
  readonly clock?: () => Date;
  /** What ids are drawn from, 0 to below 1; a seeded one makes a run repeatable. */
  readonly random?: () => number;
  /** What the fault `delay` waits with; the signal is that of `close()`. */
  readonly wait?: (millis: number, signal: AbortSignal) => Promise<void>;
  /** How a backup ends; asked when it begins. Default: COMPLETED. */
  readonly outcome?: (backup: Backup) => Outcome;
  /** Bytes of a request's body that the gateway takes. Default 12 MB, as the signing guide has it. */
  readonly bodyLimit?: number;
  /** Called for each request when all that will be answered is on its way. */
  readonly onRequest?: (request: RecordedRequest) => void;
}

export interface Emulator {
  /** `http://127.0.0.1:{port}` */
  readonly url: string;
  /** The way in for tests. */
  readonly control: Control;
  /** As `control.backups()`: those of the first project. */
  readonly backups: readonly Backup[];
  /** As `control.requests()`. */
  readonly requests: readonly RecordedRequest[];
  /** What stands behind `control`, of the first project: for callers that do not use it yet. */
  readonly state: State;
  /** What stands behind `control.inject`: for callers that do not use it yet. */
  readonly faults: Faults;
  /** Ends every connection, hanging ones too; resolves when the port is free. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Rejects when the port is taken. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { random = Math.random, wait = waitInRealTime, onRequest = () => {} } = options;
  const ids = idSource(random);
  let current = readSettings(options);
  const settings = (): Settings => current;
  const clock = emulatorClock(options.clock ?? (() => new Date()), settings);
  const projects = createProjects({ clock, ids, settings, outcome: options.outcome ?? (() => 'COMPLETED') });
  const first = projects.add({
    id: options.projectId ?? DEMO_PROJECT_ID,
    name: DEMO_PROJECT_NAME,
    credentials: options.credentials ?? [DEMO_CREDENTIALS, DEMO_TEMPORARY_CREDENTIALS],
    users: [DEMO_USER],
    instances: options.instances ?? DEMO_INSTANCES,
    backups: options.backups ?? [],
  });
  for (const setup of options.projects ?? []) projects.add(setup);

  const queue = faultQueue();
  const requests: RecordedRequest[] = [];
  const changeSettings = (changes: Partial<Settings>): void => {
    current = readSettings({ ...current, ...changes });
  };
  const control = createControl({ clock, projects, queue, requests, settings, changeSettings });
  const tokens = tokenIssuer({
    projects: () => projects.all,
    now: clock.gateway,
    lifetime: () => settings().tokenMillis,
    newToken: ids.token,
    url: () => url,
  });
  const closing = new AbortController();
  const service: Service = {
    ids,
    projects,
    tokens,
    settings,
    bodyLimit: options.bodyLimit ?? 12 * 1024 * 1024,
    date: () => (settings().dateHeader ? new Date(clock.gateway()).toUTCString() : undefined),
    authenticate: gateway({
      projects: () => projects.all,
      tokens,
      now: clock.gateway,
      locksKeys: () => settings().lockKeys,
    }),
    takeFault: queue.take,
    runActions: (actions) => {
      for (const action of actions) runAction(control, action);
    },
    wait: (millis) => wait(millis, closing.signal),
  };

  const page = createPage({ projects, clock, faults: queue.faults });
  const keep = (record: OpenRecord): void => {
    requests.push(record);
    page.note(record);
  };
  const server = createEmulatorServer(service, control, page, keep, onRequest);
  const url = `http://127.0.0.1:${await listen(server, options.port ?? 0)}`;
  const close = async (): Promise<void> => {
    closing.abort();
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    url,
    control,
    get backups() {
      return control.backups();
    },
    state: first.state,
    requests,
    faults: queue.faults,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function createEmulatorServer(
  service: Service,
  control: Control,
  page: Page,
  keep: (record: OpenRecord) => void,
  onRequest: (request: RecordedRequest) => void,
): Server {
  return createServer((request, response) => {
    response.on('error', () => {});
    if (isControl(request)) return void answerControl(control, request, response);
    if (page.answer(request, response)) return;
    const record = openRecord(request.method ?? '', request.url ?? '');
    keep(record);
    exchange(service, request, response, record)
      .catch((error: unknown) => {
        // Either the caller is gone, or the emulator is closing, or a function that a test handed in has thrown.
        if (request.destroyed && !request.complete) return;
        const failure = replyTo({ status: 500, error_code: 'EMULATOR', error_msg: String(error) }, '');
        if (response.headersSent || response.destroyed) response.destroy();
        else responder(response, service.date).send(failure);
      })
      .finally(() => {
        if (response.headersSent) record.status = response.statusCode;
        onRequest(record);
      });
  }).on('clientError', (_error, socket) => {
    const date = service.date();
    const lines = ['HTTP/1.1 400 Bad Request', ...(date === undefined ? [] : [`date: ${date}`]), 'connection: close'];
    if (socket.writable) socket.end(`${lines.join('\r\n')}\r\n\r\n`);
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
