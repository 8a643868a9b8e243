/** The query's parameters. An empty value counts as not given, as the reference has it for times. */
import type { Query } from '../../lib/otc/signer.ts';
import { isRefusal, type Refusal, refusals } from '../refusals.ts';

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

export const onPage = <Item>(items: readonly Item[], { offset, limit }: Page): readonly Item[] =>
  items.slice(offset, offset + limit);

/** Reference: "Querying the Backup List" and "Querying Instances and Details", `mode`. */
export const isMode = (text: string): boolean => ['Sharding', 'ReplicaSet', 'Single'].includes(text);
