import { describe, expect, it } from 'vitest';
import { DdsError } from './dds-error.ts';
import { type Meaning, meaningOf } from './error-codes.ts';

/** Every error that the API reference lists for what is called here, and what this service makes of it. */
const DOCUMENTED: readonly (readonly [status: number, code: string, meaning: Meaning, name: string])[] = [
  [400, 'DBS.201201', 'taken', 'BackupNameTaken'],

  [403, 'DBS.200011', 'busy', 'InstanceBusy'],
  [403, 'DBS.200018', 'busy', 'InstanceBusy'],
  [403, 'DBS.200019', 'busy', 'InstanceBusy'],
  [403, 'DBS.200076', 'busy', 'InstanceBusy'],
  [403, 'DBS.201000', 'busy', 'InstanceBusy'],
  [403, 'DBS.201014', 'busy', 'InstanceBusy'],
  [403, 'DBS.201015', 'busy', 'InstanceBusy'],
  [400, 'DBS.200047', 'busy', 'InstanceBusy'],
  [400, 'DBS.201202', 'busy', 'InstanceBusy'],
  [400, 'DBS.239037', 'busy', 'InstanceBusy'],
  [400, 'DBS.00010009', 'busy', 'InstanceBusy'],

  [403, 'DBS.280042', 'ambiguous', 'DdsRejected'],
  [400, 'DBS.212003', 'ambiguous', 'DdsRejected'],

  [400, 'DBS.200998', 'throttled', 'Throttled'],
  [429, 'DBS.280443', 'throttled', 'Throttled'],
  [429, 'APIGW.0308', 'throttled', 'Throttled'],

  [500, 'DBS.280005', 'unavailable', 'DdsUnavailable'],
  [500, 'DBS.201509', 'unavailable', 'DdsUnavailable'],

  [404, 'DBS.200002', 'rejected', 'DdsRejected'],
  [403, 'DBS.201028', 'rejected', 'DdsRejected'],
  [400, 'DBS.201501', 'rejected', 'DdsRejected'],
  [400, 'DBS.201502', 'rejected', 'DdsRejected'],
  [400, 'DBS.280110', 'rejected', 'DdsRejected'],
  [400, 'DBS.280404', 'rejected', 'DdsRejected'],
  [400, 'DBS.280277', 'rejected', 'DdsRejected'],
  [400, 'DBS.280127', 'rejected', 'DdsRejected'],
  [400, 'DBS.200001', 'rejected', 'DdsRejected'],
  [400, 'DBS.201006', 'rejected', 'DdsRejected'],
  [400, 'DBS.280001', 'rejected', 'DdsRejected'],
  [400, 'DBS.290000', 'rejected', 'DdsRejected'],
  [403, 'DBS.280032', 'rejected', 'DdsRejected'],
  [403, 'DBS.280063', 'rejected', 'DdsRejected'],
  [403, 'DBS.200604', 'rejected', 'DdsRejected'],
  [400, 'DBS.200010', 'rejected', 'DdsRejected'],
  [400, 'DBS.280015', 'rejected', 'DdsRejected'],
  [404, 'APIGW.0101', 'rejected', 'DdsRejected'],

  [401, 'DBS.280056', 'credentials', 'CredentialsRefused'],
  [401, 'DBS.280064', 'credentials', 'CredentialsRefused'],
  [401, 'APIGW.0301', 'credentials', 'CredentialsRefused'],
];

describe('a documented error', () => {
  it.each(DOCUMENTED)('%i %s means %s and is thrown as %s', (status, code, meaning, name) => {
    const text = JSON.stringify({ error_code: code, error_msg: 'Words of DDS.' });
    const error = new DdsError(
      { status, retryAfter: undefined, text },
      { error_code: code, error_msg: 'Words of DDS.' },
    );
    expect(error).toMatchObject({
      meaning,
      name,
      status,
      code,
      message: `DDS answered ${status} ${code}: Words of DDS.`,
    });
    expect(error.text).toBe(text);
  });
});

describe('an error that is not documented', () => {
  it.each([
    [400, 'rejected'],
    [401, 'credentials'],
    [403, 'rejected'],
    [409, 'rejected'],
    [429, 'throttled'],
    [500, 'unavailable'],
    [503, 'unavailable'],
  ] as const)('status %i means %s, with a code and without', (status, meaning) => {
    expect(meaningOf(status, 'DBS.999999')).toBe(meaning);
    expect(meaningOf(status, 'toString')).toBe(meaning);
    expect(meaningOf(status, undefined)).toBe(meaning);
  });

  it('is readable without code and text', () => {
    const error = new DdsError({ status: 418, retryAfter: undefined, text: '{}' }, {});
    expect(error.message).toBe('DDS answered 418: no reason given');
  });
});

describe('Retry-After', () => {
  it.each([
    ['7', 7],
    ['0', 0],
    ['-1', undefined],
    ['soon', undefined],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    ['9999999', undefined],
    [undefined, undefined],
  ])('%s is %s seconds', (retryAfter, seconds) => {
    expect(new DdsError({ status: 429, retryAfter, text: '{}' }, {}).retryAfter).toBe(seconds);
  });
});

it('shows no body when it is logged', () => {
  const error = new DdsError({ status: 400, retryAfter: undefined, text: '{"error_code":"X","private":"body"}' }, {});
  expect(JSON.stringify(error)).not.toContain('private');
  expect(Object.values(error)).not.toContain(error.text);
});
