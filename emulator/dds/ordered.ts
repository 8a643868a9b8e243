/** Items in ascending order of a number, such that adding the greatest costs nothing and finding any a few steps. */
export interface Ordered<Item> {
  readonly items: readonly Item[];
  add(item: Item): void;
  /** Many at once: one sort. */
  addAll(items: Iterable<Item>): void;
  /** The item's number must be the one that it was added with. */
  remove(item: Item): void;
  /** The index of the first item whose number is this or more. */
  from(number: number): number;
  /** The index of an item that is there. */
  indexOf(item: Item): number;
  clear(): void;
}

/** Among items of the same number the one with the lower `order` comes first; no two have both alike. */
export function ordered<Item extends { readonly order: number }>(number: (item: Item) => number): Ordered<Item> {
  let items: Item[] = [];
  const compare = (a: Item, b: Item): number => number(a) - number(b) || a.order - b.order;
  const firstWhere = (isReached: (item: Item) => boolean): number => {
    let [low, high] = [0, items.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const item = items[middle];
      if (item !== undefined && isReached(item)) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  const indexOf = (item: Item): number => firstWhere((other) => compare(other, item) >= 0);
  return {
    get items() {
      return items;
    },
    add: (item) => {
      const last = items.at(-1);
      if (last === undefined || compare(last, item) < 0) items.push(item);
      else items.splice(indexOf(item), 0, item);
    },
    addAll: (more) => {
      items = [...items, ...more].sort(compare);
    },
    remove: (item) => {
      const index = indexOf(item);
      if (items[index] === item) items.splice(index, 1);
    },
    from: (bound) => firstWhere((item) => number(item) >= bound),
    indexOf,
    clear: () => {
      items = [];
    },
  };
}
