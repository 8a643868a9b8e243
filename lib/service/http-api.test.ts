import { describe, expect, it } from 'vitest';
import type { Result } from '../backup/create.ts';
import { DdsError } from '../dds/errors.ts';
import type { ListedBackup } from '../dds/types.ts';
import { annotate, Failure, InvalidRequest, REASONS, type Reason } from '../errors.ts';
import { created, found, listed, readBody, refused, routeOf } from './http-api.ts';
import type { Deferred, HttpRequest } from './ports.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const JSON_TYPE = { 'content-type': 'application/json' };
const reasons = Object.keys(REASONS).filter((name): name is Reason => Object.hasOwn(REASONS, name));

const request = (more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  path: '/backups',
  query: {},
  headers: {},
  body: '{}',
  isBase64Encoded: false,
  isAuthorized: true,
  requestId: 'r',
  time: NOW,
  ...more,
});

const dds = (status: number, body?: Readonly<Record<string, unknown>>, retryAfter?: string) =>
  new DdsError({ status, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter }, text: '' }, body, NOW);

/** An answer with its body parsed. */
const read = ({ statusCode, headers, body }: ReturnType<typeof refused>) => ({
  statusCode,
  headers,
  body: JSON.parse(body),
});

describe('routeOf', () => {
  const CREATE = { kind: 'create', isWebhook: false, respondAsync: false };

  it.each<[method: string, path: string, route: object]>([
    ['POST', '/backups', CREATE],
    ['POST', '/backups/', CREATE],
    ['POST', '/prod/backups', CREATE],
    ['POST', '/', CREATE],
    ['POST', '', CREATE],
    ['POST', '/webhooks', { kind: 'create', isWebhook: true, respondAsync: true }],
    ['POST', '/prod/webhooks', { kind: 'create', isWebhook: true, respondAsync: true }],
    ['GET', '/backups/b1', { kind: 'read', id: 'b1' }],
    ['GET', '/prod/backups/b1/', { kind: 'read', id: 'b1' }],
  ])('%s %s → %j', (method, path, route) => {
    expect(routeOf(request({ method, path }))).toEqual(route);
  });

  it.each<[query: HttpRequest['query'], route: object]>([
    [{ instance_id: 'i' }, { kind: 'list', instanceId: 'i', name: undefined }],
    [
      { instance_id: 'i', name: 'nightly' },
      { kind: 'list', instanceId: 'i', name: 'nightly' },
    ],
  ])('GET /backups with %j → %j', (query, route) => {
    expect(routeOf(request({ method: 'GET', query }))).toEqual(route);
  });

  it.each<[method: string, path: string, allow: string]>([
    ['PUT', '/backups', 'GET, POST'],
    ['DELETE', '/backups/b1', 'GET'],
    ['POST', '/backups/b1', 'GET'],
    ['GET', '/webhooks', 'POST'],
    ['GET', '/', 'POST'],
  ])('%s %s → 405, Allow: %s', (method, path, allow) => {
    expect(() => routeOf(request({ method, path }))).toThrow(
      expect.objectContaining({ name: 'InvalidRequest', status: 405, headers: { allow } }),
    );
  });

  it.each([
    '/other',
    '/backupss',
    '/mybackups',
    '/backups/a/b',
    '/backups/a b',
    '/webhooks/x',
    `/backups/${'x'.repeat(65)}`,
  ])('path %s → 404', (path) => {
    expect(() => routeOf(request({ path }))).toThrow(expect.objectContaining({ name: 'InvalidRequest', status: 404 }));
  });

  it.each<[HttpRequest['query'], readonly string[]]>([
    [{}, ['/query/instance_id']],
    [{ instance_id: '' }, ['/query/instance_id']],
    [{ instance_id: 'a b' }, ['/query/instance_id']],
    [{ name: 'n', limit: '1' }, ['/query/limit', '/query/instance_id']],
  ])('GET /backups with %j → 400 that names %j', (query, paths) => {
    expect(() => routeOf(request({ method: 'GET', query }))).toThrow(
      expect.objectContaining({
        status: 400,
        details: paths.map((path) => expect.objectContaining({ path })),
      }),
    );
  });

  it.each([
    ['respond-async', true],
    ['Respond-Async', true],
    ['wait=10, respond-async', true],
    [' respond-async ; x=1', true],
    ['respond-asynchronously', false],
    ['no-respond-async', false],
    ['return=minimal', false],
    ['', false],
  ])('Prefer: %s → answered without waiting: %s', (prefer, respondAsync) => {
    expect(routeOf(request({ headers: { prefer } }))).toMatchObject({ respondAsync });
  });
});

describe('readBody', () => {
  const BODY = '{"backup":{"name":"größer"}}';

  it.each<[string, Partial<HttpRequest>]>([
    ['text', { body: BODY }],
    ['base64', { body: Buffer.from(BODY).toString('base64'), isBase64Encoded: true }],
    ['with a byte order mark', { body: `\ufeff${BODY}` }],
    [
      'with a byte order mark in base64',
      { body: Buffer.from(`\ufeff${BODY}`).toString('base64'), isBase64Encoded: true },
    ],
    ['not compressed', { body: BODY, headers: { 'content-encoding': ' Identity ' } }],
  ])('%s → the text', (_, more) => {
    expect(readBody(request(more))).toBe(BODY);
  });

  it.each<[string, Partial<HttpRequest>, number]>([
    ['empty', { body: '' }, 422],
    ['white space', { body: ' \n' }, 422],
    ['byte order mark alone', { body: '\ufeff' }, 422],
    ['missing', { body: undefined }, 422],
    ['null', { body: null }, 422],
    ['number', { body: 7 }, 422],
    ['compressed', { headers: { 'content-encoding': 'gzip' } }, 415],
    ['compressed twice', { headers: { 'content-encoding': 'identity, br' } }, 415],
  ])('%s → %3$i', (_, more, status) => {
    expect(() => readBody(request(more))).toThrow(expect.objectContaining({ name: 'InvalidRequest', status }));
  });
});

describe('created', () => {
  const accepted: Result = {
    kind: 'accepted',
    job_id: 'j',
    backup_id: 'b',
    name: 'n',
    attempts: 1,
    status: 202,
    text: '{ "job_id":"j" ,"backup_id":"b","more":1}',
  };
  const replayed: Result = { kind: 'replayed', backup_id: 'b', name: 'n', attempts: 1 };

  it('accepted → status and body of DDS, verbatim, and Location', () => {
    expect(created(accepted, {})).toEqual({
      statusCode: 202,
      headers: { ...JSON_TYPE, location: 'backups/b' },
      body: accepted.text,
    });
  });

  it('replayed → 200 with the backup_id, Idempotent-Replayed and Location', () => {
    expect(read(created(replayed, {}))).toEqual({
      statusCode: 200,
      headers: { ...JSON_TYPE, 'idempotent-replayed': 'true', location: 'backups/b' },
      body: { backup_id: 'b' },
    });
  });

  const deferred: Deferred = {
    kind: 'deferred',
    name: 'nightly-a',
    instance_id: 'i',
    not_after: '2026-03-02T12:00:00.000Z',
    error: { reason: 'InstanceBusy' },
  };

  it('deferred → 202 with name, instance and deadline, and where to look', () => {
    expect(read(created(deferred, {}))).toEqual({
      statusCode: 202,
      headers: {
        ...JSON_TYPE,
        'preference-applied': 'respond-async',
        location: 'backups?instance_id=i&name=nightly-a',
      },
      body: { status: 'DEFERRED', name: 'nightly-a', instance_id: 'i', not_after: '2026-03-02T12:00:00.000Z' },
    });
  });

  it.each([accepted, replayed, deferred])('webhook, $kind → no Location', (result) => {
    expect(created(result, { isWebhook: true }).headers).not.toHaveProperty('location');
  });
});

describe('found and listed', () => {
  const backup: ListedBackup = {
    id: 'b',
    name: 'n',
    instance_id: 'i',
    status: 'BUILDING',
    description: '',
    verbatim: { id: 'b', odd: null },
  };

  it.each([
    [7, { 'retry-after': '7' }],
    [undefined, {}],
  ])('backup to be asked for again after %s s → as DDS lists it, with its status', (seconds, more) => {
    expect(read(found({ backup, ...(seconds !== undefined && { pollAfterSeconds: seconds }) }))).toEqual({
      statusCode: 200,
      headers: { ...JSON_TYPE, 'backup-status': 'BUILDING', ...more },
      body: { backup: { id: 'b', odd: null } },
    });
  });

  it.each([0, 2])('%i backups → as DDS lists them', (count) => {
    expect(read(listed(Array(count).fill(backup)))).toEqual({
      statusCode: 200,
      headers: JSON_TYPE,
      body: { backups: Array(count).fill({ id: 'b', odd: null }) },
    });
  });
});

describe('refused', () => {
  it.each(reasons)('%s → its status and Retry-After of the table', (reason) => {
    const meaning: { readonly status: number; readonly retryAfterSeconds?: number } = REASONS[reason];
    expect(read(refused(new Failure(reason, 'It failed.')))).toEqual({
      statusCode: meaning.status,
      headers: {
        ...JSON_TYPE,
        ...(meaning.retryAfterSeconds !== undefined && { 'retry-after': String(meaning.retryAfterSeconds) }),
      },
      body: { error_code: reason, error_msg: 'It failed.', reason },
    });
  });

  it.each<[error: DdsError, statusCode: number, reason: Reason]>([
    [dds(403, { error_code: 'DBS.201015', error_msg: 'Busy.' }), 403, 'InstanceBusy'],
    [dds(400, { error_code: 'DBS.200001', error_msg: 'Parameter error.' }), 400, 'DdsRejected'],
    [dds(400, { error_code: 'DBS.201201', error_msg: 'Exists.' }), 400, 'BackupNameTaken'],
    [dds(500, { error_code: 'DBS.280005', error_msg: 'Server error.' }), 500, 'DdsUnavailable'],
    [dds(409, { error_code: 'DBS.999999', error_msg: 'Conflict.' }), 409, 'DdsRejected'],
    // What concerns our key, its permissions or our configuration is not the caller's.
    [dds(403, { error_code: 'DBS.280032', error_msg: 'No permission.' }), 502, 'CredentialsRefused'],
    [dds(400, { error_code: 'DBS.200010', error_msg: 'Authentication failed.' }), 502, 'CredentialsRefused'],
  ])('$code of DDS → %2$i with its code and text, reason %3$s', (error, statusCode, reason) => {
    const answer = read(refused(error));
    expect(answer).toMatchObject({ statusCode, body: { error_code: error.code, error_msg: error.text, reason } });
  });

  it.each<[error: DdsError, statusCode: number, error_code: string]>([
    [dds(401, { error_code: 'APIGW.0301', error_msg: 'ak:PRIVATE' }), 502, 'APIGW.0301'],
    [dds(404, { error_code: 'APIGW.0101', error_msg: 'PRIVATE' }), 500, 'APIGW.0101'],
    [dds(429, { error_code: 'APIGW.0308', error_msg: 'PRIVATE' }), 429, 'APIGW.0308'],
    [dds(503, { message: 'PRIVATE' }), 503, 'DdsUnavailable'],
    [dds(502), 502, 'DdsUnavailable'],
    [dds(404), 502, 'UpstreamInvalid'],
    [dds(413), 413, 'DdsRejected'],
  ])('answer whose text is not passed on: $message → %2$i %3$s', (error, statusCode, error_code) => {
    const { body, ...answer } = refused(error);
    expect(answer).toMatchObject({ statusCode });
    expect(JSON.parse(body)).toMatchObject({ error_code, error_msg: error.message });
    expect(body).not.toContain('PRIVATE');
  });

  it.each([
    ['120', '120'],
    ['0', '0'],
    ['Sun, 01 Mar 2026 12:00:30 GMT', '30'],
    ['soon', '5'],
    [undefined, '5'],
  ])('throttled, Retry-After of DDS %j → %s', (given, retryAfter) => {
    expect(refused(dds(429, { error_code: 'DBS.280443' }, given)).headers).toEqual({
      ...JSON_TYPE,
      'retry-after': retryAfter,
    });
  });

  it('InvalidRequest → its status, headers and details', () => {
    const details = [{ path: '/backup', message: 'is required' }];
    expect(read(refused(new InvalidRequest(405, 'Not allowed', details, { allow: 'GET' })))).toEqual({
      statusCode: 405,
      headers: { ...JSON_TYPE, allow: 'GET' },
      body: {
        error_code: 'InvalidRequest',
        error_msg: 'Not allowed: /backup is required',
        reason: 'InvalidRequest',
        details,
      },
    });
  });

  it('backup that is known → in the body; name and attempts are not', () => {
    const backup = { id: 'b', name: 'n', instance_id: 'i', status: 'COMPLETED', began_at: '2026-03-01T12:00:00Z' };
    const failure = annotate(new Failure('BackupNameTaken', 'Taken.'), { name: 'n', attempts: 2, backup });
    expect(read(refused(failure)).body).toEqual({
      error_code: 'BackupNameTaken',
      error_msg: 'Taken.',
      reason: 'BackupNameTaken',
      backup,
    });
  });
});
