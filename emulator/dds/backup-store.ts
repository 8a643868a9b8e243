/**
 * The backups of a project, in indexes ordered by their begin: for the project and for each instance, of all types and
 * of each. A page of a list costs about its length, however many backups there are.
 */
import { type Ordered, ordered } from './ordered.ts';
import type { BackupRecord } from './records.ts';

export interface BackupFilter {
  readonly id?: string | undefined;
  readonly instanceId?: string | undefined;
  readonly type?: string | undefined;
  readonly mode?: string | undefined;
  /** Of the begin: from this moment, and before that one. */
  readonly from: number;
  readonly to: number;
}

export interface Selection {
  readonly total: number;
  /** Newest first. */
  page(offset: number, limit: number): readonly BackupRecord[];
}

export type Changes = { -readonly [Member in keyof BackupRecord]?: BackupRecord[Member] };

export interface BackupStore {
  /** @param appearsAt from when the list shows them */
  add(records: readonly BackupRecord[], appearsAt: number): void;
  change(records: Iterable<BackupRecord>, changes: (record: BackupRecord) => Changes): void;
  remove(records: Iterable<BackupRecord>): void;
  get(id: string): BackupRecord | undefined;
  named(name: string): readonly BackupRecord[];
  /** Newest first; of those that began at one moment the later addition first. */
  all(): readonly BackupRecord[];
  /** What the list shows at that moment. */
  select(filter: BackupFilter, at: number): Selection;
  /** Those of an instance that end after that moment. */
  endingAfter(instanceId: string, at: number): readonly BackupRecord[];
  /** Those that are being deleted. */
  deleting(): readonly BackupRecord[];
}

type Entry = Changes & BackupRecord & { readonly order: number; readonly appearsAt: number };

/** From how many on sorting again is cheaper than finding each one's place. */
const MANY = 64;

const keyOf = (instanceId = '*', type = '*'): string => `${instanceId} ${type.toLowerCase()}`;

export function backupStore(): BackupStore {
  const entries = new Map<string, Entry>();
  const names = new Map<string, Set<Entry>>();
  const byBegin = new Map<string, Ordered<Entry>>();
  const byEnd = new Map<string, Ordered<Entry>>();
  /** Those that are not in the list yet, or will not stay in it. */
  const changing = new Set<Entry>();
  let added = 0;

  const listOf = (lists: Map<string, Ordered<Entry>>, key: string, number: (entry: Entry) => number) => {
    const list = lists.get(key) ?? ordered(number);
    lists.set(key, list);
    return list;
  };
  const listsOf = ({ instance: { id }, type }: BackupRecord): Ordered<Entry>[] => [
    ...[keyOf(), keyOf('*', type), keyOf(id), keyOf(id, type)].map((key) =>
      listOf(byBegin, key, ({ beginAt }) => beginAt),
    ),
    listOf(byEnd, id, ({ endAt }) => endAt),
  ];

  const index = (more: readonly Entry[]): void => {
    for (const entry of more) names.set(entry.name, (names.get(entry.name) ?? new Set()).add(entry));
    if (more.length < MANY) {
      for (const entry of more) for (const list of listsOf(entry)) list.add(entry);
      return;
    }
    const parts = new Map<Ordered<Entry>, Entry[]>();
    for (const entry of more)
      for (const list of listsOf(entry)) {
        const part = parts.get(list);
        if (part) part.push(entry);
        else parts.set(list, [entry]);
      }
    for (const [list, part] of parts) list.addAll(part);
  };
  const unindex = (some: readonly Entry[]): void => {
    for (const entry of some) {
      const sameName = names.get(entry.name);
      sameName?.delete(entry);
      if (sameName?.size === 0) names.delete(entry.name);
    }
    if (some.length < MANY) {
      for (const entry of some) for (const list of listsOf(entry)) list.remove(entry);
      return;
    }
    const gone = new Set(some);
    for (const list of [...byBegin.values(), ...byEnd.values()]) {
      const left = list.items.filter((entry) => !gone.has(entry));
      list.clear();
      list.addAll(left);
    }
  };
  const entriesOf = (records: Iterable<Pick<BackupRecord, 'id'>>): Entry[] =>
    [...records].flatMap(({ id }) => entries.get(id) ?? []);

  const remove = (records: Iterable<BackupRecord>): void => {
    const some = entriesOf(records);
    unindex(some);
    for (const entry of some) {
      entries.delete(entry.id);
      changing.delete(entry);
    }
  };

  /** Forgets what is no longer listed, and what has appeared to stay. */
  const settle = (at: number): void => {
    const gone: Entry[] = [];
    for (const entry of changing)
      if (entry.goneAt !== undefined && entry.goneAt <= at) gone.push(entry);
      else if (entry.deletedAt === undefined && entry.appearsAt <= at) changing.delete(entry);
    remove(gone);
  };

  return {
    add: (records, appearsAt) => {
      const more = records.map((record): Entry => ({ ...record, order: ++added, appearsAt }));
      for (const entry of more) entries.set(entry.id, entry);
      index(more);
      if (appearsAt !== -Infinity || more.some(({ deletedAt }) => deletedAt !== undefined))
        for (const entry of more) changing.add(entry);
    },
    change: (records, changes) => {
      const changed = entriesOf(records).map((entry) => ({ entry, by: changes(entry) }));
      const moved = changed
        .filter(({ by }) => ['name', 'type', 'instance', 'beginAt', 'endAt'].some((member) => member in by))
        .map(({ entry }) => entry);
      unindex(moved);
      for (const { entry, by } of changed) {
        Object.assign(entry, by);
        if (entry.deletedAt !== undefined) changing.add(entry);
      }
      index(moved);
    },
    remove,
    get: (id) => entries.get(id),
    named: (name) => [...(names.get(name) ?? [])],
    all: () => byBegin.get(keyOf())?.items.toReversed() ?? [],
    select: (filter, at) => {
      settle(at);
      const fits = (entry: Entry): boolean =>
        entry.appearsAt <= at &&
        (filter.instanceId === undefined || entry.instance.id === filter.instanceId) &&
        (filter.type === undefined || entry.type.toLowerCase() === filter.type.toLowerCase()) &&
        (filter.mode === undefined || entry.instance.mode === filter.mode) &&
        entry.beginAt >= filter.from &&
        entry.beginAt < filter.to;
      if (filter.id !== undefined) return selected(entriesOf([{ id: filter.id }]).filter(fits));
      const list = byBegin.get(keyOf(filter.instanceId, filter.type));
      if (!list) return selected([]);
      if (filter.mode !== undefined) return selected(list.items.filter(fits).reverse());

      const [low, high] = [list.from(filter.from), list.from(filter.to)];
      const hidden = [...changing]
        .filter((entry) => entry.appearsAt > at && fits({ ...entry, appearsAt: at }))
        .map((entry) => list.indexOf(entry))
        .sort((a, b) => b - a);
      return selectedWithout(hidden, list.items, low, high);
    },
    endingAfter: (instanceId, at) => {
      const list = byEnd.get(instanceId);
      return list?.items.slice(list.from(at + 1)) ?? [];
    },
    deleting: () => [...changing].filter(({ deletedAt }) => deletedAt !== undefined),
  };
}

const selected = (newestFirst: readonly BackupRecord[]): Selection => ({
  total: newestFirst.length,
  page: (offset, limit) => newestFirst.slice(offset, offset + limit),
});

/** Of items in ascending order those from `low` to before `high`, but for a few that are not listed. */
function selectedWithout(
  hidden: readonly number[],
  items: readonly BackupRecord[],
  low: number,
  high: number,
): Selection {
  return {
    total: Math.max(0, high - low - hidden.length),
    page: (offset, limit) => {
      let next = high - 1 - offset;
      for (const index of hidden) if (index >= next) next -= 1;
      const page: BackupRecord[] = [];
      for (; next >= low && page.length < limit; next--) {
        const item = items[next];
        if (item && !hidden.includes(next)) page.push(item);
      }
      return page;
    },
  };
}
