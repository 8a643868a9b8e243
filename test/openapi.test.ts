/** docs/openapi.yaml against what `http` answers, one request at least for each documented status. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import type { Fault } from '../emulator/dds/faults.ts';
import { refusals } from '../emulator/dds/refusals.ts';
import type { OperationName } from '../emulator/dds/routes.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE, DEMO_PROJECT_ID } from '../emulator/dds/seed.ts';
import { httpHandler } from '../functions/http.ts';
import { awsService } from '../lib/aws/platform.ts';
import { isReason, REASONS } from '../lib/errors.ts';
import { fieldsOf, lowerCased } from '../lib/json.ts';
import { type Aws, startAws, throttled } from './support/aws.ts';
import { environment } from './support/emulated.ts';
import { call, httpAnswer, lambdaContext } from './support/lambda.ts';
import { logLines } from './support/log-lines.ts';
import { documented, OPENAPI, type OperationKey, problemsOf, statusKey } from './support/openapi.ts';
import { requestsIn } from './support/request-file.ts';
import { virtualTime } from './support/virtual-time.ts';

const WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const ARN = 'arn:aws:lambda:eu-central-1:123456789012:function:deferred:live';
const INSTANCE = DEMO_INSTANCE.id;
const REQUEST = { backup: { instance_id: INSTANCE, name: 'before-migration' } };
const PREFIXED = { backup: { instance_id: INSTANCE, name_prefix: 'ci' } };
const IAM = { authorizer: { iam: { userArn: 'arn:aws:iam::1:user/u' } } };

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
let aws: Aws;
beforeEach(async () => {
  time = virtualTime();
  emulator = await startEmulator({ clock: time.now });
  aws = await startAws({ clock: time.now });
});
afterEach(async () => {
  await emulator.close();
  await aws.close();
});
logLines();

interface Sent {
  readonly method?: string;
  /** Default: that of the operation. */
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly context?: object;
  readonly env?: Readonly<Record<string, string>>;
}

/** Hands a request to the function as the gateway does. */
async function send(operation: OperationKey, sent: Sent = {}) {
  const [method = '', path = ''] = operation.split(' ');
  const { query = {}, headers = {}, body = REQUEST, context = IAM, env = {} } = sent;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const isWebhook = path === '/webhooks';
  const event = {
    httpMethod: sent.method ?? method,
    path: sent.path ?? path.replace('{backup_id}', emulator.backups[0]?.id ?? 'unknown'),
    queryStringParameters: query,
    headers: { 'content-type': 'application/json', ...(isWebhook && signed(text)), ...headers },
    body: text,
    requestContext: { requestId: 'r', timeEpoch: time.now().getTime(), ...(!isWebhook && context) },
  };
  const service = awsService({
    env: { ...environment(emulator), ...aws.env, DEFERRED_FUNCTION: ARN, WEBHOOK_SECRET, ...env },
    timing: { now: time.now, wait: time.wait, random: () => 1 },
    attemptMillis: 100,
  });
  const end = time.now().getTime() + 29_000;
  const invocation = lambdaContext(() => end - time.now().getTime());
  return httpAnswer(await call(httpHandler(service), event, invocation));
}

function signed(text: string): Record<string, string> {
  const now = time.now();
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(now.getTime() / 1000),
    'webhook-signature': new Webhook(WEBHOOK_SECRET).sign('msg_1', now, text),
  };
}

const fault = (effect: Fault) => () => {
  emulator.faults.decide = () => effect;
};
const refuse = (name: keyof typeof refusals, operation: OperationName) =>
  fault({ kind: 'error', ...refusals[name], operation });
const teapot = (operation: OperationName) =>
  fault({ kind: 'error', status: 418, error_code: 'DBS.000001', error_msg: 'I am a teapot.', operation });
const prepare = (name: string, begin = '2026-02-28T10:00:00Z') =>
  void emulator.control.addBackups({ backups: [{ name, instance_id: INSTANCE, begin }] });
const noSecret = () => {
  aws.decide = ({ service }) => (service === 'secretsmanager' ? throttled : undefined);
};
const notQueued = () => {
  refuse('instanceBusy', CREATE)();
  aws.decide = () => ({ kind: 'reset' });
};
const addOther = () => emulator.control.addProject({ id: 'other', credentials: [DEMO_CREDENTIALS] });
const NOTHING = () => {};
const ASYNC = { headers: { prefer: 'respond-async' } };
const PAST = { ...REQUEST, not_after: '2026-03-01T11:00:00Z' };
const QUERY = { query: { instance_id: INSTANCE } };
const TWO_PROJECTS = { OTC_SDK_PROJECTS: `eu-de:${DEMO_PROJECT_ID},eu-de:other` };
const UNCONFIGURED = { OTC_SDK_PROJECT_ID: '' };
const FROM_SECRET = { OTC_SDK_AK: '', OTC_SDK_SK: '', WEBHOOK_SECRET: '', OTC_CREDENTIALS_SECRET: 'key' };
const HUGE = `"${'x'.repeat(64 * 1024)}"`;

type Case = readonly [status: string, of: string, before: () => void, sent?: Sent];

const CREATE = 'create-backup';
const LIST = 'list-backups';

/** What all that ask DDS for something answer alike. */
const common = (operation: OperationName, sent: Sent): readonly Case[] => [
  ['401', 'Unauthorized', NOTHING, { ...sent, context: {} }],
  ['403', 'DdsRejected', refuse('invalidRequest', operation), sent],
  ['429', 'Throttled', refuse('tooManyCalls', operation), sent],
  ['4XX', 'DdsRejected', teapot(operation), sent],
  ['500', 'ConfigurationError', NOTHING, { ...sent, env: UNCONFIGURED }],
  ['500', 'DdsUnavailable', refuse('serverError', operation), sent],
  ['502', 'CredentialsRefused', NOTHING, { ...sent, env: { OTC_SDK_SK: 'wrong' } }],
  ['502', 'UpstreamUnreachable', fault({ kind: 'reset', when: 'before' }), sent],
  ['502', 'UpstreamInvalid', fault({ kind: 'html', status: 200 }), sent],
  ['503', 'DdsUnavailable', fault({ kind: 'html', status: 503 }), sent],
  ['504', 'UpstreamTimeout', fault({ kind: 'hang', when: 'before' }), sent],
  ['5XX', 'DdsUnavailable', fault({ kind: 'html', status: 507 }), sent],
];

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'POST /backups': [
    ...common(CREATE, {}),
    ['200', 'accepted', NOTHING],
    ['200', 'replayed', fault({ kind: 'reset', when: 'after', operation: CREATE }), { body: PREFIXED }],
    ['2XX', 'accepted', fault({ kind: 'status', status: 201 })],
    ['202', 'deferred', refuse('instanceBusy', CREATE), ASYNC],
    ['400', 'InvalidRequest', NOTHING, { body: { backup: {} } }],
    ['400', 'BackupNameTaken', () => prepare('before-migration')],
    ['403', 'InstanceBusy', refuse('instanceBusy', CREATE)],
    ['404', 'InstanceNotFound', refuse('noSuchInstance', CREATE)],
    ['405', 'InvalidRequest', NOTHING, { method: 'DELETE' }],
    ['409', 'DeadlinePassed', NOTHING, { body: PAST }],
    ['413', 'InvalidRequest', NOTHING, { body: HUGE }],
    ['415', 'InvalidRequest', NOTHING, { headers: { 'content-type': 'text/plain' } }],
    ['422', 'InvalidRequest', NOTHING, { body: '{' }],
    ['503', 'SecretUnavailable', noSecret, { env: FROM_SECRET }],
    ['504', 'OutcomeUnknown', refuse('nameTaken', CREATE)],
  ],
  'GET /backups': [
    ...common(LIST, QUERY),
    ['200', 'listed', () => prepare('nightly'), QUERY],
    ['400', 'InvalidRequest', NOTHING],
    ['404', 'InstanceNotFound', addOther, { query: { instance_id: 'unknown' }, env: TWO_PROJECTS }],
  ],
  'GET /backups/{backup_id}': [
    ...common(LIST, {}),
    ['200', 'BUILDING', () => prepare('nightly', '2026-03-01T11:59:50Z')],
    ['200', 'COMPLETED', () => prepare('nightly')],
    ['404', 'BackupNotFound', NOTHING],
    ['404', 'InvalidRequest', NOTHING, { path: '/backups/a/b' }],
    ['405', 'InvalidRequest', NOTHING, { method: 'POST' }],
  ],
  'POST /webhooks': [
    ['200', 'accepted', NOTHING],
    ['200', 'replayed', fault({ kind: 'reset', when: 'after', operation: CREATE }), { body: PREFIXED }],
    ['2XX', 'accepted', fault({ kind: 'status', status: 201 })],
    ['202', 'deferred', refuse('instanceBusy', CREATE)],
    ['400', 'InvalidRequest', NOTHING, { body: { backup: {} } }],
    ['401', 'Unauthorized', NOTHING, { headers: { 'webhook-signature': 'v1,no' } }],
    ['404', 'InstanceNotFound', refuse('noSuchInstance', CREATE)],
    ['405', 'InvalidRequest', NOTHING, { method: 'GET' }],
    ['409', 'DeadlinePassed', NOTHING, { body: PAST }],
    ['413', 'InvalidRequest', NOTHING, { body: HUGE }],
    ['415', 'InvalidRequest', NOTHING, { headers: { 'content-encoding': 'gzip' } }],
    ['422', 'InvalidRequest', NOTHING, { body: ' ' }],
    ['4XX', 'DdsRejected', teapot(CREATE)],
    ['500', 'ConfigurationError', NOTHING, { env: { WEBHOOK_SECRET: 'too-short' } }],
    ['503', 'AuthenticationUnavailable', noSecret, { env: FROM_SECRET }],
    ['504', 'OutcomeUnknown', notQueued],
  ],
};

describe('requests.http', () => {
  it('each in turn → the status that stands with it, as documented', async () => {
    const answers = new Map<string, unknown>();
    const file = readFileSync(new URL('../docs/requests.http', import.meta.url), 'utf8');
    const statuses: string[] = [];
    for (const request of requestsIn(file, (name, member) => fieldsOf(answers.get(name))[member])) {
      const { title, method, url, headers, body } = request;
      const operation = [...documented().keys()].find(
        (key) => key === `${method} ${url.pathname.replace(/\/backups\/.+/, '/backups/{backup_id}')}`,
      );
      if (operation === undefined) throw new Error(`${title} is not documented.`);
      const sent = {
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: lowerCased(headers),
        body,
        env: { HTTP_AUTH: 'none' },
      };
      const answer = await send(operation, sent);
      expect({ title, problems: problemsOf(operation, answer) }).toEqual({ title, problems: [] });
      expect(title).toMatch(new RegExp(`^${answer.statusCode}: `));
      if (title.includes('Replayed')) expect(answer.headers).toMatchObject({ 'idempotent-replayed': 'true' });
      answers.set(request.name ?? '', answer.body);
      statuses.push(String(answer.statusCode));
      time.advance(1000);
    }
    expect(statuses).toEqual(['200', '200', '200', '200', '403', '404', '409', '400', '404']);
  });

  it('a name that stands for nothing → an error', () => {
    const read = () => [...requestsIn('### 200: x\nGET {{url}}/x\n', () => undefined)];
    expect(read).toThrow('{{url}} stands for nothing.');
  });
});

const OPERATIONS = [...documented().keys()];
const all = Object.entries(CASES).flatMap(([operation, cases]) =>
  cases.map(([status, kind, before, sent = {}]) => ({
    operation: operation as OperationKey,
    status,
    kind,
    before,
    sent,
  })),
);

/** What of an answer its case names. */
function kindOf({ statusCode, headers, body }: Awaited<ReturnType<typeof send>>): unknown {
  const { reason, backups } = fieldsOf(body);
  if (reason !== undefined) return reason;
  if (backups !== undefined) return 'listed';
  if (statusCode === 202) return 'deferred';
  return headers['backup-status'] ?? (headers['idempotent-replayed'] === 'true' ? 'replayed' : 'accepted');
}

describe('openapi.yaml', () => {
  it('linter → nothing to say', { timeout: 30_000 }, async () => {
    const cli = fileURLToPath(import.meta.resolve('@redocly/cli/bin/cli.js'));
    const args = [cli, 'lint', 'docs/openapi.yaml', '--format=json', '--skip-rule=no-server-example.com'];
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
    const cwd = fileURLToPath(new URL('..', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, args, { env, cwd });
    expect(JSON.parse(stdout)).toMatchObject({ totals: { errors: 0, warnings: 0 } });
  });

  it('reasons → those of lib/errors.ts', () => {
    const { Reason } = fieldsOf(fieldsOf(OPENAPI.components).schemas);
    expect(fieldsOf(Reason).enum).toEqual(Object.keys(REASONS));
  });

  it('version → that of package.json', () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    expect(fieldsOf(OPENAPI.info).version).toBe(version);
  });

  it.each(OPERATIONS)('%s: every documented status → a case here, or the gateway alone gives it', (operation) => {
    const tried = CASES[operation]?.map(([status]) => status) ?? [];
    const byGateway = operation === 'POST /webhooks' ? ['429'] : [];
    expect([...new Set([...tried, ...byGateway])].sort()).toEqual(documented().get(operation)?.toSorted());
  });

  it('every reason over HTTP → a case here', () => {
    const tried = new Set(all.map(({ kind }) => kind).filter(isReason));
    // BackupFailed needs five backups that FAILED: below. PublishFailed is of other functions.
    expect(Object.keys(REASONS).filter((reason) => isReason(reason) && !tried.has(reason))).toEqual([
      'BackupFailed',
      'PublishFailed',
    ]);
  });
});

describe('answers as documented', () => {
  it.each(all)('$operation → $status $kind', async ({ operation, status, kind, before, sent }) => {
    before();
    const answer = await send(operation, sent);
    expect(kindOf(answer)).toBe(kind);
    expect(statusKey(operation, answer.statusCode)).toBe(status);
    expect(problemsOf(operation, answer)).toEqual([]);
  });

  it('POST /backups → 409 BackupFailed, after five', async () => {
    emulator.control.changeSettings({ failNames: '.', backupMillis: 0 });
    const key = { body: PREFIXED, headers: { 'idempotency-key': 'release-7' } };
    for (let count = 0; count < 5; count++) {
      expect(problemsOf('POST /backups', await send('POST /backups', key))).toEqual([]);
      time.advance(1000);
    }
    const answer = await send('POST /backups', key);
    expect(answer).toMatchObject({ statusCode: 409, body: { reason: 'BackupFailed', backup: { status: 'FAILED' } } });
    expect(problemsOf('POST /backups', answer)).toEqual([]);
  });

  it.each([
    [403, 'Forbidden'],
    [404, 'Not Found'],
    [413, 'Request Too Long'],
    [429, 'Too Many Requests'],
    [500, 'Internal Server Error'],
    [503, 'Service Unavailable'],
  ])('%i of the gateway → documented', (statusCode, message) => {
    const answer = { statusCode, headers: { 'content-type': 'application/json' }, text: JSON.stringify({ message }) };
    expect(problemsOf('POST /backups', answer)).toEqual([]);
  });

  it.each([
    [{ statusCode: 299, text: '{"backup_id":"b"}' }, /header location is missing/],
    [{ statusCode: 302 }, /302 is not documented/],
    [{ statusCode: 404, text: '{"reason":"Other","error_code":"x","error_msg":"y"}' }, /reason must be equal to one/],
    [{ statusCode: 401, text: '{"reason":"Unauthorized","error_code":"x"}' }, /error_msg/],
    [{ statusCode: 401, text: '{"reason":"Unauthorized","error_code":"x","error_msg":"y","z":1}' }, /additional/],
    [{ statusCode: 401, headers: { 'content-type': 'text/html' } }, /text\/html is not documented/],
    [{ statusCode: 401, headers: { 'content-type': 'application/json', etag: 'x' } }, /etag is not documented/],
    [{ statusCode: 429, headers: { 'content-type': 'application/json', 'retry-after': 'soon' } }, /retry-after/],
  ])('%j → its problem is found', (answer, problem) => {
    const whole = { headers: { 'content-type': 'application/json' }, text: '{}', ...answer };
    expect(problemsOf('POST /backups', whole).join()).toMatch(problem);
  });
});
