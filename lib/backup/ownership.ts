/** Whether a backup that holds the wanted name is the trigger's own. */
import type { ClockOffset } from '../dds/time.ts';
import type { ListedBackup } from '../dds/types.ts';
import { DAY, SECOND } from '../time.ts';
import type { Command } from './trigger.ts';

export type Ownership = 'own' | 'other' | 'undecided';

/** How long a derived name without a time stands for its idempotency key. */
const MAX_KEY_AGE = DAY;
/** How far back a delivery may refer. */
export const MAX_TRIGGER_AGE = 31 * DAY;
/** DDS cuts times to the second, and a `Date` header does too. */
const TOLERANCE = 2 * SECOND;

/**
 * A derived name with a time is proof. One without counts for a day. Under a given name, instance and description must
 * match, and the backup must have begun no earlier than the trigger.
 * @param firstDelivery the first delivery of the trigger that is known of
 * @param clock how far DDS's clock, which tells when the backup began, is from ours
 */
export function ownershipOf(
  found: ListedBackup,
  { request: { backup }, trigger }: Command,
  firstDelivery: Date,
  clock: ClockOffset,
): Ownership {
  const first = firstDelivery.getTime();
  if (backup.name === undefined) return trigger.time ? 'own' : began(found, first - MAX_KEY_AGE, clock);
  const isSame =
    found.instance_id === backup.instance_id && normalise(found.description) === normalise(backup.description ?? '');
  if (!isSame) return 'other';
  const triggered = Math.max(Math.min(trigger.time?.getTime() ?? first, first), first - MAX_TRIGGER_AGE);
  return began(found, triggered - TOLERANCE, clock);
}

/** Whether it surely began at or after a moment by our clock. */
function began({ beganAt }: ListedBackup, earliest: number, { atLeast, atMost }: ClockOffset): Ownership {
  if (beganAt === undefined) return 'undecided';
  if (beganAt - atMost >= earliest) return 'own';
  return beganAt - atLeast < earliest ? 'other' : 'undecided';
}

/** DDS may store a text trimmed, and in another of the forms that Unicode has for it. */
const normalise = (text: string): string => text.normalize('NFC').trim();
