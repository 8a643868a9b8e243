import type { Query } from '../lib/otc/signer.ts';

/** Decoded. */
export interface RequestTarget {
  readonly path: string;
  readonly query: Query;
}

/**
 * Takes the request line's target apart. `+` stands for itself, as RFC 3986 has it, not for a space: only `%20` is read
 * alike by every server. A key without a value has the empty one.
 * @returns undefined when it is not percent-encoded UTF-8, or no path at all (`GET http://host/`, `OPTIONS *`)
 */
export function readTarget(target: string): RequestTarget | undefined {
  if (!target.startsWith('/')) return undefined;
  const mark = target.indexOf('?');
  const [path, query] = mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
  try {
    const values = new Map<string, string[]>();
    for (const pair of query.split('&').filter((text) => text !== '')) {
      const sign = pair.indexOf('=');
      const [key, value] = sign < 0 ? [pair, ''] : [pair.slice(0, sign), pair.slice(sign + 1)];
      const name = decodeURIComponent(key);
      values.set(name, [...(values.get(name) ?? []), decodeURIComponent(value)]);
    }
    const single = [...values].map(([name, all]) => [name, all.length === 1 ? (all[0] ?? '') : all] as const);
    return { path: path.split('/').map(decodeURIComponent).join('/'), query: Object.fromEntries(single) };
  } catch {
    return undefined;
  }
}
