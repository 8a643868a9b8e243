/**
 * The gateway's authentication: `SDK-HMAC-SHA256`, recomputed from the request as it was received.
 * Rules: DDS API facts, "Signing with AK/SK"; texts: API Request Signing Guide, "Common Errors Related to IAM
 * Authentication Information".
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import {
  type Credentials,
  canonicalHeaders,
  canonicalQueryString,
  canonicalUri,
  signedHeaders,
  stringToSign,
} from '../lib/otc/signer.ts';
import { compactTime } from '../lib/time.ts';
import type { Refusal } from './refusals.ts';
import type { RequestTarget } from './request-target.ts';

export interface SignedRequest extends RequestTarget {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const CLOCK_TOLERANCE = 15 * 60 * 1000;

const unauthenticated = (detail: string): Refusal => ({
  status: 401,
  error_code: 'APIGW.0301',
  error_msg: `Incorrect IAM authentication information: ${detail}`,
});

/**
 * Refuses a request that is not signed by one of the keys; undefined when it is.
 *
 * Checks, in this order: an Authorization header; its form; a known access key; a date no more than 15 minutes off;
 * `host` and `x-sdk-date` among the signed headers; the security token that goes with the key, signed or not; the
 * signature, in constant time. A permanent key with a security token is refused like a token that cannot be read. The
 * real gateway also locks a key for five minutes after five failures in a row; this one does not.
 */
export function authenticate(request: SignedRequest, keys: readonly Credentials[], now: Date): Refusal | undefined {
  const { headers } = request;
  if (headers.authorization === undefined) return unauthenticated('x-auth-token not found');
  const claim = readAuthorization(headers.authorization);
  if (!claim) return unauthenticated('Authorization format incorrect');
  const key = keys.find(({ ak }) => ak === claim.ak);
  if (!key) return unauthenticated(`Get secretKey failed,ak:${claim.ak},err:ak not exist`);

  const date = headers['x-sdk-date'];
  const time = typeof date === 'string' ? readSdkDate(date) : undefined;
  if (typeof date !== 'string' || time === undefined) return unauthenticated('verify aksk signature fail, x-sdk-date');
  if (Math.abs(now.getTime() - time) > CLOCK_TOLERANCE) return unauthenticated('verify aksk signature fail, expired');
  if (!claim.signed.includes('host') || !claim.signed.includes('x-sdk-date'))
    return unauthenticated('verify aksk signature fail, SignedHeaders');
  if (headers['x-security-token'] !== key.securityToken) return unauthenticated('decrypt token fail');

  const canonical = canonicalRequest(request, claim.signed);
  if (canonical !== undefined && isEqual(claim.signature, hmac(key.sk, stringToSign(date, canonical))))
    return undefined;
  // The real one echoes the request so, the values of signed headers with it (x-security-token, when it is signed).
  const echo = canonical?.replaceAll('\n', '|') ?? '';
  return unauthenticated(`verify aksk signature fail, canonicalRequest:${echo}`);
}

interface Claim {
  readonly ak: string;
  readonly signed: readonly string[];
  readonly signature: string;
}

function readAuthorization(header: string): Claim | undefined {
  const form = /^SDK-HMAC-SHA256 Access=([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/;
  const [, ak, signed, claimed] = form.exec(header) ?? [];
  if (ak === undefined || signed === undefined || claimed === undefined) return undefined;
  return { ak, signed: signed.split(';'), signature: claimed };
}

/** Milliseconds of `20191115T033655Z`. */
function readSdkDate(text: string): number | undefined {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  const millis = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(millis) || compactTime(new Date(millis)) !== text ? undefined : millis;
}

/** Over the body's bytes, which need not be text; undefined when a signed header is missing or the list not sorted. */
function canonicalRequest(request: SignedRequest, names: readonly string[]): string | undefined {
  const { method, path, query, headers, body } = request;
  const present = names.filter((name) => Object.hasOwn(headers, name));
  const signed = Object.fromEntries(present.map((name) => [name, [headers[name] ?? []].flat().join(', ')]));
  const list = signedHeaders(signed);
  if (list !== names.join(';')) return undefined;
  const lines = [canonicalUri(path), canonicalQueryString(query), canonicalHeaders(signed), list];
  return [method, ...lines, hash('sha256', body, 'hex')].join('\n');
}

/** Node's own: what the signer computes is to be checked, not repeated. */
const hmac = (sk: string, toSign: string): string => createHmac('sha256', sk).update(toSign).digest('hex');

const isEqual = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
