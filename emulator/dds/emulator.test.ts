import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from './emulator.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE, DEMO_INSTANCES, DEMO_PROJECT_ID } from './seed.ts';
import { canonicalRequest, signatureOf } from './signature.ts';
import { call, send } from './signed-call.ts';

const BACKUP = { backup: { instance_id: DEMO_INSTANCE.id, name: 'nightly' } };

describe('record of requests', () => {
  it('several requests → what was asked and what became of it', async () => {
    await using emulator = await startEmulator();
    await call(emulator, { method: 'POST', body: BACKUP });
    await call(emulator, { method: 'POST', body: BACKUP });
    await call(emulator, { query: { limit: '1' } });
    await call(emulator, { method: 'POST', body: 'no JSON' });
    await send(emulator, { target: '/nowhere?x=1' });
    await send(emulator, { target: '/v3/x/jobs' });
    const path = `/v3/${DEMO_PROJECT_ID}/backups`;
    const rest = { query: {}, project: DEMO_PROJECT_ID, body: undefined, errorCode: undefined };
    const create = { ...rest, method: 'POST', path, operation: 'create-backup', tookEffect: false, fault: undefined };
    const get = { ...rest, method: 'GET', tookEffect: false, fault: undefined };
    const unknown = { ...get, path: '/nowhere', query: { x: '1' }, operation: undefined, project: undefined };
    expect(emulator.requests).toEqual([
      { ...create, body: BACKUP, status: 200, tookEffect: true },
      { ...create, body: BACKUP, status: 400, errorCode: 'DBS.201201' },
      { ...get, path, query: { limit: '1' }, operation: 'list-backups', status: 200 },
      { ...create, status: 400, errorCode: 'DBS.200001' },
      { ...unknown, status: 404, errorCode: 'APIGW.0101' },
      { ...get, path: '/v3/x/jobs', operation: 'show-job', project: 'x', status: 401, errorCode: 'APIGW.0301' },
    ]);
  });

  it('a signed request → no secret', async () => {
    await using emulator = await startEmulator();
    await call(emulator, { method: 'POST', body: BACKUP });
    expect(JSON.stringify(emulator.requests)).not.toMatch(/SDK-HMAC|authorization|Access=/i);
  });
});

describe('emulator', () => {
  it('the same source of chance → the same answers', async () => {
    const seeded = (): (() => number) => {
      let state = 42;
      return () => {
        state = (state * 16_807) % 2_147_483_647;
        return state / 2_147_483_647;
      };
    };
    const run = async (): Promise<string> => {
      await using emulator = await startEmulator({ random: seeded() });
      return (await call(emulator, { method: 'POST', body: BACKUP })).text;
    };
    expect(await run()).toBe(await run());
  });

  it('another project, instances and backups → these', async () => {
    const [instance] = DEMO_INSTANCES;
    await using emulator = await startEmulator({
      projectId: 'other',
      instances: instance ? [{ ...instance, id: 'own' }] : [],
      backups: [{ name: 'seeded', instance_id: 'own', begin: new Date(0) }],
    });
    const { status, body } = await call(emulator, { projectId: 'other' });
    expect([status, body]).toMatchObject([200, { backups: [{ name: 'seeded', instance_id: 'own' }] }]);
  });

  it('a backup of an instance that is not there → does not start', async () => {
    const backups = [{ name: 'seeded', instance_id: 'unknown', begin: new Date(0) }];
    await expect(startEmulator({ backups })).rejects.toThrow('no instance unknown');
  });

  it('another address of this machine → refused', async () => {
    await using emulator = await startEmulator();
    expect(emulator.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const outside = Object.values(networkInterfaces())
      .flat()
      .flatMap((nic) => (nic && !nic.internal && nic.family === 'IPv4' ? [nic.address] : []));
    for (const address of outside) {
      const socket = connect(Number(new URL(emulator.url).port), address);
      await expect(once(socket, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    }
  });

  it('a port that is taken → does not start', async () => {
    await using emulator = await startEmulator();
    await expect(startEmulator({ port: Number(new URL(emulator.url).port) })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });

  it('closed twice → its port is free', async () => {
    const emulator = await startEmulator();
    await Promise.all([emulator.close(), emulator.close()]);
    await emulator.close();
    await using again = await startEmulator({ port: Number(new URL(emulator.url).port) });
    expect(again.url).toBe(emulator.url);
  });
});

/** Sends bytes as they are; resolves with all that comes back until the connection ends. */
async function sendRaw(emulator: Emulator, bytes: string | Buffer): Promise<string> {
  const socket = connect(Number(new URL(emulator.url).port), '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.end(bytes);
  await once(socket, 'close');
  return received;
}

describe('after any request the emulator answers the next:', () => {
  const head = (line: string, ...headers: string[]): string => `${[line, 'Host: x', ...headers].join('\r\n')}\r\n\r\n`;
  const signedBy = (names: string): string =>
    `Authorization: SDK-HMAC-SHA256 Access=${DEMO_CREDENTIALS.ak}, SignedHeaders=${names}, Signature=${'0'.repeat(64)}`;
  const target = `/v3/${DEMO_PROJECT_ID}/backups`;
  const requests: Record<string, string | Buffer> = {
    'no HTTP at all': Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0xff]),
    nothing: '',
    'headers that never end': 'GET / HTTP/1.1\r\nHost',
    'too many headers': head('GET / HTTP/1.1', `X: ${'x'.repeat(100_000)}`),
    'another protocol': head('GET / HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket'),
    'a tunnel': head('CONNECT elsewhere:443 HTTP/1.1'),
    'an asterisk': head('OPTIONS * HTTP/1.1'),
    'an unknown expectation': head('POST / HTTP/1.1', 'Expect: everything'),
    'a body shorter than stated': `${head(`POST ${target} HTTP/1.1`, 'Content-Length: 100')}{`,
    'a chunk of bad size': `${head(`POST ${target} HTTP/1.1`, 'Transfer-Encoding: chunked')}zz\r\n`,
    'a negative length': head(`POST ${target} HTTP/1.1`, 'Content-Length: -1'),
    'two lengths': head(`POST ${target} HTTP/1.1`, 'Content-Length: 1', 'Content-Length: 2'),
    'headers of a prototype': head(`GET ${target} HTTP/1.1`, signedBy('host;x-sdk-date;__proto__'), '__proto__: x'),
    'query keys of a prototype': head(`GET ${target}?__proto__=1&constructor=2&toString HTTP/1.1`, signedBy('host')),
    'bytes beyond ASCII': Buffer.from(head(`GET ${target} HTTP/1.1`, 'X-Sdk-Date: é', signedBy('host')), 'latin1'),
    'bytes beyond ASCII in the path': Buffer.from(head('GET /v3/é HTTP/1.1'), 'latin1'),
    'two set-cookie headers that are signed': head(
      `GET ${target} HTTP/1.1`,
      'Set-Cookie: a',
      'Set-Cookie: b',
      signedBy('host;set-cookie;x-sdk-date'),
    ),
  };
  it.each(Object.entries(requests))('%s', async (_name, bytes) => {
    await using emulator = await startEmulator();
    await sendRaw(emulator, bytes);
    expect((await call(emulator)).status).toBe(200);
  });

  it('one for which a function of the test throws', async () => {
    await using emulator = await startEmulator();
    emulator.control.decideFaults(() => {
      throw new Error('no idea');
    });
    const { status, body } = await call(emulator);
    expect([status, body]).toEqual([500, { error_code: 'EMULATOR', error_msg: 'Error: no idea' }]);
    emulator.control.clearFaults();
    expect((await call(emulator)).status).toBe(200);
  });

  it('a signed body that is no text', async () => {
    await using emulator = await startEmulator();
    const body = Buffer.from(
      `{"backup":{"instance_id":"${DEMO_INSTANCE.id}","name":"nightly","description":"é"}}`,
      'latin1',
    );
    const target = `/v3/${DEMO_PROJECT_ID}/backups`;
    const signed = {
      'content-type': 'application/json',
      host: new URL(emulator.url).host,
      'x-sdk-date': new Date().toISOString().replaceAll(/[-:]|\.\d+/g, ''),
    };
    const names = Object.keys(signed);
    const unsigned = { path: target, query: {}, method: 'POST', headers: signed, body };
    const canonical = canonicalRequest(unsigned, names) ?? '';
    const sig = signatureOf(DEMO_CREDENTIALS.sk, signed['x-sdk-date'], undefined, canonical);
    const authorization = `SDK-HMAC-SHA256 Access=${DEMO_CREDENTIALS.ak}, SignedHeaders=${names.join(';')}, Signature=${sig}`;
    const answer = await send(emulator, { method: 'POST', target, headers: { ...signed, authorization }, body });
    expect([answer.status, answer.body]).toEqual([400, { error_code: 'DBS.200001', error_msg: 'Parameter Error' }]);
  });
});
