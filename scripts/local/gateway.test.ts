/** API Gateway before a server that answers as serverless-offline does. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { gateway } from './gateway.ts';
import { portSource } from './ports.ts';
import { json, type LocalAnswer, type LocalRequest, serve } from './relay.ts';

const freePort = portSource(10_000);

async function started(answer: LocalAnswer) {
  const received: LocalRequest[] = [];
  const [offlinePort, port] = [await freePort(), await freePort()];
  const servers = [
    await serve(offlinePort, async (request) => {
      received.push(request);
      return answer;
    }),
    await serve(port, gateway(offlinePort)),
  ];
  onTestFinished(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  });
  return { url: `http://127.0.0.1:${port}`, received };
}

const ok = json(200, { backup_id: 'b' }, { location: 'backups/b', 'backup-status': 'BUILDING' });

describe('request', () => {
  it('→ handed on with its path, query, headers and body, and answered as the function answers', async () => {
    const { url, received } = await started(ok);
    const response = await fetch(`${url}/backups?instance_id=a%20b`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
      body: '{"backup":"\u00fc"}',
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('location')).toBe('backups/b');
    expect(response.headers.get('backup-status')).toBe('BUILDING');
    expect(await response.json()).toEqual({ backup_id: 'b' });
    const [{ method, path, headers, body } = { headers: {} }] = received;
    expect([method, path, String(body)]).toEqual(['POST', '/backups?instance_id=a%20b', '{"backup":"\u00fc"}']);
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'idempotency-key': 'k' });
  });

  it('body without a content type → not made JSON', async () => {
    const { url, received } = await started(ok);
    await fetch(`${url}/backups`, { method: 'POST', body: Buffer.from('{}') });
    expect(received[0]?.headers['content-type']).toBe('application/octet-stream');
  });
});

describe('answer', () => {
  it.each([
    [
      'no route',
      json(404, { currentRoute: 'GET - /x', error: 'Serverless-offline: route not found.', existingRoutes: [] }),
      404,
      { message: 'Not Found' },
    ],
    [
      'function threw',
      json(502, { errorMessage: 'x', errorType: 'TypeError', stackTrace: [] }),
      500,
      { message: 'Internal Server Error' },
    ],
    ['404 of the function', json(404, { reason: 'BackupNotFound' }), 404, { reason: 'BackupNotFound' }],
    ['502 of the function', json(502, { reason: 'UpstreamInvalid' }), 502, { reason: 'UpstreamInvalid' }],
    ['404 without JSON', { status: 404, headers: {}, body: 'null' }, 404, null],
  ])('%s → as in the cloud', async (_, answer, status, body) => {
    const { url } = await started(answer);
    const response = await fetch(`${url}/backups`);
    expect([response.status, await response.json()]).toEqual([status, body]);
  });

  it('serverless-offline is gone → 502', async () => {
    const port = await freePort();
    await using _ = await serve(port, gateway(await freePort()));
    const response = await fetch(`http://127.0.0.1:${port}/backups`);
    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({ message: expect.stringContaining('ECONNREFUSED') });
  });
});

it('port that is taken → fails', async () => {
  const port = await freePort();
  await using _ = await serve(port, async () => ok);
  await expect(serve(port, async () => ok)).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
