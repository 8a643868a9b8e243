import { fieldsOf, isObject } from '../../lib/json.ts';

/** A copy of a schema that allows no member that it does not name, in itself or in its parts. */
export function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (!isObject(schema)) return schema;
  const parts = Object.fromEntries(Object.entries(schema).map(([name, part]) => [name, closed(part)]));
  return isObject(schema.properties) && !('additionalProperties' in fieldsOf(schema))
    ? { ...parts, additionalProperties: false }
    : parts;
}
