/** Everything that can be read out of a value, by a logger, an error reporter or a caller. */
import { inspect } from 'node:util';

const INSPECTED = {
  showHidden: true,
  depth: Number.POSITIVE_INFINITY,
  getters: true,
  maxStringLength: null,
  maxArrayLength: null,
  breakLength: Number.POSITIVE_INFINITY,
} as const;

/**
 * Every text in `value`, however deep: of members that are enumerable or not, of symbols and getters, of causes and
 * stacks, in buffers; and what `inspect` and JSON make of it.
 */
export function visible(value: unknown): string {
  const texts = new Set<string>([inspect(value, INSPECTED), json(value)]);
  const seen = new Set<unknown>();
  const look = (subject: unknown): void => {
    if (typeof subject === 'string') texts.add(subject);
    if (typeof subject !== 'object' || subject === null || seen.has(subject)) return;
    seen.add(subject);
    if (ArrayBuffer.isView(subject)) {
      texts.add(Buffer.from(subject.buffer, subject.byteOffset, subject.byteLength).toString('latin1'));
      return;
    }
    if (subject instanceof Map || subject instanceof Set) look([...subject]);
    for (const key of members(subject)) {
      look(String(key));
      look(valueAt(subject, key));
    }
  };
  look(value);
  return [...texts].join('\n');
}

/** Own ones and those of its class. */
function members(subject: object): readonly PropertyKey[] {
  const keys: PropertyKey[] = [];
  for (
    let level: unknown = subject;
    isObject(level) && level !== Object.prototype;
    level = Object.getPrototypeOf(level)
  )
    keys.push(...Reflect.ownKeys(level));
  return keys;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function valueAt(subject: object, key: PropertyKey): unknown {
  try {
    return Reflect.get(subject, key);
  } catch {
    return undefined;
  }
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}
