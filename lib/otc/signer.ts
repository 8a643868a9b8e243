/**
 * The request signature of Open Telekom Cloud's gateway, `SDK-HMAC-SHA256`, each stage a function of its own.
 * Rule: https://docs.otc.t-systems.com/api-usage/guidelines/calling_apis/ak_sk_authentication/
 */
import { createHmac, hash } from 'node:crypto';

const ALGORITHM = 'SDK-HMAC-SHA256';

/** An access key; `securityToken` goes with a temporary one. */
export interface Credentials {
  readonly ak: string;
  readonly sk: string;
  readonly securityToken?: string;
}

/** What is signed. `path` and `query` are not percent-encoded; `host` carries a port that is not the scheme's default. */
export interface SignableRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: Query;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Parameters by name; one that repeats has a list of values. */
export type Query = Readonly<Record<string, string | readonly string[]>>;

/** Percent-encodes all but letters, digits and `-._~`. Throws URIError for a lone surrogate. */
const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** The path as it goes into the URL: each segment percent-encoded. */
export const encodePath = (path: string): string => path.split('/').map(percentEncode).join('/');

/** The encoded path, always ending in `/`: in the canonical form only, not in the URL. */
export function canonicalUri(path: string): string {
  const encoded = encodePath(path);
  return encoded.endsWith('/') ? encoded : `${encoded}/`;
}

/** `key=value` pairs, encoded, sorted by key and then by value; serves as the URL's query too. */
export const canonicalQueryString = (query: Query): string =>
  Object.keys(query)
    .sort()
    .flatMap((key) =>
      [query[key] ?? []]
        .flat()
        .sort()
        .map((value) => `${percentEncode(key)}=${percentEncode(value)}`),
    )
    .join('&');

/** `name:value` lines with lower-case names and trimmed values, sorted by name, each ending in a line feed. */
export const canonicalHeaders = (headers: Readonly<Record<string, string>>): string =>
  Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value.trim()] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value}\n`)
    .join('');

/** The names of the signed headers, in the order of the canonical headers. */
export const signedHeaders = (headers: Readonly<Record<string, string>>): string =>
  Object.keys(headers)
    .map((name) => name.toLowerCase())
    .sort()
    .join(';');

/** The request in the one form that both sides hash. Every header given is signed, and `host` is added. */
export function canonicalRequest({ method, host, path, query, headers, body }: SignableRequest): string {
  const all = { ...headers, host };
  return [
    method,
    canonicalUri(path),
    canonicalQueryString(query),
    canonicalHeaders(all),
    signedHeaders(all),
    hash('sha256', body, 'hex'),
  ].join('\n');
}

/** `X-Sdk-Date`: UTC in ISO 8601's basic format, to the second. */
export const sdkDate = (time: Date): string => time.toISOString().replace(/[-:]|\.\d+/g, '');

export const stringToSign = (date: string, canonical: string): string =>
  [ALGORITHM, date, hash('sha256', canonical, 'hex')].join('\n');

export const signature = (sk: string, toSign: string): string => createHmac('sha256', sk).update(toSign).digest('hex');

export const authorizationHeader = (ak: string, signed: string, sig: string): string =>
  `${ALGORITHM} Access=${ak}, SignedHeaders=${signed}, Signature=${sig}`;

/**
 * Signs a request.
 * @param request its headers, all of which are signed; none of those that signing adds
 * @param time now; the gateway refuses a clock that is off by more than 15 minutes
 * @returns the headers to send: those given, `host`, `x-sdk-date`, `authorization`, with temporary keys `x-security-token`
 * @throws URIError when the path or the query holds a lone surrogate
 */
export function sign(request: SignableRequest, { ak, sk, securityToken }: Credentials, time: Date) {
  const date = sdkDate(time);
  const headers = {
    ...request.headers,
    host: request.host,
    'x-sdk-date': date,
    ...(securityToken !== undefined && { 'x-security-token': securityToken }),
  };
  const toSign = stringToSign(date, canonicalRequest({ ...request, headers }));
  return { ...headers, authorization: authorizationHeader(ak, signedHeaders(headers), signature(sk, toSign)) };
}
