import { describe, expect, it } from 'vitest';
import type { ListedBackup } from '../dds/types.ts';
import { DAY, SECOND } from '../time.ts';
import { ownershipOf } from './ownership.ts';
import type { Command, Trigger } from './trigger.ts';

const NOON = Date.parse('2026-03-01T12:00:00Z');
/** DDS's clock is known to ten seconds. */
const CLOCK = { atLeast: -5 * SECOND, atMost: 5 * SECOND };

const listed = (more: Partial<ListedBackup> = {}): ListedBackup => ({
  ...{ id: 'b', name: 'nightly', instance_id: 'i', status: 'COMPLETED', description: '', verbatim: {} },
  beganAt: NOON,
  ...more,
});

const derived = (trigger: Partial<Trigger> = {}): Command => ({
  request: { backup: { instance_id: 'i', name_prefix: 'nightly' } },
  trigger: { kind: 'http', id: 'a', ...trigger },
});
const given = (trigger: Partial<Trigger> = {}): Command => ({
  request: { backup: { instance_id: 'i', name: 'nightly' } },
  trigger: { kind: 'http', id: 'a', ...trigger },
});

const ownership = (found: ListedBackup, command: Command, firstDelivery = NOON) =>
  ownershipOf(found, command, new Date(firstDelivery), CLOCK);

describe('ownershipOf: a derived name', () => {
  it('with a time → own, whatever the record says', () => {
    const { beganAt: _, ...record } = listed({ instance_id: 'other', description: 'another' });
    expect(ownership(record, derived({ time: new Date(NOON - 30 * DAY) }))).toBe('own');
  });

  it.each([
    [-DAY + 5 * SECOND, 'own'],
    [-DAY + 4 * SECOND, 'undecided'],
    [-DAY - 5 * SECOND, 'undecided'],
    [-DAY - 6 * SECOND, 'other'],
  ])('without a time, began %i ms from the first delivery → %s', (from, expected) => {
    expect(ownership(listed({ beganAt: NOON + from }), derived())).toBe(expected);
  });
});

describe('ownershipOf: a given name', () => {
  it.each([
    [3 * SECOND, 'own'],
    [2 * SECOND, 'undecided'],
    [-7 * SECOND, 'undecided'],
    [-8 * SECOND, 'other'],
  ])('began %i ms from the trigger → %s', (from, expected) => {
    expect(ownership(listed({ beganAt: NOON + from }), given())).toBe(expected);
  });

  it('no begin → undecided', () => {
    const { beganAt: _, ...record } = listed();
    expect(ownership(record, given())).toBe('undecided');
  });

  it.each<[string, Partial<ListedBackup>]>([
    ['instance', { instance_id: 'j' }],
    ['description', { description: 'another' }],
  ])('another %s → of another', (_, more) => {
    expect(ownership(listed({ beganAt: NOON + DAY, ...more }), given())).toBe('other');
  });

  it.each([
    ['earlier than the first delivery → from that time', -DAY, -DAY + 3 * SECOND],
    ['later than the first delivery → from the delivery', DAY, 3 * SECOND],
    ['more than 31 days ago → from 31 days ago', -40 * DAY, -31 * DAY + 3 * SECOND],
  ])('a time %s', (_, time, from) => {
    const command = given({ time: new Date(NOON + time) });
    expect(ownership(listed({ beganAt: NOON + from }), command)).toBe('own');
    expect(ownership(listed({ beganAt: NOON + from - SECOND }), command)).toBe('undecided');
  });
});
