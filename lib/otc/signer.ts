/**
 * The request signature of Open Telekom Cloud's gateway, `SDK-HMAC-SHA256`, each stage a function of its own.
 * Rule: https://docs.otc.t-systems.com/api-usage/guidelines/calling_apis/ak_sk_authentication/
 */
import { createHmac, hash } from 'node:crypto';
import { compactTime } from '../time.ts';

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
  readonly headers: Headers;
  readonly body: string;
}

/** Parameters by name; one that repeats has a list of values. */
export type Query = Readonly<Record<string, string | readonly string[]>>;

/** Values by lower-case name. */
export type Headers = Readonly<Record<string, string>>;

/** Percent-encodes all but letters, digits and `-._~`. Throws URIError for a lone surrogate. */
const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** The path as it goes into the URL: each segment percent-encoded. */
export const encodePath = (path: string): string =>
  /^[\w\-.~/]*$/.test(path) ? path : path.split('/').map(percentEncode).join('/');

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

/** The names of the headers that are signed, in the order of the canonical headers. */
const signedNames = (headers: Headers): readonly string[] => Object.keys(headers).sort();

/** `name:value` lines with trimmed values, sorted by name, each ending in a line feed. */
export function canonicalHeaders(headers: Headers, names = signedNames(headers)): string {
  let lines = '';
  for (const name of names) lines += `${name}:${headers[name]?.trim()}\n`;
  return lines;
}

export const signedHeaders = (headers: Headers, names = signedNames(headers)): string => names.join(';');

/** The request in the one form that both sides hash. Every header given is signed. */
export function canonicalRequest(
  { method, path, query, headers, body }: Omit<SignableRequest, 'host'>,
  names = signedNames(headers),
): string {
  const [uri, search] = [canonicalUri(path), canonicalQueryString(query)];
  return `${method}\n${uri}\n${search}\n${canonicalHeaders(headers, names)}\n${signedHeaders(headers, names)}\n${hash('sha256', body)}`;
}

export const stringToSign = (date: string, canonical: string): string =>
  `${ALGORITHM}\n${date}\n${hash('sha256', canonical)}`;

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
  const date = compactTime(time);
  const { method, host, path, query, body } = request;
  const headers = {
    ...request.headers,
    host,
    'x-sdk-date': date,
    ...(securityToken !== undefined && { 'x-security-token': securityToken }),
  };
  const names = signedNames(headers);
  const toSign = stringToSign(date, canonicalRequest({ method, path, query, headers, body }, names));
  return { ...headers, authorization: authorizationHeader(ak, signedHeaders(headers, names), signature(sk, toSign)) };
}
