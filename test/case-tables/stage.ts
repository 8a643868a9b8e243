/** The built bundles between an emulated DDS and a stand-in for AWS, on a clock that runs as fast as it may. */
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, vi } from 'vitest';
import { type DurableExecutionEnd, runDurableExecution } from '../../emulator/aws/durable-execution.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../emulator/dds/emulator.ts';
import type { Fault } from '../../emulator/dds/faults.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE, DEMO_PROJECT_ID } from '../../emulator/dds/seed.ts';
import { type Aws, startAws } from '../support/aws.ts';
import { startBundle } from '../support/bundles.ts';
import { environment } from '../support/emulated.ts';
import { httpAnswer, lambdaContext } from '../support/lambda.ts';
import { logLines } from '../support/log-lines.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const START = Date.parse('2026-03-01T12:00:00Z');
export const WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
export const instance_id = DEMO_INSTANCE.id;

/** What one delivery came to, in whatever way the function says it. */
export interface Outcome {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  /** The stable name of a failure. */
  readonly reason?: string;
  readonly message?: string;
  readonly error?: Error;
  readonly backup_id?: unknown;
}

export interface HttpOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly requestContext?: object;
  readonly path?: string;
  readonly env?: Record<string, string>;
  /** Instead of the request as JSON. */
  readonly text?: string;
  readonly requestId?: string;
}

export type Stage = ReturnType<typeof stage>;

/** To be called where a test file registers its hooks. */
export function stage() {
  let emulator: Emulator;
  let aws: Aws;
  let failing = false;
  const lines = logLines();
  beforeEach(async () => {
    // What is not faked carries the exchanges with both servers.
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: START });
    failing = false;
    aws = await startAws({ secrets: { dds: JSON.stringify(DEMO_CREDENTIALS) } });
    emulator = await open();
  });
  afterEach(async () => {
    vi.useRealTimers();
    await emulator.close();
    await aws.close();
  });

  const open = (options: EmulatorOptions = {}) =>
    startEmulator({ backupMillis: MINUTE, outcome: () => (failing ? 'FAILED' : 'COMPLETED'), ...options });

  const env = (more: Record<string, string> = {}) => ({
    ...aws.env,
    ...environment(emulator),
    EVENT_BUS: 'bus',
    ...more,
  });

  /** The key is in the secret instead of the environment. */
  const secretEnv = () => ({
    ...aws.env,
    DDS_ENDPOINT: emulator.url,
    OTC_SDK_PROJECT_ID: DEMO_PROJECT_ID,
    OTC_CREDENTIALS_SECRET: 'dds',
    EVENT_BUS: 'bus',
    OTC_SDK_AK: '',
    OTC_SDK_SK: '',
  });

  /** Lets the faked time run while something does: 20 milliseconds for each turn of the event loop. */
  async function fastForward<T>(running: Promise<T>): Promise<T> {
    let isRunning = true;
    const ended = running.finally(() => {
      isRunning = false;
    });
    ended.catch(() => {});
    while (isRunning) {
      vi.advanceTimersByTime(20);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return ended;
  }

  const invocation = (millis: number, requestId = 'request-1') => {
    const end = Date.now() + millis;
    return lambdaContext(() => end - Date.now(), requestId);
  };

  async function http(request: unknown, options: HttpOptions = {}): Promise<Outcome> {
    const { headers = {}, path = '/backups', requestId = `request-${Date.now()}` } = options;
    const handler = await startBundle('http', env({ WEBHOOK_SECRET, ...options.env }));
    const authorizer = { iam: { userArn: 'arn:aws:iam::123456789012:user/ci' } };
    const event = {
      rawPath: path,
      headers: { 'content-type': 'application/json', ...headers },
      body: options.text ?? JSON.stringify(request),
      requestContext: { requestId, timeEpoch: Date.now(), ...(options.requestContext ?? { authorizer }) },
    };
    const answer = httpAnswer(await fastForward(handler(event, invocation(29 * SECOND))));
    const { reason, error_msg, backup_id } = Object(answer.body);
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: answer.body,
      reason,
      message: error_msg,
      backup_id,
    };
  }

  async function settle(running: Promise<unknown>): Promise<Outcome> {
    try {
      const body = await fastForward(running);
      return { body, backup_id: Object(body).backup_id };
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      return { reason: error.name, message: error.message, error };
    }
  }

  async function bus(event: object, more: Record<string, string> = {}): Promise<Outcome> {
    const handler = await startBundle('event-bus', env(more));
    return settle(handler(event, invocation(MINUTE)));
  }

  async function invoke(payload: unknown, more: Record<string, string> = {}): Promise<Outcome> {
    const handler = await startBundle('invoke', env(more));
    return settle(handler(payload, invocation(MINUTE)));
  }

  async function monitor(time: Date, more: Record<string, string> = {}): Promise<Outcome> {
    const handler = await startBundle('monitor', env(more));
    return settle(handler({ time: time.toISOString() }, invocation(MINUTE)));
  }

  async function retention(time: Date, more: Record<string, string>): Promise<Outcome> {
    const handler = await startBundle('retention', env(more));
    return settle(handler({ time: time.toISOString() }, invocation(15 * MINUTE)));
  }

  interface Deferral {
    readonly env?: Record<string, string>;
    readonly onCheckpoint?: Parameters<typeof runDurableExecution>[0]['onCheckpoint'];
  }

  /** One execution of `deferred` to its end, and the pauses in minutes that it asked for. */
  async function defer(
    record: unknown,
    { onCheckpoint = () => {}, ...options }: Deferral = {},
  ): Promise<DurableExecutionEnd & { readonly pauses: readonly number[] }> {
    const handler = await startBundle('deferred/index', env(options.env));
    const pauses: number[] = [];
    const end = await fastForward(
      runDurableExecution({
        handler,
        payload: JSON.parse(JSON.stringify(record)),
        context: () => invocation(MINUTE),
        now: () => new Date(),
        wait: async (millis, operation) => {
          if (operation.startsWith('pause')) pauses.push(millis / MINUTE);
          vi.setSystemTime(Date.now() + millis);
        },
        onCheckpoint,
      }),
    );
    return { ...end, pauses };
  }

  return {
    lines,
    emulator: () => emulator,
    control: () => emulator.control,
    aws: () => aws,
    /** Another DDS instead of the one at hand. */
    restart: async (options: EmulatorOptions): Promise<void> => {
      await emulator.close();
      emulator = await open(options);
    },
    /** From now on backups fail, or do not. */
    fail: (fails: boolean): void => {
      failing = fails;
    },
    inject: (...faults: readonly Fault[]): void => emulator.control.inject({ faults }),
    /** What every request for a backup is answered from now on. */
    always: (fault: Fault | undefined): void =>
      emulator.control.decideFaults(({ operation }) => (operation === 'create-backup' ? fault : undefined)),
    later: (millis: number): void => void vi.setSystemTime(Date.now() + millis),
    posts: () => emulator.control.requests().filter(({ operation }) => operation === 'create-backup'),
    backups: () => emulator.control.backups(),
    ...{ http, bus, invoke, monitor, retention, defer, secretEnv },
  };
}

/** An event of the bus, the same however often it is called. */
export const busEvent = (backup: object, more: object = {}, id = 'event-1', time = new Date(START)) => ({
  id,
  time: time.toISOString(),
  detail: { backup: { instance_id, ...backup }, ...more },
});

/** What Lambda makes of a failed delivery. */
export const recordOf = (
  kind: 'event-bus' | 'invoke',
  requestPayload: unknown,
  { error, reason, message }: Outcome,
) => ({
  timestamp: new Date().toISOString(),
  requestContext: {
    requestId: 'request-1',
    functionArn: `arn:aws:lambda:eu-central-1:123456789012:function:dds-backup-trigger-dev-${kind}:$LATEST`,
  },
  requestPayload,
  responsePayload: { errorType: error?.name ?? reason, errorMessage: message },
});

export const lost = (more: object = {}): Fault => ({
  kind: 'reset',
  when: 'after',
  operation: 'create-backup',
  ...more,
});

export const refused = (name: keyof typeof refusals): Fault => ({
  kind: 'error',
  ...refusals[name],
  operation: 'create-backup',
});

export const signed = (id: string, body: string, prefix: 'webhook' | 'svix' = 'webhook', secret = WEBHOOK_SECRET) => ({
  [`${prefix}-id`]: id,
  [`${prefix}-timestamp`]: String(Math.floor(Date.now() / 1000)),
  [`${prefix}-signature`]: new Webhook(secret).sign(id, new Date(), body),
});
