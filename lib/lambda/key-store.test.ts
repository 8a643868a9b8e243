import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { readConfig } from '../config.ts';
import { keyStore } from './key-store.ts';

const SECRET = { ak: 'AK-1', sk: 'SK-1', webhook_secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' };

/** A stand-in for the AWS Parameters and Secrets Lambda Extension. */
let extension: Server;
let answer: RequestListener;
let requests: { url: string | undefined; token: unknown }[];
let time: ReturnType<typeof virtualTime>;

const secretString =
  (text: string): RequestListener =>
  (_, response) =>
    response.end(JSON.stringify({ Name: 'dds', SecretString: text }));
const secret = (value: unknown) => secretString(JSON.stringify(value));

beforeEach(async () => {
  time = virtualTime();
  requests = [];
  answer = secret(SECRET);
  extension = createServer((request, response) => {
    requests.push({ url: request.url, token: request.headers['x-aws-parameters-secrets-token'] });
    answer(request, response);
  });
  await new Promise<void>((resolve) => extension.listen(0, 'localhost', resolve));
});
afterEach(() => {
  extension.closeAllConnections();
  extension.close();
});

const store = (more: Record<string, string> = {}, timeoutMillis = 5000) => {
  const env = {
    OTC_SDK_PROJECT_ID: 'p',
    OTC_CREDENTIALS_SECRET: 'dds/key',
    AWS_SESSION_TOKEN: 'session',
    PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: String((extension.address() as AddressInfo).port),
    ...more,
  };
  return keyStore(() => readConfig(env), env, time.now, timeoutMillis);
};

describe('the keys in a secret', () => {
  it('are asked for by its name, under the token of the session', async () => {
    expect(await store().credentials()).toEqual({ ak: 'AK-1', sk: 'SK-1' });
    expect(requests).toEqual([{ url: '/secretsmanager/get?secretId=dds%2Fkey', token: 'session' }]);
  });

  it('may be temporary', async () => {
    answer = secret({ ...SECRET, security_token: 'T' });
    expect(await store().credentials()).toEqual({ ak: 'AK-1', sk: 'SK-1', securityToken: 'T' });
  });

  it('are kept for five minutes, for both uses', async () => {
    const keys = store();
    await keys.credentials();
    expect(await keys.webhookKeys()).toHaveLength(1);
    time.advance(5 * 60_000 - 1);
    await keys.credentials();
    expect(requests).toHaveLength(1);
    time.advance(1);
    await keys.credentials();
    expect(requests).toHaveLength(2);
  });

  it('are read again at once after the gateway refused them', async () => {
    const keys = store();
    await keys.credentials();
    answer = secret({ ...SECRET, ak: 'AK-2' });
    expect(await keys.credentials()).toMatchObject({ ak: 'AK-1' });
    expect(await keys.credentials({ renew: true })).toMatchObject({ ak: 'AK-2' });
    expect(await keys.credentials()).toMatchObject({ ak: 'AK-2' });
    expect(requests).toHaveLength(2);
  });

  it('are read again after they could not be read', async () => {
    const keys = store();
    answer = (_, response) => response.writeHead(500).end();
    await expect(keys.credentials()).rejects.toThrow();
    answer = secret(SECRET);
    expect(await keys.credentials()).toMatchObject({ ak: 'AK-1' });
  });

  it('hold no webhook secret where webhooks are not used', async () => {
    answer = secret({ ak: 'AK-1', sk: 'SK-1' });
    expect(await store().webhookKeys()).toEqual([]);
  });
});

describe('the keys in the environment', () => {
  it('win, and the secret is not asked for', async () => {
    const keys = store({ OTC_SDK_AK: 'ENV', OTC_SDK_SK: 'ENV', WEBHOOK_SECRET: SECRET.webhook_secret });
    expect(await keys.credentials()).toEqual({ ak: 'ENV', sk: 'ENV' });
    expect(await keys.credentials({ renew: true })).toEqual({ ak: 'ENV', sk: 'ENV' });
    expect(await keys.webhookKeys()).toHaveLength(1);
    expect(requests).toEqual([]);
  });

  it('are completed by the secret', async () => {
    const keys = store({ OTC_SDK_AK: 'ENV', OTC_SDK_SK: 'ENV' });
    expect(await keys.credentials()).toEqual({ ak: 'ENV', sk: 'ENV' });
    expect(await keys.webhookKeys()).toHaveLength(1);
  });

  it('are all there is without a secret', async () => {
    const keys = store({ OTC_SDK_AK: 'ENV', OTC_SDK_SK: 'ENV', OTC_CREDENTIALS_SECRET: '' });
    expect(await keys.webhookKeys()).toEqual([]);
    expect(requests).toEqual([]);
  });
});

describe('a secret that cannot be used', () => {
  it.each<[string, RequestListener, string, RegExp]>([
    [
      'missing',
      (_, response) => response.writeHead(400).end('{"message":"ResourceNotFoundException"}'),
      'ConfigurationError',
      /dds\/key .*400.*exist/,
    ],
    ['not ours to read', (_, response) => response.writeHead(403).end(), 'ConfigurationError', /403/],
    ['no JSON', secretString('AKIA: private'), 'ConfigurationError', /not a JSON object/],
    ['no object', secret('private'), 'ConfigurationError', /not a JSON object/],
    [
      'not text',
      (_, response) => response.end('{"SecretBinary":"cHJpdmF0ZQ=="}'),
      'ConfigurationError',
      /not a JSON object/,
    ],
    ['empty', secret({}), 'ConfigurationError', /no ak and sk/],
    ['half a key', secret({ ak: 'private' }), 'ConfigurationError', /sk is missing/],
    ['a key with a line feed', secret({ ak: 'AK', sk: 'private\n' }), 'ConfigurationError', /sk holds white space/],
    ['a key that is a number', secret({ ak: 7, sk: 'private' }), 'ConfigurationError', /ak must be a string/],
    [
      'a webhook secret that is none',
      secret({ ak: 'AK', sk: 'SK', webhook_secret: 'private' }),
      'ConfigurationError',
      /webhook_secret must be whsec_/,
    ],
    ['throttled', (_, response) => response.writeHead(429).end(), 'SecretUnavailable', /429/],
    ['out of order', (_, response) => response.writeHead(500).end(), 'SecretUnavailable', /500/],
    ['slow', () => {}, 'SecretUnavailable', /no answer within 50 ms/],
    ['cut off', (request) => request.socket.destroy(), 'SecretUnavailable', /layer/],
  ])('because it is %s is a clear error, without a word of it', async (_, listener, name, message) => {
    answer = listener;
    const error = await store({}, 50)
      .credentials()
      .then(
        () => undefined,
        (thrown: Error) => thrown,
      );
    expect(error).toMatchObject({ name, message: expect.stringMatching(message) });
    expect(error?.message).not.toContain('private');
  });

  it('because the extension is not there is a clear error', async () => {
    await expect(store({ PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: '1' }).credentials()).rejects.toMatchObject({
      name: 'SecretUnavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});
