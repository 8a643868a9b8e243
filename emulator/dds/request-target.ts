/** Parameters by name; one that repeats has a list of values. */
export type Query = Readonly<Record<string, string | readonly string[]>>;

/** Decoded. */
export interface RequestTarget {
  readonly path: string;
  readonly query: Query;
}

/**
 * Takes the request line's target apart. In the query `+` is a space, as Go and Python clients send it; in the path it
 * stands for itself. A key without a value has the empty one.
 * @returns undefined when it is not percent-encoded UTF-8, or no path at all (`GET http://host/`, `OPTIONS *`)
 */
export function readTarget(target: string): RequestTarget | undefined {
  if (!target.startsWith('/')) return undefined;
  const mark = target.indexOf('?');
  const [path, query] = mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
  const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));
  try {
    const values = new Map<string, string[]>();
    for (const pair of query.split('&').filter((text) => text !== '')) {
      const sign = pair.indexOf('=');
      const [key, value] = sign < 0 ? [pair, ''] : [pair.slice(0, sign), pair.slice(sign + 1)];
      const name = decode(key);
      values.set(name, [...(values.get(name) ?? []), decode(value)]);
    }
    const single = [...values].map(([name, all]) => [name, all.length === 1 ? (all[0] ?? '') : all] as const);
    return { path: path.split('/').map(decodeURIComponent).join('/'), query: Object.fromEntries(single) };
  } catch {
    return undefined;
  }
}
