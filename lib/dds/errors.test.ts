import { describe, expect, it } from 'vitest';
import { REASONS, type Reason, type Retry } from '../errors.ts';
import type { HttpAnswer } from '../http/client.ts';
import { codeIn, DdsError, parseRetryAfter, succeeded } from './errors.ts';

const NOW = new Date('2026-03-01T12:00:00Z');

const answer = (status: number, more: Partial<HttpAnswer> = {}): HttpAnswer => ({
  status,
  headers: {},
  text: '',
  ...more,
});

const errorOf = (status: number, body?: Readonly<Record<string, unknown>>) => new DdsError(answer(status), body, NOW);

/** Every error that the API reference lists for what is called here, and those that are known from elsewhere. */
const DOCUMENTED: readonly (readonly [status: number, code: string, reason: Reason])[] = [
  [400, 'DBS.201201', 'BackupNameTaken'],

  [403, 'DBS.200011', 'InstanceBusy'],
  [403, 'DBS.200018', 'InstanceBusy'],
  [403, 'DBS.200019', 'InstanceBusy'],
  [403, 'DBS.200076', 'InstanceBusy'],
  [403, 'DBS.201000', 'InstanceBusy'],
  [403, 'DBS.201014', 'InstanceBusy'],
  [403, 'DBS.201015', 'InstanceBusy'],
  [403, 'DBS.201208', 'InstanceBusy'],
  [400, 'DBS.200047', 'InstanceBusy'],
  [400, 'DBS.201202', 'InstanceBusy'],
  [400, 'DBS.201204', 'InstanceBusy'],
  [400, 'DBS.201319', 'InstanceBusy'],
  [400, 'DBS.239037', 'InstanceBusy'],
  [400, 'DBS.00010009', 'InstanceBusy'],

  [400, 'DBS.200998', 'Throttled'],
  [429, 'DBS.280443', 'Throttled'],
  [429, 'APIGW.0308', 'Throttled'],

  [500, 'DBS.280005', 'DdsUnavailable'],
  [500, 'DBS.201509', 'DdsUnavailable'],

  [400, 'DBS.201214', 'BackupNotFound'],

  [404, 'DBS.200002', 'InstanceNotFound'],
  [403, 'DBS.201028', 'InstanceNotFound'],
  [400, 'DBS.201501', 'InstanceNotFound'],
  [400, 'DBS.201502', 'InstanceNotFound'],
  [400, 'DBS.280110', 'InstanceNotFound'],
  [400, 'DBS.280404', 'InstanceNotFound'],

  [400, 'DBS.280277', 'DdsRejected'],
  [400, 'DBS.280127', 'DdsRejected'],
  [400, 'DBS.200001', 'DdsRejected'],
  [400, 'DBS.201006', 'DdsRejected'],
  [400, 'DBS.280001', 'DdsRejected'],
  [400, 'DBS.290000', 'DdsRejected'],

  [401, 'DBS.280056', 'CredentialsRefused'],
  [401, 'DBS.280064', 'CredentialsRefused'],
  [403, 'DBS.280032', 'CredentialsRefused'],
  [403, 'DBS.280063', 'CredentialsRefused'],
  [403, 'DBS.200604', 'CredentialsRefused'],
  [403, 'DBS.280019', 'CredentialsRefused'],
  [400, 'DBS.200010', 'CredentialsRefused'],
  [400, 'DBS.280015', 'CredentialsRefused'],
  [401, 'APIGW.0301', 'CredentialsRefused'],
  [403, 'APIGW.0302', 'CredentialsRefused'],
  [401, 'APIGW.0303', 'CredentialsRefused'],
  [403, 'APIGW.0306', 'CredentialsRefused'],
  [401, 'APIGW.0307', 'CredentialsRefused'],
  [403, 'APIGW.0310', 'CredentialsRefused'],

  [404, 'APIGW.0101', 'ConfigurationError'],
];

describe('a documented error', () => {
  it.each(DOCUMENTED)('%i %s → %s', (status, code, reason) => {
    const error = errorOf(status, { error_code: code, error_msg: 'Words of DDS.' });
    const { retry } = REASONS[reason];
    expect(error).toMatchObject({ name: reason, retry, status, code, isAmbiguous: false });
    // The code decides, not the status.
    if (reason !== 'DdsRejected') expect(errorOf(404, { error_code: code }).name).toBe(reason);
  });

  it('class name → kept by minifiers', () => {
    expect(DdsError.name).toBe('DdsError');
  });

  it.each([
    [403, 'DBS.280042'],
    [400, 'DBS.212003'],
  ])('%i %s → DdsRejected, ambiguous: retried later', (status, error_code) => {
    expect(errorOf(status, { error_code })).toMatchObject({ name: 'DdsRejected', retry: 'later', isAmbiguous: true });
  });

  it.each([400, 403, 404, 500])('code and status %i: the code decides', (status) => {
    expect(errorOf(status, { error_code: 'DBS.201015' }).name).toBe('InstanceBusy');
  });
});

describe('an error that is not documented', () => {
  it.each<[number, Reason, Retry]>([
    [400, 'DdsRejected', 'never'],
    [401, 'CredentialsRefused', 'later'],
    [404, 'DdsRejected', 'never'],
    [408, 'DdsRejected', 'later'],
    [409, 'DdsRejected', 'later'],
    [425, 'DdsRejected', 'later'],
    [429, 'Throttled', 'now'],
    [500, 'DdsUnavailable', 'now'],
    [503, 'DdsUnavailable', 'now'],
  ])('status %i, with a code and without → %s, retried %s', (status, reason, retry) => {
    for (const body of [{ error_code: 'DBS.999999' }, { error_code: 'toString' }, { error_code: 7 }, {}])
      expect(errorOf(status, body)).toMatchObject({ name: reason, retry });
  });

  it.each<[code: unknown, reason: Reason]>([
    ['APIGW.9999', 'CredentialsRefused'],
    ['DBS.999999', 'DdsRejected'],
    ['toString', 'DdsRejected'],
    [undefined, 'CredentialsRefused'],
    [null, 'CredentialsRefused'],
    ['', 'CredentialsRefused'],
    [403, 'CredentialsRefused'],
    [{ toString: null }, 'CredentialsRefused'],
  ])('403 with the code %j → %s; without a code as without JSON', (error_code, reason) => {
    expect(errorOf(403, { error_code }).name).toBe(reason);
  });

  it.each([
    ['dbs.201015', 'DBS.201015', 'InstanceBusy'],
    [' DBS.201015 ', 'DBS.201015', 'InstanceBusy'],
    ['Apigw.0301', 'APIGW.0301', 'CredentialsRefused'],
    ['xdbs.1', 'xdbs.1', 'DdsRejected'],
    ['dbs.1x', 'dbs.1x', 'DdsRejected'],
  ])('code in another spelling: %j → %s', (error_code, code, name) => {
    expect(errorOf(403, { error_code, error_msg: 'text' })).toMatchObject({ code, name });
  });
});

describe('an error without JSON', () => {
  it.each<[number, Reason, Retry]>([
    [400, 'UpstreamInvalid', 'now'],
    [401, 'CredentialsRefused', 'later'],
    [403, 'CredentialsRefused', 'later'],
    [404, 'UpstreamInvalid', 'now'],
    [408, 'DdsRejected', 'later'],
    [409, 'DdsRejected', 'later'],
    [413, 'DdsRejected', 'never'],
    [414, 'DdsRejected', 'never'],
    [425, 'DdsRejected', 'later'],
    [429, 'Throttled', 'now'],
    [500, 'DdsUnavailable', 'now'],
    [502, 'DdsUnavailable', 'now'],
    [503, 'DdsUnavailable', 'now'],
    [504, 'DdsUnavailable', 'now'],
  ])('status %i → %s, retried %s', (status, reason, retry) => {
    expect(errorOf(status)).toMatchObject({ name: reason, retry, code: undefined, text: undefined });
  });
});

describe('the words of DDS', () => {
  it('code and text: → passed on, and part of the message', () => {
    expect(errorOf(403, { error_code: 'DBS.201015', error_msg: 'Busy.' })).toMatchObject({
      message: 'DDS answered 403 DBS.201015: Busy.',
      text: 'Busy.',
    });
  });

  it.each([
    [401, 'APIGW.0301', /access key/],
    [401, 'DBS.280056', /access key/],
    [429, 'APIGW.0308', /too many requests/],
    [404, 'APIGW.0101', /Check DDS_ENDPOINT/],
    [400, 'APIGW.0201', /no reason given/],
    [400, 'apigw.0201 ', /no reason given/],
    [403, undefined, /access key/],
    [400, undefined, /no reason given/],
    [400, 7, /no reason given/],
  ])('%i %s: may quote our request → only the code is passed on', (status, error_code, advice) => {
    const error = errorOf(status, { error_code, error_msg: 'ak:PRIVATE' });
    expect(error).toMatchObject({ text: undefined, message: expect.stringMatching(advice) });
    if (error_code === 'APIGW.0301') expect(error.code).toBe(error_code);
    expect(error.message).not.toContain('PRIVATE');
  });

  it.each([{}, { error_code: 7, error_msg: null }, { error_code: 'a b', error_msg: ['x'] }])(
    'neither code nor text: %j → a message all the same',
    (body) => {
      expect(errorOf(418, body)).toMatchObject({
        message: 'DDS answered 418: no reason given.',
        code: undefined,
        text: undefined,
      });
    },
  );

  it.each([
    [500, undefined, 'DDS answered 500: a server error.'],
    [404, undefined, 'DDS answered 404: not JSON.'],
    [429, undefined, 'DDS answered 429: too many requests. Try again later.'],
    [400, { error_code: 'DBS.1', error_msg: 7 }, 'DDS answered 400 DBS.1: no reason given.'],
  ])('%i with %j → %s', (status, body, message) => {
    expect(errorOf(status, body)).toMatchObject({ message, text: undefined });
  });

  it('text of 10 000 characters → cut to 1000, in text and message', () => {
    const error = errorOf(400, { error_code: 'X', error_msg: 'x'.repeat(10_000) });
    expect(error.text).toHaveLength(1000);
    expect(error.message).toHaveLength(1000);
  });

  it('other fields of the body → nowhere in the error', () => {
    const error = new DdsError(answer(400, { text: '{"private":"body"}' }), { error_code: 'X', private: 'body' }, NOW);
    expect(JSON.stringify(error)).not.toContain('private');
    expect(JSON.stringify(Object.entries(error))).not.toContain('body');
  });
});

describe('codeIn', () => {
  it.each(['DBS.201014', 'APIGW.0308', 'DBS.00010009'])('message of a DdsError with %s → that code', (error_code) => {
    expect(codeIn(errorOf(403, { error_code, error_msg: 'busy: DBS.1: later' }).message)).toBe(error_code);
  });

  it.each([errorOf(502, {}).message, 'The request is invalid: DBS.201014: is not a known field', ''])(
    'message without a code of DDS: %j → undefined',
    (message) => {
      expect(codeIn(message)).toBeUndefined();
    },
  );
});

describe('Retry-After', () => {
  const AHEAD = 'Sun, 01 Mar 2026 12:00:30 GMT';

  it.each<[text: string | undefined, date: string | undefined, millis: number | undefined]>([
    ['7', undefined, 7000],
    [' 7 ', undefined, 7000],
    ['0', undefined, 0],
    ['999999999', undefined, 999_999_999_000],
    ['9999999999', undefined, undefined],
    ['-1', undefined, undefined],
    ['1.5', undefined, undefined],
    ['1e3', undefined, undefined],
    ['0x10', undefined, undefined],
    ['', undefined, undefined],
    [undefined, undefined, undefined],
    ['soon', undefined, undefined],
    ['Sun, soon GMT', undefined, undefined],
    ['Sun 01 Mar 2026 12:00:30 GMT', undefined, 30_000],
    ['x Sun, 01 Mar 2026 12:00:30 GMT', undefined, undefined],
    ['Sun, 01 Mar 2026 12:00:30 GMT+0100', undefined, undefined],
    ['2026-03-01T12:00:30Z', undefined, undefined],
    // Held against our clock, or that of the answer where it tells it.
    [AHEAD, undefined, 30_000],
    [AHEAD, 'Sun, 01 Mar 2026 12:00:20 GMT', 10_000],
    [AHEAD, 'Sun, 01 Mar 2026 11:00:30 GMT', 3_600_000],
    [AHEAD, AHEAD, 0],
    [AHEAD, 'nonsense', 30_000],
    [AHEAD, 'Sun, 01 Mar 2026 12:00:31 GMT', undefined],
    ['Sun, 01 Mar 2026 11:59:59 GMT', undefined, undefined],
    ['Sunday, 01-Mar-26 12:00:30 GMT', undefined, 30_000],
  ])('%j, with Date %j → %s ms', (retryAfter, date, millis) => {
    const headers = {
      ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
      ...(date !== undefined && { date }),
    };
    expect(parseRetryAfter({ headers }, NOW)).toBe(millis);
    expect(new DdsError(answer(429, { headers }), {}, NOW).retryAfterMillis).toBe(millis);
  });
});

describe('succeeded', () => {
  it.each([200, 201, 202, 204, 299])('status %i and an object → the object', (status) => {
    const body = { job_id: 'j' };
    expect(succeeded(answer(status), body, NOW)).toBe(body);
  });

  it.each([null, ''])('error_code %j → none', (error_code) => {
    const body = { error_code, job_id: 'j' };
    expect(succeeded(answer(200), body, NOW)).toBe(body);
  });

  it.each<[string, number, unknown]>([
    ['no JSON', 200, undefined],
    ['null', 200, null],
    ['a number', 200, 7],
    ['text', 200, 'ok'],
    ['an error_code', 200, { error_code: 'DBS.200001' }],
    ['an error_code that is a number', 200, { error_code: 7, job_id: 'j' }],
    ['a redirect', 307, { job_id: 'j' }],
    ['an informational status', 103, { job_id: 'j' }],
    ['a status beyond 599', 999, { error_code: 'X' }],
    ['a status of 300', 300, { job_id: 'j' }],
    ['a status of 600', 600, { error_code: 'DBS.1' }],
  ])('%s → UpstreamInvalid, outcome unknown', (_, status, body) => {
    expect(() => succeeded(answer(status), body, NOW)).toThrow(
      expect.objectContaining({
        name: 'UpstreamInvalid',
        outcomeUnknown: true,
        message: expect.stringMatching(
          new RegExp(
            `^DDS answered ${status}(, which is neither success nor error| and no JSON object| with an error_code)\\.$`,
          ),
        ),
      }),
    );
  });

  it.each([
    [403, { error_code: 'DBS.201015' }, 'InstanceBusy'],
    [403, 'a page', 'CredentialsRefused'],
    [404, undefined, 'UpstreamInvalid'],
    [404, null, 'UpstreamInvalid'],
  ])('error %i with %j → DdsError %s', (status, body, name) => {
    const act = () => succeeded(answer(status), body, NOW);
    expect(act).toThrow(DdsError);
    expect(act).toThrow(expect.objectContaining({ name }));
  });
});
