/**
 * Signatures of webhooks, as in the Standard Webhooks specification:
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE_SECONDS = 5 * 60;
const KEY_BYTES = { min: 24, max: 64 };
/** Each is an HMAC-SHA256 in base64; those of other versions are passed over. */
const SIGNATURES = /(?<=^| )v1,([A-Za-z0-9+/]{43}=)(?= |$)/g;

/** What a signature is over, as it came in. */
export interface SignedWebhook {
  readonly id: string | undefined;
  /** Seconds since 1970. */
  readonly timestamp: string | undefined;
  /** One or several, separated by spaces, each `v1,` and base64. */
  readonly signatures: string | undefined;
  readonly body: string | Buffer;
}

/**
 * The keys in one secret, or in two separated by a space: `whsec_` and the base64 of 24 to 64 bytes.
 * Undefined where it is anything else.
 */
export function webhookKeys(secrets: string): readonly Buffer[] | undefined {
  const keys = secrets.trim().split(/\s+/).map(webhookKey);
  return keys.length <= 2 && keys.every((key) => key !== undefined) ? keys : undefined;
}

function webhookKey(secret: string): Buffer | undefined {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  const key = Buffer.from(base64 ?? '', 'base64');
  return key.length >= KEY_BYTES.min && key.length <= KEY_BYTES.max ? key : undefined;
}

/** Whether it was sent within five minutes of `now`, as it says, and bears signatures. Costs no hashing. */
export function isVerifiable({ timestamp, signatures }: SignedWebhook, now: Date): boolean {
  if (!/^\d{1,12}$/.test(timestamp ?? '') || (signatures ?? '').search(SIGNATURES) < 0) return false;
  return Math.abs(now.getTime() / 1000 - Number(timestamp)) <= TOLERANCE_SECONDS;
}

/** Whether any of the signatures was made with any of the keys; compared in constant time. */
export function isSigned({ id, timestamp, signatures, body }: SignedWebhook, keys: readonly Buffer[]): boolean {
  if (!id || !timestamp || !signatures) return false;
  const expected = keys.map((key) => createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest());
  return Array.from(signatures.matchAll(SIGNATURES), ([, base64 = '']) => Buffer.from(base64, 'base64')).some((given) =>
    expected.some((digest) => timingSafeEqual(digest, given)),
  );
}
