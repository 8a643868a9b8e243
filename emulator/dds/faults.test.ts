import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { sign } from '../../lib/otc/signer.ts';
import type { ControlAction } from './control.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from './emulator.ts';
import type { Fault, When } from './faults.ts';
import { refusals } from './refusals.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE, DEMO_PROJECT_ID } from './seed.ts';
import { type CallResult, call } from './signed-call.ts';

const BACKUP = { backup: { instance_id: DEMO_INSTANCE.id, name: 'nightly' } };
const create = (emulator: Emulator): Promise<CallResult> => call(emulator, { method: 'POST', body: BACKUP });
const start = (options: EmulatorOptions = {}): Promise<Emulator> => startEmulator(options);
const count = (when: When): number => (when === 'after' ? 1 : 0);

function beginCreate(emulator: Emulator): ClientRequest {
  const { host, hostname, port } = new URL(emulator.url);
  const path = `/v3/${DEMO_PROJECT_ID}/backups`;
  const body = JSON.stringify(BACKUP);
  const content = { 'content-type': 'application/json' };
  const headers = sign({ method: 'POST', host, path, query: {}, headers: content, body }, DEMO_CREDENTIALS, new Date());
  const outgoing = request({ hostname, port, method: 'POST', path, headers, agent: false });
  outgoing.on('error', () => {}).end(body);
  return outgoing;
}

/** The answer's head, its body unread. */
async function createUnread(emulator: Emulator): Promise<IncomingMessage> {
  const [response] = await once(beginCreate(emulator), 'response');
  return response;
}

describe.each(['before', 'after'] as const)('fault %s the effect', (when) => {
  it('reset → ECONNRESET', async () => {
    await using emulator = await start();
    emulator.control.inject({ faults: [{ kind: 'reset', when }] });
    await expect(create(emulator)).rejects.toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
    expect(emulator.backups).toHaveLength(count(when));
    expect(emulator.requests).toMatchObject([{ status: undefined, tookEffect: when === 'after', fault: 'reset' }]);
  });

  it('hang → no answer until the emulator closes', async () => {
    const { promise: recorded, resolve } = Promise.withResolvers<void>();
    const emulator = await start({ onRequest: () => resolve() });
    emulator.control.inject({ faults: [{ kind: 'hang', when }] });
    const answer = expect(create(emulator)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await recorded;
    expect(emulator.backups).toHaveLength(count(when));
    expect(emulator.requests).toMatchObject([{ status: undefined, fault: 'hang' }]);
    await emulator.close();
    await answer;
  });

  it('error → its status, code, text and headers', async () => {
    await using emulator = await start();
    emulator.control.inject({
      faults: [{ kind: 'error', ...refusals.tooManyCalls, headers: { 'retry-after': '7' }, when }],
    });
    const { status, headers, body } = await create(emulator);
    expect(status).toBe(429);
    expect(headers['retry-after']).toBe('7');
    expect(body).toEqual({
      error_code: 'DBS.280443',
      error_msg: 'The maximum number of connections has been reached.',
    });
    expect(emulator.backups).toHaveLength(count(when));
    expect(emulator.requests).toMatchObject([{ status: 429, errorCode: 'DBS.280443', fault: 'error' }]);
  });

  it('html → a page', async () => {
    await using emulator = await start();
    emulator.control.inject({ faults: [{ kind: 'html', status: 502, when }] });
    const { status, headers, text } = await create(emulator);
    expect([status, headers['content-type']]).toEqual([502, 'text/html']);
    expect(text).toContain('<h1>');
    expect(emulator.backups).toHaveLength(count(when));
  });

  it('empty → no body', async () => {
    await using emulator = await start();
    emulator.control.inject({
      faults: [
        { kind: 'empty', when },
        { kind: 'empty', status: 204 },
      ],
    });
    expect(await create(emulator)).toMatchObject({ status: 200, text: '' });
    expect(emulator.backups).toHaveLength(count(when));
    expect(await create(emulator)).toMatchObject({ status: 204, text: '' });
  });

  it('json → that JSON', async () => {
    await using emulator = await start();
    emulator.control.inject({
      faults: [
        { kind: 'json', body: { backup_id: 7 }, when },
        { kind: 'json', body: null, status: 500 },
      ],
    });
    expect(await create(emulator)).toMatchObject({ status: 200, text: '{"backup_id":7}' });
    expect(emulator.backups).toHaveLength(count(when));
    expect(await create(emulator)).toMatchObject({ status: 500, text: 'null' });
  });

  it('answer → any status, headers and text', async () => {
    await using emulator = await start();
    const text = '{"backup_id":"a","backup_id":"b"}';
    const headers = { 'content-type': 'text/plain', 'retry-after': '86400', date: 'x' };
    emulator.control.inject({
      faults: [
        { kind: 'answer', status: 429, headers, text, when },
        { kind: 'answer', status: 413 },
      ],
    });
    expect(await create(emulator)).toMatchObject({ status: 429, headers, text });
    expect(emulator.backups).toHaveLength(count(when));
    expect(await create(emulator)).toMatchObject({ status: 413, text: '' });
  });

  it('control → the real answer, and its actions', async () => {
    await using emulator = await start();
    const actions: ControlAction[] = [
      { do: 'setInstance', with: { instance: { id: DEMO_INSTANCE.id, status: 'abnormal' } } },
      { do: 'advance', with: { millis: 1000 } },
    ];
    emulator.control.inject({ faults: [{ kind: 'control', actions, when }] });
    expect((await create(emulator)).status).toBe(when === 'before' ? 403 : 200);
    expect(emulator.state.instance(DEMO_INSTANCE.id)?.status).toBe('abnormal');
    expect(emulator.requests).toMatchObject([{ fault: 'control', tookEffect: when === 'after' }]);
  });

  it('redirect → 307 with a location', async () => {
    await using emulator = await start();
    emulator.control.inject({ faults: [{ kind: 'redirect', location: 'http://127.0.0.1:1/', when }] });
    const { status, headers, text } = await create(emulator);
    expect([status, headers.location, text]).toEqual([307, 'http://127.0.0.1:1/', '']);
    expect(emulator.backups).toHaveLength(count(when));
  });

  it('endless → JSON that never ends', async () => {
    await using emulator = await start();
    emulator.control.inject({ faults: [{ kind: 'endless', when }] });
    const response = await createUnread(emulator);
    expect(response.statusCode).toBe(200);
    let read = 0;
    for await (const chunk of response) {
      read += chunk.length;
      if (read > 5_000_000) break;
    }
    expect(read).toBeGreaterThan(5_000_000);
    expect(emulator.backups).toHaveLength(count(when));
  });

  it('delay → the real answer, late', async () => {
    const { promise: waiting, resolve: arrived } = Promise.withResolvers<number>();
    const { promise: over, resolve: go } = Promise.withResolvers<void>();
    const wait = (millis: number): Promise<void> => {
      arrived(millis);
      return over;
    };
    await using emulator = await start({ wait });
    emulator.control.inject({ faults: [{ kind: 'delay', millis: 40_000, when }] });
    const answer = create(emulator);
    expect(await waiting).toBe(40_000);
    expect(emulator.backups).toHaveLength(count(when));
    go();
    expect((await answer).status).toBe(200);
    expect(emulator.backups).toHaveLength(1);
  });
});

describe('fault after the effect', () => {
  it('truncated → half of the real answer, then ECONNRESET', async () => {
    await using emulator = await start();
    emulator.control.inject({ faults: [{ kind: 'truncated' }] });
    const response = await createUnread(emulator);
    const stated = Number(response.headers['content-length']);
    let read = '';
    const reading = (async () => {
      for await (const chunk of response) read += chunk;
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(read).toMatch(/^\{"job_id":"/);
    expect(read.length).toBeLessThan(stated);
    expect(emulator.requests).toMatchObject([{ status: 200, tookEffect: true, fault: 'truncated' }]);
  });

  it('stall → half of the real answer, then nothing', async () => {
    const emulator = await start();
    emulator.control.inject({ faults: [{ kind: 'stall' }] });
    const response = await createUnread(emulator);
    const [half] = await once(response, 'data');
    expect(half.toString()).toMatch(/^\{"job_id":"/);
    expect(response.complete).toBe(false);
    const cut = expect(once(response, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await emulator.close();
    await cut;
    expect(emulator.backups).toHaveLength(1);
  });

  it('status → the real answer under another status', async () => {
    await using emulator = await start();
    emulator.control.inject({ faults: [{ kind: 'status', status: 202 }] });
    const { status, body } = await create(emulator);
    expect([status, body]).toEqual([202, { job_id: expect.any(String), backup_id: emulator.backups[0]?.id }]);
  });

  it('operation that is refused → no effect', async () => {
    await using emulator = await start();
    await create(emulator);
    emulator.control.inject({ faults: [{ kind: 'reset', when: 'after' }] });
    await expect(create(emulator)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(emulator.backups).toHaveLength(1);
    expect(emulator.requests[1]).toMatchObject({ errorCode: 'DBS.201201', tookEffect: false });
  });
});

describe('delayed request', () => {
  it('the caller has given up → takes effect', async () => {
    const { promise: over, resolve: go } = Promise.withResolvers<void>();
    const { promise: waiting, resolve: arrived } = Promise.withResolvers<void>();
    const { promise: recorded, resolve: record } = Promise.withResolvers<void>();
    const wait = (): Promise<void> => {
      arrived();
      return over;
    };
    await using emulator = await start({ wait, onRequest: () => record() });
    emulator.control.inject({ faults: [{ kind: 'delay', millis: 1 }] });
    const outgoing = beginCreate(emulator);
    await waiting;
    outgoing.destroy();
    go();
    await recorded;
    expect(emulator.backups).toHaveLength(1);
  });

  it('the emulator closes → no effect', async () => {
    const { promise: recorded, resolve: record } = Promise.withResolvers<void>();
    const emulator = await start({ onRequest: () => record() });
    emulator.control.decideFaults(() => {
      setImmediate(() => emulator.close());
      return { kind: 'delay', millis: 3_600_000 };
    });
    await expect(create(emulator)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await recorded;
    expect(emulator.backups).toEqual([]);
  });
});

describe('faults', () => {
  const unavailable: Fault = { kind: 'html', status: 503 };

  it('several queued → applied once each, in order', async () => {
    await using emulator = await start();
    emulator.control.inject({ faults: [{ kind: 'error', ...refusals.serverError }, unavailable] });
    expect(emulator.control.overview().faults).toHaveLength(2);
    const statuses = [await create(emulator), await create(emulator), await create(emulator)].map(
      ({ status }) => status,
    );
    expect(statuses).toEqual([500, 503, 200]);
    expect(emulator.control.overview().faults).toEqual([]);
    expect(emulator.requests.map(({ fault }) => fault)).toEqual(['error', 'html', undefined]);
  });

  it('for one operation → not applied to others', async () => {
    await using emulator = await start();
    emulator.control.inject({ faults: [{ ...unavailable, operation: 'list-backups' }] });
    expect((await create(emulator)).status).toBe(200);
    expect((await call(emulator)).status).toBe(503);
  });

  it('for one project → not applied to others', async () => {
    await using emulator = await start({ projects: [{ id: 'other', credentials: [DEMO_CREDENTIALS] }] });
    emulator.control.inject({ faults: [{ ...unavailable, project: 'other' }] });
    expect((await call(emulator)).status).toBe(200);
    expect((await call(emulator, { projectId: 'other' })).status).toBe(503);
  });

  it('decide → asked once none is queued', async () => {
    await using emulator = await start();
    const asked: unknown[] = [];
    emulator.control.decideFaults((request) => {
      asked.push([request.operation, request.body]);
      return { kind: 'html', status: 504, operation: 'create-backup' };
    });
    emulator.control.inject({ faults: [unavailable] });
    expect((await create(emulator)).status).toBe(503);
    expect((await create(emulator)).status).toBe(504);
    expect((await call(emulator)).status).toBe(200);
    expect(asked).toEqual([
      ['create-backup', BACKUP],
      ['list-backups', undefined],
    ]);
  });

  it('cleared → not applied', async () => {
    await using emulator = await start();
    emulator.control.inject({ faults: [unavailable] });
    emulator.control.decideFaults(() => unavailable);
    emulator.control.clearFaults();
    expect((await create(emulator)).status).toBe(200);
  });

  it('wrong signature → 401, the fault stays queued', async () => {
    await using emulator = await start();
    emulator.control.inject({ faults: [unavailable] });
    expect((await call(emulator, { credentials: { ...DEMO_CREDENTIALS, sk: 'wrong' } })).status).toBe(401);
    expect(emulator.control.overview().faults).toEqual([unavailable]);
  });

  it('error of the gateway → names the request', async () => {
    await using emulator = await start();
    emulator.control.inject({ faults: [{ kind: 'error', ...refusals.throttled }] });
    const { status, body } = await create(emulator);
    expect([status, body]).toEqual([
      429,
      { ...(body as object), error_code: 'APIGW.0308', request_id: expect.any(String) },
    ]);
  });
});
