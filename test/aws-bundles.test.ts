/** The functions as they are deployed, between an emulated DDS and a stand-in for AWS. */
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import type { Metafile } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runDurableExecution } from '../emulator/aws/durable-execution.ts';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE, DEMO_PROJECT_ID } from '../emulator/dds/seed.ts';
import { type Aws, startAws, throttled } from './support/aws.ts';
import { startBundle } from './support/bundles.ts';
import { environment } from './support/emulated.ts';
import { httpAnswer, lambdaContext, sample } from './support/lambda.ts';
import { logLines } from './support/log-lines.ts';

const MINUTE = 60_000;
const SECRET = 'dds/key';

let aws: Aws;
let emulator: Emulator;
const lines = logLines();
beforeEach(async () => {
  // What is not faked carries the exchanges with both servers.
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
  aws = await startAws({ secrets: { [SECRET]: JSON.stringify(DEMO_CREDENTIALS) } });
  emulator = await startEmulator();
});
afterEach(async () => {
  vi.useRealTimers();
  await emulator.close();
  await aws.close();
});

/** Lets the faked time run while something does: 20 milliseconds for each turn of the event loop. */
async function fastForward<T>(running: Promise<T>): Promise<T> {
  let isRunning = true;
  const ended = running.finally(() => {
    isRunning = false;
  });
  // Its error is thrown below.
  ended.catch(() => {});
  while (isRunning) {
    vi.advanceTimersByTime(20);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return ended;
}

const startHttp = async (env: Record<string, string> = {}) => {
  const settings = { DDS_ENDPOINT: emulator.url, OTC_SDK_PROJECT_ID: DEMO_PROJECT_ID, OTC_CREDENTIALS_SECRET: SECRET };
  const handler = await startBundle('http', { ...aws.env, ...settings, HTTP_AUTH: 'none', ...env });
  return (name: string, headers: Record<string, string> = {}) => {
    const end = Date.now() + 29_000;
    const event = {
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ backup: { instance_id: DEMO_INSTANCE.id, name } }),
      requestContext: { requestId: name, timeEpoch: Date.now(), http: { method: 'POST', path: '/backups' } },
      rawPath: '/backups',
    };
    return handler(
      event,
      lambdaContext(() => end - Date.now()),
    ).then(httpAnswer);
  };
};

const start = async (env?: Record<string, string>) => {
  const send = await startHttp(env);
  return (...request: Parameters<typeof send>) => fastForward(send(...request));
};

describe('http with its key in a secret', () => {
  it('secret → read once, signed → the backup', async () => {
    const post = await start();
    expect(await post('first')).toMatchObject({ statusCode: 200 });
    expect(emulator.backups).toMatchObject([{ name: 'first' }]);
    await post('second');
    expect(aws.requests).toMatchObject([{ operation: 'GetSecretValue', body: { SecretId: SECRET }, status: 200 }]);
  });

  it('key in the environment → no secret is read', async () => {
    const post = await start(environment(emulator));
    expect(await post('first')).toMatchObject({ statusCode: 200 });
    expect(aws.requests).toEqual([]);
  });

  it('secret throttled once → accepted', async () => {
    aws.next(throttled);
    const post = await start();
    expect(await post('first')).toMatchObject({ statusCode: 200 });
    expect(aws.requests.map(({ status }) => status)).toEqual([400, 200]);
  });

  it('secret not answered once → accepted, after the time-out of three seconds', async () => {
    aws.next({ kind: 'hang' });
    const post = await start();
    const begin = Date.now();
    expect(await post('first')).toMatchObject({ statusCode: 200 });
    expect(Date.now() - begin).toBeGreaterThanOrEqual(3000);
    expect(aws.requests.map(({ status }) => status)).toEqual([undefined, 200]);
  });

  it('secret always throttled → 503 SecretUnavailable, retried for at most eight seconds, DDS not asked', async () => {
    aws.decide = () => throttled;
    const post = await start();
    const begin = Date.now();
    expect(await post('first')).toMatchObject({ statusCode: 503, body: { reason: 'SecretUnavailable' } });
    expect(Date.now() - begin).toBeLessThan(8500);
    expect(aws.requests.length).toBeGreaterThan(3);
    expect(emulator.requests).toEqual([]);
  });

  it.each<[string, env: Record<string, string>]>([
    ['missing secret', { OTC_CREDENTIALS_SECRET: 'other' }],
    ['no keys of AWS', { AWS_ACCESS_KEY_ID: '' }],
  ])('%s → 500 ConfigurationError, DDS not asked', async (_, env) => {
    const post = await start(env);
    expect(await post('first')).toMatchObject({ statusCode: 500, body: { reason: 'ConfigurationError' } });
    expect(lines).toMatchObject([{ level: 'error', event: 'request.failed', reason: 'ConfigurationError' }]);
    expect(emulator.requests).toEqual([]);
  });

  it('refresh fails while the old key works → accepted, secret.stale logged', async () => {
    const post = await start();
    await post('first');
    vi.setSystemTime(Date.now() + 6 * MINUTE);
    aws.decide = () => throttled;
    expect(await post('second')).toMatchObject({ statusCode: 200 });
    expect(emulator.backups.map(({ name }) => name)).toEqual(['second', 'first']);
    expect(lines).toMatchObject([
      { event: 'request.accepted' },
      { level: 'warn', event: 'secret.stale', message: expect.stringContaining('ThrottlingException') },
      { event: 'request.accepted' },
    ]);
  });

  it('refresh succeeds → the new key', async () => {
    const post = await start();
    await post('first');
    vi.setSystemTime(Date.now() + 6 * MINUTE);
    aws.secrets[SECRET] = JSON.stringify({ ...DEMO_CREDENTIALS, sk: 'rotated' });
    expect(await post('second')).toMatchObject({ statusCode: 502, body: { reason: 'CredentialsRefused' } });
  });
});

describe('http: forged webhooks', () => {
  const forged = () => ({
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
    'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}`,
  });

  it('secret that cannot be read → 503 AuthenticationUnavailable, one read for many within five seconds', async () => {
    aws.decide = () => throttled;
    const send = await startHttp({ HTTP_AUTH: '' });
    const unavailable = { statusCode: 503, body: { reason: 'AuthenticationUnavailable' } };
    const together = await fastForward(Promise.all(Array.from({ length: 10 }, () => send('forged', forged()))));
    const { length: ofOneRead } = aws.requests;
    for (const answer of together) expect(answer).toMatchObject(unavailable);
    for (let i = 0; i < 10; i++) expect(await fastForward(send('forged', forged()))).toMatchObject(unavailable);
    expect(aws.requests).toHaveLength(ofOneRead);
    // The attempts of one call within its eight seconds.
    expect(ofOneRead).toBeLessThanOrEqual(30);

    expect(lines).toHaveLength(20);
    for (const line of lines)
      expect(line).toMatchObject({ level: 'warn', event: 'request.rejected', reason: 'AuthenticationUnavailable' });

    vi.setSystemTime(Date.now() + 5000);
    await fastForward(send('forged', forged()));
    expect(aws.requests.length).toBeGreaterThan(ofOneRead);
  });

  it('secret that can be read → 401, one read for many', async () => {
    const webhook_secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    aws.secrets[SECRET] = JSON.stringify({ ...DEMO_CREDENTIALS, webhook_secret });
    const post = await start({ HTTP_AUTH: '' });
    for (let i = 0; i < 5; i++) expect(await post('forged', forged())).toMatchObject({ statusCode: 401 });
    expect(aws.requests).toHaveLength(1);
  });

  it('no signature → 401, no secret read', async () => {
    const post = await start({ HTTP_AUTH: '' });
    expect(await post('unsigned')).toMatchObject({ statusCode: 401 });
    expect(aws.requests).toEqual([]);
  });
});

describe('deferred: the end of a rejected request', () => {
  const rejected = {
    ...sample('deferred'),
    responsePayload: { errorType: 'DdsRejected', errorMessage: 'No such instance.' },
  };

  const run = async () => {
    const handler = await startBundle('deferred/index', { ...aws.env, ...environment(emulator), EVENT_BUS: 'orders' });
    return fastForward(
      runDurableExecution({
        handler,
        payload: rejected,
        context: () => {
          const end = Date.now() + MINUTE;
          return lambdaContext(() => end - Date.now());
        },
        now: () => new Date(),
        wait: async (millis) => void vi.setSystemTime(Date.now() + millis),
      }),
    );
  };
  const failed = {
    status: 'FAILED',
    error: { ErrorType: 'DdsRejected', ErrorMessage: 'No such instance.' },
  };

  it('→ published in one call', async () => {
    expect(await run()).toMatchObject(failed);
    expect(aws.requests).toMatchObject([{ operation: 'PutEvents', status: 200 }]);
    expect(aws.events).toMatchObject([
      {
        bus: 'orders',
        source: 'dds-backup-trigger',
        type: 'DDS Backup Request Failed',
        detail: { reason: 'DdsRejected', message: 'No such instance.', attempts: 1 },
      },
    ]);
    expect(lines).toMatchObject([{ event: 'request.rejected' }]);
  });

  it('mute bus → the execution ends after four attempts, each logged as publish.failed', async () => {
    aws.decide = () => ({ kind: 'hang' });
    const { operations, ...end } = await run();
    expect(end).toMatchObject(failed);
    expect(operations.find(({ Name }) => Name === 'publish-rejection')).toMatchObject({ Status: 'FAILED' });
    // Each within eight seconds, of three an attempt.
    expect(aws.requests).toHaveLength(4 * 3);
    const unpublished = { level: 'error', event: 'publish.failed', reason: 'PublishFailed' };
    expect(lines).toMatchObject([{ event: 'request.rejected' }, unpublished, unpublished, unpublished, unpublished]);
  });

  it('bus that refuses the entry once → published by the next attempt', async () => {
    aws.next({ kind: 'refuse', entries: { 0: 'InternalFailure' } });
    expect(await run()).toMatchObject(failed);
    expect(aws.events).toHaveLength(1);
    expect(lines).toMatchObject([
      { event: 'request.rejected' },
      { event: 'publish.failed', message: expect.stringContaining('(InternalFailure)') },
    ]);
  });
});

describe('the bundles', () => {
  const { outputs }: Metafile = JSON.parse(readFileSync(new URL('../dist/meta.json', import.meta.url), 'utf8'));
  const files = Object.keys(outputs).filter((file) => !file.startsWith('dist/deferred/'));

  it.each([...files, 'dist/deferred/index.mjs'])('%s: nothing of the AWS SDK', (file) => {
    const sdk = /node_modules\/(@aws-sdk|@smithy|@aws-crypto)\//;
    expect(Object.keys(outputs[file]?.inputs ?? {}).filter((path) => sdk.test(path))).toEqual([]);
  });

  it.each(files)('%s: one file, which holds aws4', (file) => {
    const { inputs = {}, imports = [] } = outputs[file] ?? {};
    expect(Object.keys(inputs).filter((path) => path.includes('node_modules/aws4/'))).not.toEqual([]);
    expect(imports.map(({ path }) => path).filter((path) => !isBuiltin(path))).toEqual([]);
  });

  it('dist/deferred/index.mjs: loads aws4 later', () => {
    const { inputs = {}, imports = [] } = outputs['dist/deferred/index.mjs'] ?? {};
    expect(Object.keys(inputs).filter((path) => path.includes('node_modules/aws4/'))).toEqual([]);
    expect(imports).toContainEqual(
      expect.objectContaining({ kind: 'dynamic-import', path: expect.stringContaining('/aws4-') }),
    );
  });
});
