/** All that a project holds, read page by page while it comes and goes. */
import { type DdsRequest, invalid, type JsonAnswer } from './call.ts';
import { readTime } from './time.ts';
import type { Backup, Instance } from './types.ts';

/** An answer is read up to 1 MB: a backup has a fraction of a kilobyte, an instance a part for each of its nodes. */
const PAGE = { backups: 100, instances: 20 };
/** Going back as often means that the list loses more between two pages than a page holds, or has no order. */
const MOST_STEPS_BACK = 100;

/** One request and its answer. Throws what `ddsCall` throws. */
export type Ask = (request: DdsRequest) => Promise<Pick<JsonAnswer, 'body'>>;

/** A backup as far as the reference can be relied upon: it promises the time of the end of no backup that FAILED. */
export type ListedBackup = Pick<Backup, 'id' | 'name' | 'instance_id' | 'begin_time'> &
  Partial<Record<'instance_name' | 'type' | 'end_time' | 'status' | 'size', unknown>>;

/** An instance, likewise. */
export type ListedInstance = Pick<Instance, 'id'> & Partial<Record<'name' | 'created', unknown>>;

/**
 * `GET /v3/{project_id}/backups`: every full backup of the project, automated and manual, newest first. None that is
 * there all the while is left out; one may come twice, while others go.
 * @throws what `ask` throws, and Failure `UpstreamInvalid` for a list that the reference does not promise, or that
 * changes faster than it can be read
 */
export const allBackups = (ask: Ask): AsyncGenerator<ListedBackup> => everyItem(ask, 'backups', isBackup);

/** `GET /v3/{project_id}/instances`: every instance of the project; otherwise as `allBackups`. */
export const allInstances = (ask: Ask): AsyncGenerator<ListedInstance> => everyItem(ask, 'instances', isInstance);

/**
 * Pages are counted from the front, where items come, and items go anywhere. What goes moves all behind it forward, past
 * the next page's beginning. So a page begins with the last item of the one before. If none of those is in it, one went
 * or all moved: the page before is read once more, back to the front of the list if need be.
 */
async function* everyItem<Item extends { readonly id: string }>(
  ask: Ask,
  list: keyof typeof PAGE,
  isItem: (item: unknown) => item is Item,
): AsyncGenerator<Item> {
  const limit = PAGE[list];
  let before = new Set<string>();
  let stepsBack = 0;
  for (let offset = 0; ; ) {
    const query = { offset: String(offset), limit: String(limit) };
    const { items, total } = readPage((await ask({ method: 'GET', path: list, query })).body, list, isItem);
    if (offset > 0 && !items.some(({ id }) => before.has(id))) {
      if (++stepsBack > MOST_STEPS_BACK)
        throw invalid(`with a list of ${list} that changes faster than it can be read`);
      offset = Math.max(0, offset - limit);
      continue;
    }
    yield* items.filter(({ id }) => !before.has(id));
    const end = offset + items.length;
    if (items.length < limit && end >= total) return;
    // The last item of the page before is no news.
    if (items.length < (offset === 0 ? 1 : 2)) throw invalid(`with ${end} of ${total} ${list}`);
    before = new Set(items.map(({ id }) => id));
    offset = end - 1;
  }
}

function readPage<Item>(body: object, list: string, isItem: (item: unknown) => item is Item) {
  const { [list]: items, total_count: total }: Readonly<Record<string, unknown>> = { ...body };
  if (Array.isArray(items) && items.every(isItem) && typeof total === 'number') return { items, total };
  throw invalid(`without a list of ${list}`);
}

const isObject = (item: unknown): item is Readonly<Record<string, unknown>> =>
  typeof item === 'object' && item !== null;

const isBackup = (item: unknown): item is ListedBackup =>
  isObject(item) &&
  [item.id, item.name, item.instance_id].every((field) => typeof field === 'string') &&
  readTime(item.begin_time) !== undefined;

const isInstance = (item: unknown): item is ListedInstance => isObject(item) && typeof item.id === 'string';
