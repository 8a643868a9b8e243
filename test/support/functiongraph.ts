/** Open Telekom Cloud around a function of FunctionGraph: a stand-in for SMN, and what a function is configured with. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Emulator } from '../../emulator/dds/emulator.ts';
import { gateway } from '../../emulator/dds/gateway.ts';
import { readTarget } from '../../emulator/dds/request-target.ts';
import { DEMO_PROJECT_ID, DEMO_TEMPORARY_CREDENTIALS } from '../../emulator/dds/seed.ts';
import type { FunctionGraphContext } from '../../lib/functiongraph/platform.ts';
import { fieldsOf, type JsonObject, parseJson } from '../../lib/json.ts';
import type { Credentials } from '../../lib/otc/signer.ts';
import { SECOND } from '../../lib/time.ts';

export const EVENT_TOPIC = `urn:smn:eu-de:${DEMO_PROJECT_ID}:dds-backups`;
export const ALARM_TOPIC = `urn:smn:eu-de:${DEMO_PROJECT_ID}:alarms`;

export interface Message {
  readonly topic: string;
  readonly subject: string;
  readonly text: string;
  /** The text, where it is JSON. */
  readonly json: JsonObject;
}

/** What comes instead of an answer. */
export type SmnFault = number | 'hang' | 'reset';

export interface Smn extends AsyncDisposable {
  readonly url: string;
  /** What was accepted. */
  readonly messages: readonly Message[];
  /** The status of each request's answer, in the order of their arrival; undefined where there was none. */
  readonly statuses: readonly (number | undefined)[];
  /** The next requests meet these faults, one each. */
  next(...faults: readonly SmnFault[]): void;
  /** Ends every connection. */
  close(): Promise<void>;
}

export interface SmnOptions {
  readonly credentials?: readonly Credentials[];
  readonly topics?: readonly string[];
  readonly now?: () => Date;
}

const MAX_SUBJECT = 512;
const MAX_MESSAGE_BYTES = 256 * 1024;

/** Verifies every signature with the emulator's own code. */
export async function startSmn({
  credentials = [DEMO_TEMPORARY_CREDENTIALS],
  topics = [EVENT_TOPIC, ALARM_TOPIC],
  now = () => new Date(),
}: SmnOptions = {}): Promise<Smn> {
  const messages: Message[] = [];
  const statuses: (number | undefined)[] = [];
  const faults: SmnFault[] = [];
  const authenticate = gateway({
    projects: () => [{ id: DEMO_PROJECT_ID, credentials }],
    tokens: { create: () => ({ status: 400, body: {}, tookEffect: false }), read: () => undefined },
    now: () => now().getTime(),
    locksKeys: () => false,
  });

  async function statusOf(request: IncomingMessage): Promise<number> {
    const { method = '', url = '', headers } = request;
    const body = await buffer(request);
    const target = readTarget(url);
    const [, project, topic = ''] =
      /^\/v2\/(\w+)\/notifications\/topics\/([^/]+)\/publish$/.exec(target?.path ?? '') ?? [];
    if (!target || method !== 'POST' || project === undefined) return 404;
    const caller = authenticate({ ...target, method, headers, body });
    if (!Array.isArray(caller)) return 401;
    if (!caller.includes(project)) return 403;
    if (!topics.includes(topic)) return 404;
    const { subject, message } = fieldsOf(parseJson(body.toString()));
    if (typeof subject !== 'string' || !/^[^\r\n]+$/.test(subject) || subject.length > MAX_SUBJECT) return 400;
    if (typeof message !== 'string' || message === '' || Buffer.byteLength(message) > MAX_MESSAGE_BYTES) return 400;
    messages.push({ topic, subject, text: message, json: fieldsOf(parseJson(message)) });
    return 200;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const index = statuses.push(undefined) - 1;
    const fault = faults.shift();
    if (fault === 'hang') return;
    if (fault === 'reset') return void request.socket.destroy();
    const status = fault ?? (await statusOf(request));
    statuses[index] = status;
    const id = randomUUID();
    const refusal = {
      request_id: id,
      error_code: `SMN.${status}`,
      error_msg: `refused: ${request.headers.authorization}`,
    };
    response.writeHead(status).end(JSON.stringify(status < 300 ? { request_id: id, message_id: id } : refusal));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    messages,
    statuses,
    next: (...more) => void faults.push(...more),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What Terraform gives a function beside the agency. */
export const userDataOf = (emulator: Pick<Emulator, 'url'>, smn: Pick<Smn, 'url'>): Record<string, string> => ({
  DDS_ENDPOINT: emulator.url,
  SMN_ENDPOINT: smn.url,
  EVENT_TOPIC_URN: EVENT_TOPIC,
  ALARM_TOPIC_URN: ALARM_TOPIC,
  STAGE: 'test',
});

export interface ContextOptions {
  readonly userData: Readonly<Record<string, string>>;
  readonly keys?: Credentials | undefined;
  readonly projectId?: string | undefined;
  readonly requestId?: string;
  readonly remainingMillis?: () => number;
}

/** The context of an invocation in this process. */
export const contextWith = ({
  userData,
  keys,
  projectId = DEMO_PROJECT_ID,
  requestId = 'request-1',
  remainingMillis = () => 30 * SECOND,
}: ContextOptions): FunctionGraphContext => ({
  getRequestID: () => requestId,
  getRemainingTimeInMilliSeconds: remainingMillis,
  getSecurityAccessKey: () => keys?.ak,
  getSecuritySecretKey: () => keys?.sk,
  getSecurityToken: () => keys?.securityToken,
  getUserData: (key) => userData[key],
  getProjectID: () => projectId,
});

/** A record of an SMN event; a text is taken as it is. */
export const smnRecord = (message: unknown, message_id: string, timestamp: string) => ({
  event_version: '1.0',
  smn: {
    topic_urn: `urn:smn:eu-de:${DEMO_PROJECT_ID}:requests`,
    timestamp,
    message_attributes: null,
    message: typeof message === 'string' ? message : JSON.stringify(message),
    type: 'notification',
    message_id,
    subject: 'backup',
  },
  event_subscription_urn: 'urn',
  event_source: 'smn',
});

/** An SMN event with these messages, published at a time. */
export const smnEventAt = (timestamp: string, ...messages: readonly unknown[]) => ({
  record: messages.map((message, index) => smnRecord(message, `message-${index + 1}`, timestamp)),
  functionname: 'event',
  requestId: 'request-1',
  timestamp: 'Sun Mar 01 2026 20:00:00 GMT+0800 (CST)',
});

export const smnEvent = (...messages: readonly unknown[]) => smnEventAt('2026-03-01T12:00:00Z', ...messages);

export const timerEvent = (time: string, userEvent: unknown, name = 'Nightly') => ({
  version: 'v1.0',
  time,
  trigger_type: 'TIMER',
  trigger_name: name,
  user_event: typeof userEvent === 'string' ? userEvent : JSON.stringify(userEvent),
});
