import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEMO_CREDENTIALS, DEMO_PROJECT_ID } from '../../emulator/dds/seed.ts';
import LocalPlugin, { recent } from './local.ts';

const DEPLOYED = { OTC_CREDENTIALS_SECRET: 'dds-backup-trigger', OTC_SDK_REGION: 'eu-de', DDS_ENDPOINT: null };
const LOCAL = ['offline', 'offline start', 'invoke local'];
const OFFLINE = ['offline', 'offline start'];

const functionOf = (name: string, environment: Record<string, unknown> = {}) => ({
  handler: `dist/${name}.handler`,
  name: `dds-backup-trigger-dev-${name}`,
  environment,
});

async function initialized(command: string, environment: Record<string, unknown> = DEPLOYED) {
  const service = {
    provider: { environment: { ...environment } as Record<string, unknown> },
    functions: {
      http: functionOf('http', { DEFERRED_FUNCTION: { Ref: 'DeferredDurableLambdaAlias' } }),
      invoke: functionOf('invoke'),
      deferred: functionOf('deferred'),
      nightly: functionOf('nightly', { INVOKE_FUNCTION: { 'Fn::GetAtt': ['InvokeLambdaFunction', 'Arn'] }, A: null }),
    },
  };
  await new LocalPlugin({ processedInput: { commands: command.split(' ') }, service }).hooks.initialize();
  return service;
}

/** What `npm start` hears, of a process that it started or of another one. */
let sent: unknown[] | undefined;
const { send } = process;
const startedBy = (parent: 'npm start' | 'the shell') => {
  sent = parent === 'npm start' ? [] : undefined;
  if (sent) process.send = (message: unknown) => sent?.push(message) !== undefined;
  else delete process.send;
};
beforeEach(() => {
  vi.stubEnv('OTC_SDK_SECURITY_TOKEN', 'of a real project');
  vi.stubEnv('WEBHOOK_SECRET', 'of a real project');
  vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:3002');
  vi.stubEnv('AWS_SESSION_TOKEN', 'of a real account');
  startedBy('the shell');
});
afterEach(() => {
  if (send) process.send = send;
  vi.unstubAllEnvs();
});

describe.each(LOCAL)('serverless %s', (command) => {
  it('→ the address and the keys of the emulator, an open route and no secret', async () => {
    const { provider } = await initialized(command);
    expect(provider.environment).toMatchObject({
      DDS_ENDPOINT: 'http://127.0.0.1:8090',
      HTTP_AUTH: 'none',
      OTC_SDK_AK: DEMO_CREDENTIALS.ak,
      OTC_SDK_PROJECT_ID: DEMO_PROJECT_ID,
      OTC_SDK_REGION: 'eu-de',
      OTC_SDK_SK: DEMO_CREDENTIALS.sk,
    });
    expect(provider.environment).not.toHaveProperty('OTC_CREDENTIALS_SECRET');
  });

  it('emulator on another port → that one', async () => {
    const { provider } = await initialized(command, { ...DEPLOYED, DDS_ENDPOINT: 'http://127.0.0.1:18090' });
    expect(provider.environment).toMatchObject({ DDS_ENDPOINT: 'http://127.0.0.1:18090' });
  });

  it('keys in the shell → kept from the functions', async () => {
    await initialized(command);
    expect(process.env).not.toHaveProperty('OTC_SDK_SECURITY_TOKEN');
    expect(process.env).not.toHaveProperty('WEBHOOK_SECRET');
  });
});

describe.each(OFFLINE)('serverless %s', (command) => {
  it('→ keys that open nothing, and none of the shell', async () => {
    const { provider } = await initialized(command);
    expect(provider.environment).toMatchObject({ AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' });
    expect(process.env).not.toHaveProperty('AWS_SESSION_TOKEN');
  });

  it('started by npm start → asynchronous calls come to it, and it gets the names of all functions', async () => {
    startedBy('npm start');
    const { provider, functions } = await initialized(command);
    expect(provider.environment).toMatchObject({ AWS_ENDPOINT_URL: 'http://127.0.0.1:3002' });
    expect(functions.http.environment).toEqual({ DEFERRED_FUNCTION: 'dds-backup-trigger-dev-deferred' });
    expect(functions.nightly.environment).toEqual({ INVOKE_FUNCTION: 'dds-backup-trigger-dev-invoke' });
    expect(sent).toEqual([['http', 'invoke', 'deferred', 'nightly'].map((name) => `dds-backup-trigger-dev-${name}`)]);
  });

  it('started alone → no references, no null', async () => {
    const { functions } = await initialized(command);
    expect(functions.http.environment).toEqual({});
    expect(functions.nightly.environment).toEqual({});
  });

  it('→ request ids as in the cloud', async () => {
    const { functions } = await initialized(command);
    const handlers = Object.values(functions).map(({ handler }) => handler);
    expect(handlers).toEqual([
      'scripts/local/handlers.http',
      'scripts/local/handlers.invoke',
      'dist/deferred.handler',
      'dist/nightly.handler',
    ]);
  });
});

it('serverless invoke local → the bundles, by their names; no references', async () => {
  const { functions } = await initialized('invoke local');
  expect(functions.http).toMatchObject({ handler: 'dist/http.mjs.handler', environment: {} });
});

describe.each(['package', 'deploy', 'deploy function', 'invoke', 'info'])('serverless %s', (command) => {
  it('→ nothing is changed', async () => {
    const { provider, functions } = await initialized(command);
    expect(provider).toEqual({ environment: DEPLOYED });
    expect(functions.http).toEqual(functionOf('http', { DEFERRED_FUNCTION: { Ref: 'DeferredDurableLambdaAlias' } }));
    expect(process.env).toHaveProperty('WEBHOOK_SECRET', 'of a real project');
    expect(process.env).toHaveProperty('AWS_SESSION_TOKEN', 'of a real account');
  });
});

describe('serverless invoke local: time of the event', () => {
  const now = new Date('2026-11-26T07:30:00Z');

  it.each([
    ['2026-02-03T04:05:06Z', '2026-11-26T04:05:06.000Z'],
    ['2026-02-03T12:05:06Z', '2026-11-25T12:05:06.000Z'],
    ['2026-11-25T07:30:00Z', '2026-11-26T07:30:00.000Z'],
    ['2026-11-26T07:29:59Z', '2026-11-26T07:29:59.000Z'],
    ['2026-11-27T00:00:00Z', '2026-11-27T00:00:00.000Z'],
  ])('%s → %s, within the last 24 hours', (time, moved) => {
    expect(recent({ id: 'a', time, detail: {} }, now)).toEqual({ id: 'a', time: moved, detail: {} });
    expect(recent({ time, backup: {} }, now)).toEqual({ time: moved, backup: {} });
  });

  it.each([
    ['no event', undefined],
    ['text', 'text'],
    ['no time', { backup: {} }],
    ['no RFC 3339 time', { time: 'yesterday', backup: {} }],
    ['a run of the monitor', { time: '2026-03-01T12:10:00Z' }],
  ])('%s → as it is', (_, event) => {
    expect(recent(event, now)).toBe(event);
  });

  it('hook → moves the time of the parsed event', () => {
    const options = { data: { time: '2026-02-03T04:05:06Z', detail: {} } };
    const service = { provider: {}, functions: {} };
    const { hooks } = new LocalPlugin({ processedInput: { commands: ['invoke', 'local'] }, service }, options);
    hooks['before:invoke:local:invoke']();
    expect(Date.now() - Date.parse(options.data.time)).toBeLessThan(24 * 3_600_000);
  });
});
