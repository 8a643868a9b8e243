/** Who may call over HTTP: closed unless opened. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Failure } from '../errors.ts';
import { MINUTE, SECOND } from '../time.ts';
import type { HttpRequest } from './ports.ts';

/**
 * Signatures of webhooks, as in the Standard Webhooks specification, under its header names or those of its older form:
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
const HEADER_PREFIXES = ['webhook', 'svix'] as const;
const TOLERANCE = 5 * MINUTE;
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;
const MAX_KEYS = 2;
/** Each is an HMAC-SHA256 in base64. Those of other versions are passed over. */
const SIGNATURES = /(?<=^| )v1,([A-Za-z0-9+/]{43}=)(?= |$)/g;

export interface AuthenticationOptions {
  /** No caller needs to be known: on a local server. */
  readonly isOpen: boolean;
  readonly now: () => Date;
  readonly webhookSecret: () => Promise<string | undefined>;
}

/** How a caller was let in; `signedId` is the webhook's id that the signature covers. */
export interface Caller {
  readonly signedId?: string;
}

/**
 * Lets in whom the gateway has authorised, and whoever signed the webhook with a configured key within the last five
 * minutes. The signature covers the bytes of the body, so it is checked before the body is parsed.
 * @throws Failure `Unauthorized`, with no hint at what was wrong. `ConfigurationError`, `AuthenticationUnavailable` when
 * there is a signature and the key cannot be read: the reason is in the cause, for the log only.
 */
export type Authenticate = (request: HttpRequest) => Promise<Caller>;

export function authentication({ isOpen, now, webhookSecret }: AuthenticationOptions): Authenticate {
  return async (request) => {
    if (isOpen || request.isAuthorized) return {};
    const signed = HEADER_PREFIXES.map((prefix) => signedWebhook(request, prefix)).filter((webhook) =>
      isVerifiable(webhook, now()),
    );
    // Reading the key costs a request: only for what can be verified.
    const keys = signed.length > 0 ? await readKeys(webhookSecret) : [];
    const verified = signed.find((webhook) => isSigned(webhook, keys));
    if (verified?.id) return { signedId: verified.id };
    throw new Failure(
      'Unauthorized',
      'Call through the gateway with its authorisation (a Lambda authorizer must return a context), or sign the request: webhook-id, webhook-timestamp, webhook-signature (standardwebhooks.com).',
    );
  };
}

async function readKeys(webhookSecret: () => Promise<string | undefined>): Promise<readonly Buffer[]> {
  try {
    const secret = await webhookSecret();
    return secret === undefined ? [] : webhookKeys(secret);
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    if (cause.retry === 'never')
      throw new Failure('ConfigurationError', 'Signatures cannot be verified. The operator must repair it.', { cause });
    const message = 'Signatures cannot be verified at the moment. Try again later.';
    throw new Failure('AuthenticationUnavailable', message, { cause });
  }
}

/**
 * The keys in one secret, or in two separated by a space: the base64 of 24 to 64 bytes, after `whsec_` or alone.
 * @throws Failure `ConfigurationError` for anything else
 */
export function webhookKeys(secrets: string): readonly Buffer[] {
  const keys = secrets.trim().split(/\s+/).map(webhookKey);
  const valid = keys.filter((key) => key !== undefined);
  if (valid.length === keys.length && keys.length <= MAX_KEYS) return valid;
  throw new Failure(
    'ConfigurationError',
    `webhook_secret must be the base64 of ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes, after whsec_ or alone, once or twice with a space between.`,
  );
}

function webhookKey(secret: string): Buffer | undefined {
  const [, base64] = /^(?:whsec_)?([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  const key = Buffer.from(base64 ?? '', 'base64');
  return key.length >= MIN_KEY_BYTES && key.length <= MAX_KEY_BYTES ? key : undefined;
}

interface SignedWebhook {
  readonly id: string | undefined;
  /** Seconds since 1970. */
  readonly timestamp: string | undefined;
  /** One or several, separated by spaces, each `v1,` and base64. */
  readonly signatures: string | undefined;
  readonly body: Buffer;
}

const signedWebhook = ({ headers, body, isBase64Encoded }: HttpRequest, prefix: string): SignedWebhook => ({
  id: headers[`${prefix}-id`],
  timestamp: headers[`${prefix}-timestamp`],
  signatures: headers[`${prefix}-signature`],
  body: Buffer.from(typeof body === 'string' ? body : '', isBase64Encoded ? 'base64' : 'utf8'),
});

/** Whether it was sent within five minutes of `now`, as it says, and has signatures. Costs no hashing. */
function isVerifiable({ timestamp, signatures }: SignedWebhook, now: Date): boolean {
  if (!/^\d{1,12}$/.test(timestamp ?? '') || (signatures ?? '').search(SIGNATURES) < 0) return false;
  return Math.abs(now.getTime() - Number(timestamp) * SECOND) <= TOLERANCE;
}

/** Whether any of the signatures was made with any of the keys; compared in constant time. */
function isSigned({ id, timestamp, signatures, body }: SignedWebhook, keys: readonly Buffer[]): boolean {
  if (!id || !timestamp || !signatures) return false;
  const expected = keys.map((key) => createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest());
  return Array.from(signatures.matchAll(SIGNATURES), ([, base64 = '']) => Buffer.from(base64, 'base64')).some((given) =>
    expected.some((digest) => timingSafeEqual(digest, given)),
  );
}
