/** Instances: which of them a setting is about, and what belongs to each. */
import type { ListedInstance } from '../dds/types.ts';

/** All, some by their ids, or those with a tag. */
export type InstanceSelector =
  | { readonly kind: 'all' }
  | { readonly kind: 'ids'; readonly ids: ReadonlySet<string> }
  | { readonly kind: 'tag'; readonly key: string; readonly value: string };

const IDS = /^[A-Za-z0-9-]{1,64}(, ?[A-Za-z0-9-]{1,64})*$/;
const TAG = /^tag:([^=,\s]{1,128})=([^,]{0,255})$/;

/** `all`, `tag:key=value`, or ids with commas between. Undefined for anything else. */
export function parseSelector(text: string): InstanceSelector | undefined {
  if (text === 'all') return { kind: 'all' };
  const [, key, value] = TAG.exec(text) ?? [];
  if (key !== undefined && value !== undefined) return { kind: 'tag', key, value };
  return IDS.test(text) ? { kind: 'ids', ids: new Set(text.split(/, ?/)) } : undefined;
}

export function selects(selector: InstanceSelector, { id, tags }: ListedInstance): boolean {
  switch (selector.kind) {
    case 'all':
      return true;
    case 'ids':
      return selector.ids.has(id);
    case 'tag':
      return tags.get(selector.key) === selector.value;
  }
}

/** What belongs to each instance, in the order given. */
export function groupByInstance<T>(
  items: readonly T[],
  instanceIdOf: (item: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const id = instanceIdOf(item);
    const group = groups.get(id);
    if (group) group.push(item);
    else groups.set(id, [item]);
  }
  return groups;
}
