/**
 * Who calls: the gateway's authentication, by signature or by token.
 * Texts: API Request Signing Guide, "Common Errors Related to IAM Authentication Information", and the FAQ of sister
 * services on APIGW.0301.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Credentials } from './credentials.ts';
import type { Refusal } from './refusals.ts';
import {
  type Claim,
  canonicalRequest,
  readAuthorization,
  readSdkDate,
  type SignedRequest,
  signatureOf,
} from './signature.ts';
import type { Tokens } from './tokens.ts';

/** Ids of the projects that a caller may use. */
export type Caller = readonly string[];

export interface KeyHolder {
  readonly id: string;
  readonly credentials: readonly Credentials[];
}

export interface GatewayOptions {
  readonly projects: () => readonly KeyHolder[];
  readonly tokens: Tokens;
  /** The gateway's clock, in milliseconds. */
  readonly now: () => number;
  readonly locksKeys: () => boolean;
}

const CLOCK_TOLERANCE = 15 * 60 * 1000;
const FAILURES_BEFORE_LOCK = 5;
const LOCK_MILLIS = 5 * 60 * 1000;

const unauthenticated = (detail: string): Refusal => ({
  status: 401,
  error_code: 'APIGW.0301',
  error_msg: `Incorrect IAM authentication information: ${detail}`,
});

/** Authenticates requests: whose they are, or the refusal. An `Authorization` header counts before a token. */
export function gateway({
  projects,
  tokens,
  now,
  locksKeys,
}: GatewayOptions): (request: SignedRequest) => Caller | Refusal {
  const failures = new Map<string, { count: number; last: number }>();

  const isLocked = (ak: string): boolean => {
    const failed = failures.get(ak);
    return (
      locksKeys() && failed !== undefined && failed.count > FAILURES_BEFORE_LOCK && now() < failed.last + LOCK_MILLIS
    );
  };
  const countFailure = (ak: string): void => {
    const { count = 0, last = 0 } = failures.get(ak) ?? {};
    failures.set(ak, { count: now() < last + LOCK_MILLIS ? count + 1 : 1, last: now() });
  };

  return (request) => {
    const { authorization, 'x-auth-token': token } = request.headers;
    if (authorization === undefined)
      return typeof token === 'string' ? byToken(tokens, token) : unauthenticated('x-auth-token not found');
    const claim = readAuthorization(authorization);
    if (!claim) return unauthenticated('Authorization format incorrect');
    const holders = projects().filter(({ credentials }) => credentials.some(({ ak }) => ak === claim.ak));
    const [key] = holders.flatMap(({ credentials }) => credentials.filter(({ ak }) => ak === claim.ak));
    if (!key) return unauthenticated(`Get secretKey failed,ak:${claim.ak},err:ak not exist`);
    if (isLocked(claim.ak)) return unauthenticated('AK access failed to reach the limit,forbidden.');
    const refusal = checkSignature(request, claim, key, now());
    if (refusal) countFailure(claim.ak);
    else failures.delete(claim.ak);
    return refusal ?? holders.map(({ id }) => id);
  };
}

function byToken(tokens: Tokens, text: string): Caller | Refusal {
  const token = tokens.read(text);
  if (token === undefined) return unauthenticated('decrypt token fail');
  if (token.isExpired) return unauthenticated(`token expires, expires_at:${token.expiresAt}`);
  return [token.projectId];
}

/**
 * Checks, in this order: a date no more than 15 minutes off; `x-sdk-date` among the signed headers, and in the scope of
 * a derived key; the security token that goes with the key, signed or not; the signature, in constant time. A permanent
 * key with a security token is refused like a token that cannot be read.
 */
function checkSignature(
  request: SignedRequest,
  { scope, signedHeaders, signature }: Claim,
  key: Credentials,
  now: number,
): Refusal | undefined {
  const { headers } = request;
  const date = headers['x-sdk-date'];
  const time = typeof date === 'string' ? readSdkDate(date) : undefined;
  if (typeof date !== 'string' || time === undefined) return unauthenticated('verify aksk signature fail, x-sdk-date');
  if (Math.abs(now - time) > CLOCK_TOLERANCE) return unauthenticated('verify aksk signature fail, expired');
  if (!signedHeaders.includes('x-sdk-date')) return unauthenticated('verify aksk signature fail, SignedHeaders');
  if (scope && !date.startsWith(scope[0])) return unauthenticated('verify aksk signature fail, Credential');
  if (headers['x-security-token'] !== key.securityToken) return unauthenticated('decrypt token fail');

  const canonical = canonicalRequest(request, signedHeaders);
  if (canonical !== undefined && isEqual(signature, signatureOf(key.sk, date, scope, canonical))) return undefined;
  // The real one echoes the request so, the values of signed headers with it (x-security-token, when it is signed).
  const echo = canonical?.replaceAll('\n', '|') ?? '';
  return unauthenticated(`verify aksk signature fail, canonicalRequest:${echo}`);
}

const isEqual = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
