/** The functions as they are deployed on FunctionGraph: CommonJS, on Node 20.15, between an emulated DDS and SMN. */
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import type { Fault } from '../../emulator/dds/faults.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import {
  DEMO_CREDENTIALS,
  DEMO_INSTANCE,
  DEMO_OTHER_INSTANCE,
  DEMO_PROJECT_ID,
  DEMO_TEMPORARY_CREDENTIALS,
} from '../../emulator/dds/seed.ts';
import { derivedName } from '../../lib/backup/trigger.ts';
import { fieldsOf, type JsonObject, parseJson } from '../../lib/json.ts';
import { DAY, HOUR } from '../../lib/time.ts';
import {
  type Answer,
  FUNCTIONS,
  type FunctionName,
  type FunctionOptions,
  type GatewayRequest,
  gatewayEvent,
  type InvokeOptions,
  type LocalFunction,
  NODE,
  startFunction,
} from '../../scripts/local/functiongraph-runtime.ts';
import {
  ALARM_TOPIC,
  EVENT_TOPIC,
  type Smn,
  smnEventAt,
  startSmn,
  timerEvent,
  userDataOf,
} from '../support/functiongraph.ts';

if (NODE.notice) console.log(NODE.notice);

const HOOK = 'whsec_c2VjcmV0LXdlYmhvb2sta2V5LW51bWJlci1vbmU=';
const KEYS = DEMO_TEMPORARY_CREDENTIALS;
const REQUEST = { backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'nightly' } };
const JSON_TYPE = { 'Content-Type': 'application/json' };

const smnEventNow = (...messages: readonly unknown[]) => smnEventAt(new Date().toISOString(), ...messages);

let emulator: Emulator;
let smn: Smn;
const running: LocalFunction[] = [];
beforeEach(async () => {
  emulator = await startEmulator();
  smn = await startSmn();
});
afterEach(async () => {
  for (const one of running.splice(0)) await one[Symbol.asyncDispose]();
  await emulator.close();
  await smn.close();
});

async function start(
  name: FunctionName,
  userData: Readonly<Record<string, string>> = {},
  options: Partial<FunctionOptions> = {},
): Promise<LocalFunction> {
  const all = { ...userDataOf(emulator, smn), ...userData };
  const started = await startFunction(name, { keys: KEYS, projectId: DEMO_PROJECT_ID, ...options, userData: all });
  running.push(started);
  return started;
}

/** An answer as APIG reads it. */
function reply({ payload, error }: Answer) {
  if (error) throw new Error(`${error.errorType}: ${error.errorMessage}`);
  const { statusCode, headers, body, isBase64Encoded } = fieldsOf(parseJson(payload));
  expect(isBase64Encoded).toBe(false);
  return { status: statusCode, headers: fieldsOf(headers), body: fieldsOf(parseJson(String(body))) };
}

const send = async (to: LocalFunction, request: GatewayRequest, options?: InvokeOptions) =>
  reply(await to.invoke(gatewayEvent({ headers: JSON_TYPE, ...request }), options));

const post = (to: LocalFunction, request: unknown, headers: Readonly<Record<string, string>> = {}) =>
  send(to, { headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(request) });

/** What is for programs. */
const published = () => smn.messages.filter(({ topic }) => topic === EVENT_TOPIC);

/** What a function logged. */
const logged = (of: LocalFunction): readonly JsonObject[] =>
  of
    .output()
    .split('\n')
    .filter(Boolean)
    .map((line) => fieldsOf(parseJson(line)));

describe.each(FUNCTIONS)('the bundle %s', (name) => {
  const text = readFileSync(new URL(`../../dist/functiongraph/${name}.js`, import.meta.url), 'utf8');

  it('as the runtime loads it → a handler with two parameters', async () => {
    const { node, handlerLength } = await start(name);
    expect(handlerLength).toBe(2);
    if (!NODE.notice) expect(node).toBe('v20.15.1');
  });

  it('text → needs nothing but Node, and nothing that Node 20.15 lacks', () => {
    const required = Array.from(text.matchAll(/(?<!['"`])\brequire\("([^"]+)"\)/g), ([, module = '']) => module);
    expect(required.filter((module) => !isBuiltin(module))).toEqual([]);
    // The whole text would be in the message of a failed expectation.
    const tooNew = /import\.meta|URL\.parse\(|getBuiltinModule|withResolvers|Promise\.try\(|\.groupBy\(/g;
    expect(text.match(tooNew)).toBeNull();
    expect(text.match(/aws4|arn:aws|secretsmanager/g)).toBeNull();
  });

  it('without keys and configuration → a ConfigurationError, not a crash', async () => {
    const bare = await startFunction(name, { userData: {}, keys: undefined, projectId: DEMO_PROJECT_ID });
    running.push(bare);
    const event = { http: gatewayEvent({ body: '{}' }), event: { id: '1', ...REQUEST } };
    const time = new Date().toISOString();
    const { payload, error } = await bare.invoke({ monitor: { time }, retention: { time }, ...event }[name]);
    if (name === 'http') expect(payload).toContain('Unauthorized');
    else expect(error).toMatchObject({ errorType: 'ConfigurationError' });
  });
});

describe('http', () => {
  it('POST, then GET → the backup, signed with the keys of the invocation', async () => {
    const http = await start('http', { HTTP_AUTH: 'gateway' });
    const created = await post(http, REQUEST);
    const [backup] = emulator.backups;
    expect(created).toMatchObject({
      status: 200,
      headers: { location: `backups/${backup?.id}` },
      body: { backup_id: backup?.id, job_id: expect.any(String) },
    });
    const read = await send(http, { method: 'GET', target: `/backups/${backup?.id}` });
    expect(read).toMatchObject({
      status: 200,
      headers: { 'backup-status': 'BUILDING' },
      body: { backup: { id: backup?.id } },
    });
    const listed = await send(http, { method: 'GET', target: `/backups?instance_id=${DEMO_INSTANCE.id}` });
    expect(listed).toMatchObject({ status: 200, body: { backups: [{ id: backup?.id }] } });
    expect(logged(http)).toMatchObject([
      {
        event: 'request.accepted',
        trigger: 'http',
        project_id: DEMO_PROJECT_ID,
        region: 'eu-de',
        stage: 'test',
        duration_ms: expect.any(Number),
      },
    ]);
  });

  it.each(['idempotency-key', 'webhook-id'])('%s repeated → replayed', async (header) => {
    const http = await start('http', { HTTP_AUTH: 'gateway' });
    const first = await post(http, REQUEST, { [header]: 'release-42' });
    const second = await post(http, REQUEST, { [header]: 'release-42' });
    expect(second).toMatchObject({ status: 200, headers: { 'idempotent-replayed': 'true' } });
    expect(second.body).toEqual({ backup_id: first.body.backup_id });
    expect(emulator.backups).toHaveLength(1);
  });

  it('the same event again → replayed by its request id', async () => {
    const http = await start('http', { HTTP_AUTH: 'gateway' });
    const event = gatewayEvent({ headers: JSON_TYPE, body: JSON.stringify(REQUEST) });
    await http.invoke(event, { requestId: 'one' });
    expect(reply(await http.invoke(event, { requestId: 'two' }))).toMatchObject({
      headers: { 'idempotent-replayed': 'true' },
    });
  });

  it('Prefer: respond-async → answered as any other request', async () => {
    const http = await start('http', { HTTP_AUTH: 'gateway' });
    await post(http, REQUEST);
    const busy = await post(http, REQUEST, { prefer: 'respond-async' });
    expect(busy).toMatchObject({ status: 403, body: { reason: 'InstanceBusy' } });
    expect(busy.headers).not.toHaveProperty('preference-applied');
  });

  describe('who may call', () => {
    const signed = (body: string, id = 'msg_1') => {
      const now = new Date();
      return {
        ...JSON_TYPE,
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': new Webhook(HOOK).sign(id, now, body),
      };
    };
    const body = JSON.stringify(REQUEST);

    it.each<[string, Record<string, string>]>([
      ['nothing', {}],
      ['required', { HTTP_AUTH: 'required' }],
      ['a webhook secret', { WEBHOOK_SECRET: HOOK }],
    ])('configured with %s, unsigned → 401, DDS not asked', async (_, userData) => {
      const http = await start('http', userData);
      for (const method of ['POST', 'GET'])
        expect(await send(http, { method, body: method === 'POST' ? body : '' })).toMatchObject({ status: 401 });
      expect(emulator.requests).toEqual([]);
    });

    it('signed webhook → the backup, and a replay', async () => {
      const http = await start('http', { WEBHOOK_SECRET: HOOK });
      const request = { target: '/webhooks', headers: signed(body), body };
      expect(await send(http, request)).toMatchObject({ status: 200 });
      expect(await send(http, request)).toMatchObject({ status: 200, headers: { 'idempotent-replayed': 'true' } });
      expect(emulator.backups).toHaveLength(1);
    });

    it('signed webhook with another body → 401', async () => {
      const http = await start('http', { WEBHOOK_SECRET: HOOK });
      expect(await send(http, { target: '/webhooks', headers: signed(`${body} `), body })).toMatchObject({
        status: 401,
      });
    });

    it('HTTP_AUTH of another kind → 500 ConfigurationError', async () => {
      const http = await start('http', { HTTP_AUTH: 'iam', WEBHOOK_SECRET: HOOK });
      expect(await send(http, { headers: signed(body), body })).toMatchObject({
        status: 500,
        body: { reason: 'ConfigurationError' },
      });
    });
  });

  describe('bad requests', () => {
    const event = (changes: object) => ({ ...gatewayEvent({ headers: JSON_TYPE, body: '{}' }), ...changes });

    it.each([
      ['a body that is not Base64', 422, event({ body: JSON.stringify(REQUEST) })],
      ['a body of nothing but a mark', 422, event({ body: '=' })],
      ['an empty body', 422, event({ body: '' })],
      ['no body', 422, event({ body: undefined })],
      ['a body that is no text', 422, event({ body: { backup: {} } })],
      ['a body in clear that says so', 422, event({ body: '{"backup":', isBase64Encoded: false })],
      ['JSON of another form', 400, event({ body: btoa('[]') })],
      ['a field that is not known', 400, event({ body: btoa(JSON.stringify({ ...REQUEST, a: 1 })) })],
      ['another type', 415, event({ headers: { 'content-type': 'text/plain' }, body: btoa('x') })],
      ['over 64 kB', 413, event({ body: btoa('x'.repeat(64 * 1024 + 1)) })],
      ['another path', 404, event({ path: '/instances' })],
      ['another method', 405, event({ httpMethod: 'DELETE' })],
      ['a query without an instance', 400, event({ httpMethod: 'GET' })],
    ])('%s → %d', async (_, status, request) => {
      const http = await start('http', { HTTP_AUTH: 'gateway' });
      expect(reply(await http.invoke(request)).status).toBe(status);
      expect(emulator.requests).toEqual([]);
    });

    it.each([null, 'text', [], {}])('the event %j → an answer', async (request) => {
      const http = await start('http', { HTTP_AUTH: 'gateway' });
      expect(reply(await http.invoke(request)).status).toBe(422);
    });
  });

  it('no keys → 500, the log names the agency', async () => {
    const http = await start('http', { HTTP_AUTH: 'gateway' }, { keys: undefined });
    expect(await post(http, REQUEST)).toMatchObject({ status: 500, body: { reason: 'ConfigurationError' } });
    expect(logged(http)).toMatchObject([{ event: 'request.failed', message: expect.stringContaining('agency') }]);
  });

  it('keys change with each invocation, concurrent ones too → each signs with its own', async () => {
    const http = await start('http', { HTTP_AUTH: 'gateway' }, { keys: undefined });
    const list = { method: 'GET', target: `/backups?instance_id=${DEMO_INSTANCE.id}` };
    const [own, wrong, other, none] = await Promise.all([
      send(http, list, { keys: KEYS }),
      send(http, list, { keys: { ...KEYS, sk: 'another' } }),
      send(http, list, { keys: DEMO_CREDENTIALS }),
      send(http, list),
    ]);
    expect([own, wrong, other, none].map(({ status }) => status)).toEqual([200, 502, 200, 500]);
  });

  it('DDS does not answer → 504 before the invocation ends, with the sentence on what may exist', async () => {
    emulator.faults.decide = () => ({ kind: 'hang', when: 'before' });
    const http = await start('http', { HTTP_AUTH: 'gateway' });
    const answered = await send(http, { body: JSON.stringify(REQUEST) }, { timeoutMillis: 2000 });
    expect(answered).toMatchObject({ status: 504, body: { error_msg: expect.stringContaining('may exist') } });
  });
});

describe('event', () => {
  const name = 'before-release-42';
  const direct = { id: 'release-42', backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'before' } };

  it.each([
    ['SMN', smnEventNow(REQUEST)],
    ['timer', timerEvent(new Date().toISOString(), REQUEST)],
    ['direct call', direct],
    ['direct call with a name', { id: 'release-42', backup: { instance_id: DEMO_INSTANCE.id, name } }],
  ])('%s, delivered to two processes → one backup, a replay', async (_, event) => {
    const [one, two] = [await start('event'), await start('event')];
    // Two minutes, so that a timer's time stays on the grid.
    const first = fieldsOf(parseJson((await one.invoke(event)).payload ?? ''));
    const second = fieldsOf(parseJson((await two.invoke(event)).payload ?? ''));
    expect(first).toEqual({ backup_id: emulator.backups[0]?.id, job_id: expect.any(String) });
    expect(second).toEqual({ backup_id: emulator.backups[0]?.id });
    expect([...logged(one), ...logged(two)].map(({ event }) => event)).toEqual([
      'request.accepted',
      'request.replayed',
    ]);
  });

  it('concurrent deliveries in three processes → one backup', async () => {
    const processes = await Promise.all([start('event'), start('event'), start('event')]);
    const event = smnEventNow(REQUEST);
    const answers = await Promise.all(processes.map((one) => one.invoke(event)));
    expect(emulator.backups).toHaveLength(1);
    for (const { payload } of answers) expect(payload).toContain(emulator.backups[0]?.id);
  });

  it('three SMN records of which one is bad → two backups, the invocation fails, one event published', async () => {
    const event = await start('event');
    const other = { backup: { instance_id: DEMO_OTHER_INSTANCE.id, name_prefix: 'nightly' } };
    const { error } = await event.invoke(smnEventNow(REQUEST, '{"backup":', other));
    expect(error).toMatchObject({
      errorType: 'InvalidRequest',
      errorMessage: expect.stringContaining('not well-formed'),
    });
    expect(emulator.backups).toHaveLength(2);
    expect(published()).toMatchObject([{ json: { 'detail-type': 'DDS Backup Request Failed' } }]);
  });

  it.each(['', '   ', '{', 'null'])('timer with the user event "%s" → InvalidRequest', async (userEvent) => {
    const event = await start('event');
    const { error } = await event.invoke(timerEvent(new Date().toISOString(), userEvent));
    expect(error).toMatchObject({ errorType: 'InvalidRequest' });
    expect(emulator.requests).toEqual([]);
  });

  it('no more time to wait → fails with the reason, published', async () => {
    emulator.faults.decide = () => ({ kind: 'error', ...refusals.instanceBusy });
    const event = await start('event', { MAX_WAIT_SECONDS: '0' });
    const { error } = await event.invoke(direct);
    expect(error?.errorType).toMatch(/^(InstanceBusy|OutcomeUnknown)$/);
    expect(published()).toMatchObject([{ json: { detail: { id: 'release-42-failed', stage: 'test' } } }]);
  });
});

describe('monitor', () => {
  const at = (minutes: number) => new Date(Date.now() + minutes * 60_000);
  const timer = (time: Date) => timerEvent(time.toISOString(), '', 'Monitor');

  it('a backup that ended → published once, however off the timer is', async () => {
    const grid = Math.floor(Date.now() / 300_000) * 300_000;
    emulator.state.seedBackup({
      name: 'nightly-1',
      instance_id: DEMO_INSTANCE.id,
      type: 'Manual',
      begin: new Date(grid - 20 * 60_000),
      end: new Date(grid - 7 * 60_000),
    });
    const monitor = await start('monitor', { REPORT_TIME: '00:00' });
    for (const offset of [-300_000, 0, 2_000]) await monitor.invoke(timer(new Date(grid + offset)));
    const completed = published().filter(({ json }) => json['detail-type'] === 'DDS Backup Completed');
    expect(new Set(completed.map(({ json }) => fieldsOf(json.detail).id)).size).toBe(1);
    expect(completed[0]?.subject).toMatch(/^DDS Backup Completed: orders: nightly-1$/);
    const runs = logged(monitor).filter(({ event }) => event === 'monitor.done');
    expect(runs.map(({ time }) => time)).toEqual(
      [grid - 300_000, grid, grid].map((millis) => new Date(millis).toISOString()),
    );
  });

  it('at the time of the report → published and sent to the alarm topic', async () => {
    const day = new Date().toISOString().slice(0, 10);
    const monitor = await start('monitor', { REPORT_TIME: '00:00' });
    expect(await monitor.invoke(timer(new Date(`${day}T00:00:00Z`)))).toEqual({ payload: '' });
    expect(smn.messages.map(({ topic }) => topic)).toContain(ALARM_TOPIC);
    expect(smn.messages.map(({ json }) => json['detail-type'])).toContain('DDS Backup Report');
  });

  it('a time far ahead → InvalidRequest, monitor.failed', async () => {
    const monitor = await start('monitor');
    expect((await monitor.invoke(timer(at(60)))).error).toMatchObject({ errorType: 'InvalidRequest' });
    expect(logged(monitor)).toMatchObject([{ event: 'monitor.failed' }]);
  });
});

describe('retention', () => {
  it('rules and delete → the old backup goes, published', async () => {
    emulator.control.changeSettings({ deletionMillis: 0 });
    for (const daysAgo of [30, 2]) {
      const end = new Date(Date.now() - daysAgo * DAY);
      const name = derivedName('nightly', { kind: 'timer', id: `${daysAgo}` }, DEMO_INSTANCE.id);
      const begin = new Date(end.getTime() - HOUR);
      emulator.state.seedBackup({ name, instance_id: DEMO_INSTANCE.id, type: 'Manual', begin, end });
    }
    const retention = await start('retention', {
      RETENTION: 'nightly: keep-within 7d',
      RETENTION_MODE: 'delete',
      RETENTION_INSTANCES: 'all',
    });
    expect(await retention.invoke(timerEvent(new Date().toISOString(), '', 'Retention'))).toEqual({ payload: '' });
    expect(smn.messages).toMatchObject([{ json: { 'detail-type': 'DDS Backup Expired' } }]);
    expect(logged(retention)).toMatchObject([{ event: 'backup.expired' }, { event: 'retention.done', expired: 1 }]);
  });
});

/** Every request to DDS meets the fault. */
function decide(fault: Fault): void {
  emulator.faults.decide = () => fault;
}

describe('secrets', { timeout: 30_000 }, () => {
  const secrets = [KEYS.ak, KEYS.sk, KEYS.securityToken ?? '', HOOK, HOOK.slice('whsec_'.length)];
  const forms = secrets.flatMap((secret) => [secret, encodeURIComponent(secret), btoa(secret)]);

  it.each<[string, () => void, keys?: typeof KEYS]>([
    ['all goes well', () => {}],
    ['the keys are refused', () => {}, { ...KEYS, sk: `${KEYS.sk}x` }],
    ['DDS is faulty', () => decide({ kind: 'html', status: 502 })],
    ['connections are reset', () => decide({ kind: 'reset', when: 'before' })],
    ['SMN refuses', () => smn.next(...Array(100).fill(403))],
  ])('%s → no secret in any answer, log line or message', async (_, prepare, keys = KEYS) => {
    prepare();
    const seen: string[] = [];
    for (const name of FUNCTIONS) {
      const one = await start(name, {
        HTTP_AUTH: 'gateway',
        WEBHOOK_SECRET: HOOK,
        MAX_WAIT_SECONDS: '0',
        RETENTION: 'a: keep-within 9d',
      });
      const time = new Date().toISOString();
      const event = {
        http: gatewayEvent({ headers: JSON_TYPE, body: JSON.stringify(REQUEST) }),
        event: { id: 'release', ...REQUEST },
        monitor: timerEvent(time, ''),
        retention: timerEvent(time, ''),
      }[name];
      for (let repeat = 0; repeat < 2; repeat++)
        seen.push(JSON.stringify(await one.invoke(event, { keys, timeoutMillis: 1500 })));
      expect(one.output()).not.toBe('');
      seen.push(one.output());
    }
    seen.push(JSON.stringify(smn.messages));
    const all = seen.join('\n');
    expect(forms.filter((form) => all.includes(form))).toEqual([]);
    expect(all).not.toMatch(/Signature=|SDK-HMAC/);
  });
});
