/** Reads a list page by page while its items change. Nothing else pages. */
import { invalidAnswer } from './errors.ts';

export interface Page {
  readonly items: readonly unknown[];
  /** How many items the list has, as the server says: a hint. NaN where it does not say. */
  readonly total: number;
}

/** One page, from `offset`. */
export type FetchPage = (offset: number, limit: number) => Promise<Page>;

/** How often a page may repeat the one before it. */
const MAX_REPEATS = 10;
/** More steps back mean that the list loses more items between two pages than a page holds. */
const MAX_STEPS_BACK = 100;

/**
 * Yields every item once. An item that is listed all the while is never left out.
 *
 * New items are inserted at the front. A deleted item moves all later ones to smaller offsets, so that the next page would
 * skip some. Therefore every page begins with the last item of the page before:
 *
 *     page 1: A B C        page 2: C D E        page 3: E        the end: nothing but the item seen last
 *
 * A page that begins with an unknown item may follow a gap, and is read again from further ahead. Only the items count:
 * `total_count` is wrong at times, and a server may give fewer items than asked for. One that gives one item a page
 * leaves no room to overlap: pages follow each other, until one is empty.
 * @param keyOf what identifies an item
 * @throws what `fetchPage` throws, and Failure `UpstreamInvalid` for a list that makes no progress, or that changes
 * faster than it can be read
 */
export async function* paginate(
  fetchPage: FetchPage,
  limit: number,
  keyOf: (item: unknown) => string,
): AsyncGenerator<unknown> {
  const seen = new Set<string>();
  let previous = '';
  let repeats = 0;
  let stepsBack = 0;
  let longest = 0;
  let isOneByOne = false;
  for (let offset = 0; ; ) {
    const { items, total } = await fetchPage(offset, limit);
    const keys = items.map(keyOf);
    const [first] = keys;
    const isFree = offset === 0 || isOneByOne;
    if (first === undefined && isFree) return;
    const isSeen = first !== undefined && seen.has(first);
    const follows = isFree || isSeen;
    longest = Math.max(longest, items.length);
    if (!isOneByOne && isSeen && items.length === 1) {
      if (longest > 1 || !(total > 1)) return;
      isOneByOne = true;
    }

    const page = keys.join();
    repeats = page === previous ? repeats + 1 : 0;
    if (repeats >= MAX_REPEATS) throw invalidAnswer('the same page of a list again and again');
    previous = page;

    // What stands behind a gap is not kept: a page that begins with it would seem to follow.
    if (!follows) {
      if (++stepsBack > MAX_STEPS_BACK) throw invalidAnswer('a list that changes faster than it can be read');
      offset = Math.max(0, offset - limit + 1);
      continue;
    }
    for (const [index, key] of keys.entries()) {
      if (seen.has(key)) continue;
      seen.add(key);
      yield items[index];
    }
    offset += isOneByOne ? 1 : items.length - 1;
  }
}
