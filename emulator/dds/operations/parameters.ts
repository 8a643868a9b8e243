/** The query's parameters. An empty value counts as not given, as the reference has it for times. */
import { isRefusal, type Refusal, refusals } from '../refusals.ts';
import type { Query } from '../request-target.ts';
import type { Settings } from '../settings.ts';

/** The one value of a parameter. Given twice, it is a parameter error. */
export function parameter(query: Query, name: string): string | undefined | Refusal {
  const value = query[name];
  if (value === undefined || value === '') return undefined;
  return typeof value === 'string' ? value : refusals.parameterError;
}

/** The values of several parameters, or the first refusal among them. */
export function parameters<Name extends string>(
  query: Query,
  ...names: readonly Name[]
): Partial<Record<Name, string>> | Refusal {
  const values: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value = parameter(query, name);
    if (isRefusal(value)) return value;
    if (value !== undefined) values[name] = value;
  }
  return values;
}

export interface Page {
  readonly offset: number;
  readonly limit: number;
}

const integer = (text: string): number => (/^\d{1,9}$/.test(text) ? Number(text) : Number.NaN);

/** `limit` is 1 to 100, 100 when not given; `offset` is 0 or more. Reference: "Querying the Backup List", table 1. */
export function readPage(query: Query): Page | Refusal {
  const given = parameters(query, 'limit', 'offset');
  if (isRefusal(given)) return given;
  const limit = integer(given.limit ?? '100');
  if (!(limit >= 1 && limit <= 100)) return refusals.invalidLimit;
  const offset = integer(given.offset ?? '0');
  return offset >= 0 ? { limit, offset } : refusals.invalidOffset;
}

/** The items of a page and the count beside them, as the settings have it. */
export function pageOf<Item>(
  { total, page }: { readonly total: number; page(offset: number, limit: number): readonly Item[] },
  { offset, limit }: Page,
  { pageCap, ignoreOffset, totalCount }: Settings,
): { readonly items: readonly Item[]; readonly total_count: number } {
  const items = page(ignoreOffset ? 0 : offset, Math.min(limit, pageCap ?? limit));
  const counts = { right: total, zero: 0, page: items.length, 'one too high': total + 1 };
  return { items, total_count: counts[totalCount] };
}

/** Reference: "Querying the Backup List" and "Querying Instances and Details", `mode`. */
export const isMode = (text: string): boolean => ['Sharding', 'ReplicaSet', 'Single'].includes(text);
