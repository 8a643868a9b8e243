/**
 * A page that shows what the emulator holds, and the server-sent events that feed it: `GET /`, `GET /emulator/events`.
 * The real gateway has no API at `/`, so only who asks for HTML gets the page.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EmulatorClock } from './clock.ts';
import type { Faults } from './faults.ts';
import type { Project, Projects } from './projects.ts';
import type { BackupRecord, Instance } from './records.ts';
import type { RecordedRequest } from './request-log.ts';

const EVENTS_PATH = '/emulator/events';
const LOOK_MILLIS = 250;
const MAX_SHOWN = 100;

/** Times are milliseconds by DDS's clock. */
interface ShownInstance extends Pick<Instance, 'id' | 'name' | 'status' | 'mode'> {
  readonly project: string;
  readonly actions: readonly string[];
  readonly backups: number;
  /** The end of its last COMPLETED backup. */
  readonly completedAt: number | null;
}

interface ShownBackup extends Pick<BackupRecord, 'id' | 'name' | 'type' | 'description' | 'size' | 'beginAt'> {
  readonly instanceId: string;
  readonly instanceName: string;
  readonly status: string;
  /** Null for one that does not end by itself. */
  readonly endAt: number | null;
}

interface ShownRequest {
  readonly id: number;
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly operation: string | null;
  readonly status: number | null;
  readonly errorCode: string | null;
  readonly fault: string | null;
}

/** What the page shows, but for the time. */
interface Snapshot {
  readonly instances: readonly ShownInstance[];
  /** The newest. */
  readonly backups: readonly ShownBackup[];
  readonly backupCount: number;
  /** The last, newest first. */
  readonly requests: readonly ShownRequest[];
  readonly requestCount: number;
  /** How many are queued. */
  readonly faults: number;
}

export interface PageOptions {
  readonly projects: Projects;
  readonly clock: EmulatorClock;
  readonly faults: Faults;
}

export interface Page {
  /** Remembers when a request came. */
  note(request: RecordedRequest): void;
  /** Answers a request for the page or its events. Returns false for any other. */
  answer(request: IncomingMessage, response: ServerResponse): boolean;
}

export function createPage({ projects, clock, faults }: PageOptions): Page {
  const noted: { readonly id: number; readonly at: number; readonly request: RecordedRequest }[] = [];
  let requestCount = 0;

  const snapshot = (): Snapshot => {
    const shown = projects.all.map(showProject);
    return {
      instances: shown.flatMap(({ instances }) => instances).slice(0, MAX_SHOWN),
      backups: shown.flatMap(({ backups }) => backups).slice(0, MAX_SHOWN),
      backupCount: shown.reduce((sum, { count }) => sum + count, 0),
      requests: noted.map(showRequest).reverse(),
      requestCount,
      faults: faults.pending.length,
    };
  };

  /** Looks every quarter of a second while somebody watches: most of what changes follows from the clock alone. */
  const stream = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', ...PROTECTION });
    response.write('retry: 1000\n\n');
    let sent = { state: '', now: Number.NaN };
    const look = (): void => {
      if (response.writableNeedDrain) return;
      const [state, now] = [JSON.stringify(snapshot()), clock.dds()];
      // JSON has no line feed, so an event's data is one line.
      if (now !== sent.now) response.write(`event: time\ndata: ${now}\n\n`);
      if (state !== sent.state) response.write(`event: state\ndata: ${state}\n\n`);
      sent = { state, now };
    };
    look();
    const timer = setInterval(look, LOOK_MILLIS);
    response.on('close', () => clearInterval(timer));
  };

  return {
    note: (request) => {
      requestCount += 1;
      noted.push({ id: requestCount, at: clock.dds(), request });
      if (noted.length > MAX_SHOWN) noted.shift();
    },
    answer: ({ method, url, headers }, response) => {
      if (method !== 'GET') return false;
      if (url === EVENTS_PATH) stream(response);
      else if (url === '/' && headers.accept?.includes('text/html')) response.writeHead(200, PAGE_HEADERS).end(HTML);
      else return false;
      return true;
    },
  };
}

function showProject({ id: project, state }: Project) {
  const all = state.backups();
  const counts = new Map<string, number>();
  const completed = new Map<string, number>();
  for (const backup of all) {
    const { id } = backup.instance;
    counts.set(id, (counts.get(id) ?? 0) + 1);
    if (state.status(backup) === 'COMPLETED')
      completed.set(id, Math.max(backup.endAt, completed.get(id) ?? Number.NEGATIVE_INFINITY));
  }
  const instances = state.instances().map(
    ({ id, name, status, mode, actions = [] }): ShownInstance => ({
      project,
      id,
      name,
      status,
      mode,
      actions: [...(state.isBackingUp(id) ? ['BACKUP'] : []), ...actions],
      backups: counts.get(id) ?? 0,
      completedAt: completed.get(id) ?? null,
    }),
  );
  const backups = all.slice(0, MAX_SHOWN).map((backup): ShownBackup => {
    const { id, name, type, description, size, beginAt, endAt, instance } = backup;
    return {
      id,
      name,
      type,
      description,
      size,
      beginAt,
      endAt: Number.isFinite(endAt) ? endAt : null,
      status: state.status(backup),
      instanceId: instance.id,
      instanceName: instance.name,
    };
  });
  return { instances, backups, count: all.length };
}

function showRequest({
  id,
  at,
  request,
}: {
  readonly id: number;
  readonly at: number;
  readonly request: RecordedRequest;
}): ShownRequest {
  const { method, path, operation = null, status = null, errorCode = null, fault = null } = request;
  return { id, at, method, path, operation, status, errorCode, fault };
}

const HTML = readFileSync(new URL('page.html', import.meta.url), 'utf8');

/** The hash that lets an inline element of the page through. */
function hashOf(element: 'script' | 'style'): string {
  const [, content = ''] = new RegExp(`<${element}>([^]*?)</${element}>`).exec(HTML) ?? [];
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
}

const PROTECTION = { 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' };

const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  ...PROTECTION,
  'content-security-policy': [
    "default-src 'none'",
    `script-src ${hashOf('script')}`,
    `style-src ${hashOf('style')}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // No text may become HTML, not even by mistake.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
};
