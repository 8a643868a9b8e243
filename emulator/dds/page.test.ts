import { describe, expect, it, vi } from 'vitest';
import { fieldsOf } from '../../lib/json.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { startEmulator } from './emulator.ts';
import { DEMO_FAULTY_INSTANCE, DEMO_INSTANCE } from './seed.ts';
import { call, send } from './signed-call.ts';

const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const BACKUP = { backup: { instance_id: DEMO_INSTANCE.id, name: 'nightly' } };

/** The events of the page as they come. */
async function* watch(url: string, signal: AbortSignal) {
  const { body, headers } = await fetch(`${url}/emulator/events`, { signal });
  expect(headers.get('content-type')).toBe('text/event-stream');
  let text = '';
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const parts = `${text}${chunk}`.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const [, type, data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? [];
      if (type !== undefined) yield { type, data: JSON.parse(data) };
    }
  }
}

/** The first event of a type for which `isWanted` holds. */
async function next(events: ReturnType<typeof watch>, type: string, isWanted = (_: unknown) => true) {
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error('The stream has ended.');
    if (value.type === type && isWanted(value.data)) return value.data;
  }
}

describe('page: GET /', () => {
  it('a browser → one page that may load nothing else', async () => {
    await using emulator = await startEmulator();
    const { status, headers, text } = await send(emulator, { target: '/', headers: BROWSER });
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(text).not.toMatch(/https?:\/\/|innerHTML|insertAdjacentHTML|document\.write|\son\w+=| src=| style=/);
    expect(emulator.requests).toEqual([]);
  });

  it.each([
    ['GET', '/', { accept: '*/*' }],
    ['GET', '/', {}],
    ['POST', '/', BROWSER],
    ['GET', '/?x', BROWSER],
    ['POST', '/emulator/events', {}],
  ])('%s %s %j → the gateway answers, as without the page', async (method, target, headers) => {
    await using emulator = await startEmulator();
    const { status, body } = await send(emulator, { method, target, headers });
    expect({ status, body }).toMatchObject({ status: 404, body: { error_code: 'APIGW.0101' } });
    expect(emulator.requests).toHaveLength(1);
  });
});

describe('page: GET /emulator/events', () => {
  it('life of a backup → a state for each change, and the time', async () => {
    const time = virtualTime();
    await using emulator = await startEmulator({ clock: time.now, backupMillis: 60_000, deletionMillis: 5000 });
    const closing = new AbortController();
    const events = watch(emulator.url, closing.signal);
    expect(await next(events, 'time')).toBe(time.now().getTime());
    expect(await next(events, 'state')).toMatchObject({
      instances: ['catalogue', 'orders', 'legacy'].map((name) => ({ name, completedAt: null })),
      backups: [],
      requests: [],
    });

    const { body } = await call(emulator, { method: 'POST', body: BACKUP });
    const id = String(fieldsOf(body).backup_id);
    const begun = time.now().getTime();
    const withStatus = (status: string | undefined) => (data: unknown) =>
      fieldsOf(Object(fieldsOf(data).backups)[0]).status === status;
    const building = await next(events, 'state', withStatus('BUILDING'));
    expect(building).toMatchObject({
      backups: [{ id, name: 'nightly', instanceName: 'orders', beginAt: begun, endAt: begun + 60_000 }],
      requests: [{ method: 'POST', operation: 'create-backup', status: 200, errorCode: null, at: begun }],
    });
    expect(building.instances.find((one: object) => fieldsOf(one).id === DEMO_INSTANCE.id)).toMatchObject({
      actions: ['BACKUP'],
      backups: 1,
    });

    emulator.control.advance({ millis: 60_000 });
    expect(await next(events, 'time')).toBe(begun + 60_000);
    const completed = await next(events, 'state', withStatus('COMPLETED'));
    expect(completed.instances.find((one: object) => fieldsOf(one).id === DEMO_INSTANCE.id)).toMatchObject({
      actions: [],
      completedAt: begun + 60_000,
    });

    await call(emulator, { method: 'DELETE', path: `backups/${id}` });
    await next(events, 'state', withStatus('DISABLED'));
    emulator.control.advance({ millis: 5000 });
    expect(await next(events, 'state', withStatus(undefined))).toMatchObject({ backupCount: 0, requestCount: 2 });
    closing.abort();
  });

  it('nothing changes → no event; refused requests, faults, and a backup without end → in the next state', async () => {
    const time = virtualTime();
    await using emulator = await startEmulator({ clock: time.now });
    const closing = new AbortController();
    const events = watch(emulator.url, closing.signal);
    await next(events, 'state');
    emulator.control.inject({ faults: [{ kind: 'hang', when: 'before', operation: 'show-job' }] });
    expect(await next(events, 'state')).toMatchObject({ faults: 1 });
    const refused = { backup: { instance_id: DEMO_FAULTY_INSTANCE.id, name: 'nightly' } };
    await call(emulator, { method: 'POST', body: refused });
    const isRefused = (data: unknown) => JSON.stringify(data).includes('DBS.200018');
    expect(await next(events, 'state', isRefused)).toMatchObject({ requests: [{ status: 403 }] });
    emulator.control.addBackups({
      backups: [{ name: 'b', instance_id: DEMO_INSTANCE.id, begin: time.now(), outcome: 'FAILED' }],
    });
    emulator.control.changeBackups({ set: { status: 'BUILDING' } });
    const isEndless = (data: unknown) => fieldsOf(Object(fieldsOf(data).backups)[0]).endAt === null;
    expect(await next(events, 'state', isEndless)).toMatchObject({ backups: [{ status: 'BUILDING' }] });
    closing.abort();
  });

  it('many backups and requests → the newest hundred of each, and how many there are', async () => {
    await using emulator = await startEmulator();
    const series = { name_prefix: 'old', count: 250, everyMillis: 60_000, instance_id: DEMO_INSTANCE.id };
    emulator.control.addBackups({ series: { ...series, begin: '2026-03-01T12:00:00Z' } });
    for (let count = 0; count < 101; count++) await send(emulator, { target: `/${count}` });
    const closing = new AbortController();
    const state = await next(watch(emulator.url, closing.signal), 'state');
    expect(state).toMatchObject({ backupCount: 250, requestCount: 101 });
    expect([state.backups.length, state.backups[0].name]).toEqual([100, 'old-0']);
    expect([state.requests.length, state.requests[0].path, state.requests[99].path]).toEqual([100, '/100', '/1']);
    closing.abort();
  });

  it('emulator closes → the stream ends', async () => {
    const emulator = await startEmulator();
    const events = watch(emulator.url, new AbortController().signal);
    await next(events, 'state');
    await emulator.close();
    await expect(next(events, 'state')).rejects.toThrow();
  });

  it('watcher goes → the emulator stops looking', async () => {
    const stopped = vi.spyOn(globalThis, 'clearInterval');
    await using emulator = await startEmulator();
    const closing = new AbortController();
    await next(watch(emulator.url, closing.signal), 'state');
    expect(stopped).not.toHaveBeenCalled();
    closing.abort();
    await vi.waitFor(() => expect(stopped).toHaveBeenCalledOnce());
    stopped.mockRestore();
  });
});
