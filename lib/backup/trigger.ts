/** What asks for a backup, and the name that the backup gets from it. */
import { hash } from 'node:crypto';
import { InvalidRequest } from '../errors.ts';
import { compactTime, MUST_BE_A_TIME, parseRfc3339 } from '../time.ts';
import type { BackupRequest } from './request.ts';

/** Every delivery of one trigger has the same identity. */
export interface Trigger {
  readonly kind: 'http' | 'event-bus' | 'invoke' | 'smn' | 'timer';
  /** The idempotency key. */
  readonly id: string;
  /** Where the time is part of the identity. */
  readonly time?: Date;
}

/** A valid request and the trigger that it came from. */
export interface ValidEvent {
  readonly request: BackupRequest;
  readonly trigger: Trigger;
}

/** What is to be done. */
export interface Command extends ValidEvent {
  /** Submit nothing after this. */
  readonly notAfter?: Date;
}

/** @throws InvalidRequest when `not_after` is a date that no calendar has */
export function commandOf({ request, trigger }: ValidEvent): Command {
  if (request.not_after === undefined) return { request, trigger };
  const notAfter = parseRfc3339(request.not_after);
  if (notAfter) return { request, trigger, notAfter };
  throw new InvalidRequest(400, 'The request is invalid', [{ path: '/not_after', message: MUST_BE_A_TIME }]);
}

/** After so many FAILED backups of one trigger no further one is made. */
export const MAX_ATTEMPTS = 5;

/** The names that the backup of a trigger may have, in the order of attempts: one where the request gives it. */
export function backupNames({ request: { backup }, trigger }: Command): readonly string[] {
  const { name, name_prefix = '', instance_id } = backup;
  if (name !== undefined) return [name];
  return attemptNames(derivedName(name_prefix, trigger, instance_id));
}

/** A derived name, and those of the further attempts under it. */
export const attemptNames = (derived: string): readonly string[] =>
  Array.from({ length: MAX_ATTEMPTS }, (_, index) => (index === 0 ? derived : `${derived}-${index + 1}`));

/**
 * `{prefix}-{yyyymmddThhmmssZ}-{key}{check}`, without the time where the trigger has none: the same for every delivery
 * of one trigger, another for any other trigger, prefix or instance. `key` is 60 bits of a SHA-256 in 12 characters.
 * `check` is a checksum in 2 characters, which tells a derived name from one made by hand.
 * @param prefix 1 to 30 characters, so that the fifth attempt's name keeps DDS's limit of 64
 */
export function derivedName(prefix: string, { kind, id, time }: Trigger, instanceId: string): string {
  const identity = [kind, id, time?.toISOString() ?? null, prefix, instanceId];
  const stem = [prefix, ...(time ? [compactTime(time)] : []), base32(JSON.stringify(identity), 12)].join('-');
  return stem + checksum(stem, instanceId);
}

const DERIVED = /^((.+)-[a-z2-7]{12})([a-z2-7]{2})(?:-[2-5])?$/;
const TIMED = /^(.+)-\d{8}T\d{6}Z$/;

/**
 * The prefixes that the derived name of a backup of this instance may have, the longest first: what looks like a time
 * may be part of the prefix.
 * @returns none for a name that was made by hand
 */
export function prefixesOf(name: string, instanceId: string): readonly string[] {
  const [, stem = '', longest = '', check] = DERIVED.exec(name) ?? [];
  if (check !== checksum(stem, instanceId)) return [];
  const [, timeless] = TIMED.exec(longest) ?? [];
  return timeless === undefined ? [longest] : [longest, timeless];
}

const checksum = (stem: string, instanceId: string): string => base32(`${stem} ${instanceId}`, 2);

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** The first characters of a text's SHA-256 in base32 (RFC 4648, section 6), in lower case: five bits each. */
function base32(text: string, characters: number): string {
  const bits = BigInt(`0x${hash('sha256', text)}`)
    .toString(2)
    .padStart(256, '0');
  return Array.from(
    { length: characters },
    (_, index) => ALPHABET[Number.parseInt(bits.slice(5 * index, 5 * index + 5), 2)],
  ).join('');
}
