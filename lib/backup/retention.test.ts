import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusals } from '../../emulator/dds/refusals.ts';
import type { Settings } from '../../emulator/dds/settings.ts';
import { type Carry, directDds, type Reply } from '../../test/simulation/direct-dds.ts';
import { createWorld, instanceOf } from '../../test/simulation/world.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import type { ListedBackup, ListedInstance, UnreadableRecord } from '../dds/types.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts';
import {
  type Decision,
  type ExpiredBackup,
  planRetention,
  type RetentionOptions,
  type RetentionPolicy,
  type RetentionRule,
  retention,
} from './retention.ts';
import { derivedName } from './trigger.ts';

const NOW = Date.parse('2026-03-01T05:30:00Z');
const ORDERS = 'orders-1';

const rule = (prefix: string, keepDays: number, keepLast = 1): RetentionRule => ({
  prefix,
  keepWithinMillis: keepDays * DAY,
  keepLast,
  text: `${prefix}: keep-within ${keepDays}d, keep-last ${keepLast}`,
});

const policyOf = (more: Partial<RetentionPolicy> = {}): RetentionPolicy => ({
  rules: [rule('nightly', 4)],
  instances: { kind: 'all' },
  holds: new Set(),
  maxDeletions: 1000,
  ...more,
});

const nameOf = (prefix: string, key: string, instance_id = ORDERS) =>
  derivedName(prefix, { kind: 'invoke', id: key, time: new Date(NOW - DAY) }, instance_id);

const instance = (id = ORDERS): ListedInstance => ({ id, tags: new Map() });

/** @param days before now at which it ended; it began an hour earlier */
const backup = (days: number, more: Partial<ListedBackup> & { readonly prefix?: string } = {}): ListedBackup => {
  const { prefix = 'nightly', instance_id = ORDERS, ...rest } = more;
  const endedAt = NOW - days * DAY;
  const id = `${instance_id}-${prefix}-${days}`;
  return {
    id,
    name: nameOf(prefix, id, instance_id),
    instance_id,
    type: 'Manual',
    status: 'COMPLETED',
    beganAt: endedAt - HOUR,
    endedAt,
    sizeKb: 1000,
    description: '',
    verbatim: {},
    ...rest,
  };
};

/** One a night for so many nights, the newest one half a day old. */
const nights = (count: number, more: Parameters<typeof backup>[1] = {}) =>
  Array.from({ length: count }, (_, i) => backup(i + 0.5, more));

const plan = (backups: readonly ListedBackup[], policy: Partial<RetentionPolicy> = {}, instances = [instance()]) =>
  planRetention({ backups, instances }, policyOf(policy), NOW);

const deleted = (decisions: readonly Decision[]) =>
  decisions.flatMap(({ action, backup: { id } }) => (action === 'delete' ? [id] : [])).sort();

describe('planRetention: decision', () => {
  it('ten nights, keep-within 4d → those older than four days go, with their rule', () => {
    const decisions = plan(nights(10));
    expect(deleted(decisions)).toEqual([4.5, 5.5, 6.5, 7.5, 8.5, 9.5].map((days) => `orders-1-nightly-${days}`));
    expect(decisions).toHaveLength(10);
    for (const { action, reason, rule: its } of decisions)
      if (action === 'delete')
        expect({ reason, its: its?.prefix }).toEqual({ reason: 'older than keep-within', its: 'nightly' });
  });

  it.each([
    [1, 6],
    [3, 6],
    [4, 5],
    [5, 4],
    [8, 1],
    [9, 0],
  ])('ten nights, of which the newest does not count yet, keep-last %i → %i go', (keepLast, count) => {
    const decisions = plan(nights(10), { rules: [rule('nightly', 4, keepLast)] });
    expect(deleted(decisions)).toHaveLength(count);
  });

  it('the newest settled backup is half of keep-within old → nothing goes; a moment younger → it does', () => {
    const at = (millis: number) => backup(2, { id: 'newest', beganAt: NOW - millis - HOUR, endedAt: NOW - millis });
    expect(deleted(plan([at(2 * DAY), backup(9)]))).toEqual([]);
    expect(deleted(plan([at(2 * DAY - 1), backup(9)]))).toHaveLength(1);
  });

  const old = (more: Parameters<typeof backup>[1] = {}) => backup(9, { ...more, id: 'old' });

  it.each<[string, ListedBackup, Partial<RetentionPolicy>, string]>([
    ['automated', old({ type: 'Auto' }), {}, 'automated: DDS deletes it by its own policy'],
    ['of no type', (({ type: _, ...rest }) => rest)(old()), {}, 'automated: DDS deletes it by its own policy'],
    ['of another prefix', old({ prefix: 'weekly' }), {}, 'no rule is about its name'],
    ['of a prefix that begins like the rule', old({ prefix: 'nightly-x' }), {}, 'no rule is about its name'],
    ['named by hand', old({ name: 'nightly-customerdata' }), {}, 'no rule is about its name'],
    [
      'named by hand in the form of a derived name',
      old({ name: 'nightly-20260101T000000Z-abcdefghijklmn' }),
      {},
      'no rule is about its name',
    ],
    [
      "with another instance's derived name",
      old({ name: nameOf('nightly', 'x', 'another') }),
      {},
      'no rule is about its name',
    ],
    ['FAILED', old({ status: 'FAILED' }), {}, 'it is FAILED'],
    ['BUILDING', old({ status: 'BUILDING' }), {}, 'it is BUILDING'],
    ['being deleted', old({ status: 'DISABLED' }), {}, 'it is DISABLED'],
    ['of a status that is not documented', old({ status: 'FROZEN' }), {}, 'it is FROZEN'],
    ['on hold', old(), { holds: new Set(['old']) }, 'on hold'],
    ['of an instance on hold', old(), { holds: new Set([ORDERS]) }, 'on hold'],
    [
      'of an instance that is not selected',
      old(),
      { instances: { kind: 'ids', ids: new Set(['another']) } },
      'its instance is not selected',
    ],
    [
      'of an instance without the tag',
      old(),
      { instances: { kind: 'tag', key: 'a', value: 'b' } },
      'its instance is not selected',
    ],
    [
      'without a begin',
      (({ beganAt: _, ...rest }) => rest)(old()),
      {},
      'its times cannot be read, or lie in the future',
    ],
    [
      'without an end',
      (({ endedAt: _, ...rest }) => rest)(old()),
      {},
      'its times cannot be read, or lie in the future',
    ],
    ['with an end in the future', old({ endedAt: NOW + 1 }), {}, 'its times cannot be read, or lie in the future'],
    ['exactly as old as keep-within', old({ endedAt: NOW - 4 * DAY }), {}, 'younger than keep-within'],
    ['that began long ago and ended lately', old({ endedAt: NOW - 3 * DAY }), {}, 'younger than keep-within'],
    ['among the last', old(), { rules: [rule('nightly', 4, 4)] }, 'one of the last that are kept'],
    [
      'after which only others came',
      old({ endedAt: NOW - 9 * DAY }),
      { rules: [rule('nightly', 4, 9999)] },
      'one of the last that are kept',
    ],
  ])('backup %s → kept, with the reason', (_, one, policy, reason) => {
    const decisions = plan([...nights(4), one], policy);
    expect(deleted(decisions)).toEqual([]);
    expect(decisions.find(({ backup: { id } }) => id === 'old')).toMatchObject({ action: 'keep', reason });
  });

  it.each<[string, number]>([
    ['-2', 1],
    ['-5', 1],
    ['-6', 0],
    ['-1', 0],
  ])('name of a further attempt %s → matches %i rules', (suffix, count) => {
    const one = old({ name: nameOf('nightly', 'x') + suffix });
    expect(deleted(plan([...nights(4), one]))).toHaveLength(count);
  });

  it('instance that DDS does not list → kept: it may be all that is left of it', () => {
    const decisions = plan(nights(9), {}, [instance('another')]);
    expect(deleted(decisions)).toEqual([]);
    expect(decisions[8]?.reason).toBe('its instance is not listed');
  });

  it('new backups stopped for more than half of keep-within → nothing goes', () => {
    expect(deleted(plan(nights(12).slice(1)))).not.toEqual([]);
    const decisions = plan(nights(12).slice(2));
    expect(deleted(decisions)).toEqual([]);
    expect(decisions.at(-1)?.reason).toBe('new backups have stopped');
  });

  it.each([
    ['FAILED', { status: 'FAILED' }],
    ['of suspicious size', { sizeKb: 0 }],
    ['ended less than a day ago', { endedAt: NOW - DAY + 1 }],
  ])('newer backups %s → no replacement for an old one', (_, more) => {
    const newer = [1.5, 1.6, 1.7].map((days) => backup(days, more));
    expect(deleted(plan([...newer, backup(9)]))).toEqual([]);
  });

  it('newer backups of the rule only such as DDS calls automated → the newest manual one stays', () => {
    const newer = [1.5, 1.6, 1.7].map((days) => backup(days, { type: 'Auto' }));
    const decisions = plan([...newer, backup(9, { id: 'last' })]);
    expect(deleted(decisions)).toEqual([]);
    expect(decisions.find(({ backup: { id } }) => id === 'last')?.reason).toBe('the newest of its instance');
  });

  it('prefix with something that looks like a time → the rule of the longest prefix', () => {
    const prefix = 'a-20260101T000000Z';
    const long = { ...rule(prefix, 40), text: 'long' };
    const name = derivedName(prefix, { kind: 'invoke', id: 'x' }, ORDERS);
    const decisions = plan([...nights(3, { prefix: 'a' }), old({ name })], { rules: [rule('a', 4), long] });
    expect(decisions.find(({ backup: { id } }) => id === 'old')?.rule?.text).toBe('long');
  });

  it.each([
    ['maxDeletions', 0, 3],
    ['twice the new backups of a day', 4, 8],
  ])('more is due than %s → the oldest so many', (_, fresh, count) => {
    const made = Array.from({ length: fresh }, (_, i) => backup(0.1 + i / 100));
    const backups = [...made, ...nights(20).slice(1)];
    const decisions = plan(backups, { maxDeletions: 3 });
    const oldest = nights(20)
      .slice(20 - count)
      .map(({ id }) => id);
    expect(deleted(decisions)).toEqual(oldest.sort());
    const left = decisions.filter(({ reason }) => reason.startsWith('left for the next run'));
    expect(left.map(({ action }) => action)).toEqual(Array(16 - count).fill('keep'));
  });
});

describe('planRetention: any history', () => {
  const INSTANCES = [ORDERS, 'catalogue-2'];
  const PREFIXES = ['nightly', 'release', 'nightly-20260101T000000Z'];

  const backups = fc
    .array(
      fc.record({
        instance_id: fc.constantFrom(...INSTANCES, ...INSTANCES, 'gone'),
        prefix: fc.constantFrom(...PREFIXES),
        hours: fc.oneof(fc.integer({ min: -5, max: 100 }), fc.integer({ min: 0, max: 30 * 24 })),
        duration: fc.constantFrom(0, 1, 30, 100),
        type: fc.constantFrom<('Auto' | 'Manual')[]>('Auto', ...Array(9).fill('Manual')),
        status: fc.constantFrom('FAILED', 'BUILDING', 'DISABLED', ...Array<string>(20).fill('COMPLETED')),
        sizeKb: fc.constantFrom(0, 50, ...Array.from({ length: 20 }, (_, i) => 1000 + i)),
        byHand: fc.constantFrom(false, false, false, true),
        attempt: fc.constantFrom('', '', '-2', '-5'),
        withoutTime: fc.constantFrom(true, ...Array<boolean>(20).fill(false)),
      }),
      { minLength: 20, maxLength: 60, size: 'max' },
    )
    .map((all) =>
      all.map(({ instance_id, prefix, hours, duration, byHand, attempt, withoutTime, ...rest }, i): ListedBackup => {
        const endedAt = NOW - hours * HOUR;
        const name = byHand ? `${prefix}-customer-data-${i}` : nameOf(prefix, `key-${i}`, instance_id) + attempt;
        return {
          id: `b-${i}`,
          name,
          instance_id,
          ...rest,
          ...(!withoutTime && { beganAt: endedAt - duration * HOUR }),
          endedAt,
          description: byHand ? 'by hand' : '',
          verbatim: prefix,
        };
      }),
    );
  const ruleSets = fc
    .subarray(PREFIXES, { minLength: 1 })
    .chain((prefixes) =>
      fc.tuple(
        ...prefixes.map((prefix) =>
          fc.tuple(fc.integer({ min: 3, max: 20 }), fc.integer({ min: 1, max: 4 })).map(([d, l]) => rule(prefix, d, l)),
        ),
      ),
    );
  const policies = fc.record({
    rules: ruleSets,
    holds: fc.subarray(['b-0', 'b-1', 'b-2', 'b-3', INSTANCES[1] ?? ''], { maxLength: 2 }).map((ids) => new Set(ids)),
    maxDeletions: fc.constantFrom(1, 2, 5, 1000),
    instances: fc.constant({ kind: 'all' as const }),
  });
  const listed = INSTANCES.map(instance);
  const run = (all: readonly ListedBackup[], policy: RetentionPolicy) =>
    planRetention({ backups: all, instances: listed }, policy, NOW);
  const at = ({ beganAt = Number.NaN, endedAt = Number.NaN }: ListedBackup) => Math.max(beganAt, endedAt);
  const isWhole = (one: ListedBackup) => one.status === 'COMPLETED' && at(one) <= NOW - DAY;
  const prefixOf = (one: ListedBackup) => (one.description === '' ? String(one.verbatim) : undefined);

  it('→ only what may go, and never the last', () => {
    let deletions = 0;
    fc.assert(
      fc.property(backups, policies, (all, policy) => {
        const decisions = run(all, policy);
        expect(decisions.map(({ backup: { id } }) => id).sort()).toEqual(all.map(({ id }) => id).sort());
        const gone = new Set(deleted(decisions));
        deletions += gone.size;
        for (const one of all.filter(({ id }) => gone.has(id))) {
          const its = policy.rules.find(({ prefix }) => prefix === prefixOf(one));
          expect(one).toMatchObject({ type: 'Manual', status: 'COMPLETED' });
          expect(INSTANCES).toContain(one.instance_id);
          expect(policy.holds.has(one.id) || policy.holds.has(one.instance_id)).toBe(false);
          if (!its) throw new Error('No rule names it.');
          expect(NOW - at(one)).toBeGreaterThan(its.keepWithinMillis);
          const stay = all.filter(
            (other) =>
              !gone.has(other.id) && other.instance_id === one.instance_id && isWhole(other) && at(other) > at(one),
          );
          expect(stay.filter((other) => prefixOf(other) === its.prefix).length).toBeGreaterThanOrEqual(its.keepLast);
          expect(stay.filter(({ type, sizeKb }) => type === 'Manual' && sizeKb !== 0).length).toBeGreaterThan(0);
        }
        for (const id of INSTANCES) {
          const mine = all.filter(({ instance_id }) => instance_id === id);
          const fresh = mine.filter((one) => at(one) <= NOW && NOW - at(one) < DAY).length;
          expect(mine.filter((one) => gone.has(one.id)).length).toBeLessThanOrEqual(
            Math.max(policy.maxDeletions, 2 * fresh),
          );
        }
      }),
      { numRuns: 1000 },
    );
    expect(deletions).toBeGreaterThan(100);
  });

  it('→ the same plan whatever the order of the lists', () => {
    fc.assert(
      fc.property(backups, policies, fc.infiniteStream(fc.nat()), (all, policy, weights) => {
        const shuffled = all
          .map((one) => [weights.next().value ?? 0, one] as const)
          .sort(([a], [b]) => a - b)
          .map(([, one]) => one);
        const key = (decisions: readonly Decision[]) =>
          decisions.map(({ backup: { id }, action, reason }) => `${id} ${action} ${reason}`).sort();
        const other = planRetention(
          { backups: shuffled, instances: listed.toReversed() },
          { ...policy, rules: policy.rules.toReversed() },
          NOW,
        );
        expect(key(other)).toEqual(key(run(all, policy)));
      }),
      { numRuns: 300 },
    );
  });

  it('greater keep-last → never more', () => {
    fc.assert(
      fc.property(backups, policies, fc.integer({ min: 1, max: 5 }), (all, policy, more) => {
        const stricter = policy.rules.map((one) => ({ ...one, keepLast: one.keepLast + more }));
        const [before, after] = [policy.rules, stricter].map((rules) =>
          deleted(run(all, { ...policy, rules, maxDeletions: 1000 })),
        );
        expect(before).toEqual(expect.arrayContaining(after ?? []));
        expect(deleted(run(all, { ...policy, rules: stricter })).length).toBeLessThanOrEqual(
          deleted(run(all, policy)).length,
        );
      }),
      { numRuns: 500 },
    );
  });

  it('greater keep-within, while new backups come → never more', () => {
    fc.assert(
      fc.property(backups, policies, fc.integer({ min: 1, max: 10 }), (all, policy, more) => {
        // One of each that is a day and a bit old: new backups have not stopped.
        const fresh = INSTANCES.flatMap((instance_id) =>
          PREFIXES.map((prefix, i) => ({ ...backup(1.1 + i / 100, { prefix, instance_id }), verbatim: prefix })),
        );
        const history = [...all.map((one) => ({ ...one, sizeKb: 1000 })), ...fresh];
        const stricter = policy.rules.map((one) => ({
          ...one,
          keepWithinMillis: one.keepWithinMillis + more * DAY,
        }));
        const [before, after] = [policy.rules, stricter].map((rules) =>
          deleted(run(history, { ...policy, rules, maxDeletions: 1000 })),
        );
        expect(before).toEqual(expect.arrayContaining(after ?? []));
      }),
      { numRuns: 500 },
    );
  });

  it('names that people choose → never one of a rule', () => {
    const byHand = fc.oneof(
      fc.stringMatching(/^nightly-[a-z2-7]{1,12}$/),
      fc.stringMatching(/^nightly-[a-z0-9-]{15,40}$/),
      fc.stringMatching(/^nightly(-2026\d{4}T\d{6}Z)?-(before|after|release|customer)-?[a-z]{0,8}$/),
      fc.constantFrom('nightly', 'nightly-', 'nightly-customerdata', 'nightly-verification1', 'before-verification'),
    );
    fc.assert(
      fc.property(byHand, (name) => {
        expect(deleted(plan([...nights(4), backup(9, { name })]))).toEqual([]);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});

interface Given extends Partial<Settings> {
  readonly mode?: RetentionOptions['mode'];
  readonly policy?: Partial<RetentionPolicy>;
  readonly carry?: (operation: string, perform: () => Reply) => Reply | Promise<Reply>;
}

/** A project with ten nights of backups, of which the rule lets six go. */
function given({ mode = 'delete', policy, carry = (_, perform) => perform(), ...settings }: Given = {}) {
  const time = virtualTime(new Date(NOW + 30 * SECOND).toISOString());
  const world = createWorld({ now: time.now, instances: [instanceOf(ORDERS, NOW - 300 * DAY)], ...settings });
  const records = world.state.seedBackups(
    nights(10).map(({ name, beganAt = 0, endedAt = 0 }) => ({
      name,
      instance_id: ORDERS,
      type: 'Manual',
      begin: new Date(beganAt),
      end: new Date(endedAt),
    })),
  );
  const requests: string[] = [];
  const wrapped: Carry = async (operation, perform) => {
    requests.push(operation);
    return carry(operation, perform);
  };
  const timing = { now: time.now, wait: time.wait, random: () => 0 };
  const dds = directDds({ ...world, timing, carry: wrapped });
  const expired: ExpiredBackup[] = [];
  const unreadable: UnreadableRecord[] = [];
  const run = retention({
    dds,
    timing,
    policy: policyOf(policy),
    mode,
    onUnreadable: (record) => void unreadable.push(record),
    onExpired: async (one) => void expired.push(one),
  });
  const end = time.now().getTime() + 15 * MINUTE;
  return {
    ...world,
    time,
    records,
    requests,
    expired,
    unreadable,
    dds,
    run: (at = NOW) => run(new Date(at), { timeLeft: () => end - time.now().getTime() }),
    /** How many nights old the backups are that are left. */
    left: () =>
      world.state
        .backups()
        .map(({ endAt }) => (NOW - endAt) / DAY)
        .sort((a, b) => a - b),
  };
}

const FIRST_FOUR = [0.5, 1.5, 2.5, 3.5];

describe('retention: run', () => {
  it('→ what is due is deleted, one after the other, and each is reported with what remains', async () => {
    const project = given();
    const { expired, postponed } = await project.run();
    expect(project.left()).toEqual(FIRST_FOUR);
    expect(postponed).toEqual([]);
    expect(expired).toHaveLength(6);
    expect(project.expired).toEqual(expired);
    expect(expired.map(({ remaining }) => remaining)).toEqual([9, 8, 7, 6, 5, 4]);
  });

  it('mode report → the same plan, and no request but to list', async () => {
    const project = given({ mode: 'report' });
    const { decisions, expired } = await project.run();
    expect(deleted(decisions)).toHaveLength(6);
    expect(expired).toEqual([]);
    expect(project.left()).toHaveLength(10);
    expect(new Set(project.requests)).toEqual(new Set(['list-instances', 'list-backups']));
  });

  it('backup → gone from the list before the next is deleted', async () => {
    const project = given({
      deletionMillis: 20 * SECOND,
      carry: (operation, perform) => {
        if (operation === 'delete-backup')
          expect(project.state.backups().filter(({ deletedAt }) => deletedAt !== undefined)).toEqual([]);
        return perform();
      },
    });
    await project.run();
    expect(project.left()).toEqual(FIRST_FOUR);
    expect(project.time.waits.length).toBeGreaterThanOrEqual(6 * 6);
  });

  it('deletion that takes longer than two minutes → left for the next run', async () => {
    const project = given({ deletionMillis: 10 * MINUTE, policy: { maxDeletions: 1 } });
    const { postponed, expired } = await project.run();
    expect(expired).toEqual([]);
    expect(postponed.map(({ error }) => error.name)).toEqual(['InstanceBusy', 'InstanceBusy']);
  });

  it.each([
    ['instance busy', refusals.instanceBusy, 'InstanceBusy'],
    ['a restore uses it', refusals.backupInRestore, 'InstanceBusy'],
    ['still being made', refusals.backupBuilding, 'InstanceBusy'],
    ['no permission', refusals.permissionDenied, 'CredentialsRefused'],
  ])('DELETE refused, %s → left for the next run, and the others go', async (_, refusal, name) => {
    let refused = 0;
    const project = given({
      carry: (operation, perform) => (operation === 'delete-backup' && refused++ === 0 ? refusal : perform()),
    });
    const { expired, postponed } = await project.run();
    expect(postponed).toMatchObject([{ error: { name } }]);
    expect(expired).toHaveLength(5);
    const next = await project.run(NOW + DAY);
    expect(next.expired.length).toBe(1);
  });

  it.each([0, 5 * SECOND, 10 * SECOND])(
    'answer of the DELETE lost, list %i ms late → deleted once, and reported',
    async (listLagMillis) => {
      let lost = 0;
      const project = given({
        listLagMillis,
        carry: (operation, perform) => {
          const reply = perform();
          return operation === 'delete-backup' && lost++ === 0 ? refusals.serverError : reply;
        },
      });
      const { expired, postponed } = await project.run();
      expect(postponed).toEqual([]);
      expect(expired).toHaveLength(6);
      expect(project.left()).toEqual(FIRST_FOUR);
    },
  );

  it('gone already, by another hand between plan and DELETE → done', async () => {
    let count = 0;
    const project = given({
      carry: (operation, perform) => {
        const [oldest] = project.state.backups().toReversed();
        if (operation === 'delete-backup' && count++ === 0 && oldest) project.state.removeBackups(project.records);
        return perform();
      },
    });
    const { expired, postponed } = await project.run();
    expect(postponed).toEqual([]);
    expect(expired).toHaveLength(1);
  });

  it.each<[string, (project: ReturnType<typeof given>) => void]>([
    [
      'a newer one turns out to have FAILED',
      ({ state, records }) => state.changeBackups(records.slice(0, 4), () => ({ outcome: 'FAILED' })),
    ],
    ['the newer ones are deleted by hand', ({ state, records }) => state.removeBackups(records.slice(0, 4))],
    [
      'the newer ones shrink to nothing',
      ({ state, records }) => state.changeBackups(records.slice(0, 4), () => ({ size: 0 })),
    ],
  ])('%s after the plan → the plan is made again, and nothing goes', async (_, happen) => {
    let lists = 0;
    const project = given({
      policy: { rules: [rule('nightly', 4, 2)] },
      carry: (operation, perform) => {
        const reply = perform();
        if (operation === 'list-backups' && ++lists === 2) happen(project);
        return reply;
      },
    });
    const { decisions, expired } = await project.run();
    expect(deleted(decisions)).toHaveLength(6);
    expect(expired).toEqual([]);
    expect(project.requests).not.toContain('delete-backup');
  });

  it.each([
    ['at once', 1],
    ['after the first deletion', 4],
  ])('DDS lists no instance, %s → the run ends with an error', async (_, after) => {
    let lists = 0;
    const project = given({
      carry: (operation, perform) =>
        operation === 'list-instances' && ++lists >= after
          ? { status: 200, body: { instances: [] }, tookEffect: false }
          : perform(),
    });
    await expect(project.run()).rejects.toMatchObject({ name: 'UpstreamInvalid' });
    expect(project.left().length).toBeGreaterThanOrEqual(9);
  });

  it.each([
    ['ten days behind', -10 * DAY, 0],
    ['ahead', 10 * DAY, 6],
  ])('scheduled time %s → the earlier of it and the clock is now', async (_, offset, count) => {
    expect((await given().run(NOW + offset)).expired).toHaveLength(count);
  });

  it.each([-14, 14])("DDS's clock %i minutes ahead → nothing younger than keep-within by it goes", async (minutes) => {
    const project = given({ clockSkewMillis: minutes * MINUTE });
    const edge = NOW + minutes * MINUTE - 4 * DAY;
    project.state.changeBackups(project.records.slice(3, 4), () => ({
      beginAt: edge - HOUR,
      endAt: edge + 40 * SECOND,
    }));
    const { expired } = await project.run();
    expect(expired.map(({ backup: { id } }) => id)).not.toContain(project.records[3]?.id);
  });

  it('record that cannot be read → reported once', async () => {
    const project = given();
    project.state.changeBackups(project.records.slice(0, 1), () => ({ override: { omit: ['id'] } }));
    await project.run();
    expect(project.unreadable).toEqual([{ list: 'backups', field: 'id' }]);
  });
});
