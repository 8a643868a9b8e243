import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEMO_CREDENTIALS, DEMO_PROJECT_ID } from '../emulator/dds/seed.ts';
import LocalPlugin from './local-plugin.ts';

const DEPLOYED = { OTC_CREDENTIALS_SECRET: 'dds-backup-trigger', OTC_SDK_REGION: 'eu-de', DDS_ENDPOINT: null };
const LOCAL = ['offline', 'offline start', 'invoke local'];

async function initialized(command: string, environment: Record<string, unknown> = DEPLOYED) {
  const service = {
    provider: { environment: { ...environment } },
    functions: { http: { handler: 'dist/http.handler' } },
  };
  await new LocalPlugin({ processedInput: { commands: command.split(' ') }, service }).hooks.initialize();
  return service;
}

beforeEach(() => {
  vi.stubEnv('OTC_SDK_SECURITY_TOKEN', 'of a real project');
  vi.stubEnv('WEBHOOK_SECRET', 'of a real project');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe.each(LOCAL)('serverless %s', (command) => {
  it('hands the functions the address and the keys of the emulator, opens the route and names no secret', async () => {
    const { provider } = await initialized(command);
    expect(provider.environment).toEqual({
      DDS_ENDPOINT: 'http://127.0.0.1:8090',
      HTTP_AUTH: 'none',
      OTC_SDK_AK: DEMO_CREDENTIALS.ak,
      OTC_SDK_PROJECT_ID: DEMO_PROJECT_ID,
      OTC_SDK_REGION: 'eu-de',
      OTC_SDK_SK: DEMO_CREDENTIALS.sk,
    });
  });

  it('takes an emulator on another port', async () => {
    const { provider } = await initialized(command, { ...DEPLOYED, DDS_ENDPOINT: 'http://127.0.0.1:18090' });
    expect(provider.environment).toMatchObject({ DDS_ENDPOINT: 'http://127.0.0.1:18090' });
  });

  it('keeps the keys of the shell from the functions', async () => {
    await initialized(command);
    expect(process.env).not.toHaveProperty('OTC_SDK_SECURITY_TOKEN');
    expect(process.env).not.toHaveProperty('WEBHOOK_SECRET');
  });
});

describe.each(['package', 'deploy', 'deploy function', 'invoke', 'info'])('serverless %s', (command) => {
  it('is left alone', async () => {
    expect(await initialized(command)).toEqual({
      provider: { environment: DEPLOYED },
      functions: { http: { handler: 'dist/http.handler' } },
    });
    expect(process.env).toHaveProperty('WEBHOOK_SECRET', 'of a real project');
  });
});
