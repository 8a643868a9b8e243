/** The indexes against the plain way: filter all, sort, slice. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type BackupFilter, backupStore } from './backup-store.ts';
import type { BackupRecord } from './records.ts';
import { DEMO_INSTANCE } from './seed.ts';

const number = fc.nat({ max: 12 });
const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('add' as const), begins: fc.array(number, { maxLength: 90 }), lag: fc.boolean() }),
    fc.record({ do: fc.constant('delete' as const), pick: fc.nat(), gone: number }),
    fc.record({ do: fc.constant('move' as const), pick: fc.nat(), many: fc.boolean(), begin: number }),
    fc.record({ do: fc.constant('remove' as const), pick: fc.nat() }),
  ),
  { maxLength: 12 },
);
const filters = fc.record({
  instanceId: fc.option(fc.constantFrom('i0', 'i1', 'i2'), { nil: undefined }),
  type: fc.option(fc.constantFrom('Auto', 'Manual'), { nil: undefined }),
  from: fc.option(number, { nil: -Infinity }),
  to: fc.option(number, { nil: Infinity }),
  at: number,
  offset: number,
  limit: number,
});

interface Model {
  record: BackupRecord;
  readonly appearsAt: number;
}

it('any steps → every page as from a plain list', () => {
  fc.assert(
    fc.property(steps, fc.array(filters, { minLength: 1, maxLength: 4 }), (all, asked) => {
      const store = backupStore();
      let model: Model[] = [];
      let ids = 0;
      const pickOf = (pick: number): Model | undefined => model[pick % Math.max(1, model.length)];
      for (const step of all) {
        if (step.do === 'add') {
          const appearsAt = step.lag ? 6 : -Infinity;
          const more = step.begins.map(
            (beginAt, index): BackupRecord => ({
              id: `b${++ids}`,
              name: `n${ids % 5}`,
              description: '',
              type: index % 2 === 0 ? 'Manual' : 'auto',
              instance: { ...DEMO_INSTANCE, id: `i${index % 3}` },
              beginAt,
              endAt: beginAt + (index % 4),
              outcome: 'COMPLETED',
              size: 1,
            }),
          );
          store.add(more, appearsAt);
          model.push(...more.map((record) => ({ record, appearsAt })));
          continue;
        }
        const one = pickOf(step.pick);
        if (!one) continue;
        if (step.do === 'delete') {
          store.change([one.record], () => ({ deletedAt: 0, goneAt: step.gone }));
          one.record = { ...one.record, deletedAt: 0, goneAt: step.gone };
        } else if (step.do === 'move') {
          const moved = step.many ? model : [one];
          store.change(
            moved.map(({ record }) => record),
            ({ endAt }) => ({ beginAt: step.begin, endAt: endAt + 1 }),
          );
          for (const each of moved) each.record = { ...each.record, beginAt: step.begin, endAt: each.record.endAt + 1 };
        } else {
          store.remove([one.record]);
          model = model.filter((each) => each !== one);
        }
      }

      const newestFirst = (): Model[] => model.toReversed().sort((a, b) => b.record.beginAt - a.record.beginAt);
      expect(store.all().map(({ id }) => id)).toEqual(newestFirst().map(({ record }) => record.id));
      // Time does not go back: what is gone is forgotten.
      for (const { at, offset, limit, ...filter } of asked.toSorted((a, b) => a.at - b.at)) {
        const listed = newestFirst().filter((each) => isListed(each, filter, at));
        const selection = store.select(filter, at);
        expect(selection.total).toBe(listed.length);
        expect(selection.page(offset, limit).map(({ id }) => id)).toEqual(
          listed.slice(offset, offset + limit).map(({ record }) => record.id),
        );
      }
    }),
  );
});

const isListed = ({ record, appearsAt }: Model, { instanceId, type, from, to }: BackupFilter, at: number): boolean =>
  appearsAt <= at &&
  (record.goneAt === undefined || record.goneAt > at) &&
  (instanceId === undefined || record.instance.id === instanceId) &&
  (type === undefined || record.type.toLowerCase() === type.toLowerCase()) &&
  record.beginAt >= from &&
  record.beginAt < to;
