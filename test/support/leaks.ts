/** Functions with known secrets, and everything that they log, answer and throw. */
import { channel } from 'node:diagnostics_channel';
import type { AddressInfo, Server } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { runDurableExecution } from '../../emulator/aws/durable-execution.ts';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { DEMO_INSTANCE, DEMO_PROJECT_ID } from '../../emulator/dds/seed.ts';
import { deferredHandler } from '../../functions/deferred.ts';
import { eventBusHandler } from '../../functions/event-bus.ts';
import { httpHandler } from '../../functions/http.ts';
import { invokeHandler } from '../../functions/invoke.ts';
import { type AwsApi, awsApi } from '../../lib/aws/api.ts';
import { awsService } from '../../lib/aws/platform.ts';
import { secretsManager } from '../../lib/aws/secrets.ts';
import type { Credentials } from '../../lib/otc/signer.ts';
import { FUNCTIONS } from './bundles.ts';
import { call, lambdaContext } from './lambda.ts';
import { virtualTime } from './virtual-time.ts';
import { visible } from './visible.ts';

export const KEY = { ak: 'SECRETACCESSKEY12345', sk: 'SecretSecretKeyOfThePermanentKey00000000' };
/** With characters that JSON may be written with or without an escape for. */
export const TEMPORARY = {
  ak: 'SECRETTEMPORARY12345',
  sk: 'SecretSecretKeyOfTheTemporaryKey00000000',
  securityToken: 'secret/security+token=="quoted"\\<end>',
};
export const HOOK = 'whsec_c2VjcmV0LXdlYmhvb2sta2V5LW51bWJlci1vbmU=';
export const OTHER_HOOK = 'whsec_c2VjcmV0LXdlYmhvb2sta2V5LW51bWJlci10d28=';
/** Of the function, for AWS. */
export const AWS_KEY = 'secret/secret+access+key+of+the+function';
export const SESSION = 'secret-session-token-of-the-function';

/** What does not answer at once never does. */
const ATTEMPT_MILLIS = 25;
const SECRET_MILLIS = 200;

export type Env = Readonly<Record<string, string>>;

export const DELIVERED = [...FUNCTIONS, 'deferred'] as const;
/** So that `deferred` makes one attempt: half a minute before the deadline. */
const ONE_ATTEMPT = { MAX_REQUEST_AGE_HOURS: '0.0166' };

/** To be called where a test file registers its hooks. Every test begins with nothing seen and with a fresh DDS. */
export function leakDetector() {
  /** What must never come out, in any of the forms that it may take. */
  const secrets = new Set<string>();
  const keep = (...texts: readonly string[]): void => {
    for (const text of texts)
      for (const form of [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text), btoa(text)])
        secrets.add(form);
  };

  /** Every request to DDS or AWS is signed anew: its signature is a secret from then on. */
  const onRequest = (message: unknown): void => {
    const { request } = Object(message);
    const [, signature] = /Signature=(\w+)$/.exec(String(request.getHeader('authorization'))) ?? [];
    if (signature !== undefined) keep(signature);
  };

  /** What was logged, answered and thrown. */
  const seen: unknown[] = [];
  const servers: Server[] = [];
  let time: ReturnType<typeof virtualTime>;
  let emulator: Emulator;

  const startDds = async (credentials: readonly Credentials[]): Promise<void> => {
    emulator = await startEmulator({ clock: time.now, credentials });
  };

  beforeAll(() => channel('http.client.request.start').subscribe(onRequest));
  afterAll(() => void channel('http.client.request.start').unsubscribe(onRequest));

  beforeEach(async () => {
    seen.length = 0;
    secrets.clear();
    keep(...Object.values(KEY), ...Object.values(TEMPORARY), AWS_KEY, SESSION);
    for (const hook of [HOOK, OTHER_HOOK]) {
      const base64 = hook.slice('whsec_'.length);
      keep(hook, base64, atob(base64), Buffer.from(base64, 'base64').toString('hex'));
    }
    time = virtualTime();
    await startDds([KEY, TEMPORARY]);
    for (const level of ['debug', 'log', 'info', 'warn', 'error'] as const)
      vi.spyOn(console, level).mockImplementation((...logged) => void seen.push(...logged));
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await emulator.close();
    for (const server of servers.splice(0)) server.close();
  });

  function signedWebhook(body: string) {
    const signature = new Webhook(HOOK).sign('msg_1', time.now(), body);
    keep(signature, signature.slice('v1,'.length));
    const timestamp = String(Math.floor(time.now().getTime() / 1000));
    const signed = { 'webhook-id': 'msg_1', 'webhook-timestamp': timestamp, 'webhook-signature': signature };
    return { headers: { 'content-type': 'application/json', ...signed }, body, requestContext: { requestId: 'r' } };
  }

  return {
    seen,
    emulator: () => emulator,

    /** A DDS that knows other keys. */
    replaceDds: async (credentials: readonly Credentials[]): Promise<void> => {
      await emulator.close();
      await startDds(credentials);
    },

    /** The port of a server that lives as long as the test. */
    listening: async (server: Server): Promise<number> => {
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
      return (server.address() as AddressInfo).port;
    },

    /** Delivers an event, the same each time, to a function and keeps what comes out. */
    deliver: async (name: (typeof DELIVERED)[number], env: Env): Promise<void> => {
      const invocation = () => {
        const end = time.now().getTime() + 29_000;
        return lambdaContext(() => end - time.now().getTime());
      };
      const settings = {
        DDS_ENDPOINT: emulator.url,
        OTC_SDK_PROJECT_ID: DEMO_PROJECT_ID,
        WEBHOOK_SECRET: HOOK,
        ...(name === 'deferred' && ONE_ATTEMPT),
        ...env,
      };
      const published: unknown[] = [];
      const timing = { now: time.now, wait: time.wait, random: () => 1 };
      const api = awsApi(settings, timing);
      const callBriefly: AwsApi = (request) => api({ ...request, totalMillis: SECRET_MILLIS });
      const service = awsService({
        env: settings,
        timing,
        attemptMillis: ATTEMPT_MILLIS,
        readSecret: secretsManager(callBriefly),
        publish: async (events) => void published.push(...events),
      });
      const request = { backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'nightly' } };
      const busEvent = { id: 'event-1', time: '2026-03-01T12:00:00Z', detail: request };
      const run = {
        http: () => call(httpHandler(service), signedWebhook(JSON.stringify(request)), invocation()),
        'event-bus': () => call(eventBusHandler(service), busEvent, invocation()),
        invoke: () => call(invokeHandler(service), { id: 'event-1', ...request }, invocation()),
        deferred: async () => {
          const { error, ...end } = await runDurableExecution({
            handler: deferredHandler(service),
            payload: {
              timestamp: time.now().toISOString(),
              requestContext: { requestId: 'r' },
              requestPayload: busEvent,
            },
            context: invocation,
            now: time.now,
            wait: async (millis) => time.advance(millis),
          });
          return { error, end, published };
        },
      }[name];
      seen.push(await run().catch((error: unknown) => error));
    },

    now: () => time.now(),

    wait: (millis: number) => time.wait(millis),

    /** The secrets that came out so far. */
    leaks: (): readonly string[] => {
      const all = visible(seen);
      return [...secrets].filter((secret) => all.includes(secret));
    },

    /** What is looked for. */
    secrets: (): readonly string[] => [...secrets],
  };
}
