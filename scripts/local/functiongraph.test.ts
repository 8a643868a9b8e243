import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../../emulator/dds/seed.ts';
import { NODE } from './functiongraph-runtime.ts';
import { freePort } from './ports.ts';

const SCRIPT = fileURLToPath(new URL('functiongraph.ts', import.meta.url));

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function start(...args: readonly string[]) {
  const child = spawn(process.execPath, [SCRIPT, ...args], { env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const texts = { output: '', errors: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    texts.output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.errors += text;
  });
  return { child, texts, ended: once(child, 'close') };
}

async function run(...args: readonly string[]) {
  const { texts, ended } = start(...args);
  const [code] = await ended;
  return { code, ...texts };
}

describe('npm run start:functiongraph', () => {
  it('→ the route of APIG, any event, and an end on SIGTERM', { timeout: 30_000 }, async () => {
    const { child, texts, ended } = start('--no-build', '--port', '0');
    while (!texts.output.includes('Ctrl-C')) await once(child.stdout, 'data');
    for (const name of ['http', 'event', 'monitor', 'retention'])
      expect(texts.output).toMatch(
        new RegExp(`^${name}: Node v[\\d.]+, handler with 2 parameters, loaded in \\d+ ms$`, 'm'),
      );
    expect(texts.output.includes('node20 (Node 20.15.1) is not installed')).toBe(NODE.notice !== undefined);
    const [url = ''] = /http:\/\/localhost:\d+/.exec(texts.output) ?? [];
    const post = (path: string, body: unknown) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });

    const request = (id: string) => ({ backup: { instance_id: id, name_prefix: 'before' } });
    const created = await post('/backups', request(DEMO_INSTANCE.id));
    expect(created.status).toBe(200);
    const location = created.headers.get('location');
    const read = await fetch(`${url}/${location}`);
    expect([read.status, read.headers.get('backup-status')]).toEqual([200, 'BUILDING']);
    expect((await fetch(`${url}/backups?instance_id=${DEMO_INSTANCE.id}`)).status).toBe(200);

    const invoked = await post('/invoke/event', { id: 'release-42', ...request(DEMO_OTHER_INSTANCE.id) });
    expect([invoked.status, await invoked.json()]).toEqual([
      200,
      { backup_id: expect.any(String), job_id: expect.any(String) },
    ]);
    const failed = await post('/invoke/event', request(DEMO_OTHER_INSTANCE.id));
    expect([failed.status, await failed.json()]).toMatchObject([500, { errorType: 'InvalidRequest' }]);
    expect((await post('/invoke/monitor', { time: new Date().toISOString() })).status).toBe(200);
    for (const topic of ['events', 'alarms'])
      expect(texts.output.match(new RegExp(`^SMN ${topic}: DDS Backup Request Failed`, 'gm'))).toHaveLength(1);

    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(texts.errors).toMatch(/^\{"event":"request\.rejected".*\}\n$|^$/);
  });

  it('--help → its options', async () => {
    const { code, output, errors } = await run('--help');
    expect([code, errors]).toEqual([0, '']);
    expect(output).toMatch(/^npm run start:functiongraph -- \[options\]/);
    expect(output).toContain('--port');
  });

  it.each([
    [['--port', 'x'], 'Invalid --port: x. Give a number from 0 to 65535.\n'],
    [['x'], 'Unexpected argument: x. See --help.\n'],
  ])('%j → one line', async (args, errors) => {
    expect(await run(...args)).toEqual({ code: 1, output: '', errors });
  });

  it('port taken → one line', async () => {
    const port = await freePort();
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    const { code, errors } = await run('--no-build', '--port', String(port));
    server.close();
    expect([code, errors]).toEqual([1, `Cannot listen on port ${port}: EADDRINUSE. Choose another: --port\n`]);
  });
});
