/**
 * The gateway's side of `SDK-HMAC-SHA256`: recomputes a signature from the request as it was received. It shares nothing
 * with the client in lib/, so that a mistake there is not repeated here.
 * Rules: https://docs.otc.t-systems.com/api-usage/guidelines/calling_apis/ak_sk_authentication/
 */
import { createHmac, hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { RequestTarget } from './request-target.ts';

export const ALGORITHM = 'SDK-HMAC-SHA256';

/** What a client sends in place of the body's hash when it does not sign the body. */
const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

export interface SignedRequest extends RequestTarget {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What an `Authorization` header says. */
export interface Claim {
  readonly ak: string;
  /** Of the derived-key form: date, region, service; region and service may be empty. */
  readonly scope: readonly [date: string, region: string, service: string] | undefined;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const ACCESS = /^Access=([^,\s]+)$/;
const CREDENTIAL = /^Credential=([^,\s/]+)\/(\d{8})\/([^,\s/]*)\/([^,\s/]*)\/sdk_request$/;

export function readAuthorization(header: string): Claim | undefined {
  const [, key, names, signature] =
    /^SDK-HMAC-SHA256 ([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/.exec(header) ?? [];
  if (key === undefined || names === undefined || signature === undefined) return undefined;
  const signedHeaders = names.split(';');
  const [, plain] = ACCESS.exec(key) ?? [];
  if (plain !== undefined) return { ak: plain, scope: undefined, signedHeaders, signature };
  const [, ak, date, region, service] = CREDENTIAL.exec(key) ?? [];
  if (ak === undefined || date === undefined || region === undefined || service === undefined) return undefined;
  return { ak, scope: [date, region, service], signedHeaders, signature };
}

/** Milliseconds of `20191115T033655Z`; undefined for any other text and for a time that no calendar has. */
export function readSdkDate(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!parts) return undefined;
  const iso = `${parts.slice(1, 4).join('-')}T${parts.slice(4, 7).join(':')}`;
  const millis = Date.parse(`${iso}Z`);
  return Number.isNaN(millis) || new Date(millis).toISOString().slice(0, 19) !== iso ? undefined : millis;
}

/** Undefined when a header that is said to be signed is missing, or the list is not sorted or has one twice. */
export function canonicalRequest(request: SignedRequest, names: readonly string[]): string | undefined {
  const { method, path, query, headers, body } = request;
  const isSorted = names.every((name, index) => index === 0 || (names[index - 1] ?? '') < name);
  if (!isSorted || !names.every((name) => Object.hasOwn(headers, name))) return undefined;
  const lines = names.map((name) => `${name}:${[headers[name] ?? []].flat().join(', ').trim()}\n`);
  const payload = headers['x-sdk-content-sha256'] === UNSIGNED_PAYLOAD ? UNSIGNED_PAYLOAD : hash('sha256', body, 'hex');
  return [method, canonicalPath(path), canonicalQuery(query), lines.join(''), names.join(';'), payload].join('\n');
}

const encode = (text: string): string =>
  [...Buffer.from(text)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[\w.~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');

function canonicalPath(path: string): string {
  const encoded = path.split('/').map(encode).join('/');
  return encoded.endsWith('/') ? encoded : `${encoded}/`;
}

const canonicalQuery = (query: RequestTarget['query']): string =>
  Object.entries(query)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, values]) =>
      [values]
        .flat()
        .toSorted()
        .map((value) => `${encode(name)}=${encode(value)}`),
    )
    .join('&');

/** The signature that the request should have; a scope calls for a key that is derived from it. */
export function signatureOf(sk: string, date: string, scope: Claim['scope'], canonical: string): string {
  const hashed = hash('sha256', canonical, 'hex');
  if (!scope) return hmac(sk, [ALGORITHM, date, hashed].join('\n')).toString('hex');
  const parts = [...scope, 'sdk_request'];
  const key = parts.reduce<string | Buffer>(hmac, `SDK${sk}`);
  return hmac(key, [ALGORITHM, date, parts.join('/'), hashed].join('\n')).toString('hex');
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
