import { hash } from 'node:crypto';
import { sdkDate } from '../otc/signer.ts';
import type { Trigger } from './trigger.ts';
import type { BackupRequest } from './validate-request.js';

/** The name of the backup that a request asks for: the one that it gives, or one that is derived from the trigger. */
export const backupName = (
  { name, name_prefix = '', instance_id }: BackupRequest['backup'],
  trigger: Trigger,
): string => name ?? derivedName(name_prefix, trigger, instance_id);

/**
 * The name of the backup that `trigger` asks for: `{prefix}-{yyyymmddThhmmssZ}-{12 hex}`, without the time where the
 * trigger has none. The same for every delivery of one trigger, another for any other trigger or instance.
 * @param prefix 1 to 34 characters, so that the name keeps DDS's limit of 64
 */
export function derivedName(prefix: string, { kind, id, time }: Trigger, instanceId: string): string {
  const digest = hash('sha256', JSON.stringify([kind, id, instanceId])).slice(0, 12);
  return [prefix, ...(time ? [sdkDate(time)] : []), digest].join('-');
}
