import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { derivedName } from './name.ts';
import type { Trigger } from './trigger.ts';

const INSTANCE = 'a89dab5e39394eccbdb77b19d57b0180in02';
const time = new Date('2026-03-01T02:30:05.789Z');

describe('a derived name', () => {
  it('has the prefix, the time to the second and twelve hexadecimal digits', () => {
    expect(derivedName('nightly', { kind: 'invoke', id: 'a', time }, INSTANCE)).toMatch(
      /^nightly-20260301T023005Z-[0-9a-f]{12}$/,
    );
  });

  it('has no time where the trigger has none', () => {
    expect(derivedName('nightly', { kind: 'invoke', id: 'a' }, INSTANCE)).toMatch(/^nightly-[0-9a-f]{12}$/);
  });

  it('is what it was in earlier releases, or a redelivery across an upgrade would be a second backup', () => {
    expect(derivedName('nightly', { kind: 'event-bus', id: 'a', time }, INSTANCE)).toBe(
      'nightly-20260301T023005Z-5892947b358b',
    );
  });

  const trigger: fc.Arbitrary<Trigger> = fc
    .tuple(fc.constantFrom('http', 'event-bus', 'invoke'), fc.string({ minLength: 1 }), fc.option(fc.constant(time)))
    .map(([kind, id, time]) => ({ kind, id, ...(time && { time }) }));
  const prefix = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,33}$/);
  const instance = fc.stringMatching(/^[A-Za-z0-9-]{1,64}$/);

  it('keeps the rules of DDS, whatever the trigger', () => {
    fc.assert(
      fc.property(prefix, trigger, instance, (prefix, trigger, instance) =>
        /^[A-Za-z][A-Za-z0-9_-]{3,63}$/.test(derivedName(prefix, trigger, instance)),
      ),
    );
  });

  it('is the same for the same trigger and another for any other, or another instance', () => {
    fc.assert(
      fc.property(trigger, instance, trigger, instance, (a, on, b, onOther) => {
        const same = a.kind === b.kind && a.id === b.id && Boolean(a.time) === Boolean(b.time) && on === onOther;
        return (derivedName('p', a, on) === derivedName('p', b, onOther)) === same;
      }),
    );
  });
});
