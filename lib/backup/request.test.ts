import { Ajv, type ErrorObject } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startEmulator } from '../../emulator/dds/emulator.ts';
import { DEMO_CREDENTIALS, DEMO_PROJECT_ID } from '../../emulator/dds/seed.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { ddsClient } from '../dds/client.ts';
import { DAY } from '../time.ts';
import { backupCreator } from './create.ts';
import schema from './request.schema.json' with { type: 'json' };
import { isBackupRequest, violationsOf } from './request.ts';
import { commandOf } from './trigger.ts';

/** What ajv itself makes of the schema, nothing of it rewritten. */
const byAjv = new Ajv({ allErrors: true, strictRequired: false }).compile(schema);

const text = fc.oneof(
  fc.string({ maxLength: 70 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,70}$/),
  fc.stringMatching(/^[A-Za-z0-9-]{0,66}$/),
  // Of one code point each, two UTF-16 units: the limits are of the former.
  fc.integer({ min: 120, max: 260 }).map((length) => '\u{1f4be}'.repeat(length)),
  fc.constantFrom('__proto__', 'constructor', 'a/b~c', ''),
);
const value = fc.oneof({ weight: 5, arbitrary: text }, { weight: 1, arbitrary: fc.jsonValue() });
const backup = fc
  .tuple(
    fc.record({ instance_id: value, name: value, name_prefix: value, description: value }, { requiredKeys: [] }),
    fc.dictionary(text, value, { maxKeys: 2 }),
  )
  .map(([fields, others]) => ({ ...others, ...fields }));
const notAfter = fc.oneof(
  text,
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom('2026-01-31T23:59:59Z', '2026-01-31t23:59:59.5+02:00', '2026-01-31 23:59:59'),
);
const request = fc.oneof(
  { weight: 6, arbitrary: fc.record({ backup, not_after: notAfter }, { requiredKeys: ['backup'] }) },
  { weight: 1, arbitrary: fc.record({ backup: value }, { requiredKeys: [] }) },
  { weight: 1, arbitrary: fc.dictionary(text, backup, { maxKeys: 2 }) },
  { weight: 1, arbitrary: fc.jsonValue() },
  { weight: 1, arbitrary: fc.constant({ backup: { instance_id: 'i', name_prefix: 'p' } }) },
);

/** Where, in the order in which ajv finds it; what a branch of `oneOf` misses is left out. */
const pathsOf = (errors: readonly ErrorObject[] | null | undefined) =>
  (errors ?? [])
    .filter(({ schemaPath }) => !schemaPath.includes('/oneOf/'))
    .map(({ instancePath, params }) => {
      const field = params.missingProperty ?? params.additionalProperty;
      const escaped = (name: string) => name.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
      return field === undefined ? instancePath : `${instancePath}/${escaped(field)}`;
    });

describe('violationsOf', () => {
  it('any request → what ajv finds', () => {
    let valid = 0;
    fc.assert(
      fc.property(request, (request) => {
        const isValid = byAjv(request);
        valid += Number(isValid);
        expect(isBackupRequest(request)).toBe(isValid);
        expect(violationsOf(request).map(({ path }) => path)).toEqual(isValid ? [] : pathsOf(byAjv.errors));
      }),
      { numRuns: 5000 },
    );
    expect(valid).toBeGreaterThan(0);
  });

  it('every rule broken → every violation, in words', () => {
    const wrong = {
      backup: { name: '1b', name_prefix: 'p'.repeat(31), description: 7, instance_id: 'i'.repeat(65), size: 1 },
      not_after: 'soon',
      more: 1,
    };
    expect(violationsOf(wrong)).toEqual([
      { path: '/more', message: 'is not a known field' },
      { path: '/backup', message: 'must have name or name_prefix, and not both' },
      { path: '/backup/size', message: 'is not a known field' },
      { path: '/backup/instance_id', message: 'must have at most 64 characters' },
      { path: '/backup/name', message: 'must have at least 4 characters' },
      { path: '/backup/name', message: 'must match ^[A-Za-z][A-Za-z0-9_-]*$' },
      { path: '/backup/name_prefix', message: 'must have at most 30 characters' },
      { path: '/backup/description', message: 'must be of type string' },
      { path: '/not_after', message: 'must be a time such as 2026-01-31T23:59:59Z' },
    ]);
  });

  it.each<[string, unknown, string, string]>([
    ['empty object', {}, '/backup', 'is required'],
    ['null', null, '', 'must be of type object'],
    ['undefined', undefined, '', 'must be of type object'],
    ['no instance', { backup: { name: 'nightly' } }, '/backup/instance_id', 'is required'],
    [
      'neither name nor prefix',
      { backup: { instance_id: 'i' } },
      '/backup',
      'must have name or name_prefix, and not both',
    ],
    [
      'empty prefix',
      { backup: { instance_id: 'i', name_prefix: '' } },
      '/backup/name_prefix',
      'must have at least 1 character',
    ],
  ])('%s → where and what', (_, request, path, message) => {
    expect(violationsOf(request)).toContainEqual({ path, message });
  });

  it.each([
    { backup: { instance_id: 'i', name: 'nigh' } },
    { backup: { instance_id: 'i', name_prefix: 'p' } },
    { backup: { instance_id: 'i', name_prefix: 'p'.repeat(30), description: '' } },
    { backup: { instance_id: 'i', name: 'n'.repeat(64), description: '\u{1f4be}'.repeat(256) } },
    { backup: { instance_id: 'i', name: 'nightly' }, not_after: '2026-01-31T23:59:59.123456789+02:00' },
  ])('valid: %j → none', (request) => {
    expect(violationsOf(request)).toEqual([]);
  });

  it('invalid request, then a valid one → nothing is kept', () => {
    expect(violationsOf({})).toHaveLength(1);
    expect(violationsOf({ backup: { instance_id: 'i', name: 'nightly' } })).toEqual([]);
  });
});

describe('the fields of a backup', () => {
  /** A valid value of each. A field of the schema that is missing here is one that no test has seen sent. */
  const VALUES: Readonly<Record<string, string>> = {
    instance_id: 'a89dab5e39394eccbdb77b19d57b0180in02',
    name: 'before-migration',
    description: 'release 7 – größer',
  };
  const REPLACED = 'name_prefix';

  /** What reaches DDS as the body of the request that creates the backup. */
  async function sentFor(request: unknown): Promise<unknown> {
    if (!isBackupRequest(request)) throw new Error(JSON.stringify(violationsOf(request)));
    const time = virtualTime();
    await using emulator = await startEmulator({ clock: time.now });
    const timing = { now: time.now, wait: time.wait, random: () => 0 };
    const credentials = async () => DEMO_CREDENTIALS;
    const dds = ddsClient({
      endpoint: emulator.url,
      projectId: DEMO_PROJECT_ID,
      credentials,
      timing,
      attemptMillis: 5000,
    });
    const create = backupCreator({ dds, timing, maxRequestAgeMillis: DAY });
    const command = commandOf({ request, trigger: { kind: 'http', id: 'a' } });
    await create(command, { firstDelivery: time.now(), outcomeUnknown: false, timeLeft: () => 30_000 });
    return emulator.requests[0]?.body;
  }

  it('every field of the schema but name_prefix → has a value in this test', () => {
    const fields = Object.keys(schema.properties.backup.properties).filter((field) => field !== REPLACED);
    expect(Object.keys(VALUES).toSorted()).toEqual(fields.toSorted());
  });

  it('every field → sent to DDS as it came', async () => {
    expect(await sentFor({ backup: VALUES })).toEqual({ backup: VALUES });
  });

  it('name_prefix → not sent, the derived name is; every other field as it came', async () => {
    const { name: _, ...others } = VALUES;
    expect(await sentFor({ backup: { ...others, name_prefix: 'nightly' } })).toEqual({
      backup: { ...others, name: expect.stringMatching(/^nightly-[a-z2-7]{14}$/) },
    });
  });

  it('optional fields missing → not sent', async () => {
    const { description: _, ...others } = VALUES;
    expect(await sentFor({ backup: others })).toEqual({ backup: others });
  });

  it('fields beside backup → not sent', async () => {
    const sent = await sentFor({ backup: VALUES, not_after: '2026-03-01T12:30:00Z' });
    expect(sent).toEqual({ backup: VALUES });
  });
});
