import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { refusals } from '../emulator/dds/refusals.ts';
import { chance } from './simulation/chance.ts';
import { FAULTS } from './simulation/faults.ts';
import {
  AWS_KEY,
  DELIVERED,
  type Env,
  HOOK,
  KEY,
  leakDetector,
  OTHER_HOOK,
  SESSION,
  TEMPORARY,
} from './support/leaks.ts';
import { visible } from './support/visible.ts';

const { seen, emulator, replaceDds, listening, deliver, leaks, secrets } = leakDetector();

const PERMANENT_ENV = { OTC_SDK_AK: KEY.ak, OTC_SDK_SK: KEY.sk };
const TEMPORARY_ENV = {
  OTC_SDK_AK: TEMPORARY.ak,
  OTC_SDK_SK: TEMPORARY.sk,
  OTC_SDK_SECURITY_TOKEN: TEMPORARY.securityToken,
};
const SECRET = {
  ak: TEMPORARY.ak,
  sk: TEMPORARY.sk,
  security_token: TEMPORARY.securityToken,
  webhook_secret: `${HOOK} ${OTHER_HOOK}`,
};

/** The environment of a function that reads its keys in the Secrets Manager that `server` stands for. */
async function secretsManager(server: Server): Promise<Env> {
  const port = await listening(server);
  return {
    OTC_CREDENTIALS_SECRET: 'dds/key',
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'ASIAFUNCTION',
    AWS_SECRET_ACCESS_KEY: AWS_KEY,
    AWS_SESSION_TOKEN: SESSION,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://localhost:${port}`,
    WEBHOOK_SECRET: '',
  };
}
const holding = (text: string): Server =>
  createServer((_, response) => void response.end(JSON.stringify({ Name: 'dds', SecretString: text })));
const answering = (listener: RequestListener): Server => createServer(listener);

const SOURCES: readonly (readonly [where: string, env: () => Promise<Env>])[] = [
  ['a permanent key in the environment', async () => PERMANENT_ENV],
  ['a temporary key in the environment', async () => TEMPORARY_ENV],
  ['a temporary key and webhook secrets in Secrets Manager', () => secretsManager(holding(JSON.stringify(SECRET)))],
];

it('leak detector: secret anywhere in a value → found', () => {
  const hidden = Object.defineProperty(new Error('outer'), 'token', { value: KEY.sk });
  const places = [
    KEY.sk,
    { deep: [{ [KEY.sk]: 1 }] },
    new Error('outer', { cause: new Error(KEY.sk) }),
    hidden,
    new Map([['key', { value: KEY.sk }]]),
    { packet: Buffer.from(`GET / ${KEY.sk}`) },
    new (class {
      get text() {
        return KEY.sk;
      }
    })(),
  ];
  for (const place of places) {
    seen.splice(0, seen.length, place);
    expect(leaks(), visible(place)).toContain(KEY.sk);
  }
});

describe.each(SOURCES)('secrets: %s', (_, source) => {
  it.each(DELIVERED)('%s accepts and replays → no secret comes out', async (name) => {
    const env = await source();
    await deliver(name, env);
    await deliver(name, env);
    expect(leaks()).toEqual([]);
    expect(emulator().backups).toHaveLength(1);
    expect(secrets().some((secret) => /^[0-9a-f]{64}$/.test(secret))).toBe(true);
    expect(visible(seen)).toContain('request.replayed');
  });

  it.each(FAULTS.map(({ name, make }) => [name, make] as const))('DDS: %s → no secret comes out', async (_, make) => {
    const env = await source();
    for (const name of DELIVERED) {
      emulator().faults.next(make(chance(name)));
      await deliver(name, env);
      emulator().faults.decide = () => make(chance(name));
      await deliver(name, env);
      emulator().faults.clear();
    }
    expect(seen).toHaveLength(16);
    expect(leaks()).toEqual([]);
  });

  it.each(Object.entries(refusals))('DDS answers %s → no secret comes out', async (_, refusal) => {
    const env = await source();
    emulator().faults.decide = () => ({ kind: 'error', ...refusal });
    for (const name of DELIVERED) await deliver(name, env);
    expect(leaks()).toEqual([]);
  });

  it('gateway refuses the key, and quotes the request → no secret comes out', async () => {
    const env = await source();
    for (const other of [{ sk: 'another' }, { ak: 'ANOTHER' }, { securityToken: 'another' }]) {
      await replaceDds([KEY, TEMPORARY].map((key) => ({ ...key, ...other })));
      for (const name of DELIVERED) await deliver(name, env);
    }
    // Of such an answer only the code is passed on.
    expect(visible(seen)).toContain('APIGW.0301');
    expect(visible(seen)).not.toMatch(/canonicalRequest|Get secretKey failed/);
    expect(leaks()).toEqual([]);
  });

  it.each<[string, (text: string) => string]>([
    ['as it is', (text) => text],
    ['with escaped slashes', (text) => text.replaceAll('/', '\\/')],
    [
      'with escapes for what HTML knows',
      (text) => text.replaceAll(/[=<>&'+]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
    ],
    [
      'with upper-case escapes',
      (text) =>
        text.replaceAll(/[=<>&'+]/g, (char) => `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`),
    ],
  ])('answer that echoes every header, in JSON %s → no secret comes out', async (_, written) => {
    const env = await source();
    for (const status of [200, 400, 401, 403, 500]) {
      const echo = answering(({ rawHeaders }, response) => {
        const error_msg = rawHeaders.join(' ');
        const ids = { job_id: rawHeaders.join(' '), backup_id: 'b' };
        const body = JSON.stringify({ error_code: 'DBS.200001', error_msg, ...ids });
        response.writeHead(status).end(written(body));
      });
      const DDS_ENDPOINT = `http://localhost:${await listening(echo)}`;
      for (const name of DELIVERED) await deliver(name, { ...env, DDS_ENDPOINT });
    }
    expect(visible(seen)).toContain('[redacted]');
    expect(leaks()).toEqual([]);
  });

  it('answer that is not HTTP, and echoes every byte → no secret comes out', async () => {
    const env = await source();
    const echo = createTcpServer((socket) => socket.on('error', () => {}).on('data', (data) => void socket.end(data)));
    const DDS_ENDPOINT = `http://localhost:${await listening(echo)}`;
    for (const name of DELIVERED) await deliver(name, { ...env, DDS_ENDPOINT });
    expect(visible(seen)).toContain('not HTTP');
    expect(leaks()).toEqual([]);
  });

  it('nothing listens → no secret comes out', async () => {
    const env = await source();
    for (const name of DELIVERED) await deliver(name, { ...env, DDS_ENDPOINT: 'http://localhost:1' });
    expect(leaks()).toEqual([]);
  });
});

describe('secrets: wrong configuration', () => {
  it.each<[string, Env]>([
    ['an access key with a line feed', { OTC_SDK_AK: `${TEMPORARY.ak}\n` }],
    ['a secret key with a space', { OTC_SDK_SK: ` ${TEMPORARY.sk}` }],
    ['a security token beyond ASCII', { OTC_SDK_SECURITY_TOKEN: `${TEMPORARY.securityToken}ä` }],
    ['half a key', { OTC_SDK_SK: '' }],
    ['a webhook secret that is not base64', { WEBHOOK_SECRET: `${HOOK}%` }],
    ['a webhook secret that is cut off', { WEBHOOK_SECRET: HOOK.slice(0, -10) }],
    ['three webhook secrets', { WEBHOOK_SECRET: `${HOOK} ${HOOK} ${OTHER_HOOK}` }],
    ['keys in the place of the endpoint', { DDS_ENDPOINT: `https://${KEY.ak}:${KEY.sk}@example.com` }],
    ['a key in the place of the region', { OTC_SDK_REGION: KEY.sk, DDS_ENDPOINT: '' }],
  ])('environment with %s → no secret comes out', async (_, env) => {
    for (const name of DELIVERED) await deliver(name, { ...TEMPORARY_ENV, ...env });
    expect(visible(seen)).toContain('ConfigurationError');
    expect(leaks()).toEqual([]);
  });

  const text = JSON.stringify(SECRET);
  it.each<[string, () => Server]>([
    ['a secret that is no JSON', () => holding(text.slice(1))],
    ['a secret in a list', () => holding(`[${text}]`)],
    ['a secret that is text', () => holding(JSON.stringify(text))],
    ['half a key', () => holding(JSON.stringify({ ...SECRET, sk: undefined }))],
    ['a key with a line feed', () => holding(JSON.stringify({ ...SECRET, sk: `${SECRET.sk}\n` }))],
    ['a key in a list', () => holding(JSON.stringify({ ...SECRET, sk: [SECRET.sk] }))],
    ['a malformed webhook secret', () => holding(JSON.stringify({ ...SECRET, webhook_secret: `${SECRET.sk}%` }))],
    ['no answer', () => answering(() => {})],
    ['half an answer', () => answering((_, response) => void response.write(text.slice(0, 150)))],
    [
      'an answer that is cut off',
      () => answering((_, response) => void response.write(text, () => response.destroy())),
    ],
    [
      'a refusal that quotes it all',
      () => answering(({ rawHeaders }, response) => void response.writeHead(400).end(`${rawHeaders} ${text}`)),
    ],
    [
      'something that is not HTTP',
      () => createTcpServer((socket) => socket.on('error', () => {}).on('data', () => void socket.end(text))),
    ],
    [
      'an answer with a malformed header',
      () =>
        createTcpServer((socket) =>
          socket.on('error', () => {}).on('data', () => void socket.end(`HTTP/1.1 200 OK\r\n${text}\r\n\r\n`)),
        ),
    ],
  ])('Secrets Manager has %s → no secret comes out', async (_, server) => {
    const env = await secretsManager(server());
    for (const name of DELIVERED) await deliver(name, env);
    expect(visible(seen)).toMatch(/ConfigurationError|SecretUnavailable/);
    expect(leaks()).toEqual([]);
  });

  it('Secrets Manager is gone → no secret comes out', async () => {
    const env = await secretsManager(holding(text));
    const AWS_ENDPOINT_URL_SECRETS_MANAGER = 'http://localhost:1';
    for (const name of DELIVERED) await deliver(name, { ...env, AWS_ENDPOINT_URL_SECRETS_MANAGER });
    expect(visible(seen)).toContain('ECONNREFUSED');
    expect(leaks()).toEqual([]);
  });

  it('Secrets Manager quotes what was signed → no secret comes out', async () => {
    const quoting = answering(({ rawHeaders }, response) => {
      const message = `the canonical string: ${rawHeaders.join(' ')}`;
      response.writeHead(400).end(JSON.stringify({ __type: 'InvalidSignatureException', message }));
    });
    const env = await secretsManager(quoting);
    for (const name of DELIVERED) await deliver(name, env);
    expect(visible(seen)).toContain('InvalidSignatureException');
    expect(leaks()).toEqual([]);
  });

  it('wrong signature of a webhook → no secret comes out', async () => {
    await deliver('http', { ...PERMANENT_ENV, WEBHOOK_SECRET: OTHER_HOOK });
    expect(visible(seen)).toContain('Unauthorized');
    expect(leaks()).toEqual([]);
  });
});
