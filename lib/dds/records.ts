/** The records of DDS's lists, read without trust: fields are missing, null, numbers as text or in other letters at times. */
import { fieldsOf, textOf } from '../json.ts';
import { parseDdsTime } from './time.ts';
import type { ListedBackup, ListedInstance, UnreadableRecord } from './types.ts';

/** What tells one record from another: its id, or else all of it. */
export const identify = (record: unknown): string => {
  const { id } = fieldsOf(record);
  return typeof id === 'string' ? id : JSON.stringify(record);
};

/**
 * A record without id, name or instance cannot be read; every other field may be missing.
 * @param instanceId of a list of one instance's backups
 */
export function readBackup(record: unknown, instanceId?: string): ListedBackup | UnreadableRecord {
  const fields = fieldsOf(record);
  const { id, name, instance_name, description } = fields;
  const instance_id = fields.instance_id ?? instanceId;
  if (!isText(id)) return { list: 'backups', field: 'id' };
  if (!isText(name)) return { list: 'backups', id, field: 'name' };
  if (!isText(instance_id)) return { list: 'backups', id, field: 'instance_id' };
  const type = TYPES.get(textOf(fields.type).toLowerCase());
  const [beganAt, endedAt] = [parseDdsTime(fields.begin_time), parseDdsTime(fields.end_time)];
  const sizeKb = readNumber(fields.size);
  return {
    id,
    name,
    instance_id,
    ...(isText(instance_name) && { instance_name }),
    ...(type && { type }),
    status: isText(fields.status) ? fields.status.toUpperCase() : 'UNKNOWN',
    ...(beganAt !== undefined && { beganAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(sizeKb !== undefined && { sizeKb }),
    description: typeof description === 'string' ? description : '',
    verbatim: record,
  };
}

/** A record without id cannot be read. */
export function readInstance(record: unknown): ListedInstance | UnreadableRecord {
  const { id, name, status, tags, created } = fieldsOf(record);
  if (!isText(id)) return { list: 'instances', field: 'id' };
  const createdAt = parseDdsTime(created);
  return {
    id,
    ...(isText(name) && { name }),
    ...(isText(status) && { status }),
    tags: readTags(tags),
    ...(createdAt !== undefined && { createdAt }),
  };
}

const readTags = (tags: unknown): ReadonlyMap<string, string> =>
  new Map(
    (Array.isArray(tags) ? tags : [])
      .map(fieldsOf)
      .flatMap(({ key, value }): [string, string][] => (isText(key) ? [[key, textOf(value)]] : [])),
  );

const TYPES: ReadonlyMap<string, 'Auto' | 'Manual'> = new Map([
  ['auto', 'Auto'],
  ['manual', 'Manual'],
]);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

function readNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined;
}
