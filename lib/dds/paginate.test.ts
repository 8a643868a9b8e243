import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FetchPage, paginate } from './paginate.ts';
import { identify } from './records.ts';

const LIMIT = 100;

interface Options {
  /** The most items that a page holds, whatever is asked for. */
  readonly cap?: number;
  /** Called after each page, with the number of requests so far: what it returns is the list from then on. */
  readonly between?: (list: readonly unknown[], request: number) => readonly unknown[] | undefined;
}

/** A list on a server, and what a reader finds in it. */
async function read(items: readonly unknown[], { cap = LIMIT, between }: Options = {}, limit = LIMIT) {
  let list = items;
  let requests = 0;
  const fetchPage: FetchPage = async (offset, asked) => {
    const page = { items: list.slice(offset, offset + Math.min(asked, cap)), total: list.length };
    requests += 1;
    list = between?.(list, requests) ?? list;
    return page;
  };
  const found: unknown[] = [];
  for await (const item of paginate(fetchPage, limit, identify)) found.push(item);
  return { found: found.map(identify), requests };
}

interface Scenario {
  readonly limit: number;
  readonly cap: number;
  readonly count: number;
  readonly changes: readonly { readonly comes: number; readonly from: number; readonly goes: number }[];
}

const pageOf = (list: readonly unknown[]) => ({ items: list, total: list.length });
const item = (id: number | string) => ({ id: `${id}` });
const items = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => item(from + i));
const ids = (from: number, to: number) => items(from, to).map(({ id }) => id);
const without = (list: readonly unknown[], gone: readonly string[]) =>
  list.filter((one) => !gone.includes(identify(one)));

describe('a list that does not change', () => {
  it.each([
    [0, 1],
    [1, 2],
    [2, 2],
    [99, 2],
    [100, 2],
    [101, 3],
    [198, 3],
    [199, 3],
    [200, 4],
    [300, 5],
    [1000, 12],
  ])('%i items → each once, in order, in %i requests', async (count, requests) => {
    expect(await read(items(0, count))).toEqual({ found: ids(0, count), requests });
  });

  it.each([
    [1, 250, 252],
    [1, 1, 2],
    [1, 2, 4],
    [2, 250, 250],
    [20, 250, 15],
    [50, 250, 7],
    [50, 50, 2],
    [99, 250, 4],
  ])(
    'server gives %i items a page while 100 are asked for: %i items → each once, in %i requests',
    async (cap, count, requests) => {
      expect(await read(items(0, count), { cap })).toEqual({ found: ids(0, count), requests });
    },
  );

  it.each([
    ['beside each other', ['a', 'a']],
    ['at the front', ['a', 'a', 'b', 'c', 'd', 'e']],
    ['across two pages', ['a', 'b', 'c', 'c', 'd']],
    ['at the end', ['a', 'b', 'c', 'd', 'd']],
    ['far from each other', ['a', 'b', 'c', 'd', 'a']],
  ])('equal items %s → once', async (_, listed) => {
    expect((await read(listed.map(item), {}, 3)).found).toEqual([...new Set(listed)]);
  });

  it('items without an id → distinguished by all of their content', async () => {
    const odd = [null, 7, {}, { name: 'a' }, { name: 'b' }, { id: 7 }, 'text', []];
    expect((await read(odd, {}, 3)).found).toEqual(odd.map((one) => JSON.stringify(one)));
  });

  it('reader that stops → no further request', async () => {
    let requests = 0;
    const fetchPage: FetchPage = async () => {
      requests += 1;
      return pageOf(items(0, LIMIT));
    };
    for await (const _ of paginate(fetchPage, LIMIT, identify)) break;
    expect(requests).toBe(1);
  });

  it('request that fails → its error, after what was read', async () => {
    const found: unknown[] = [];
    const reading = async () => {
      const fetchPage: FetchPage = async (offset) => {
        if (offset === 0) return pageOf(items(0, LIMIT));
        throw new Error('no answer');
      };
      for await (const one of paginate(fetchPage, LIMIT, identify)) found.push(one);
    };
    await expect(reading()).rejects.toThrow('no answer');
    expect(found).toHaveLength(LIMIT);
  });
});

describe('a server that gives one item a page', () => {
  it('an item comes at the front between two pages → all from before are found, none twice', async () => {
    const between = (list: readonly unknown[], request: number) => (request === 4 ? [item('new'), ...list] : undefined);
    expect((await read(items(0, 10), { cap: 1, between })).found).toEqual(ids(0, 10));
  });

  it('the list is emptied between two pages → the end', async () => {
    const between = (_: readonly unknown[], request: number) => (request === 4 ? [] : undefined);
    expect((await read(items(0, 10), { cap: 1, between })).found).toEqual(ids(0, 3));
  });
});

describe('items that go between two pages', () => {
  it.each([
    ['one before the last of the page', ['3']],
    ['the last of the page', ['99']],
    ['the last but one of the page', ['98']],
    ['the first of the next page', ['100']],
    ['several', ids(90, 100)],
    ['a whole page', ids(0, 100)],
    ['a page in the middle', ids(50, 150)],
    ['all that follow', ids(100, 250)],
    ['all but the first', ids(1, 250)],
    ['all but the last', ids(0, 249)],
    ['all', ids(0, 250)],
  ])('%s → all others are found, none twice', async (_, gone) => {
    const between = (list: readonly unknown[], request: number) => (request === 1 ? without(list, gone) : list);
    const { found } = await read(items(0, 250), { between });
    expect(found).toEqual(expect.arrayContaining(ids(0, 250).filter((id) => !gone.includes(id))));
    expect(new Set(found).size).toBe(found.length);
  });

  it('one goes → one page back: two requests more', async () => {
    const between = (list: readonly unknown[], request: number) => (request === 3 ? without(list, ['3']) : list);
    const [quiet, changed] = [await read(items(0, 450)), await read(items(0, 450), { between })];
    expect(changed.requests).toBe(quiet.requests + 2);
  });

  it('many go while the reader is one page back → all others are found', async () => {
    // After the third page 199 is missing. What goes then moves what was read beyond it to where the reader goes back to.
    const gone: Readonly<Record<number, readonly string[]>> = { 2: ids(0, 2), 3: ids(2, 101) };
    const between = (list: readonly unknown[], request: number) => without(list, gone[request] ?? []);
    const { found } = await read(items(0, 300), { between });
    expect(found).toEqual(expect.arrayContaining(ids(101, 300)));
  });
});

describe('items that come between two pages', () => {
  it.each([1, 30, 98])(
    '%i at the front at every second request → all from before are found, none twice',
    async (count) => {
      const between = (list: readonly unknown[], request: number) =>
        request % 2 === 0 ? list : [...Array.from({ length: count }, (_, i) => item(`new-${request}-${i}`)), ...list];
      const { found } = await read(items(0, 250), { between });
      expect(found).toEqual(expect.arrayContaining(ids(0, 250)));
      expect(new Set(found).size).toBe(found.length);
    },
  );

  it('more than two pages at the front → all from before are found', async () => {
    const between = (list: readonly unknown[], request: number) =>
      request === 2 ? [...Array.from({ length: 250 }, (_, i) => item(`new-${i}`)), ...list] : list;
    expect((await read(items(0, 250), { between })).found).toEqual(expect.arrayContaining(ids(0, 250)));
  });
});

describe('any list, any page and cap, items that come at the front and go anywhere between pages', () => {
  const sizes = fc
    .integer({ min: 4, max: 8 })
    .chain((limit) => fc.record({ limit: fc.constant(limit), cap: fc.integer({ min: 4, max: limit }) }));
  const scenarios = (mostOf: (cap: number) => number) =>
    sizes.chain(({ limit, cap }) =>
      fc.record({
        limit: fc.constant(limit),
        cap: fc.constant(cap),
        count: fc.integer({ min: 0, max: 40 }),
        changes: fc.array(fc.record({ comes: fc.nat(mostOf(cap)), from: fc.nat(20), goes: fc.nat(mostOf(cap)) }), {
          maxLength: 12,
        }),
      }),
    );

  /** @param every change the list after every so many requests */
  async function readChanging({ limit, cap, count, changes }: Scenario, every: number) {
    const gone = new Set<string>();
    const between = (list: readonly unknown[], request: number) => {
      const { comes = 0, from = 0, goes = 0 } = (request % every === 0 && changes[request / every - 1]) || {};
      const going = list.slice(from, from + goes).map(identify);
      for (const id of going) gone.add(id);
      return [...Array.from({ length: comes }, (_, i) => item(`new-${request}-${i}`)), ...without(list, going)];
    };
    const { found, requests } = await read(items(0, count), { cap, between }, limit);
    expect(new Set(found).size).toBe(found.length);
    return { requests, missed: ids(0, count).filter((id) => !gone.has(id) && !found.includes(id)) };
  }

  it('fewer than a page at once, at every second request → none that stays is missed', async () => {
    await fc.assert(
      fc.asyncProperty(
        scenarios((cap) => cap - 2),
        async (scenario) => {
          const { requests, missed } = await readChanging(scenario, 2);
          expect(missed).toEqual([]);
          expect(requests).toBeLessThan(150);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('any number, at every request → none that stays is missed, or UpstreamInvalid', async () => {
    await fc.assert(
      fc.asyncProperty(
        scenarios((cap) => 2 * cap),
        async (scenario) => {
          const { missed } = await readChanging(scenario, 1).catch((error: unknown) => {
            expect(error).toMatchObject({ name: 'UpstreamInvalid' });
            return { missed: [] };
          });
          expect(missed).toEqual([]);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('a list that cannot be read to its end', () => {
  const reading = async (fetchPage: FetchPage): Promise<void> => {
    for await (const _ of paginate(fetchPage, LIMIT, identify));
  };

  it.each([2, 100])('offset ignored, pages of %i items → UpstreamInvalid after 11 requests', async (count) => {
    let requests = 0;
    const ignoring: FetchPage = async () => {
      requests += 1;
      return pageOf(items(0, count));
    };
    await expect(reading(ignoring)).rejects.toMatchObject({
      name: 'UpstreamInvalid',
      message: 'DDS answered the same page of a list again and again.',
    });
    expect(requests).toBe(11);
  });

  it.each([
    ['says that it is the only one → that item', 1, 2],
    ['does not say how many there are → that item', Number.NaN, 2],
  ])('offset ignored, one item, and the server %s', async (_, total, expected) => {
    let requests = 0;
    const found: unknown[] = [];
    const ignoring: FetchPage = async () => {
      requests += 1;
      return { items: [item(0)], total };
    };
    for await (const one of paginate(ignoring, LIMIT, identify)) found.push(one);
    expect(found).toEqual([item(0)]);
    expect(requests).toBe(expected);
  });

  it('offset ignored, one item, and the server says that there are more → UpstreamInvalid', async () => {
    const ignoring: FetchPage = async () => ({ items: [item(0)], total: 5 });
    await expect(reading(ignoring)).rejects.toMatchObject({ name: 'UpstreamInvalid' });
  });

  it('every page is another → UpstreamInvalid after a bounded number of requests', async () => {
    let requests = 0;
    const moving: FetchPage = async () => {
      requests += 1;
      return pageOf(items(1000 * requests, 1000 * requests + LIMIT));
    };
    await expect(reading(moving)).rejects.toMatchObject({
      name: 'UpstreamInvalid',
      message: 'DDS answered a list that changes faster than it can be read.',
    });
    expect(requests).toBeLessThan(250);
  });
});
