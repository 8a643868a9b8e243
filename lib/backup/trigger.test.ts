import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backupNames, commandOf, derivedName, MAX_ATTEMPTS, prefixesOf, type Trigger } from './trigger.ts';

const INSTANCE = 'a89dab5e39394eccbdb77b19d57b0180in02';
const time = new Date('2026-03-01T02:30:05.789Z');

/** RFC 4648, section 6, in lower case, bit by bit. */
function base32(bytes: Uint8Array, characters: number): string {
  let text = '';
  for (let character = 0; character < characters; character++) {
    let value = 0;
    for (let bit = 5 * character; bit < 5 * character + 5; bit++)
      value = 2 * value + (((bytes[Math.floor(bit / 8)] ?? 0) >> (7 - (bit % 8))) & 1);
    text += 'abcdefghijklmnopqrstuvwxyz234567'.charAt(value);
  }
  return text;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest();

/** The rule, written down a second time. */
function expectedName(prefix: string, { kind, id, time }: Trigger, instanceId: string): string {
  const identity = JSON.stringify([kind, id, time?.toISOString() ?? null, prefix, instanceId]);
  const key = base32(sha256(identity), 12);
  const [date = '', clock = ''] = (time?.toISOString() ?? '').split(/[T.]/);
  const stem = time ? `${prefix}-${date.replaceAll('-', '')}T${clock.replaceAll(':', '')}Z-${key}` : `${prefix}-${key}`;
  return stem + base32(sha256(`${stem} ${instanceId}`), 2);
}

const trigger: fc.Arbitrary<Trigger> = fc
  .record({
    kind: fc.constantFrom('http', 'event-bus', 'invoke'),
    id: fc.string({ minLength: 1, unit: 'binary' }),
    at: fc.option(fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })),
  })
  .map(({ kind, id, at }) => ({ kind, id, ...(at && { time: at }) }));
const prefix = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,29}$/);
const instance = fc.stringMatching(/^[A-Za-z0-9-]{1,64}$/);

describe('base32 of this test', () => {
  // https://www.rfc-editor.org/rfc/rfc4648#section-10
  it.each([
    ['foobar', 'mzxw6ytboi'],
    ['fooba', 'mzxw6ytb'],
  ])('published example %s → %s', (text, encoded) => {
    expect(base32(Buffer.from(text), encoded.length)).toBe(encoded);
  });
});

describe('derivedName', () => {
  it.each<[string, Trigger, RegExp]>([
    ['time → to the second', { kind: 'invoke', id: 'a', time }, /^nightly-20260301T023005Z-[a-z2-7]{14}$/],
    ['no time → none', { kind: 'invoke', id: 'a' }, /^nightly-[a-z2-7]{14}$/],
  ])('%s', (_, trigger, form) => {
    expect(derivedName('nightly', trigger, INSTANCE)).toMatch(form);
  });

  // Another rule would make a second backup of a trigger that is delivered before and after an upgrade.
  it.each<[string, Trigger, string]>([
    ['nightly', { kind: 'event-bus', id: 'a', time }, 'nightly-20260301T023005Z-ekpve3ztpievie'],
    ['nightly', { kind: 'http', id: 'a' }, 'nightly-txpjvy2sdpexq7'],
  ])('%s of %j → what it always was', (prefix, trigger, name) => {
    expect(derivedName(prefix, trigger, INSTANCE)).toBe(name);
  });

  it('any trigger → the documented rule', () => {
    fc.assert(
      fc.property(prefix, trigger, instance, (prefix, trigger, instance) => {
        expect(derivedName(prefix, trigger, instance)).toBe(expectedName(prefix, trigger, instance));
      }),
      { numRuns: 1000 },
    );
  });

  it('any trigger → a name that DDS takes', () => {
    fc.assert(
      fc.property(prefix, trigger, instance, (prefix, trigger, instance) =>
        /^[A-Za-z][A-Za-z0-9_-]{3,63}$/.test(derivedName(prefix, trigger, instance)),
      ),
    );
  });

  it('two triggers, prefixes or instances → the same name only where all are the same', () => {
    const identity = fc.tuple(
      fc.constantFrom('a', 'b'),
      fc.record({ kind: fc.constantFrom('http', 'invoke'), id: fc.constantFrom('1', '2') }),
      fc.constantFrom(undefined, 0, 1, 1000),
      fc.constantFrom('i1', 'i2'),
    );
    const nameOf = ([prefix, { kind, id }, at, instance]: typeof identity extends fc.Arbitrary<infer T> ? T : never) =>
      derivedName(prefix, { kind, id, ...(at !== undefined && { time: new Date(at) }) }, instance);
    fc.assert(
      fc.property(identity, identity, (a, b) => {
        expect(nameOf(a) === nameOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      { numRuns: 1000 },
    );
  });

  it('time beside the prefix or written into it → different names', () => {
    const compact = '20260301T023005Z';
    const names = [
      derivedName('a', { kind: 'invoke', id: 'x', time }, INSTANCE),
      derivedName(`a-${compact}`, { kind: 'invoke', id: 'x' }, INSTANCE),
    ];
    expect(names.map((name) => name.slice(0, -15))).toEqual([`a-${compact}`, `a-${compact}`]);
    expect(new Set(names).size).toBe(2);
  });

  it('times in the same second → different names', () => {
    const at = (millis: number) => derivedName('a', { kind: 'invoke', id: 'x', time: new Date(millis) }, INSTANCE);
    expect(at(1)).not.toBe(at(2));
  });
});

describe('backupNames', () => {
  const namesOf = (backup: { name: string } | { name_prefix: string }, trigger: Trigger) =>
    backupNames({ request: { backup: { instance_id: INSTANCE, ...backup } }, trigger });

  it('given name → that alone', () => {
    expect(namesOf({ name: 'before-migration' }, { kind: 'http', id: 'a', time })).toEqual(['before-migration']);
  });

  it('prefix → the derived name, then it with the number of each further attempt', () => {
    const trigger: Trigger = { kind: 'http', id: 'a', time };
    const name = derivedName('nightly', trigger, INSTANCE);
    expect(namesOf({ name_prefix: 'nightly' }, trigger)).toEqual([
      name,
      `${name}-2`,
      `${name}-3`,
      `${name}-4`,
      `${name}-5`,
    ]);
    expect(MAX_ATTEMPTS).toBe(5);
  });

  it('prefix of 30 characters → the fifth attempt keeps the limit of 64', () => {
    const lengths = namesOf({ name_prefix: 'p'.repeat(30) }, { kind: 'http', id: 'a', time }).map(
      ({ length }) => length,
    );
    expect(lengths).toEqual([62, 64, 64, 64, 64]);
  });
});

describe('prefixesOf', () => {
  it('any attempt of a derived name → its prefix among them', () => {
    fc.assert(
      fc.property(prefix, trigger, instance, (name_prefix, trigger, instance_id) => {
        for (const name of backupNames({ request: { backup: { instance_id, name_prefix } }, trigger }))
          expect(prefixesOf(name, instance_id)).toContain(name_prefix);
      }),
    );
  });

  const COMPACT = '20260301T023005Z';
  const NAME = derivedName('nightly', { kind: 'http', id: 'a', time }, INSTANCE);

  it.each<[string, string, readonly string[]]>([
    ['no time', derivedName('nightly', { kind: 'http', id: 'a' }, INSTANCE), ['nightly']],
    // What looks like a time may be one, or the end of the prefix.
    ['a time', NAME, [`nightly-${COMPACT}`, 'nightly']],
    [
      'a prefix that ends with a time, no time',
      derivedName(`p-${COMPACT}`, { kind: 'http', id: 'a' }, INSTANCE),
      [`p-${COMPACT}`, 'p'],
    ],
    [
      'a prefix with a time inside, no time',
      derivedName(`p-${COMPACT}-q`, { kind: 'http', id: 'a' }, INSTANCE),
      [`p-${COMPACT}-q`],
    ],
    ['a further attempt', `${NAME}-5`, [`nightly-${COMPACT}`, 'nightly']],
  ])('%s: %s → %j', (_, name, prefixes) => {
    expect(prefixesOf(name, INSTANCE)).toEqual(prefixes);
  });

  it.each([
    'nightly-customerdata1',
    'before-verification',
    'before-migration-4711',
    'nightly-20260301T023005Z',
    'nightly',
    '',
    `${NAME}-1`,
    `${NAME}-6`,
    `${NAME}-2-2`,
    `${NAME}x`,
    `x${NAME}`,
    NAME.toUpperCase(),
  ])('name made by hand: %s → none', (name) => {
    expect(prefixesOf(name, INSTANCE)).toEqual([]);
  });

  it('derived name of another instance → none', () => {
    expect(prefixesOf(NAME, 'another-instance')).toEqual([]);
  });

  it('random endings of 14 characters → about one in 1024 passes for a derived name', () => {
    const samples = 20_000;
    let passed = 0;
    // Seeded, so that the count does not vary.
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z2-7]{14}$/), (ending) => {
        if (prefixesOf(`nightly-${ending}`, INSTANCE).length > 0) passed += 1;
      }),
      { numRuns: samples, seed: 1 },
    );
    expect(passed).toBeGreaterThan(samples / 1024 / 3);
    expect(passed).toBeLessThan((3 * samples) / 1024);
  });
});

describe('commandOf', () => {
  const event = (not_after?: string) => ({
    request: {
      backup: { instance_id: INSTANCE, name: 'before-migration' },
      ...(not_after !== undefined && { not_after }),
    },
    trigger: { kind: 'http', id: 'a' } as const,
  });

  it('no not_after → none', () => {
    expect(commandOf(event())).toEqual(event());
  });

  it.each([
    ['2026-03-01T12:00:00Z', '2026-03-01T12:00:00.000Z'],
    ['2026-03-01t12:00:00.5z', '2026-03-01T12:00:00.500Z'],
    ['2026-03-01T12:00:00+02:00', '2026-03-01T10:00:00.000Z'],
  ])('not_after %s → %s', (not_after, iso) => {
    expect(commandOf(event(not_after))).toEqual({ ...event(not_after), notAfter: new Date(iso) });
  });

  it.each([
    '2026-02-30T12:00:00Z',
    '2026-03-01T24:00:00Z',
    '2026-03-01T12:00:00+99:00',
    '1969-12-31T23:59:59Z',
    'soon',
  ])('not_after %s → InvalidRequest', (not_after) => {
    expect(() => commandOf(event(not_after))).toThrow(
      expect.objectContaining({
        name: 'InvalidRequest',
        status: 400,
        details: [{ path: '/not_after', message: 'must be a time such as 2026-01-31T23:59:59Z' }],
      }),
    );
  });
});
